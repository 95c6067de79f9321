"""Whatever is asked, in whatever order: no two holds overlap, and what is over stays over (property 7)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    UpdateAppointment,
)
from salerno.contexts.scheduling.events import EVENTS, SchedulingEvent
from salerno.contexts.scheduling.rules.appointment import APPOINTMENT, Book, Change, Reinstate, Slot, Status
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Refused
from salerno.kernel.testing import ORIGIN

ID, ADA, BELL = UUID(int=1), UUID(int=2), UUID(int=3)
TIMES = some.integers(-20, 20).map(lambda quarter: ORIGIN.recorded_at + timedelta(minutes=15 * quarter))
SLOTS = some.builds(
    Slot, patient=some.just(ADA), practitioner=some.just(BELL), visit_type=some.just("consultation"),
    starts_at=TIMES, minutes=some.integers(5, 90),
)  # fmt: skip
WISHES = some.one_of(
    some.builds(Book, some.just(ID), SLOTS),
    some.builds(Change, some.just(ID), SLOTS),
    some.just(Reinstate(ID)),
    some.sampled_from(
        [kind(appointment_id=ID) for kind in (ConfirmAppointment, CheckIn, CompleteAppointment, RecordNoShow)]
    ),
    some.just(CancelAppointment(appointment_id=ID, reason="snow")),
)


@given(some.lists(WISHES, max_size=14))
def test_no_walk_of_commands_breaks_the_rules(wishes: Sequence[Any]) -> None:
    history: list[Any] = []
    for wish in wishes:
        state = APPOINTMENT.fold(history)
        try:
            happened = APPOINTMENT.decide(state, wish, ORIGIN)
        except Refused:
            continue
        if state.status is Status.COMPLETED:
            assert not happened
        if state.status in (Status.CANCELLED, Status.NO_SHOW):
            assert not happened or isinstance(wish, Reinstate)
        history += happened
    bookings = [event for event in history if type(event).__name__ == "AppointmentCreated"]
    assert len(bookings) <= 1 and (not history or history[0] is bookings[0])


@given(some.one_of(*(some.builds(kind) for kind in EVENTS)))
def test_every_event_survives_the_log(event: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=SchedulingEvent) == event


# Local quarters of an hour around both clock changes of 2026 in Rome, named as a clock on the wall shows them.
SPRING = [datetime(2026, 3, 29) + timedelta(minutes=15 * quarter) for quarter in range(24)]
AUTUMN = [datetime(2026, 10, 25) + timedelta(minutes=15 * quarter) for quarter in range(24)]
WALL = some.sampled_from(SPRING + AUTUMN)
LENGTHS, KINDS = some.sampled_from([10, 30, 75]), some.sampled_from(["procedure", "follow-up"])
PATIENT, PRACTITIONER, WHICH, NOTHING = some.integers(0, 2), some.integers(0, 1), some.integers(0, 5), some.none()
BOOKINGS = some.tuples(some.just("book"), WALL, PATIENT, PRACTITIONER, LENGTHS)
OTHERS = some.one_of(
    some.tuples(some.just("move"), WALL, WHICH, PRACTITIONER, LENGTHS),
    some.tuples(some.just("retype"), NOTHING, WHICH, KINDS),
    some.tuples(some.just("cancel"), NOTHING, WHICH),
    some.tuples(some.just("reinstate"), NOTHING, WHICH),
)
STEPS = some.builds(
    lambda first, then: first + then,
    some.lists(BOOKINGS, min_size=6, max_size=10),
    some.lists(some.one_of(OTHERS, BOOKINGS), min_size=4, max_size=14),
)


@pytest.fixture
async def cast(clinic: Any) -> tuple[list[UUID], list[UUID]]:
    patients = [await clinic.patient() for _ in range(3)]
    practitioners = [await clinic.practitioner(hours=None) for _ in range(2)]
    await clinic.bus.settled()
    return patients, practitioners


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_t123_no_two_holds_overlap_through_any_sequence_over_clock_changes(
    clinic: Any, cast: Any, bus: Bus, organisation: UUID, steps: Sequence[Any]
) -> None:
    made: list[UUID] = []
    for step in steps:
        try:
            await _take(clinic, cast, made, step)
        except Refused:
            continue
    await _assert_no_overlap(bus, organisation)
    for each in made:
        await clinic.bus.handle(CancelAppointment(appointment_id=each), clinic.desk)
    assert await _holds(bus, organisation) == []


async def _take(clinic: Any, cast: Any, made: list[UUID], step: Any) -> None:
    patients, practitioners = cast
    match step:
        case ("book", at, patient, practitioner, minutes):
            receipt = await clinic.book(
                patients[patient], practitioners[practitioner], at, duration_minutes=minutes, appointment_id=uuid4()
            )
            made.append(receipt.aggregate_id)
        case (_, _, which, *_) if which >= len(made):
            return
        case ("move", at, which, practitioner, minutes):
            move = RescheduleAppointment(
                appointment_id=made[which], appointment_datetime=at, doctor_id=practitioners[practitioner],
                duration_minutes=minutes,
            )  # fmt: skip
            await clinic.bus.handle(move, clinic.desk)
        case ("retype", _, which, visit_type):
            change = UpdateAppointment(appointment_id=made[which], visit_type=visit_type)
            await clinic.bus.handle(change, clinic.desk)
        case ("cancel", _, which):
            await clinic.bus.handle(CancelAppointment(appointment_id=made[which]), clinic.desk)
        case ("reinstate", _, which):
            await clinic.bus.handle(ReinstateAppointment(appointment_id=made[which]), clinic.desk)


async def _holds(bus: Bus, organisation: UUID) -> list[tuple[UUID, datetime, datetime]]:
    async with bus.reading("scheduling", organisation) as tx:
        rows = await tx.fetch(
            "SELECT resource, lower(during) AS starts_at, upper(during) AS ends_at FROM held_slots "
            "WHERE organisation = $1 ORDER BY resource, during",
            organisation,
        )
    return [(row["resource"], row["starts_at"].astimezone(UTC), row["ends_at"].astimezone(UTC)) for row in rows]


async def _assert_no_overlap(bus: Bus, organisation: UUID) -> None:
    holds = await _holds(bus, organisation)
    for one, other in pairwise(holds):
        assert one[0] != other[0] or one[2] <= other[1], (one, other)
