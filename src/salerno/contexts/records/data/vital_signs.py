"""What is measured at the bedside: units, plausible limits, reference ranges by age, other units."""

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources

from msgspec import Struct


class VitalSign(Struct, frozen=True, kw_only=True):
    """`least` and `most` are what a living person can have; `also` are other LOINC codes for the same."""

    kind: str
    loinc: str
    also: tuple[str, ...]
    unit: str
    least: float
    most: float
    decimals: int
    name: str


class ReferenceRange(Struct, frozen=True, kw_only=True):
    """What is usual at an age; outside the critical limits somebody must come."""

    kind: str
    low: float | None = None
    high: float | None = None
    critical_low: float | None = None
    critical_high: float | None = None
    source: str = ""

    def flag(self, value: float) -> str:
        """LL, L, H, HH, or "" for usual."""
        if self.critical_low is not None and value < self.critical_low:
            return "LL"
        if self.critical_high is not None and value > self.critical_high:
            return "HH"
        if self.low is not None and value < self.low:
            return "L"
        return "H" if self.high is not None and value > self.high else ""


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of this folder."""
    text = (resources.files(__package__) / name).read_text("utf-8")
    yield from csv.DictReader(text.splitlines())


@cache
def vital_signs() -> dict[str, VitalSign]:
    return {
        row["kind"]: VitalSign(
            kind=row["kind"],
            loinc=row["loinc"],
            also=tuple(row["also"].split()),
            unit=row["unit"],
            least=float(row["least"]),
            most=float(row["most"]),
            decimals=int(row["decimals"]),
            name=row["name"],
        )
        for row in rows("vital_signs.csv")
    }


@cache
def conversions() -> dict[tuple[str, str], tuple[float, float]]:
    """(kind, UCUM unit) → factor and offset to the room's own unit."""
    return {(row["kind"], row["unit"]): (float(row["factor"]), float(row["offset"])) for row in rows("units.csv")}


def in_own_unit(kind: str, value: float, unit: str) -> float | None:
    """The value in the room's own unit; None where the unit is not known."""
    if unit == vital_signs()[kind].unit:
        return value
    known = conversions().get((kind, unit))
    return None if known is None else round(value * known[0] + known[1], 6)


@cache
def kind_of_loinc() -> dict[str, str]:
    """Which measurement a LOINC code means."""
    return {code: sign.kind for sign in vital_signs().values() for code in (sign.loinc, *sign.also)}


def months_old(birth_date: date, on: date) -> int:
    """Completed months of life."""
    months = (on.year - birth_date.year) * 12 + on.month - birth_date.month
    return months - (on.day < birth_date.day)


def reference_range(kind: str, months: int) -> ReferenceRange | None:
    """What is usual at that age; None where no range is known."""
    for start, end, known in _ranges().get(kind, ()):
        if start <= months < end:
            return known
    return None


@cache
def _ranges() -> dict[str, tuple[tuple[int, int, ReferenceRange], ...]]:
    found: dict[str, tuple[tuple[int, int, ReferenceRange], ...]] = {}
    for row in rows("reference_ranges.csv"):
        limits = {name: number(row[name]) for name in ("low", "high", "critical_low", "critical_high")}
        known = ReferenceRange(kind=row["kind"], source=row["source"], **limits)
        entry = (int(row["from_months"]), int(row["to_months"]), known)
        found[row["kind"]] = (*found.get(row["kind"], ()), entry)
    return found


def number(text: str) -> float | None:
    return float(text) if text else None
