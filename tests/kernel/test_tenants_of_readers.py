"""T041: whatever is done after the fact stays in the organisation it is done for: views, policies, followers, streams.

In a database of its own, since what is written here must not be readable.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace as with_changes
from datetime import UTC, date, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from salerno import app
from salerno.app import House, opened, prepare, rooms
from salerno.contexts.encounters.commands import RecordDiagnosis, StartVisit
from salerno.contexts.encounters.events import DiagnosisRecorded
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.events import PatientRegistered
from salerno.contexts.patients.queries import PatientById
from salerno.contexts.records.queries import Problems
from salerno.contexts.scheduling.events import PatientCheckedIn
from salerno.contexts.vigilance.handlers.looks import judge
from salerno.interfaces.http.live import Live
from salerno.kernel import subscriptions
from salerno.kernel.clock import uuid7
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.eventstore import APPEND, Append, open_rows
from salerno.kernel.following import Follower, Look
from salerno.kernel.messages import Caller, Event, Options, Recorded
from salerno.kernel.room import Policy, Projection, Room
from salerno.kernel.subscriptions import Subscription
from salerno.kernel.tail import News, Tail
from salerno.kernel.transactions import Tx
from salerno.kernel.vault import Vault

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MASTER = bytes(range(32))
ROW = """
    SELECT event_data, event_type, metadata, key_id, version FROM kernel.event_store
    WHERE aggregate_id = $1 ORDER BY version DESC LIMIT 1"""
STANDS_IN = "SELECT current_user::text AS role, kernel.current_organisation() AS organisation"
TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(a.attname) AS home
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped AND a.attnum > 0
      AND a.attname IN ('organisation', 'hospital_id')"""
Make = Callable[..., Caller]


@pytest.fixture(scope="module")
async def everything(postgres: EmbeddedPostgres) -> Database:
    """The database of this module, before whose superuser no row is hidden."""
    name = f"tenants_{uuid4().hex[:12]}"
    async with Database(postgres.url("postgres")).owner() as maker:
        await maker.execute(f"CREATE DATABASE {name} OWNER salerno_owner")
    return Database(postgres.url("postgres", name))


@pytest.fixture(scope="module")
async def house(postgres: EmbeddedPostgres, everything: Database) -> AsyncIterator[House]:
    """A house whose readers go only when a test lets them."""
    name = everything.url.partition("@/")[2].partition("?")[0]
    database = Database(postgres.url("salerno_app", name), postgres.url(database=name), pool_max=8)
    await prepare(database, rooms())
    async with database.owner() as owner:
        await owner.fetchval("SELECT kernel.ensure_partitions($1, $2)", date(2026, 1, 1), date(2028, 12, 1))
    async with opened(database, Vault(MASTER), follow=False) as made:
        yield made


@pytest.fixture
def ours(caller: Make) -> Caller:
    return caller("DOCTOR")


@pytest.fixture
def theirs(caller: Make) -> Caller:
    return caller("DOCTOR", organisation_id=uuid4())


async def _registered(house: House, who: Caller, name: str) -> UUID:
    wish = RegisterPatient(full_name=name, date_of_birth=date(1980, 5, 4), confirmed_not_duplicate=True)
    return (await house.bus.handle(wish, who)).aggregate_id


async def _rows_of(everything: Database, organisation: UUID) -> dict[str, int]:
    """How much each table holds for an organisation: every view of every room, and the logs."""
    async with everything.owner() as connection:
        tables = await connection.fetch(TABLES)
        return {
            table["name"]: await connection.fetchval(
                f"SELECT count(*) FROM {table['name']} WHERE {table['home']} = $1", organisation
            )
            for table in tables
        }


async def _append(house: House, who: Caller, room: str, kind: str, stream: UUID, subject: UUID, event: Event) -> None:
    """An event as a mistake in the product could write it: sealed and stored for `who`, whatever it says."""
    async with house.bus.transaction(house.bus.rooms[room], who, Options()) as tx:
        key = await tx.key_of(subject)
        tx.record(Append.of(kind, stream, 0, subject, key, [event], tx.origin))
        await tx.flush()


