"""What may be read of restrictions and broken glass; and what the wards ask, which no person may."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.protection.errors import NoSuchBreakGlass, NoSuchRestriction
from salerno.contexts.protection.projections import (
    GLASSES,
    PEOPLE,
    RESTRICTIONS,
    SQL,
    GlassView,
    PersonKnown,
    RestrictionView,
)
from salerno.kernel.database import Row
from salerno.kernel.documents import Held
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
DEFAULT_CARE = timedelta(days=90)


class CareSpan(Struct, frozen=True):
    """How long after an appointment or visit a practitioner still has the patient in care. A choice of the house."""

    days: int = DEFAULT_CARE.days


class RestrictionOf(Query):
    """The restriction of one chart, for those who set it."""

    patient_id: UUID


class RestrictedCharts(Query):
    """Every chart that is restricted now, the newest first."""

    limit: Limit = 50
    offset: Offset = 0


class BreakGlassList(Query):
    """Every breaking of the glass, the newest first; those that wait for a review, or those reviewed."""

    status: Literal["waiting", "reviewed"] | None = None
    limit: Limit = 50
    offset: Offset = 0


class BreakGlassById(Query):
    glass_id: UUID


class BreakGlassToReview(Query):
    """How many wait for the caller's review."""


class MyBreakGlass(Query):
    """What the caller has open by break-glass, of one chart or at all; what ends last stands first."""

    patient_id: UUID | None = None


class WardsOfOrganisation(Query):
    """Which charts are hidden and to whom they are open all the same. Asked by the bus itself."""


class ChartsInReach(Query):
    """Which of these charts meet one of the conditions for this account. Asked by the bus itself."""

    account_id: UUID
    conditions: tuple[str, ...]
    patient_ids: tuple[UUID, ...]


class ChartsWithin(Query):
    """Every chart that meets one of the conditions for this account. Asked by the bus itself."""

    account_id: UUID
    conditions: tuple[str, ...]


class RestrictionShown(Struct, frozen=True, kw_only=True):
    restriction: RestrictionView
    version: int
    name: str
    mrn: str
    birth_date: date | None = None


class GlassShown(Struct, frozen=True, kw_only=True):
    """`open` says that it has neither ended nor been ended; `own` that the caller broke it, and may not review it."""

    glass: GlassView
    version: int
    name: str
    mrn: str
    birth_date: date | None = None
    open: bool = False
    own: bool = False


class OpenGlass(Struct, frozen=True, kw_only=True):
    glass: UUID
    patient_id: UUID
    until: datetime
    reason: str


class HiddenCharts(Struct, frozen=True, kw_only=True):
    """Charts that are read as one, hidden from everybody but these accounts and their own patient."""

    charts: tuple[UUID, ...]
    accounts: tuple[UUID, ...]


class BrokenGlass(Struct, frozen=True, kw_only=True):
    """Charts that are read as one and open to this account until then."""

    account: UUID
    charts: tuple[UUID, ...]
    until: datetime
    reason: str


class OrganisationWards(Struct, frozen=True, kw_only=True):
    hidden: tuple[HiddenCharts, ...] = ()
    broken: tuple[BrokenGlass, ...] = ()


# ------------------------------------------------------------ for people
async def restriction_by_patient(tx: Tx, query: RestrictionOf, caller: Caller) -> Disclosure[RestrictionShown]:
    held = [one for one in await RESTRICTIONS.of_subject(tx, [query.patient_id]) if one.doc.active]
    if not held:
        raise NoSuchRestriction()
    return Disclosure(value=(await _restrictions(tx, held))[0], subjects=[query.patient_id])


async def restricted_charts(tx: Tx, query: RestrictedCharts, caller: Caller) -> Disclosure[Page[RestrictionShown]]:
    rows = await tx.fetch(SQL["page_of_restrictions"], tx.organisation, query.limit, query.offset)
    total = await tx.fetchval(SQL["count_restrictions"], tx.organisation)
    items = await _restrictions(tx, await RESTRICTIONS.open(tx, rows))
    page = Page(items=items, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=[one.restriction.patient for one in items])


async def _restrictions(tx: Tx, held: Sequence[Held[RestrictionView]]) -> list[RestrictionShown]:
    people = await _people(tx, (one.subject for one in held))
    return [
        RestrictionShown(restriction=one.doc, version=one.version, **_named(people.get(one.subject))) for one in held
    ]


