"""An event of an older shape, really written by an older version: every reader of the log sees today's shape."""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from salerno.kernel import rebuild
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.decider import Decider
from salerno.kernel.documents import Documents
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.messages import Caller, Command, Event, Origin, Recorded
from salerno.kernel.migrations import migrate
from salerno.kernel.room import Needs, Projection, Room
from salerno.kernel.subscriptions import Subscriptions
from salerno.kernel.testing import THEN, MovableClock
from salerno.kernel.transactions import Tx
from salerno.kernel.upcasting import upcasters_of
from salerno.kernel.vault import Vault

WEIGHED = "scales.weighing"
TABLES = """
    CREATE TABLE weighings (organisation uuid NOT NULL, id uuid NOT NULL, subject uuid NOT NULL,
        version integer NOT NULL, recorded_at timestamptz NOT NULL, doc bytea NOT NULL, grams integer NOT NULL,
        PRIMARY KEY (organisation, id));
    CREATE TABLE days (organisation uuid NOT NULL, day date NOT NULL, weighings integer NOT NULL,
        PRIMARY KEY (organisation, day));"""
HEARD = """
    CREATE TABLE heard (organisation uuid NOT NULL, event uuid NOT NULL, grams integer NOT NULL,
        PRIMARY KEY (organisation, event));"""
COUNT = """
    INSERT INTO days VALUES ($1, $2, 1)
    ON CONFLICT (organisation, day) DO UPDATE SET weighings = days.weighings + 1"""


class WeighedFirst(Event, tag="scales.weighed.v1"):
    weighing: UUID
    patient: UUID
    kilograms: Decimal


class WeighedSecond(Event, tag="scales.weighed.v2"):
    weighing: UUID
    patient: UUID
    kilograms: Decimal
    day: date


class Weighed(Event, tag="scales.weighed.v3"):
    weighing: UUID
    patient: UUID
    grams: int
    day: date


class Weigh(Command):
    weighing: UUID
    patient: UUID
    kilograms: Decimal
    day: date


def with_a_day(content: dict[str, Any]) -> dict[str, Any]:
    return content | {"day": "2026-03-02"}


def in_grams(content: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in content.items() if name != "kilograms"}
    return kept | {"grams": int(Decimal(content["kilograms"]) * 1000)}


VERSIONS: list[type[Event]] = [WeighedFirst, WeighedSecond, Weighed]
UPCASTERS = {
    "scales.weighed.v1": ("scales.weighed.v2", with_a_day),
    "scales.weighed.v2": ("scales.weighed.v3", in_grams),
}


def written_as(shape: type[Event], command: Weigh) -> Event:
    fields = {"weighing": command.weighing, "patient": command.patient}
    if shape is Weighed:
        return Weighed(**fields, grams=int(command.kilograms * 1000), day=command.day)
    more = {} if shape is WeighedFirst else {"day": command.day}
    return shape(**fields, kilograms=command.kilograms, **more)


@dataclass(frozen=True)
class State:
    grams: tuple[str, ...] = ()


class View(Struct, frozen=True):
    grams: int
    day: date | None
    times: int


def view(before: View | None, item: Recorded[Any]) -> View:
    event = item.event
    grams = event.grams if isinstance(event, Weighed) else int(event.kilograms * 1000)
    return View(grams, getattr(event, "day", None), before.times + 1 if before else 1)


WEIGHINGS = Documents(
    table="weighings", kind=WEIGHED, shape=View, evolve=view, columns=lambda doc: {"grams": doc.grams}
)


