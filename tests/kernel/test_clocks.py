"""T090: a clock that goes back, stands still or jumps: the log keeps the order of its commits, and both times."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from salerno.app import House
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import PatientById
from salerno.kernel import fitness, rebuild
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENTS = (NOON, NOON, NOON - HOUR, NOON + DAY, NOON + DAY, NOON - 40 * DAY, NOON + HOUR, NOON - HOUR)
PEOPLE = ("patients.patients", "scheduling.patients")
LOG = """
    SELECT version, "timestamp" AS at, (metadata->>'happened_at')::timestamptz AS happened_at
    FROM kernel.event_store WHERE aggregate_id = $1 ORDER BY event_store.xid, event_store.position"""


async def _registered(house: House, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), gender="female")
    return (await house.bus.handle(wish, doctor)).aggregate_id


async def _log(house: House, stream: UUID) -> list[tuple[int, datetime, datetime]]:
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        return [tuple(row) for row in await connection.fetch(LOG, stream)]


@pytest.mark.parametrize("snapshot_frequency", [100, 3])
async def test_t090_a_stream_is_read_in_the_order_of_its_commits_whatever_the_clock_said(
    house: House, doctor: Caller, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, snapshot_frequency: int
) -> None:
    monkeypatch.setattr(house.bus, "snapshot_frequency", snapshot_frequency)
    clock.set(NOON)
    ada = await _registered(house, doctor)
    for nth, moment in enumerate(MOMENTS, 2):
        clock.set(moment)
        wish = UpdatePatient(patient_id=ada, full_name=f"Ada {'I' * nth}", phone=f"+39089123450{nth % 10}")
        receipt = await house.bus.handle(wish, doctor, expected_version=nth - 1)
        assert receipt.version == nth
        assert (await house.bus.ask(PatientById(patient_id=ada), doctor)).patient.full_name == f"Ada {'I' * nth}"
    written = await _log(house, ada)
    assert [(version, at) for version, at, _ in written] == list(enumerate((NOON, *MOMENTS), 1))
    await house.bus.settled()
    for name in PEOPLE:
        assert (await rebuild.rebuild(house.bus, name)).equal, name


async def test_t090_when_it_was_recorded_and_when_it_happened_are_both_kept(
    house: House, doctor: Caller, clock: MovableClock
) -> None:
    clock.set(NOON)
    ada = await _registered(house, doctor)
    clock.set(NOON - HOUR)
    await house.bus.handle(UpdatePatient(patient_id=ada, phone="+390891234501"), doctor, happened_at=NOON - 3 * DAY)
    assert await _log(house, ada) == [(1, NOON, NOON), (2, NOON - HOUR, NOON - 3 * DAY)]


async def test_t090_looks_are_followed_in_the_order_of_their_commits_too(
    house: House, doctor: Caller, clock: MovableClock
) -> None:
    clock.set(NOON)
    ada = await _registered(house, doctor)
    for moment in MOMENTS:
        clock.set(moment)
        await house.bus.ask(PatientById(patient_id=ada), doctor)
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(
            "SELECT at FROM kernel.access_log WHERE organisation = $1 ORDER BY access_log.xid, access_log.position",
            doctor.organisation,
        )
    assert [row["at"] for row in rows] == list(MOMENTS)


@pytest.mark.parametrize("apart", [timedelta(hours=-1), timedelta(seconds=-6), timedelta(minutes=1), DAY])
async def test_t090_a_clock_that_is_not_the_databases_is_told(
    house: House, clock: MovableClock, apart: timedelta
) -> None:
    async with house.database.owner() as owner:
        clock.set(await owner.fetchval("SELECT clock_timestamp()") + apart)
    said = [line for line in await fitness.weaknesses(house.database, clock) if "clocks" in line]
    assert len(said) == 1 and said[0].endswith("s apart.")


async def test_t090_a_clock_that_is_the_databases_is_not_told(house: House, clock: MovableClock) -> None:
    clock.set(None)
    assert not [line for line in await fitness.weaknesses(house.database, clock) if "clocks" in line]