async def break_glass_list(tx: Tx, query: BreakGlassList, caller: Caller) -> Disclosure[Page[GlassShown]]:
    reviewed = None if query.status is None else query.status == "reviewed"
    rows = await tx.fetch(SQL["page_of_glasses"], tx.organisation, reviewed, query.limit, query.offset)
    total = await tx.fetchval(SQL["count_glasses"], tx.organisation, reviewed)
    items = await _glasses(tx, await GLASSES.open(tx, rows), caller)
    page = Page(items=items, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=list(dict.fromkeys(one.glass.patient for one in items)))


async def break_glass_by_id(tx: Tx, query: BreakGlassById, caller: Caller) -> Disclosure[GlassShown]:
    held = await GLASSES.get(tx, query.glass_id)
    if held is None:
        raise NoSuchBreakGlass()
    return Disclosure(value=(await _glasses(tx, [held], caller))[0], subjects=[held.subject])


async def _glasses(tx: Tx, held: Sequence[Held[GlassView]], caller: Caller) -> list[GlassShown]:
    people = await _people(tx, (one.subject for one in held))
    return [
        GlassShown(
            glass=one.doc,
            version=one.version,
            open=one.doc.ended_at is None and tx.now < one.doc.until,
            own=one.doc.account == caller.actor,
            **_named(people.get(one.subject)),
        )
        for one in held
    ]


async def _people(tx: Tx, patients: Iterable[UUID]) -> dict[UUID, PersonKnown]:
    rows = await tx.fetch(SQL["people"], tx.organisation, list(set(patients)))
    keys = await tx.keys_of({row["subject"] for row in rows})
    known = [row for row in rows if row["subject"] in keys]
    people = await tx.open_docs(PEOPLE, known, PersonKnown)
    return {UUID(bytes=row["id"].bytes): person for row, person in zip(known, people, strict=True)}


def _named(person: PersonKnown | None) -> dict[str, Any]:
    if person is None:
        return {"name": "", "mrn": ""}
    return {"name": person.name, "mrn": person.mrn, "birth_date": person.birth_date}


async def break_glass_to_review(tx: Tx, query: BreakGlassToReview, caller: Caller) -> int:
    return int(await tx.fetchval(SQL["count_to_review"], tx.organisation, caller.actor))


async def my_break_glass(tx: Tx, query: MyBreakGlass, caller: Caller) -> list[OpenGlass]:
    rows = [
        row for row in await tx.fetch(SQL["open_glasses"], tx.organisation, tx.now) if row["account"] == caller.actor
    ]
    if rows and query.patient_id:
        together = _together(await tx.fetch(SQL["read_together"], tx.organisation, [query.patient_id]))
        wanted = _group(query.patient_id, together)
        rows = [row for row in rows if row["subject"] in wanted]
    mine = [
        OpenGlass(glass=_id(row["id"]), patient_id=_id(row["subject"]), until=row["until"], reason=row["reason"])
        for row in rows
    ]
    return sorted(mine, key=lambda one: (one.until, one.glass), reverse=True)


# ------------------------------------------------------------ for the bus
async def wards_of_organisation(tx: Tx, query: WardsOfOrganisation, caller: Caller) -> OrganisationWards:
    restricted = await tx.fetch(SQL["restricted"], tx.organisation)
    glasses = await tx.fetch(SQL["open_glasses"], tx.organisation, tx.now)
    if not restricted and not glasses:
        return OrganisationWards()
    named = _ids(row["subject"] for row in (*restricted, *glasses))
    together = _together(await tx.fetch(SQL["read_together"], tx.organisation, named))
    carers = await _carers(tx, _with_those([row["subject"] for row in restricted], together))
    hidden = tuple(_hidden(row, together, carers) for row in restricted)
    broken = tuple(
        BrokenGlass(
            account=_id(row["account"]),
            charts=_group(row["subject"], together),
            until=row["until"],
            reason=row["reason"],
        )
        for row in glasses
    )
    return OrganisationWards(hidden=hidden, broken=broken)


