"""Visit types and rooms: configuration, readable. Every organisation starts with the shipped visit types."""

import csv
from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Any

from msgspec import Struct, convert

from salerno.contexts.scheduling.events import (
    RoomAdded,
    RoomChanged,
    RoomRetired,
    VisitTypeDefined,
    VisitTypeRetired,
)
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.scheduling")


class VisitTypeLine(Struct, frozen=True, kw_only=True):
    code: str
    name_it: str
    name_en: str
    kind: str
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    colour: int = 0


def _shipped() -> Mapping[str, VisitTypeLine]:
    text = (resources.files("salerno.contexts.scheduling") / "data" / "visit_types.csv").read_text("utf-8")
    lines = convert(list(csv.DictReader(text.splitlines())), list[VisitTypeLine], strict=False)
    return MappingProxyType({line.code: line for line in lines})


SHIPPED = _shipped()


def code_of(text: str) -> str:
    """One spelling for a visit type's code, however it was written: "Follow up" is "follow-up"."""
    return "-".join(text.casefold().replace("_", " ").replace("-", " ").split())


async def keep(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case VisitTypeDefined() as event:
                await _put(tx, event, retired=False)
            case VisitTypeRetired(code=code) if code in SHIPPED and await _is_new(tx, code):
                await _put(tx, SHIPPED[code], retired=True)
            case VisitTypeRetired(code=code):
                await tx.run(SQL["retire_visit_type"], tx.organisation, code)
            case RoomAdded() | RoomChanged() as event:
                room = (event.room, event.name, event.kind, event.location, item.version)
                await tx.run(SQL["keep_room"], tx.organisation, *room)
            case RoomRetired(room=retired):
                await tx.run(SQL["retire_room"], tx.organisation, retired, item.version)


async def _is_new(tx: Tx, code: str) -> bool:
    return code not in {row["code"] for row in await tx.fetch(SQL["visit_types"], tx.organisation)}


async def _put(tx: Tx, line: VisitTypeDefined | VisitTypeLine, *, retired: bool) -> None:
    await tx.run(
        SQL["keep_visit_type"], tx.organisation, line.code, line.name_it, line.name_en, line.kind, line.minutes,
        line.buffer_before, line.buffer_after, line.colour, retired,
    )  # fmt: skip


CATALOGUE = Projection(
    name="scheduling.catalogue",
    tables=("visit_types", "rooms"),
    events=(VisitTypeDefined, VisitTypeRetired, RoomAdded, RoomChanged, RoomRetired),
    apply=keep,
)
