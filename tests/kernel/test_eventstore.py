"""The log under fire: versions, order, immutability, and readers that skip nothing."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from salerno.app import House
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import PatientById
from salerno.contexts.records.events import ObservationRecorded, Quantity
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotFound, Refused, VersionConflict
from salerno.kernel.eventstore import Append
from salerno.kernel.idempotency import KeyReused
from salerno.kernel.messages import Caller, Origin
from salerno.kernel.vault import SubjectKey


def ada(**changes: object) -> RegisterPatient:
    return RegisterPatient(
        **{"full_name": "Ada Rossi", "date_of_birth": date(1980, 5, 4), "gender": "female"} | changes
    )  # type: ignore[arg-type]


async def versions_of(house: House, stream: UUID) -> list[int]:
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(
            "SELECT version FROM kernel.event_store WHERE aggregate_id = $1 ORDER BY version", stream
        )
    return [row["version"] for row in rows]


async def test_a_change_is_an_event_with_the_next_version(house: House, doctor: Caller) -> None:
    first = await house.bus.handle(ada(), doctor)
    second = await house.bus.handle(UpdatePatient(patient_id=first.aggregate_id, phone="+390891234567"), doctor)
    assert (first.version, second.version) == (1, 2)
    assert await versions_of(house, first.aggregate_id) == [1, 2]


async def test_what_is_recorded_is_what_a_reader_will_find(doctor: Caller, organisation: UUID) -> None:
    said = ObservationRecorded(
        observation=uuid4(), patient=uuid4(), code="718-7", quantity=Quantity(value=10, unit="g/dL")
    )
    now, key = datetime(2026, 3, 2, 9, tzinfo=UTC), SubjectKey.of(uuid4(), os.urandom(32))
    origin = Origin(
        actor=doctor.actor, organisation=organisation, recorded_at=now, happened_at=now, correlation=uuid4()
    )
    asked = Append.of("records.observation", uuid4(), 0, uuid4(), key, [said], origin)
    assert type(asked.events[0].event.quantity.value) is float, "as it comes out of the log, not as it was typed"
    with pytest.raises(msgspec.ValidationError):
        Append.of("records.observation", uuid4(), 0, uuid4(), key, [replace(said, status="no such status")], origin)


async def test_a_named_version_that_has_passed_is_refused_with_the_current_one(house: House, doctor: Caller) -> None:
    patient = (await house.bus.handle(ada(), doctor)).aggregate_id
    await house.bus.handle(UpdatePatient(patient_id=patient, phone="+390891234567"), doctor)
    with pytest.raises(VersionConflict) as refused:
        await house.bus.handle(UpdatePatient(patient_id=patient, phone="+390891234568"), doctor, expected_version=1)
    assert refused.value.current == 2
    assert await versions_of(house, patient) == [1, 2]


async def test_t126_forty_editors_without_a_version_are_all_heard(house: House, doctor: Caller) -> None:
    patient = (await house.bus.handle(ada(), doctor)).aggregate_id
    wishes = [UpdatePatient(patient_id=patient, phone=f"+39089123{n:04}") for n in range(40)]
    outcomes = await asyncio.gather(*(house.bus.handle(wish, doctor) for wish in wishes), return_exceptions=True)
    taken = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(outcome, VersionConflict) for outcome in refused)
    assert await versions_of(house, patient) == list(range(1, len(taken) + 2))


async def test_a_reader_never_skips_a_slow_writer(house: House, doctor: Caller) -> None:
    """The later position commits first; the reader waits rather than step over the gap."""
    seen: list[UUID] = []
    tail = house.tail
    tail.listeners.append(listen := lambda news: seen.append(news.aggregate))
    slow = await asyncpg.connect(house.database.url)
    try:
        await asyncio.sleep(0.3)
        transaction = slow.transaction()
        await transaction.start()
        await slow.fetchval("SELECT pg_current_xact_id()")
        quick = (await house.bus.handle(ada(), doctor)).aggregate_id
        await asyncio.sleep(0.4)
        assert quick not in seen
        await transaction.rollback()
        async with asyncio.timeout(3):
            while quick not in seen:
                await asyncio.sleep(0.01)
    finally:
        tail.listeners.remove(listen)
        await slow.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kernel.event_store SET version = 7",
        "DELETE FROM kernel.event_store",
        "TRUNCATE kernel.event_store",
        "UPDATE kernel.access_log SET role = 'nobody'",
        "DELETE FROM kernel.access_log",
        "ALTER TABLE kernel.event_store DISABLE TRIGGER ALL",
        "DROP TABLE kernel.event_store",
        "SET session_replication_role = replica",
    ],
)
@pytest.mark.parametrize("role", ["salerno_app", "salerno_patients", "salerno_reader", "salerno_kernel"])
async def test_t089_the_application_cannot_rewrite_history(house: House, statement: str, role: str) -> None:
    connection = await asyncpg.connect(house.database.url)
    try:
        await connection.execute(f"SET ROLE {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_not_even_the_owner_of_the_tables_edits_an_event(house: House, doctor: Caller) -> None:
    await house.bus.handle(ada(), doctor)
    async with house.database.owner() as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute("UPDATE kernel.event_store SET version = 7")


async def test_t125_the_same_key_gets_the_first_receipt(house: House, doctor: Caller) -> None:
    wish = ada()
    receipts = await asyncio.gather(*(house.bus.handle(wish, doctor, idempotency_key="k-1") for _ in range(20)))
    assert len(set(receipts)) == 1
    assert await versions_of(house, receipts[0].aggregate_id) == [1]


async def test_t125_the_same_key_for_another_wish_is_refused(house: House, doctor: Caller) -> None:
    await house.bus.handle(ada(), doctor, idempotency_key="k-1")
    with pytest.raises(KeyReused):
        await house.bus.handle(ada(gender="male"), doctor, idempotency_key="k-1")


async def test_t125_a_key_belongs_to_its_principal_and_organisation(
    house: House, caller: Callable[..., Caller]
) -> None:
    first = await house.bus.handle(ada(), caller("DOCTOR"), idempotency_key="k-1")
    other = await house.bus.handle(ada(confirmed_not_duplicate=True), caller("DOCTOR"), idempotency_key="k-1")
    elsewhere = await house.bus.handle(ada(), caller("DOCTOR", organisation_id=uuid4()), idempotency_key="k-1")
    assert len({first.aggregate_id, other.aggregate_id, elsewhere.aggregate_id}) == 3


async def test_a_refused_wish_leaves_nothing(house: House, doctor: Caller, organisation: UUID) -> None:
    with pytest.raises(Refused):
        await house.bus.handle(RegisterPatient(full_name="", gender="female"), doctor, idempotency_key="k-1")
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        events = await connection.fetchval(
            "SELECT count(*) FROM kernel.event_store WHERE hospital_id = $1", organisation
        )
    assert events == 0
    granted = await house.bus.handle(ada(), doctor, idempotency_key="k-1")
    assert granted.version == 1


async def test_snapshots_change_nothing(house: House, doctor: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.bus, "snapshot_frequency", 3)
    patient = (await house.bus.handle(ada(), doctor)).aggregate_id
    for n in range(7):
        await house.bus.handle(UpdatePatient(patient_id=patient, phone=f"+39089123000{n}"), doctor)
    async with house.database.context("salerno_kernel", doctor.organisation, "kernel") as connection:
        kept = await connection.fetchval(
            "SELECT version FROM kernel.aggregate_snapshots WHERE aggregate_id = $1", patient
        )
    assert kept == 6
    again = await house.bus.handle(UpdatePatient(patient_id=patient, phone="+390891230006"), doctor)
    assert again.version == 8


async def test_t033_another_organisations_patient_does_not_exist(bus: Bus, caller: Callable[..., Caller]) -> None:
    ours, theirs = caller("DOCTOR"), caller("DOCTOR", organisation_id=uuid4())
    patient = (await bus.handle(ada(), theirs)).aggregate_id
    with pytest.raises(NotFound) as absent:
        await bus.ask(PatientById(patient_id=uuid4()), ours)
    with pytest.raises(NotFound) as foreign:
        await bus.ask(PatientById(patient_id=patient), ours)
    assert (str(absent.value), absent.value.details) == (str(foreign.value), foreign.value.details)
    with pytest.raises(NotFound):
        await bus.handle(UpdatePatient(patient_id=patient, phone="+390891230006"), ours)
