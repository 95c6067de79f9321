"""What can be booked: visit types, rooms, practitioners."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from salerno.contexts.scheduling.projections import PEOPLE, SHIPPED, SQL, PersonName
from salerno.kernel.messages import Caller, Query
from salerno.kernel.transactions import Tx


class VisitTypes(Query):
    """The visit types on offer: the shipped ones, less what was retired, with what was changed and added."""


class Rooms(Query):
    location_id: UUID | None = None


BOOKABLE = ("DOCTOR", "NURSE", "LAB_TECHNICIAN", "OTHER")  # others such as a physiotherapist


class Practitioners(Query):
    """Who can be booked; with `everybody`, all who work here, for those who only want their names."""

    specialty: str = ""
    everybody: bool = False


class VisitTypeItem(Struct, frozen=True, kw_only=True):
    code: str
    name_it: str
    name_en: str
    kind: str
    minutes: int
    buffer_before: int
    buffer_after: int
    colour: int


class RoomItem(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    kind: str
    location_id: UUID | None
    version: int


class Practitioner(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    role: str
    specialty: str


async def visit_types(tx: Tx, query: VisitTypes, caller: Caller) -> Sequence[VisitTypeItem]:
    stored = {row["code"]: row for row in await tx.fetch(SQL["visit_types"], tx.organisation)}
    shipped = [_shipped(code) for code in SHIPPED if code not in stored]
    own = [
        VisitTypeItem(**{name: row[name] for name in VisitTypeItem.__struct_fields__})
        for row in stored.values()
        if not row["retired"]
    ]
    order = {code: number for number, code in enumerate(SHIPPED)}
    return sorted([*shipped, *own], key=lambda each: (order.get(each.code, len(order)), each.code))


def _shipped(code: str) -> VisitTypeItem:
    line = SHIPPED[code]
    return VisitTypeItem(**{name: getattr(line, name) for name in VisitTypeItem.__struct_fields__})


async def rooms(tx: Tx, query: Rooms, caller: Caller) -> Sequence[RoomItem]:
    return [
        RoomItem(id=row["id"], name=row["name"], kind=row["kind"], location_id=row["location"], version=row["version"])
        for row in await tx.fetch(SQL["rooms"], tx.organisation, query.location_id)
    ]


async def practitioners(tx: Tx, query: Practitioners, caller: Caller) -> Sequence[Practitioner]:
    rows = await tx.fetch(SQL["practitioners"], tx.organisation, None, query.specialty.casefold() or None)
    active = [row for row in rows if row["active"] and (query.everybody or row["role"] in BOOKABLE)]
    names = {named.id: named for named in await tx.open_docs(PEOPLE, active, PersonName)}
    found = [
        Practitioner(id=named.id, name=named.name, role=row["role"], specialty=named.specialty)
        for row in active
        if (named := names.get(row["id"]))
    ]
    return sorted(found, key=lambda each: (each.name.casefold(), each.id))
