"""Booking on a real database: what is held, what is refused and why, and what lists show."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from salerno.contexts.encounters.events import VisitCompleted, VisitStarted
from salerno.contexts.patients.commands import MergePatients
from salerno.contexts.scheduling.commands import (
    AddRoom,
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    DefineVisitType,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    RetireRoom,
    RetireVisitType,
    ScheduleAppointment,
    UpdateAppointment,
)
from salerno.contexts.scheduling.errors import (
    NoSuchAppointment,
    NoSuchTime,
    NotBookableOnline,
    OutsideWorkingHours,
    SlotTaken,
)
from salerno.contexts.scheduling.policies import POLICIES
from salerno.contexts.scheduling.queries import (
    AppointmentById,
    AppointmentItem,
    Appointments,
    AppointmentsOfPatient,
    Attendance,
    DayCalendar,
    FreeSlots,
    Rooms,
    VisitTypes,
    WaitingRoom,
    WeekCalendar,
)
from salerno.contexts.staff.commands import AddTimeOff
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed, NotFound, VersionConflict
from salerno.kernel.messages import Caller, Event, Recorded
from salerno.kernel.testing import ORIGIN, MovableClock

MONDAY_TEN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # ten o'clock in Rome


async def shown(clinic: Any, appointment: UUID) -> AppointmentItem:
    item: AppointmentItem = await clinic.bus.ask(AppointmentById(appointment_id=appointment), clinic.desk)
    return item


async def test_a_booking_is_shown_with_names_at_once(clinic: Any) -> None:
    ada, bell = await clinic.patient("Ada Byron"), await clinic.practitioner()
    receipt = await clinic.book(ada, bell, MONDAY_TEN, duration_minutes=25, visit_type="Follow up", reason="cough")
    item = await shown(clinic, receipt.aggregate_id)
    assert (receipt.success, receipt.version) == (True, 1)
    assert (item.patient_name, item.doctor_name) == ("Ada Byron", "Joseph Bell")
    assert (item.appointment_datetime, item.duration_minutes) == (MONDAY_TEN, 25)
    assert (item.visit_type, item.status, item.reason) == ("follow-up", "scheduled", "cough")
    assert item.location_id == clinic.place


async def test_the_visit_type_says_how_long_where_nobody_else_does(clinic: Any) -> None:
    receipt = await clinic.book(await clinic.patient(), await clinic.practitioner(), MONDAY_TEN, visit_type="procedure")
    item = await shown(clinic, receipt.aggregate_id)
    assert (item.duration_minutes, item.buffer_before, item.buffer_after) == (45, 5, 10)


async def test_a_refusal_names_practitioner_patient_and_room_and_the_nearest_free_times(clinic: Any) -> None:
    ada, bo, bell, curie = await clinic.patient(), await clinic.patient(), *[await clinic.practitioner() for _ in "ab"]
    room = (await clinic.bus.handle(AddRoom(name="Blue"), clinic.admin)).aggregate_id
    first = await clinic.book(ada, bell, MONDAY_TEN, room_id=room)
    second = await clinic.book(bo, curie, MONDAY_TEN)
    with pytest.raises(SlotTaken) as refusal:
        await clinic.book(bo, bell, MONDAY_TEN + timedelta(minutes=15), room_id=room)
    found = {(each["resource"], each["appointment_id"]) for each in refusal.value.details["conflicts"]}
    assert found == {
        ("practitioner", str(first.aggregate_id)),
        ("room", str(first.aggregate_id)),
        ("patient", str(second.aggregate_id)),
    }
    offered = [each["starts_at"] for each in refusal.value.details["alternatives"]]
    assert offered == ["2026-03-02T08:30:00Z", "2026-03-02T09:30:00Z", "2026-03-02T09:45:00Z"]


async def test_every_alternative_that_is_offered_can_be_booked(clinic: Any) -> None:
    bell = await clinic.practitioner()
    await clinic.book(await clinic.patient(), bell, MONDAY_TEN, visit_type="procedure")
    patient = await clinic.patient()
    with pytest.raises(SlotTaken) as refusal:
        await clinic.book(patient, bell, MONDAY_TEN, visit_type="procedure")
    for offer in refusal.value.details["alternatives"]:
        at = datetime.fromisoformat(offer["starts_at"])
        made = await clinic.book(patient, bell, at, visit_type="procedure")
        await clinic.bus.handle(CancelAppointment(appointment_id=made.aggregate_id), clinic.desk)


async def test_a_buffer_holds_the_practitioner_and_not_the_patient(clinic: Any) -> None:
    ada, bell, curie = await clinic.patient(), await clinic.practitioner(), await clinic.practitioner()
    await clinic.book(ada, bell, MONDAY_TEN, visit_type="procedure")
    just_after = MONDAY_TEN + timedelta(minutes=45)
    with pytest.raises(SlotTaken):
        await clinic.book(await clinic.patient(), bell, just_after)
    assert (await clinic.book(ada, curie, just_after)).version == 1


async def test_outside_working_hours_is_refused_unless_a_reason_is_given(clinic: Any) -> None:
    ada, bell = await clinic.patient(), await clinic.practitioner()
    evening = MONDAY_TEN + timedelta(hours=10)
    with pytest.raises(OutsideWorkingHours) as refusal:
        await clinic.book(ada, bell, evening)
    assert refusal.value.details["because"] == "hours" and len(refusal.value.details["alternatives"]) == 3
    made = await clinic.book(ada, bell, evening, visit_type="emergency", overbook_reason="chest pain")
    assert (await shown(clinic, made.aggregate_id)).overbook_reason == "chest pain"


async def test_time_off_closes_the_book_as_soon_as_it_is_added(clinic: Any) -> None:
    ada, bell = await clinic.patient(), await clinic.practitioner()
    off = AddTimeOff(staff_id=bell, starts_at=MONDAY_TEN - timedelta(hours=1), ends_at=MONDAY_TEN + timedelta(hours=4))
    await clinic.bus.handle(off, clinic.admin)
    await clinic.bus.settled()
    with pytest.raises(OutsideWorkingHours) as refusal:
        await clinic.book(ada, bell, MONDAY_TEN)
    assert refusal.value.details["because"] == "time-off"


async def test_what_is_named_and_does_not_exist_is_refused_all_at_once(clinic: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        await clinic.book(uuid4(), uuid4(), MONDAY_TEN, visit_type="nonsense", room_id=uuid4(), location_id=uuid4())
    assert [each["path"] for each in refusal.value.errors] == [
        "patient_id", "doctor_id", "visit_type", "room_id", "location_id",
    ]  # fmt: skip


async def test_nobody_books_with_another_organisations_people(
    clinic: Any, caller: Callable[..., Caller], bus: Bus
) -> None:
    ada, bell = await clinic.patient(), await clinic.practitioner()
    stranger = caller("RECEPTIONIST", organisation_id=uuid4())
    wish = ScheduleAppointment(patient_id=ada, doctor_id=bell, appointment_datetime=MONDAY_TEN)
    with pytest.raises(Invalid) as refusal:
        await bus.handle(wish, stranger)
    assert [each["path"] for each in refusal.value.errors] == ["patient_id", "doctor_id"]
    made = await clinic.book(ada, bell, MONDAY_TEN)
    with pytest.raises(NoSuchAppointment):
        await bus.ask(AppointmentById(appointment_id=made.aggregate_id), stranger)
    with pytest.raises(NotFound):
        await bus.handle(CancelAppointment(appointment_id=made.aggregate_id), stranger)


async def test_a_local_time_means_the_clocks_of_the_organisation(clinic: Any) -> None:
    made = await clinic.book(await clinic.patient(), await clinic.practitioner(hours=None), datetime(2026, 7, 6, 9))
    assert (await shown(clinic, made.aggregate_id)).appointment_datetime == datetime(2026, 7, 6, 7, tzinfo=UTC)


async def test_the_hour_that_clocks_skip_is_refused_and_the_one_they_repeat_is_its_first(clinic: Any) -> None:
    ada, bell = await clinic.patient(), await clinic.practitioner(hours=None)
    with pytest.raises(NoSuchTime):
        await clinic.book(ada, bell, datetime(2026, 3, 29, 2, 30))
    item = await shown(clinic, (await clinic.book(ada, bell, datetime(2026, 10, 25, 2, 30))).aggregate_id)
    assert (item.appointment_datetime, item.time_note) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "first-of-two")


async def test_moving_frees_the_old_time_and_holds_the_new_one(clinic: Any) -> None:
    ada, bo, bell = await clinic.patient(), await clinic.patient(), await clinic.practitioner()
    made = await clinic.book(ada, bell, MONDAY_TEN)
    later = MONDAY_TEN + timedelta(hours=1)
    move = RescheduleAppointment(appointment_id=made.aggregate_id, appointment_datetime=later, duration_minutes=60)
    await clinic.bus.handle(move, clinic.desk)
    item = await shown(clinic, made.aggregate_id)
    assert (item.appointment_datetime, item.duration_minutes, item.version) == (later, 60, 2)
    await clinic.book(bo, bell, MONDAY_TEN)
    with pytest.raises(SlotTaken):
        await clinic.book(await clinic.patient(), bell, later + timedelta(minutes=30))


async def test_a_refused_move_changes_nothing(clinic: Any) -> None:
    bell = await clinic.practitioner()
    kept = await clinic.book(await clinic.patient(), bell, MONDAY_TEN)
    mine = await clinic.book(await clinic.patient(), bell, MONDAY_TEN + timedelta(hours=1))
    before = await shown(clinic, mine.aggregate_id)
    move = RescheduleAppointment(appointment_id=mine.aggregate_id, appointment_datetime=MONDAY_TEN)
    with pytest.raises(SlotTaken) as refusal:
        await clinic.bus.handle(move, clinic.desk)
    assert refusal.value.details["conflicts"][0]["appointment_id"] == str(kept.aggregate_id)
    assert await shown(clinic, mine.aggregate_id) == before


async def test_an_appointment_may_move_into_time_that_it_holds_itself(clinic: Any) -> None:
    made = await clinic.book(await clinic.patient(), await clinic.practitioner(), MONDAY_TEN)
    at = MONDAY_TEN + timedelta(minutes=10)
    move = RescheduleAppointment(appointment_id=made.aggregate_id, appointment_datetime=at)
    assert (await clinic.bus.handle(move, clinic.desk)).version == 2


async def test_a_stale_version_is_told_the_current_one(clinic: Any) -> None:
    made = await clinic.book(await clinic.patient(), await clinic.practitioner(), MONDAY_TEN)
    await clinic.bus.handle(ConfirmAppointment(appointment_id=made.aggregate_id), clinic.desk)
    change = UpdateAppointment(appointment_id=made.aggregate_id, reason="fever")
    with pytest.raises(VersionConflict) as refusal:
        await clinic.bus.handle(change, clinic.desk, expected_version=1)
    assert refusal.value.current == 2


async def test_cancelling_frees_the_time_and_taking_it_back_needs_it_still_free(clinic: Any) -> None:
    bell = await clinic.practitioner()
    made = await clinic.book(await clinic.patient(), bell, MONDAY_TEN)
    await clinic.bus.handle(CancelAppointment(appointment_id=made.aggregate_id, reason="snow"), clinic.desk)
    assert (await shown(clinic, made.aggregate_id)).cancel_reason == "snow"
    other = await clinic.book(await clinic.patient(), bell, MONDAY_TEN)
    with pytest.raises(SlotTaken):
        await clinic.bus.handle(ReinstateAppointment(appointment_id=made.aggregate_id), clinic.desk)
    await clinic.bus.handle(CancelAppointment(appointment_id=other.aggregate_id), clinic.desk)
    await clinic.bus.handle(ReinstateAppointment(appointment_id=made.aggregate_id), clinic.desk)
    assert (await shown(clinic, made.aggregate_id)).status == "scheduled"
    with pytest.raises(SlotTaken):
        await clinic.book(await clinic.patient(), bell, MONDAY_TEN)


async def test_a_merged_chart_and_the_one_it_went_into_are_one_patient(clinic: Any, doctor: Caller) -> None:
    twice, ada = await clinic.patient(), await clinic.patient()
    bell, curie = await clinic.practitioner(), await clinic.practitioner()
    before = await clinic.book(twice, bell, MONDAY_TEN)
    await clinic.bus.handle(MergePatients(patient_id=ada, duplicate_id=twice), doctor)
    await clinic.bus.settled()
    with pytest.raises(SlotTaken) as refusal:
        await clinic.book(ada, curie, MONDAY_TEN)
    assert refusal.value.details["conflicts"][0]["appointment_id"] == str(before.aggregate_id)
    after = await clinic.book(twice, curie, MONDAY_TEN + timedelta(hours=1))
    assert (await shown(clinic, after.aggregate_id)).patient_id == ada
    items = await clinic.bus.ask(AppointmentsOfPatient(patient_id=ada), clinic.desk)
    assert [item.id for item in items] == [after.aggregate_id, before.aggregate_id]


async def test_appointments_as_of_a_moment_are_those_known_then(clinic: Any, clock: MovableClock) -> None:
    ada, bell = await clinic.patient(), await clinic.practitioner()
    clock.set(datetime(2026, 2, 1, 12, tzinfo=UTC))
    made = await clinic.book(ada, bell, MONDAY_TEN)
    clock.set(datetime(2026, 2, 3, 12, tzinfo=UTC))
    await clinic.bus.handle(CancelAppointment(appointment_id=made.aggregate_id), clinic.desk)
    then = AppointmentsOfPatient(patient_id=ada, as_of=datetime(2026, 2, 2, tzinfo=UTC))
    assert [item.status for item in await clinic.bus.ask(then, clinic.desk)] == ["scheduled"]
    long_ago = AppointmentsOfPatient(patient_id=ada, as_of=datetime(2026, 1, 2, tzinfo=UTC))
    assert await clinic.bus.ask(long_ago, clinic.desk) == []


async def test_lists_follow_the_local_day_with_totals(clinic: Any) -> None:
    bell = await clinic.practitioner(hours=None)
    just_after_midnight = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    for at in (MONDAY_TEN, MONDAY_TEN + timedelta(hours=1), just_after_midnight):
        await clinic.book(await clinic.patient(), bell, at)
    monday = await clinic.bus.ask(Appointments(date=date(2026, 3, 2), limit=1), clinic.desk)
    assert (len(monday.items), monday.total) == (1, 2)
    past_the_end = await clinic.bus.ask(Appointments(date=date(2026, 3, 2), offset=9), clinic.desk)
    assert (list(past_the_end.items), past_the_end.total) == ([], 2)
    tuesday = await clinic.bus.ask(Appointments(date=date(2026, 3, 3), doctor_id=bell), clinic.desk)
    assert [item.appointment_datetime for item in tuesday.items] == [just_after_midnight]


async def test_the_calendar_shows_who_works_and_who_is_expected_and_no_cancellations(clinic: Any) -> None:
    bell = await clinic.practitioner()
    made = await clinic.book(await clinic.patient("Ada Byron"), bell, MONDAY_TEN)
    gone = await clinic.book(await clinic.patient(), bell, MONDAY_TEN + timedelta(hours=1))
    await clinic.bus.handle(CancelAppointment(appointment_id=gone.aggregate_id), clinic.desk)
    calendar = await clinic.bus.ask(DayCalendar(day=date(2026, 3, 2)), clinic.desk)
    assert [item.id for item in calendar.appointments] == [made.aggregate_id]
    [practitioner] = calendar.practitioners
    assert (practitioner.id, len(practitioner.windows)) == (bell, 1)
    week = await clinic.bus.ask(WeekCalendar(first=date(2026, 3, 2), last=date(2026, 3, 8)), clinic.desk)
    assert [len(each.windows) for each in week.practitioners] == [5]


async def test_the_waiting_room_knows_who_came_first(clinic: Any, clock: MovableClock) -> None:
    bell = await clinic.practitioner()
    made = [await clinic.book(await clinic.patient(), bell, MONDAY_TEN + timedelta(hours=n)) for n in range(2)]
    for minute, each in ((0, made[1]), (5, made[0])):
        clock.set(MONDAY_TEN - timedelta(minutes=30) + timedelta(minutes=minute))
        await clinic.bus.handle(CheckIn(appointment_id=each.aggregate_id), clinic.desk)
    waiting = await clinic.bus.ask(WaitingRoom(), clinic.desk)
    assert [item.id for item in waiting] == [made[1].aggregate_id, made[0].aggregate_id]


async def test_attendance_counts_who_stayed_away(clinic: Any, clock: MovableClock) -> None:
    bell = await clinic.practitioner()
    came = await clinic.book(await clinic.patient(), bell, MONDAY_TEN)
    missed = await clinic.book(await clinic.patient(), bell, MONDAY_TEN + timedelta(hours=1))
    clock.set(MONDAY_TEN + timedelta(hours=2))
    await clinic.bus.handle(CheckIn(appointment_id=came.aggregate_id), clinic.desk)
    await clinic.bus.handle(RecordNoShow(appointment_id=missed.aggregate_id), clinic.desk)
    [line] = await clinic.bus.ask(Attendance(first=date(2026, 3, 1), last=date(2026, 3, 31)), clinic.desk)
    assert (line.doctor_id, line.counts, line.no_show_rate) == (bell, {"checked-in": 1, "no-show": 1}, 0.5)


async def test_free_times_are_searched_by_specialty_across_practitioners(clinic: Any, clock: MovableClock) -> None:
    first = await clinic.practitioner(specialty="Geriatrics")
    second = await clinic.practitioner(specialty="Geriatrics")
    await clinic.practitioner(specialty="Cardiology")
    await clinic.book(await clinic.patient(), first, datetime(2026, 3, 2, 8, tzinfo=UTC))
    clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC))
    found = await clinic.bus.ask(FreeSlots(specialty="geriatrics", limit=3), clinic.desk)
    assert next((slot.doctor_id, slot.starts_at.strftime("%d %H:%M")) for slot in found) == (second, "02 08:00")
    assert {slot.doctor_id for slot in found} <= {first, second}
    assert all(slot.doctor_id != first for slot in found if slot.starts_at.minute == 0 and slot.starts_at.hour == 8)


async def test_visit_types_start_as_shipped_and_are_changed_added_and_retired(clinic: Any) -> None:
    shipped = [each.code for each in await clinic.bus.ask(VisitTypes(), clinic.desk)]
    assert {"consultation", "follow-up", "emergency"} <= set(shipped)
    define = DefineVisitType(
        code="Echo", name_it="Ecocardiografia", name_en="Echocardiography", minutes=40, buffer_after=5
    )
    await clinic.bus.handle(define, clinic.admin)
    await clinic.bus.handle(RetireVisitType(code="acupuncture"), clinic.admin)
    now = {each.code: each.minutes for each in await clinic.bus.ask(VisitTypes(), clinic.desk)}
    assert now["echo"] == 40 and "acupuncture" not in now
    with pytest.raises(Invalid):
        await clinic.book(await clinic.patient(), await clinic.practitioner(), MONDAY_TEN, visit_type="acupuncture")


async def test_a_retired_room_is_booked_no_longer(clinic: Any) -> None:
    room = (await clinic.bus.handle(AddRoom(name="Blue"), clinic.admin)).aggregate_id
    await clinic.bus.handle(RetireRoom(room_id=room), clinic.admin)
    assert await clinic.bus.ask(Rooms(), clinic.desk) == []
    with pytest.raises(Invalid):
        await clinic.book(await clinic.patient(), await clinic.practitioner(), MONDAY_TEN, room_id=room)


async def test_a_patient_books_for_nobody_else_and_only_where_it_is_offered(
    clinic: Any, patient_caller: Callable[[UUID], Caller]
) -> None:
    ada, bo, bell = await clinic.patient(), await clinic.patient(), await clinic.practitioner()
    own = ScheduleAppointment(patient_id=ada, doctor_id=bell, appointment_datetime=MONDAY_TEN)
    with pytest.raises(NotBookableOnline):
        await clinic.bus.handle(own, patient_caller(ada))
    with pytest.raises(NotFound):
        await clinic.bus.handle(own, patient_caller(bo))
    made = await clinic.book(ada, bell, MONDAY_TEN)
    assert (await clinic.bus.ask(AppointmentById(appointment_id=made.aggregate_id), patient_caller(ada))).id
    with pytest.raises(NotFound):
        await clinic.bus.ask(AppointmentById(appointment_id=made.aggregate_id), patient_caller(bo))
    with pytest.raises(NotFound):
        await clinic.bus.ask(FreeSlots(doctor_id=bell, patient_id=ada), patient_caller(bo))


async def test_a_pharmacist_does_not_see_the_calendar(clinic: Any, pharmacist: Caller) -> None:
    with pytest.raises(NotAllowed):
        await clinic.bus.ask(DayCalendar(day=date(2026, 3, 2)), pharmacist)


def heard(event: Event, causation: UUID | None = None) -> Recorded[Any]:
    return Recorded(
        position=1, id=UUID(int=9), kind="encounters.visit", stream=UUID(int=1), version=1, subject=UUID(int=2),
        origin=structs.replace(ORIGIN, causation=causation), event=event,
    )  # fmt: skip


def test_a_visit_that_ends_completes_its_appointment() -> None:
    done = VisitCompleted(visit=UUID(int=1), patient=UUID(int=2), appointment=UUID(int=3), ended_at=MONDAY_TEN)
    assert POLICIES[VisitCompleted](heard(done)) == [CompleteAppointment(appointment_id=UUID(int=3))]
    without = structs.replace(done, appointment=None)
    assert POLICIES[VisitCompleted](heard(without)) == []


def test_a_visit_checks_the_patient_in_unless_a_check_in_began_it() -> None:
    begun = VisitStarted(visit=UUID(int=1), patient=UUID(int=2), appointment=UUID(int=3), started_at=MONDAY_TEN)
    assert POLICIES[VisitStarted](heard(begun)) == [CheckIn(appointment_id=UUID(int=3))]
    assert POLICIES[VisitStarted](heard(begun, causation=UUID(int=8))) == []


@pytest.mark.parametrize("clients", [40])
async def test_t123_many_clients_race_for_one_slot_and_one_gets_it(clinic: Any, clients: int) -> None:
    bell = await clinic.practitioner()
    patients = [await clinic.patient() for _ in range(clients)]
    await clinic.bus.settled()
    for hour in range(3):
        at = MONDAY_TEN + timedelta(hours=hour)
        outcomes = await asyncio.gather(*(clinic.book(each, bell, at) for each in patients), return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, BaseException)]
        assert [type(each) for each in refused] == [SlotTaken] * (clients - 1), refused
        [winner] = [each.aggregate_id for each in outcomes if not isinstance(each, BaseException)]
        for each in refused:
            assert [conflict["appointment_id"] for conflict in each.details["conflicts"]] == [str(winner)]
            assert len(each.details["alternatives"]) == 3
        day = await clinic.bus.ask(Appointments(date=date(2026, 3, 2)), clinic.desk)
        assert len([item for item in day.items if item.appointment_datetime == at]) == 1


async def test_t123_two_moves_into_one_slot_and_one_gets_it(clinic: Any) -> None:
    bell = await clinic.practitioner()
    made = [await clinic.book(await clinic.patient(), bell, MONDAY_TEN + timedelta(hours=n)) for n in range(3)]
    free = MONDAY_TEN + timedelta(hours=4)
    moves = [RescheduleAppointment(appointment_id=each.aggregate_id, appointment_datetime=free) for each in made]
    outcomes = await asyncio.gather(*(clinic.bus.handle(move, clinic.desk) for move in moves), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["Receipt", "SlotTaken", "SlotTaken"]


async def test_the_constraint_itself_refuses_an_overlap(clinic: Any, bus: Bus, organisation: UUID) -> None:
    """Whatever the code above it did wrong, the table holds no two at once."""
    from salerno.contexts.scheduling.projections import SQL
    from salerno.kernel.database import ExclusionViolation

    bell = await clinic.practitioner()
    await clinic.book(await clinic.patient(), bell, MONDAY_TEN)
    async with bus.reading("scheduling", organisation) as tx:
        with pytest.raises(ExclusionViolation):
            await tx.run(
                SQL["hold"], organisation, uuid4(), ["practitioner"], [bell],
                [MONDAY_TEN + timedelta(minutes=29)], [MONDAY_TEN + timedelta(minutes=59)],
            )  # fmt: skip