# ------------------------------------------------------------------ every consumer
class Witness:
    """Stands before each view and policy of a room and notes where its connection stands, and for whose event."""

    def __init__(self) -> None:
        self.applied: list[tuple[str, UUID, str, UUID, set[UUID]]] = []
        self.asked: list[tuple[str, UUID]] = []

    def before(self, room: Room) -> Room:
        return with_changes(
            room,
            listens=tuple(with_changes(one, apply=partial(self._apply, room.name, one)) for one in room.listens),
            policies={kind: partial(self._ask, room.name, policy) for kind, policy in room.policies.items()},
        )

    async def _apply(self, room: str, view: Projection, tx: Tx, items: Sequence[Recorded[Any]]) -> None:
        homes = {item.origin.organisation for item in items}
        stands = await tx.fetchrow(STANDS_IN)
        assert stands is not None
        self.applied.append((f"{room}|{view.name}", tx.organisation, stands["role"], stands["organisation"], homes))
        await view.apply(tx, items)

    def _ask(self, room: str, policy: Policy, item: Recorded[Any]) -> Any:
        self.asked.append((room, item.origin.organisation))
        return policy(item)


async def test_t041_each_view_and_policy_hears_one_organisation_at_a_time_and_stands_in_it(
    house: House, ours: Caller, theirs: Caller
) -> None:
    witness = Witness()
    for nth in range(3):  # in turns, so that one batch holds both
        for who in (ours, theirs):
            ada = await _registered(house, who, f"Ada {'I' * (nth + 1)}rossi")
            visit = (await house.bus.handle(StartVisit(patient_id=ada, reason="cough"), who)).aggregate_id
            await house.bus.handle(RecordDiagnosis(visit_id=visit, code="J20.9"), who)
    for room in house.bus.rooms.values():
        if not (ears := Subscription(house.bus, witness.before(room))).silent:
            await ears.drain()
    heard = {home for _, home, *_ in witness.applied}
    assert {ours.organisation, theirs.organisation} <= heard
    assert len({view for view, *_ in witness.applied}) >= 6
    for view, home, role, organisation, homes in witness.applied:
        assert (role, organisation, homes) == (f"salerno_{view.partition('|')[0]}", home, {home}), view
    assert {("records", ours.organisation), ("records", theirs.organisation)} <= set(witness.asked)
    for who in (ours, theirs):
        async with house.database.context("salerno_scheduling", who.organisation, "scheduling") as connection:
            assert await connection.fetchval("SELECT count(*) FROM people") == 3


async def test_t041_the_follower_of_looks_is_handed_one_organisations_and_stands_in_it(
    house: House, ours: Caller, theirs: Caller
) -> None:
    handed: list[tuple[UUID, Any, set[UUID]]] = []

    async def watch(tx: Tx, looks: Sequence[Look]) -> None:
        stands = await tx.fetchrow(STANDS_IN)
        handed.append((tx.organisation, stands, {look.user for look in looks}))
        await judge(tx, looks)

    charts = {who.actor: await _registered(house, who, "Ada Rossi") for who in (ours, theirs)}
    for _ in range(3):
        for who in (ours, theirs):
            await house.bus.ask(PatientById(patient_id=charts[who.actor]), who)
    await Follower(house.bus, "vigilance", watch).drain()
    by_home = {home: users for home, _, users in handed}
    assert (by_home[ours.organisation], by_home[theirs.organisation]) == ({ours.actor}, {theirs.actor})
    for home, stands, _ in handed:
        assert (stands["role"], stands["organisation"]) == ("salerno_vigilance", home)


