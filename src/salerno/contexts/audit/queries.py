"""What may be read of who has looked and who has written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.audit.errors import NoSuchAccess
from salerno.contexts.audit.projections import ACTORS, SQL, Actor
from salerno.kernel.database import Row
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import only_of, reads_as_patient

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0, le=10_000_000)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
Outcome: TypeAlias = Literal["disclosed", "nothing", "denied"]
FULL = "audit.read"


class AccessesOfPatient(Query):
    """Who has looked at this chart, newest first: one line for what one request opened."""

    patient_id: UUID
    limit: Limit = 50
    offset: Offset = 0


class AccessEvents(Query):
    """The organisation's access log, newest first, narrowed by whatever is named."""

    user_id: UUID | None = None
    patient_id: UUID | None = None
    category: str | None = None
    outcome: Outcome | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = 50
    offset: Offset = 0


class AccessEventById(Query):
    event_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class WritesOfPatient(Query):
    """When something was recorded about this patient, newest first, by the minute.

    `by_source` follows the recording date that an imported fact brought along, where it has one.
    """

    patient_id: UUID
    by_source: bool = False
    limit: Annotated[int, Meta(ge=1, le=5000)] = 500


class NamesOfActors(Query):
    """Names of staff by the ids of their records or accounts; who is not known is left out."""

    ids: Annotated[tuple[UUID, ...], Meta(max_length=1000)]


class Look(Struct, frozen=True, kw_only=True):
    """What one person was shown by one request. `name` is empty where nobody of the staff has this id."""

    at: datetime
    user_id: UUID
    name: str
    role: str
    categories: Sequence[str]
    actions: Sequence[str]
    outcome: str
    purpose: str
    address: str


class AccessEvent(Struct, frozen=True, kw_only=True):
    """One line of the access log. `resource_type` is the category of data, `action` the question asked."""

    id: int
    at: datetime
    user_id: UUID
    name: str
    role: str
    action: str
    resource_type: str
    patient_ids: Sequence[UUID]
    phi_accessed: bool
    outcome: str
    purpose: str
    ip_address: str
    request_id: str


class Written(Struct, frozen=True, kw_only=True):
    """What was recorded within one minute; `at` is its last moment."""

    at: datetime
    actors: Sequence[UUID]
    kinds: Sequence[str]
    events: int


async def accesses_of_patient(tx: Tx, query: AccessesOfPatient, caller: Caller) -> Disclosure[Page[Look]]:
    charts = await _charts(tx, query.patient_id)
    rows = await tx.fetch(SQL["looks_at"], charts, query.limit, query.offset)
    total = await tx.fetchval(SQL["count_looks_at"], charts)
    names = await _names(tx, [row["user_id"] for row in rows])
    looks = [_look(row, names) for row in rows]
    page = Page(items=looks, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=[query.patient_id] if reads_as_patient(caller, FULL) else charts)


def _look(row: Row, names: Mapping[UUID, str]) -> Look:
    return Look(
        at=row["at"],
        user_id=row["user_id"],
        name=names.get(row["user_id"], ""),
        role=row["role"],
        categories=row["categories"],
        actions=row["actions"],
        outcome=row["outcome"],
        purpose=row["purpose"],
        address=row["address"],
    )


async def access_events(tx: Tx, query: AccessEvents, caller: Caller) -> Disclosure[Page[AccessEvent]]:
    charts = await _charts(tx, query.patient_id) if query.patient_id else None
    hidden = list(tx.hidden) or None
    about = (charts or tx.organisation, query.user_id, query.category, query.outcome)
    wanted = (*about, query.since, query.until, hidden, only_of(tx))
    kind = "accesses_of_charts" if charts else "accesses"
    rows = await tx.fetch(SQL[kind], *wanted, query.limit, query.offset)
    total = await tx.fetchval(SQL[f"count_{kind}"], *wanted)
    names = await _names(tx, [row["user_id"] for row in rows])
    page = Page(items=[_event(row, names) for row in rows], total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=charts or [])


async def access_event_by_id(tx: Tx, query: AccessEventById, caller: Caller) -> Disclosure[AccessEvent]:
    row = await tx.fetchrow(SQL["access"], tx.organisation, query.event_id)
    if row is None or not tx.hidden.isdisjoint(row["subjects"]) or not _is_about_these(tx, row["subjects"]):
        raise NoSuchAccess()
    return Disclosure(value=_event(row, await _names(tx, [row["user_id"]])), subjects=[])


def _is_about_these(tx: Tx, subjects: Sequence[UUID]) -> bool:
    """Under a right that carries to some charts, a look at nobody's, or at others' besides, is not shown."""
    return tx.only is None or (bool(subjects) and tx.only.issuperset(subjects))


def _event(row: Row, names: Mapping[UUID, str]) -> AccessEvent:
    return AccessEvent(
        id=row["position"],
        at=row["at"],
        user_id=row["user_id"],
        name=names.get(row["user_id"], ""),
        role=row["role"],
        action=row["action"],
        resource_type=row["category"],
        patient_ids=row["subjects"],
        phi_accessed=row["phi"],
        outcome=row["outcome"],
        purpose=row["purpose"],
        ip_address=row["address"],
        request_id=row["request"],
    )


async def writes_of_patient(tx: Tx, query: WritesOfPatient, caller: Caller) -> Disclosure[list[Written]]:
    charts = await _charts(tx, query.patient_id)
    rows = await tx.fetch(SQL["writes_about"], tx.organisation, charts, query.by_source, query.limit)
    written = [Written(at=row["at"], actors=row["actors"], kinds=row["kinds"], events=row["events"]) for row in rows]
    return Disclosure(value=written, subjects=[query.patient_id] if reads_as_patient(caller, "audit.trail") else charts)


async def names_of_actors(tx: Tx, query: NamesOfActors, caller: Caller) -> dict[UUID, str]:
    return await _names(tx, query.ids)


async def _names(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await tx.fetch(SQL["actors"], tx.organisation, list(set(ids)))
    keys = await tx.keys_of({row["subject"] for row in rows})
    known = [row for row in rows if row["subject"] in keys]
    actors = await tx.open_docs(ACTORS, known, Actor)
    return {UUID(bytes=row["id"].bytes): actor.name for row, actor in zip(known, actors, strict=True)}


async def _charts(tx: Tx, patient: UUID) -> list[UUID]:
    found: list[UUID] = await tx.fetchval(SQL["charts_of"], tx.organisation, patient)
    return [patient, *(chart for chart in found if chart != patient)]


ANSWERS: dict[type[Query], Answer] = {
    AccessesOfPatient: accesses_of_patient,
    AccessEvents: access_events,
    AccessEventById: access_event_by_id,
    WritesOfPatient: writes_of_patient,
    NamesOfActors: names_of_actors,
}
