"""The rules of an appointment, told as examples."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec import structs

from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    RecordNoShow,
)
from salerno.contexts.scheduling.errors import (
    AlreadyArrived,
    AlreadyBooked,
    AlreadyOver,
    NoSuchAppointment,
    NotBookableOnline,
    NotYet,
    OutsideWorkingHours,
    SlotTaken,
)
from salerno.contexts.scheduling.events import (
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentCreated,
    AppointmentReinstated,
    AppointmentUpdated,
    NoShowRecorded,
    PatientCheckedIn,
)
from salerno.contexts.scheduling.rules.appointment import APPOINTMENT, Book, Change, Reinstate, Slot, Taken
from salerno.contexts.scheduling.rules.availability import Opening, Practice
from salerno.kernel.testing import ORIGIN, Scenario

ID, OTHER, ADA, BELL, CURIE, ROOM = (UUID(int=number) for number in range(1, 7))
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
SLOT = Slot(ADA, BELL, "consultation", NINE, 30, reason="cough")
CREATED = AppointmentCreated(
    appointment=ID,
    patient=ADA,
    practitioner=BELL,
    visit_type="consultation",
    starts_at=NINE,
    minutes=30,
    reason="cough",
)
CONFIRMED = AppointmentConfirmed(appointment=ID, patient=ADA, practitioner=BELL)
ARRIVED = PatientCheckedIn(appointment=ID, patient=ADA, practitioner=BELL)
COMPLETED = AppointmentCompleted(appointment=ID, patient=ADA, practitioner=BELL)
CANCELLED = AppointmentCancelled(
    appointment=ID, patient=ADA, practitioner=BELL, starts_at=NINE, minutes=30, reason="snow"
)
MISSED = NoShowRecorded(appointment=ID, patient=ADA, practitioner=BELL, starts_at=NINE)
IN_THE_WAY = Taken("practitioner", BELL, OTHER, NINE, TEN)


def given(*events: object) -> Scenario:
    return Scenario(APPOINTMENT).given(*events)


def moved_to(slot: Slot) -> AppointmentUpdated:
    fields = {name: getattr(slot, name) for name in Slot.__slots__}
    return AppointmentUpdated(
        appointment=ID, previous_practitioner=BELL, previous_starts_at=NINE, previous_minutes=30, **fields
    )


def test_a_free_time_can_be_booked() -> None:
    given().when(Book(ID, SLOT)).then(CREATED)


def test_an_appointment_is_booked_once() -> None:
    given(CREATED).when(Book(ID, SLOT)).then_refused(AlreadyBooked)


def test_a_taken_time_is_refused_with_every_conflict_named() -> None:
    patient_too = Taken("patient", ADA, OTHER, NINE, TEN)
    refusal = given().when(Book(ID, SLOT, [IN_THE_WAY, patient_too])).then_refused(SlotTaken)
    assert refusal.details["conflicts"] == [
        {
            "resource": "practitioner",
            "resource_id": str(BELL),
            "appointment_id": str(OTHER),
            "starts_at": "2026-03-02T09:00:00Z",
            "ends_at": "2026-03-02T10:00:00Z",
        },
        {
            "resource": "patient",
            "resource_id": str(ADA),
            "appointment_id": str(OTHER),
            "starts_at": "2026-03-02T09:00:00Z",
            "ends_at": "2026-03-02T10:00:00Z",
        },
    ]


def by_a_patient(booking: Book) -> Scenario:
    return given().by(structs.replace(ORIGIN, role="PATIENT")).when(booking)


ONLINE = Practice(online=True, days_ahead=30)


def test_a_patient_is_not_told_whose_appointment_is_in_the_way() -> None:
    refusal = by_a_patient(Book(ID, SLOT, [IN_THE_WAY], practice=ONLINE)).then_refused(SlotTaken)
    assert refusal.details["conflicts"] == [{"resource": "practitioner"}]


def test_patients_book_by_themselves_only_where_it_is_offered_ahead_of_time_and_within_hours() -> None:
    by_a_patient(Book(ID, SLOT, practice=ONLINE)).then(CREATED)
    by_a_patient(Book(ID, SLOT)).then_refused(NotBookableOnline)
    for days in (-1, 31):
        at_another_time = replace(SLOT, starts_at=NINE + timedelta(days=days))
        by_a_patient(Book(ID, at_another_time, practice=ONLINE)).then_refused(NotBookableOnline)
    urgent = replace(SLOT, overbook_reason="chest pain")
    by_a_patient(Book(ID, urgent, (), Opening.HOURS, ONLINE)).then_refused(OutsideWorkingHours)


@pytest.mark.parametrize("because", [Opening.HOURS, Opening.TIME_OFF, Opening.HOLIDAY])
def test_outside_working_hours_a_reason_is_needed(because: Opening) -> None:
    refusal = given().when(Book(ID, SLOT, (), because)).then_refused(OutsideWorkingHours)
    assert refusal.details["because"] == because.value


def test_an_emergency_may_be_booked_outside_working_hours_with_a_reason() -> None:
    slot = replace(SLOT, overbook_reason="chest pain")
    [created] = given().when(Book(ID, slot, (), Opening.HOURS)).events()
    assert created.overbook_reason == "chest pain"


def test_no_reason_books_what_is_taken() -> None:
    slot = replace(SLOT, overbook_reason="chest pain")
    given().when(Book(ID, slot, [IN_THE_WAY])).then_refused(SlotTaken)


def test_moving_says_where_it_was_before() -> None:
    later = replace(SLOT, starts_at=TEN, practitioner=CURIE, room=ROOM, minutes=45)
    given(CREATED).when(Change(ID, later)).then(moved_to(later))


def test_moving_to_the_same_time_changes_nothing() -> None:
    given(CREATED).when(Change(ID, SLOT)).then_nothing()


def test_a_new_reason_needs_no_free_time() -> None:
    asked = replace(SLOT, reason="fever")
    given(CREATED).when(Change(ID, asked, [IN_THE_WAY], Opening.HOURS)).then(moved_to(asked))


def test_a_move_into_a_taken_time_is_refused() -> None:
    given(CREATED).when(Change(ID, replace(SLOT, starts_at=TEN), [IN_THE_WAY])).then_refused(SlotTaken)


def test_a_patient_who_has_arrived_is_not_moved_to_another_time_but_may_be_to_another_room() -> None:
    given(CREATED, ARRIVED).when(Change(ID, replace(SLOT, starts_at=TEN))).then_refused(AlreadyArrived)
    given(CREATED, ARRIVED).when(Change(ID, replace(SLOT, room=ROOM))).then(moved_to(replace(SLOT, room=ROOM)))


def test_confirming_twice_changes_nothing() -> None:
    given(CREATED).when(ConfirmAppointment(appointment_id=ID)).then(CONFIRMED)
    given(CREATED, CONFIRMED).when(ConfirmAppointment(appointment_id=ID)).then_nothing()


def test_a_patient_arrives_confirmed_or_not_and_once() -> None:
    given(CREATED).when(CheckIn(appointment_id=ID)).then(ARRIVED)
    given(CREATED, CONFIRMED).when(CheckIn(appointment_id=ID)).then(ARRIVED)
    given(CREATED, ARRIVED).when(CheckIn(appointment_id=ID)).then_nothing()


def test_nobody_checks_in_days_before() -> None:
    next_week = AppointmentCreated(
        appointment=ID, patient=ADA, practitioner=BELL, visit_type="consultation",
        starts_at=NINE + timedelta(days=7), minutes=30,
    )  # fmt: skip
    given(next_week).when(CheckIn(appointment_id=ID)).then_refused(NotYet)


def test_a_visit_is_completed_once() -> None:
    given(CREATED, ARRIVED).when(CompleteAppointment(appointment_id=ID)).then(COMPLETED)
    given(CREATED, ARRIVED, COMPLETED).when(CompleteAppointment(appointment_id=ID)).then_nothing()


def test_cancelling_keeps_the_reason_and_cancelling_again_changes_nothing() -> None:
    given(CREATED).when(CancelAppointment(appointment_id=ID, reason="snow")).then(CANCELLED)
    given(CREATED, CANCELLED).when(CancelAppointment(appointment_id=ID)).then_nothing()


def test_nobody_is_missing_before_the_time_has_come() -> None:
    later = AppointmentCreated(
        appointment=ID, patient=ADA, practitioner=BELL, visit_type="consultation", starts_at=TEN, minutes=30
    )
    given(later).when(RecordNoShow(appointment_id=ID)).then_refused(NotYet)
    given(CREATED).when(RecordNoShow(appointment_id=ID)).then(MISSED)


def test_who_has_arrived_is_not_missing() -> None:
    given(CREATED, ARRIVED).when(RecordNoShow(appointment_id=ID)).then_refused(AlreadyArrived)


@pytest.mark.parametrize("ending", [COMPLETED, CANCELLED, MISSED])
def test_once_over_it_never_changes(ending: object) -> None:
    over = given(CREATED, ending)
    over.when(Change(ID, replace(SLOT, starts_at=TEN))).then_refused(AlreadyOver)
    over.when(ConfirmAppointment(appointment_id=ID)).then_refused(AlreadyOver)
    over.when(CheckIn(appointment_id=ID)).then_refused(AlreadyOver)


@pytest.mark.parametrize("mistake", [CANCELLED, MISSED, ARRIVED])
def test_a_mistaken_ending_can_be_taken_back_while_the_time_is_free(mistake: object) -> None:
    back = AppointmentReinstated(appointment=ID, patient=ADA, practitioner=BELL, starts_at=NINE, minutes=30)
    given(CREATED, mistake).when(Reinstate(ID)).then(back)
    given(CREATED, mistake).when(Reinstate(ID, [IN_THE_WAY])).then_refused(SlotTaken)


def test_a_completed_visit_is_not_taken_back() -> None:
    given(CREATED, COMPLETED).when(Reinstate(ID)).then_refused(AlreadyOver)


def test_what_was_never_booked_cannot_be_cancelled() -> None:
    given().when(CancelAppointment(appointment_id=ID)).then_refused(NoSuchAppointment)
