"""How an entry is shown: with what follows from it at the person's age, and with its flag."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from salerno.contexts.records.data.laboratory import laboratory_tests
from salerno.contexts.records.data.scores import (
    NEWS2_FROM_MONTHS,
    News2,
    bmi,
    bmi_class,
    mean_arterial_pressure,
    mosteller,
    news2,
)
from salerno.contexts.records.data.vital_signs import ReferenceRange, months_old, reference_range, vital_signs
from salerno.contexts.records.events import ObservationContent
from salerno.contexts.records.projections import Entry, ObservationEntry, PersonFacts, VitalsEntry, VitalsNow
from salerno.kernel.documents import Held

ADULT_FROM_MONTHS = 18 * 12
NEWS2_NEEDS = (
    "respiratory_rate", "spo2", "on_oxygen", "systolic", "heart_rate", "consciousness", "temperature",
)  # fmt: skip
HYPERCAPNIC = ReferenceRange(kind="spo2", low=88, high=92, source="NEWS2 scale 2")


class VitalsLine(Struct, frozen=True, kw_only=True):
    """A round of measurements with what follows from it.

    `news2` is absent for children under 16, in pregnancy, and while `news2_missing` names what was not measured.
    `flags` say L, H, LL or HH where a value is outside of what is usual at that age.
    """

    entry: VitalsEntry
    bmi: float | None = None
    bmi_class: str = ""
    bsa: float | None = None
    mean_pressure: float | None = None
    news2: News2 | None = None
    news2_applies: bool = True
    news2_missing: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)


class ResultLine(Struct, frozen=True, kw_only=True):
    """A result with its flag: the laboratory's own word first, then its interval, then a typical one."""

    entry: ObservationEntry
    flag: str = ""


class RecordLine(Struct, frozen=True, kw_only=True):
    """One line of a chart's history."""

    at: datetime
    kind: str
    id: UUID
    visit: UUID | None = None
    title: str
    detail: str = ""
    status: str = ""
    by: UUID


def vitals_line(held: Held[VitalsEntry], person: PersonFacts, *, pregnant: bool) -> VitalsLine:
    seen = held.doc.content
    months = _months(person.birth_date, held.doc.at.date())
    weighed = seen.weight is not None and seen.height is not None
    applies = not pregnant and (months is None or months >= NEWS2_FROM_MONTHS)
    missing = tuple(name for name in NEWS2_NEEDS if getattr(seen, name) is None)
    index = bmi(seen.weight, seen.height) if seen.weight and seen.height else None
    return VitalsLine(
        entry=held.doc,
        bmi=index,
        bmi_class=bmi_class(index) if index and (months is None or months >= ADULT_FROM_MONTHS) else "",
        bsa=mosteller(seen.weight, seen.height) if weighed and seen.weight and seen.height else None,
        mean_pressure=_mean_pressure(seen),
        news2=_news2(seen) if applies and not missing else None,
        news2_applies=applies,
        news2_missing=missing if applies else (),
        flags=_flags(seen, months),
    )


def _months(birth_date: date | None, on: date) -> int | None:
    return None if birth_date is None else months_old(birth_date, on)


def _mean_pressure(seen: VitalsNow) -> float | None:
    if seen.systolic is None or seen.diastolic is None:
        return None
    return mean_arterial_pressure(seen.systolic, seen.diastolic)


def _news2(seen: VitalsNow) -> News2:
    return news2(**{name: getattr(seen, name) for name in NEWS2_NEEDS}, spo2_scale2=seen.spo2_scale2)


def _flags(seen: VitalsNow, months: int | None) -> dict[str, str]:
    found = {
        kind: known.flag(value)
        for kind in vital_signs()
        if (value := getattr(seen, kind)) is not None and (known := usual(kind, months, seen.spo2_scale2))
    }
    return {kind: flag for kind, flag in found.items() if flag}


def usual(kind: str, months: int | None, spo2_scale2: bool = False) -> ReferenceRange | None:
    """What is usual at that age; an adult's where the age is not known."""
    if kind == "spo2" and spo2_scale2:
        return HYPERCAPNIC
    return reference_range(kind, ADULT_FROM_MONTHS if months is None else months)


def result_line(held: Held[ObservationEntry], person: PersonFacts) -> ResultLine:
    return ResultLine(entry=held.doc, flag=_flag(held.doc, person))


def _flag(entry: ObservationEntry, person: PersonFacts) -> str:
    seen = entry.content
    if seen.interpretation:
        return "" if seen.interpretation[0] == "N" else seen.interpretation[0]
    if seen.quantity is None:
        return ""
    if seen.reference_range:
        sent = seen.reference_range[0]
        return ReferenceRange(kind="", low=sent.low, high=sent.high).flag(seen.quantity.value)
    test = laboratory_tests().get(seen.code)
    if test is None or test.unit not in (seen.quantity.code, seen.quantity.unit):
        return ""
    if (_months(person.birth_date, entry.at.date()) or 0) < ADULT_FROM_MONTHS:
        return ""
    typical = test.range_for(person.gender)
    return typical.flag(seen.quantity.value) if typical else ""


def record_line(kind: str, held: Held[Any]) -> RecordLine:
    entry: Entry[Any] = held.doc
    seen = entry.content
    return RecordLine(
        at=entry.at,
        kind=kind,
        id=entry.id,
        visit=entry.visit,
        title=_title(seen),
        detail=_detail(seen),
        status=getattr(seen, "clinical_status", "") or getattr(seen, "status", ""),
        by=entry.recorded_by,
    )


def _title(seen: Any) -> str:
    return getattr(seen, "display", "") or getattr(seen, "substance", "") or getattr(seen, "code", "")


def _detail(seen: Any) -> str:
    match seen:
        case VitalsNow():
            return ", ".join(_measured(seen))
        case ObservationContent():
            return _value(seen)
        case _:
            return str(getattr(seen, "reaction", "") or getattr(seen, "conclusion", ""))


def _measured(seen: VitalsNow) -> list[str]:
    pressure = [f"{seen.systolic:g}/{seen.diastolic:g} mm[Hg]"] if seen.systolic and seen.diastolic else []
    single = [kind for kind in vital_signs() if not (pressure and kind in ("systolic", "diastolic"))]
    return pressure + [
        f"{value:g} {vital_signs()[kind].unit}" for kind in single if (value := getattr(seen, kind)) is not None
    ]


def _value(seen: ObservationContent) -> str:
    if seen.quantity is not None:
        return f"{seen.quantity.comparator}{seen.quantity.value:g} {seen.quantity.unit}".strip()
    if seen.components:
        numbers = [f"{part.quantity.value:g}" for part in seen.components if part.quantity]
        return "/".join(numbers)
    return seen.value_code.display if seen.value_code else seen.value_text[:200]