async def test_t041_a_reader_that_stands_nowhere_or_elsewhere_writes_nothing(
    house: House, ours: Caller, theirs: Caller
) -> None:
    put = "INSERT INTO people (organisation, id, subject, kind, doc) VALUES ($1, $2, $2, 'patient', '')"
    for home in (None, theirs.organisation):
        async with house.database.context("salerno_scheduling", home, "scheduling") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(put, ours.organisation, uuid4())


async def test_t041_rows_handed_to_a_reader_of_another_organisation_open_nothing(
    house: House, ours: Caller, theirs: Caller
) -> None:
    ada = await _registered(house, ours, "Zephyrina Quack")
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(
            f"SELECT {subscriptions.eventstore.COLUMNS} FROM kernel.event_store WHERE aggregate_id = $1", ada
        )
    assert len(rows) == 1
    async with house.bus.reading("patients", theirs.organisation) as tx:
        found = await open_rows(tx.connection, house.bus.vault, house.bus.catalogue, theirs.organisation, rows, tx.now)
    assert found == []


# ------------------------------------------------------------------ whose ciphertext
async def test_t041_an_event_of_another_organisation_under_our_name_is_parked_with_an_alarm_and_without_effect(
    house: House, everything: Database, ours: Caller, theirs: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[dict[str, Any]] = []
    log = SimpleNamespace(
        error=lambda event, **said: alarms.append({"event": event} | said), warning=lambda *_, **__: 0
    )
    monkeypatch.setattr(subscriptions, "LOG", log)
    zephyrina = await _registered(house, theirs, "Zephyrina Quack")
    bruno = await _registered(house, ours, "Bruno Verdi")
    await house.subscriptions.settle()
    before = await _rows_of(everything, theirs.organisation)
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        foreign, own = await connection.fetchrow(ROW, zephyrina), await connection.fetchrow(ROW, bruno)
    async with house.database.context("salerno_patients", ours.organisation, "patients") as connection:
        await connection.fetch(
            APPEND, ours.organisation, "patients.patient", bruno, own["version"], bruno, own["key_id"], None,
            ours.actor, AT, [uuid7(AT)], [foreign["event_type"]], [foreign["event_data"]], foreign["metadata"],
        )  # fmt: skip
    await house.subscriptions.settle()
    assert {(alarm["event"], alarm["event_type"]) for alarm in alarms} == {
        ("projection.error", "patients.patient_registered.v1")
    }
    assert all(alarm["cause"].startswith("IntegrityError") for alarm in alarms)
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        parked = await connection.fetch(
            "SELECT reader, organisation FROM kernel.projection_errors WHERE aggregate_id = $1 AND resolved_at IS NULL",
            bruno,
        )
    assert {row["reader"] for row in parked} == {alarm["reader"] for alarm in alarms} >= {"scheduling"}
    assert {row["organisation"] for row in parked} == {ours.organisation}
    async with house.database.context("salerno_scheduling", ours.organisation, "scheduling") as connection:
        assert [row["id"] for row in await connection.fetch("SELECT id FROM people")] == [bruno]
    assert await _rows_of(everything, theirs.organisation) == before


@pytest.mark.parametrize("standing_in", ["theirs", "nowhere"])
async def test_t041_nobody_appends_for_another_organisation_than_the_one_they_stand_in(
    house: House, ours: Caller, theirs: Caller, standing_in: str
) -> None:
    ada = await _registered(house, ours, "Ada Rossi")
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        own = await connection.fetchrow(ROW, ada)
    home = theirs.organisation if standing_in == "theirs" else None
    async with house.database.context("salerno_patients", home, "patients") as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetch(
                APPEND, ours.organisation, "patients.patient", ada, 1, ada, own["key_id"], None, ours.actor, AT,
                [uuid7(AT)], [own["event_type"]], [own["event_data"]], own["metadata"],
            )  # fmt: skip
    assert (await house.bus.handle(UpdatePatient(patient_id=ada, phone="+390891234501"), ours)).version == 2


# ------------------------------------------------------------------ whose ids
async def test_t041_an_event_of_ours_that_names_their_patient_changes_nothing_of_theirs(
    house: House, everything: Database, ours: Caller, theirs: Caller
) -> None:
    zephyrina, bruno = (
        await _registered(house, theirs, "Zephyrina Quack"),
        await _registered(house, ours, "Bruno Verdi"),
    )
    await house.subscriptions.settle()
    before = await _rows_of(everything, theirs.organisation)
    visit, appointment = uuid4(), uuid4()
    said = DiagnosisRecorded(
        visit=visit, patient=zephyrina, diagnosis=uuid4(), code="J20.9", system="http://hl7.org/fhir/sid/icd-10-cm",
        display="Bronchitis", certainty="confirmed", role="primary",
    )  # fmt: skip
    await _append(house, ours, "encounters", "encounters.visit", visit, bruno, said)
    arrived = PatientCheckedIn(appointment=appointment, patient=zephyrina, practitioner=uuid4())
    await _append(house, ours, "scheduling", "scheduling.appointment", appointment, bruno, arrived)
    again = PatientRegistered(patient=zephyrina, mrn="MRN-X", full_name="Bruno Verdi")
    await _append(house, ours, "patients", "patients.patient", uuid4(), bruno, again)
    await house.subscriptions.settle()
    assert await _rows_of(everything, theirs.organisation) == before
    assert (await house.bus.ask(PatientById(patient_id=zephyrina), theirs)).patient.full_name == "Zephyrina Quack"
    assert list(await house.bus.ask(Problems(patient_id=zephyrina), theirs)) == []


# ------------------------------------------------------------------ streams to browsers
async def test_t041_a_browser_hears_of_its_own_organisation_alone_whatever_ids_an_event_names(
    house: House, ours: Caller, theirs: Caller
) -> None:
    zephyrina, bruno = (
        await _registered(house, theirs, "Zephyrina Quack"),
        await _registered(house, ours, "Bruno Verdi"),
    )
    live, told = Live(), list[News]()
    heard: dict[str, bytes] = {}
    streams = {
        "theirs": live.stream([str(theirs.organisation), f"{theirs.organisation}/{zephyrina}"], beat=0.5),
        "ours": live.stream([str(ours.organisation)], beat=0.5),
    }
    for stream in streams.values():
        await anext(stream)
    tail = Tail(house.bus, look_every=0.05)
    tail.listeners += [partial(app._tell_browsers, live), told.append]
    mark = await tail._look(None)
    visit = uuid4()
    said = DiagnosisRecorded(
        visit=visit, patient=zephyrina, diagnosis=uuid4(), code="J20.9", system="http://hl7.org/fhir/sid/icd-10-cm",
        display="Bronchitis", certainty="confirmed", role="primary",
    )  # fmt: skip
    await _append(house, ours, "encounters", "encounters.visit", visit, bruno, said)
    async with asyncio.timeout(10):
        while not told:
            mark = await tail._look(mark)
    for name, stream in streams.items():
        heard[name] = await anext(stream)
        await stream.aclose()
    assert [news.organisation for news in told] == [ours.organisation]
    assert b"diagnosis_recorded" in heard["ours"] and heard["theirs"] == b": beat\n\n"


async def test_t041_what_a_policy_asks_is_written_where_the_event_lies_and_by_the_system(
    house: House, ours: Caller
) -> None:
    ada = await _registered(house, ours, "Ada Rossi")
    visit = (await house.bus.handle(StartVisit(patient_id=ada, reason="cough"), ours)).aggregate_id
    await house.bus.handle(RecordDiagnosis(visit_id=visit, code="J20.9"), replace(ours, correlation=visit))
    await house.subscriptions.settle()
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(
            "SELECT hospital_id, user_id FROM kernel.event_store WHERE metadata->>'correlation' = $1 "
            "AND aggregate_type = 'records.problem'",
            str(visit),
        )
    assert [(row["hospital_id"], row["user_id"]) for row in rows] == [(ours.organisation, subscriptions.SYSTEM)]