async def count(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(COUNT, tx.organisation, getattr(item.event, "day", THEN.date()))


async def hear(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run("INSERT INTO heard VALUES ($1, $2, $3)", tx.organisation, item.id, item.event.grams)


def version_of_the_product(folder: Path, shape: type[Event]) -> list[Room]:
    """The same two rooms, as they were when events had this shape."""
    decider: Decider[State, Any, Any] = Decider(
        kind=WEIGHED,
        initial=State(),
        decide=lambda _state, command, _origin: [written_as(shape, command)],
        evolve=lambda state, event: State((*state.grams, type(event).__name__)),
        events=shape,
    )

    async def on_weigh(tx: Tx, command: Weigh, origin: Origin) -> Sequence[Recorded[Any]]:
        return await tx.execute(decider, command.weighing, command, subject=command.patient)

    scales = Room(
        name="scales",
        folder=folder / "scales",
        events=(shape,),
        handlers={Weigh: on_weigh},
        needs={Weigh: Needs("scales.weigh")},
        documents=(WEIGHINGS,),
        projections=(Projection("scales.days", ("days",), (shape,), count),),
        upcasters=dict(list(UPCASTERS.items())[: VERSIONS.index(shape)]),
    )
    listener = Room(
        name="listener", folder=folder / "listener", listens=(Projection("listener.heard", ("heard",), (shape,), hear),)
    )
    return [scales, listener]


@dataclass
class Installation:
    database: Database
    vault: Vault
    folder: Path
    clock: MovableClock

    def bus(self, shape: type[Event]) -> Bus:
        return Bus(self.database, self.vault, version_of_the_product(self.folder, shape), self.clock)


@pytest.fixture
async def installation(postgres: EmbeddedPostgres, tmp_path: Path, clock: MovableClock) -> AsyncIterator[Installation]:
    for room, text in (("scales", TABLES), ("listener", HEARD)):
        folder = tmp_path / room / "sql" / "migrations"
        folder.mkdir(parents=True)
        (folder / "0001_tables.sql").write_text(text)
    name = f"shapes_{uuid4().hex[:12]}"
    async with Database(postgres.url("postgres")).owner() as maker:
        await maker.execute(f"CREATE DATABASE {name} OWNER salerno_owner")
    database = Database(postgres.url("salerno_app", name), postgres.url(database=name), pool_max=6)
    async with database.owner() as owner:
        await migrate(owner, [(room, tmp_path / room) for room in ("scales", "listener")])
        await owner.fetchval("SELECT kernel.ensure_partitions('2026-01-01', '2026-06-01')")
    await database.open()
    yield Installation(database, Vault(os.urandom(32)), tmp_path, clock)
    await database.close()


def weighing(id: UUID, patient: UUID, kilograms: str, day: int) -> Weigh:
    return Weigh(weighing=id, patient=patient, kilograms=Decimal(kilograms), day=date(2026, 3, day))


async def test_every_reader_of_the_log_sees_an_older_event_in_todays_shape(
    installation: Installation, organisation: UUID
) -> None:
    caller = Caller(actor=uuid4(), organisation=organisation, permissions=frozenset({"scales.weigh"}))
    stream, patient = uuid4(), uuid4()
    for month, shape in enumerate((WeighedFirst, WeighedSecond), 3):
        installation.clock.set(datetime(2026, month, 2, 9, tzinfo=UTC))
        await installation.bus(shape).handle(weighing(stream, patient, f"7{month}.5", month), caller)
    installation.clock.set(datetime(2026, 5, 2, 9, tzinfo=UTC))
    bus = installation.bus(Weighed)  # the new version starts on the old one's data
    listening = Subscriptions(bus)

    receipt = await bus.handle(weighing(stream, patient, "75.5", 5), caller)
    assert receipt.version == 3, "it has loaded what the older versions wrote"
    async with bus.reading("scales", organisation) as tx:
        history = await tx.history(WEIGHED, stream)
        assert [item.event for item in history] == [
            Weighed(weighing=stream, patient=patient, grams=73500, day=date(2026, 3, 2)),
            Weighed(weighing=stream, patient=patient, grams=74500, day=date(2026, 3, 4)),
            Weighed(weighing=stream, patient=patient, grams=75500, day=date(2026, 3, 5)),
        ]
        (then,) = await WEIGHINGS.as_of(tx, [patient], datetime(2026, 4, 20, tzinfo=UTC))
        assert (then.version, then.doc) == (2, View(74500, date(2026, 3, 4), 2))

    await listening.settle()
    async with bus.reading("listener", organisation) as tx:
        assert [row["grams"] for row in await tx.fetch("SELECT grams FROM heard ORDER BY grams")] == [
            73500, 74500, 75500
        ]  # fmt: skip
    async with bus.database.context("salerno_reader", None, "kernel") as connection:
        assert await connection.fetchval("SELECT count(*) FROM kernel.projection_errors") == 0
    for name in ("scales.weighings", "scales.days", "listener.heard"):
        done = await rebuild.rebuild(bus, name)
        assert done.equal and done.events == 3, name


async def test_the_log_keeps_what_the_older_version_wrote(installation: Installation, organisation: UUID) -> None:
    installation.clock.set(THEN)
    caller = Caller(actor=uuid4(), organisation=organisation, permissions=frozenset({"scales.weigh"}))
    await installation.bus(WeighedFirst).handle(weighing(uuid4(), uuid4(), "70", 2), caller)
    stored = "SELECT position, event_type, event_data FROM kernel.event_store"
    async with installation.database.context("salerno_reader", None, "kernel") as connection:
        before = [tuple(row) for row in await connection.fetch(stored)]
        await rebuild.rebuild(installation.bus(Weighed), "scales.weighings", accept=True)
        assert [tuple(row) for row in await connection.fetch(stored)] == before
    assert [name for _, name, _ in before] == ["scales.weighed.v1"]


@pytest.mark.parametrize(
    ("upcasters", "said"),
    [
        ({"scales.weighed.v3": ("scales.weighed.v3", in_grams)}, "is still an event of scales"),
        ({"scales.weighed.v1": ("scales.weighed.v9", in_grams)}, "which scales does not know"),
        ({"scales.a": ("scales.b", in_grams), "scales.b": ("scales.a", in_grams)}, "in a circle"),
    ],
)
def test_an_upcaster_that_would_never_be_used_stops_the_start(
    tmp_path: Path, upcasters: dict[str, Any], said: str
) -> None:
    scales, listener = version_of_the_product(tmp_path, Weighed)
    with pytest.raises(ValueError, match=said):
        upcasters_of([replace(scales, upcasters=upcasters), listener])