def _hidden(row: Row, together: Mapping[UUID, list[UUID]], carers: Mapping[UUID, set[UUID]]) -> HiddenCharts:
    charts = _group(row["subject"], together)
    accounts = set(_ids(row["accounts"]))
    if not row["named_only"]:
        accounts.update(account for chart in charts for account in carers.get(chart, ()))
    return HiddenCharts(charts=charts, accounts=tuple(sorted(accounts)))


async def charts_in_reach(tx: Tx, query: ChartsInReach, caller: Caller) -> tuple[UUID, ...]:
    together = _together(await tx.fetch(SQL["read_together"], tx.organisation, list(query.patient_ids)))
    wanted = _with_those(query.patient_ids, together)
    reached: set[UUID] = set()
    if "care" in query.conditions:
        carers = await _carers(tx, wanted)
        reached.update(chart for chart, accounts in carers.items() if query.account_id in accounts)
    if "location" in query.conditions:
        reached |= await _at_workplaces(tx, query.account_id, wanted)
    return tuple(one for one in query.patient_ids if not reached.isdisjoint(_group(one, together)))


async def charts_within(tx: Tx, query: ChartsWithin, caller: Caller) -> tuple[UUID, ...]:
    """As `charts_in_reach` finds them one by one: a chart is reached with all that are read with it."""
    reached: set[UUID] = set()
    if "care" in query.conditions:
        rows = await tx.fetch(SQL["cared_for_by"], tx.organisation, query.account_id, _since(tx))
        reached.update(_ids(row["subject"] for row in rows))
    if "location" in query.conditions:
        rows = await tx.fetch(SQL["seen_where_works"], tx.organisation, query.account_id, _since(tx))
        reached.update(_ids(row["subject"] for row in rows))
    if not reached:
        return ()
    merges = [(_id(row["patient"]), _id(row["into_patient"])) for row in await tx.fetch(SQL["merges"], tx.organisation)]
    return tuple(_with_all_read_together(reached, merges))


def _with_all_read_together(reached: set[UUID], merges: Sequence[tuple[UUID, UUID]]) -> set[UUID]:
    neighbours: dict[UUID, set[UUID]] = {}
    for one, other in merges:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found, waiting = set(reached), [chart for chart in reached if chart in neighbours]
    while waiting:
        further = neighbours[waiting.pop()] - found
        found |= further
        waiting += further
    return found


async def _carers(tx: Tx, charts: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for row in await tx.fetch(SQL["carers"], tx.organisation, list(charts), _since(tx)):
        found.setdefault(_id(row["subject"]), set()).add(_id(row["account"]))
    return found


async def _at_workplaces(tx: Tx, account: UUID, charts: Sequence[UUID]) -> set[UUID]:
    places = {row["location"] for row in await tx.fetch(SQL["workplaces_of"], tx.organisation, account)}
    if not places:
        return set()
    rows = await tx.fetch(SQL["seen_at"], tx.organisation, list(charts), _since(tx))
    return {_id(row["subject"]) for row in rows if row["location"] in places}


def _since(tx: Tx) -> datetime:
    span = tx.bus.settings.get(CareSpan, CareSpan())
    return tx.now - timedelta(days=span.days)


def _together(rows: Iterable[Row]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(_id(row["root"]), []).append(_id(row["chart"]))
    return found


def _group(chart: UUID, together: Mapping[UUID, list[UUID]]) -> tuple[UUID, ...]:
    """A chart and those that are read with it."""
    chart = _id(chart)
    return (chart, *together.get(chart, ()))


def _with_those(charts: Iterable[UUID], together: Mapping[UUID, list[UUID]]) -> list[UUID]:
    return list({one for chart in charts for one in _group(chart, together)})


def _id(found: Any) -> UUID:
    """A plain UUID: the driver's own is slower to hash and to compare."""
    return UUID(bytes=found.bytes)


def _ids(found: Iterable[Any]) -> list[UUID]:
    return [_id(one) for one in found]


ANSWERS: dict[type[Query], Answer] = {
    RestrictionOf: restriction_by_patient,
    RestrictedCharts: restricted_charts,
    BreakGlassList: break_glass_list,
    BreakGlassById: break_glass_by_id,
    BreakGlassToReview: break_glass_to_review,
    MyBreakGlass: my_break_glass,
    WardsOfOrganisation: wards_of_organisation,
    ChartsInReach: charts_in_reach,
    ChartsWithin: charts_within,
}
