"""What is derived from the log: rebuilt to the same content, never twice, never in silence."""

import asyncio
from datetime import date
from uuid import UUID

import pytest

from salerno.app import House
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.errors import MrnTaken
from salerno.contexts.patients.queries import PatientById
from salerno.kernel import rebuild
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.rebuild import Differs
from salerno.kernel.subscriptions import Subscription


def somebody(n: int = 0) -> RegisterPatient:
    return RegisterPatient(
        full_name=f"Ada {chr(65 + n % 26)}rossi", date_of_birth=date(1950 + n, 5, 4), gender="female",
        confirmed_not_duplicate=True,
    )  # fmt: skip


async def test_t111_a_rebuild_under_live_writes_gives_the_same_content(house: House, doctor: Caller) -> None:
    stop = asyncio.Event()
    written: list[UUID] = []

    async def keep_writing() -> None:
        while not stop.is_set():
            receipt = await house.bus.handle(somebody(len(written) % 40), doctor)
            await house.bus.handle(UpdatePatient(patient_id=receipt.aggregate_id, phone="+390891230001"), doctor)
            written.append(receipt.aggregate_id)

    writer = asyncio.create_task(keep_writing())
    try:
        while len(written) < 10:
            await asyncio.sleep(0.01)
        for batch in (1000, 7):
            done = await rebuild.rebuild(house.bus, "patients.patients", batch=batch)
            assert done.equal
            assert done.rows >= 10
    finally:
        stop.set()
        await writer
    for patient in written:
        assert (await house.bus.ask(PatientById(patient_id=patient), doctor)).patient.phone == "+390891230001"


async def test_every_projection_can_be_rebuilt_to_the_same_content(house: House, doctor: Caller) -> None:
    await house.bus.handle(somebody(), doctor)
    await house.bus.settled()
    # Tests of sign-in play an installation with one organisation by editing this table: it is put right first.
    await rebuild.rebuild(house.bus, "identity.homes", accept=True)
    for name in rebuild.names(house.bus):
        assert (await rebuild.rebuild(house.bus, name)).equal, name


async def test_a_rebuild_that_differs_changes_nothing_unless_accepted(house: House, doctor: Caller) -> None:
    patient = (await house.bus.handle(somebody(), doctor)).aggregate_id
    async with house.database.context("salerno_patients", doctor.organisation, "patients") as connection:
        await connection.execute("DELETE FROM patients WHERE id = $1", patient)
    with pytest.raises(Differs):
        await rebuild.rebuild(house.bus, "patients.patients")
    with pytest.raises(NotFound):
        await house.bus.ask(PatientById(patient_id=patient), doctor)
    await rebuild.rebuild(house.bus, "patients.patients", accept=True)
    assert await house.bus.ask(PatientById(patient_id=patient), doctor)


async def test_a_rebuilt_table_refuses_in_the_same_words(house: House, doctor: Caller) -> None:
    names = """SELECT conname FROM pg_constraint WHERE connamespace = 'patients'::regnamespace
        UNION SELECT indexname::name FROM pg_indexes WHERE schemaname = 'patients' ORDER BY 1"""
    async with house.database.owner() as owner:
        before = [row[0] for row in await owner.fetch(names)]
    wish = RegisterPatient(full_name="Ada Rossi", mrn="A-17", confirmed_not_duplicate=True)
    await house.bus.handle(wish, doctor)
    for name in ("patients.cards", "patients.patients"):
        await rebuild.rebuild(house.bus, name, accept=True)
    async with house.database.owner() as owner:
        assert [row[0] for row in await owner.fetch(names)] == before
    with pytest.raises(MrnTaken):
        await house.bus.handle(wish, doctor)


async def test_an_unknown_projection_is_named_as_such(house: House) -> None:
    with pytest.raises(NotFound, match=r"nonsense\.table"):
        await rebuild.rebuild(house.bus, "nonsense.table")


async def test_t112_a_poison_event_waits_alone_and_resumes_in_order(
    house: House, doctor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from salerno.kernel import eventstore

    room = house.bus.rooms["scheduling"]
    subscription = Subscription(house.bus, room)
    bad, good = somebody(1), somebody(2)
    opened = eventstore.open_rows
    poisoned: set[UUID] = set()

    async def fail_for_the_poisoned(connection, vault, catalogue, organisation, rows, now):  # type: ignore[no-untyped-def]
        if any(row["aggregate_id"] in poisoned for row in rows):
            raise ValueError("cannot be decoded")
        return await opened(connection, vault, catalogue, organisation, rows, now)

    await house.subscriptions.stop()
    try:
        await subscription.drain()
        first = (await house.bus.handle(bad, doctor)).aggregate_id
        await house.bus.handle(UpdatePatient(patient_id=first, phone="+390891230001"), doctor)
        second = (await house.bus.handle(good, doctor)).aggregate_id
        poisoned.add(first)
        monkeypatch.setattr(eventstore, "open_rows", fail_for_the_poisoned)
        await subscription.drain()
        assert await _errors(house, first) == 2
        assert await _errors(house, second) == 0
        assert await subscription.retry() == 0
        poisoned.clear()
        assert await subscription.retry() == 2
        assert await _errors(house, first) == 0
    finally:
        monkeypatch.undo()
        house.subscriptions.start()


async def _errors(house: House, aggregate: UUID) -> int:
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM kernel.projection_errors WHERE aggregate_id = $1 AND resolved_at IS NULL",
                aggregate,
            )
        )


async def test_two_readers_of_one_name_hear_everything_once(house: House, doctor: Caller) -> None:
    room = house.bus.rooms["scheduling"]
    ears = [Subscription(house.bus, room, batch_size=5) for _ in range(4)]
    await asyncio.gather(*(house.bus.handle(somebody(n), doctor) for n in range(30)))
    await asyncio.gather(*(ear.drain() for ear in ears))
    async with house.database.context("salerno_scheduling", doctor.organisation, "scheduling") as connection:
        assert await connection.fetchval("SELECT count(*) FROM people") == 30
