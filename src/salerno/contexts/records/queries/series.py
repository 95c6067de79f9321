"""Measurements as lines of a plot, from bedside rounds and from coded observations alike."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from salerno.contexts.records.data.vital_signs import in_own_unit, kind_of_loinc, months_old, vital_signs
from salerno.contexts.records.events import Component, ObservationContent, Quantity
from salerno.contexts.records.projections import ObservationEntry, PersonFacts, VitalsEntry
from salerno.contexts.records.queries.lines import usual
from salerno.kernel.documents import Held

PANELS = ("85354-9", "55284-4")  # blood pressure as one observation with two parts


class Point(Struct, frozen=True, kw_only=True):
    at: datetime
    value: float
    id: UUID
    flag: str = ""


class Series(Struct, frozen=True, kw_only=True):
    """One line of a plot; `low` and `high` are what is usual at the age of its newest point."""

    kind: str
    unit: str
    name: str
    points: Sequence[Point]
    low: float | None = None
    high: float | None = None


def of_rounds(held: Sequence[Held[VitalsEntry]]) -> list[tuple[str, Point]]:
    return [
        (kind, Point(at=one.doc.at, value=value, id=one.id))
        for one in held
        for kind in vital_signs()
        if (value := getattr(one.doc.content, kind)) is not None
    ]


def of_observations(held: Sequence[Held[ObservationEntry]]) -> list[tuple[str, Point]]:
    """What observations say about the same measurements, whole or in parts."""
    found: list[tuple[str, Point]] = []
    for one in held:
        for code, quantity in _quantities(one.doc.content):
            kind = kind_of_loinc().get(code)
            value = _in_own_unit(kind, quantity) if kind and quantity else None
            if kind and value is not None:
                found.append((kind, Point(at=one.doc.at, value=value, id=one.id)))
    return found


def _quantities(seen: ObservationContent) -> list[tuple[str, Quantity | None]]:
    parts: Sequence[Component] = seen.components
    return [(seen.code, seen.quantity), *((part.code, part.quantity) for part in parts)]


def _in_own_unit(kind: str, quantity: Quantity) -> float | None:
    units = (quantity.code, quantity.unit)
    return next((value for unit in units if (value := in_own_unit(kind, quantity.value, unit)) is not None), None)


def series_of(kind: str, points: list[Point], person: PersonFacts, limit: int) -> Series:
    newest = sorted(points, key=lambda point: point.at)[-limit:]
    sign = vital_signs()[kind]
    known = usual(kind, _months_at(person, newest[-1].at)) if newest else None
    return Series(
        kind=kind,
        unit=sign.unit,
        name=sign.name,
        points=[_flagged(point, kind, person) for point in newest],
        low=known.low if known else None,
        high=known.high if known else None,
    )


def _flagged(point: Point, kind: str, person: PersonFacts) -> Point:
    known = usual(kind, _months_at(person, point.at))
    flag = known.flag(point.value) if known else ""
    return Point(at=point.at, value=point.value, id=point.id, flag=flag)


def _months_at(person: PersonFacts, at: datetime) -> int | None:
    return None if person.birth_date is None else months_old(person.birth_date, at.date())
