"""Measurements for the eye: which belong into one plot, the last of each, units as people write them."""

import re
from collections.abc import Sequence
from typing import Any

UNITS = {"mm[Hg]": "mmHg", "Cel": "°C", "{score}": "", "mg/dL": "mg/dL"}
TOGETHER = (("blood_pressure", ("systolic", "diastolic")),)
IN_ORDER = (
    "systolic", "diastolic", "heart_rate", "spo2", "respiratory_rate", "temperature", "weight", "height", "glucose",
    "pain", "head_circumference",
)  # fmt: skip
NUMBERED = ("heart_rate", "respiratory_rate", "temperature", "spo2", "weight", "height", "pain", "glucose")
MEASURED = re.compile(r"(?<![\d.,])(\d+)\.(\d+)(?= |$)")
SPARK = 24  # points of a sparkline


def unit_of(unit: str) -> str:
    return UNITS.get(unit, unit)


def readable(kind: str, detail: str, language: str) -> str:
    """A line of the history as people write it: their units, and their decimal sign in what is a measurement."""
    if kind not in ("vitals", "observation"):
        return detail
    for code, written in UNITS.items():
        detail = detail.replace(f" {code}", f" {written}".rstrip())
    return MEASURED.sub(r"\1,\2", detail) if language == "it" else detail


def groups_of(series: Sequence[Any]) -> list[dict[str, Any]]:
    """Plots in their order; the two pressures share one."""
    known = {one.kind: one for one in series}
    groups = [("blood_pressure", [known[k] for k in pair if k in known]) for _, pair in TOGETHER]
    groups += [(kind, [known[kind]]) for kind in IN_ORDER if kind in known and kind not in ("systolic", "diastolic")]
    return [{"kind": kind, "lines": [_line(one) for one in lines]} for kind, lines in groups if lines]


def _line(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "unit": unit_of(one.unit),
        "values": [[point.at.isoformat(), point.value] for point in one.points],
        "low": one.low,
        "high": one.high,
    }


def latest_of(series: Sequence[Any]) -> list[dict[str, Any]]:
    """The last value of each measurement with its course."""
    known = {one.kind: one for one in series if one.points}
    found = []
    if "systolic" in known and "diastolic" in known:
        found.append(_latest("blood_pressure", known["systolic"], known["diastolic"]))
    taken = ("systolic", "diastolic") if found else ()
    found += [_latest(kind, known[kind]) for kind in IN_ORDER if kind in known and kind not in taken]
    return found


def _latest(kind: str, one: Any, second: Any = None) -> dict[str, Any]:
    last = one.points[-1]
    beside = next((p for p in reversed(second.points) if p.at == last.at), None) if second else None
    return {
        "kind": kind,
        "value": last.value,
        "second": beside.value if beside else None,
        "flagged": bool(last.flag or (beside and beside.flag)),
        "over": "H" in (last.flag, beside.flag if beside else "") or "HH" in (last.flag, beside.flag if beside else ""),
        "at": last.at,
        "unit": unit_of(one.unit),
        "low": one.low,
        "high": one.high,
        "course": [point.value for point in one.points[-SPARK:]],
    }
