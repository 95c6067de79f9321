"""What follows from measurements: BMI, body surface, mean pressure, NEWS2.

NEWS2: Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017, chart 1; its points
are in news2.csv. It is for persons of 16 years and over who are not pregnant.
"""

import math
from functools import cache

from msgspec import Struct

from salerno.contexts.records.data.vital_signs import number, rows

ADULT_BMI = ((18.5, "underweight"), (25, "normal"), (30, "overweight"), (35, "obese-1"), (40, "obese-2"))
NEWS2_FROM_MONTHS = 16 * 12


class News2(Struct, frozen=True, kw_only=True):
    """`parts` are the points per measurement, `response` what the score asks for."""

    total: int
    parts: dict[str, int]
    single_three: bool
    response: str
    repeat: str


def bmi(weight: float, height: float) -> float:
    """Kilograms per square metre."""
    return weight / (height / 100) ** 2


def bmi_class(value: float) -> str:
    """The World Health Organization's classes for adults."""
    return next((name for limit, name in ADULT_BMI if value < limit), "obese-3")


def mosteller(weight: float, height: float) -> float:
    """Body surface in square metres: Mosteller, N Engl J Med 1987;317:1098."""
    return math.sqrt(height * weight / 3600)


def du_bois(weight: float, height: float) -> float:
    """Body surface in square metres: DuBois and DuBois, Arch Intern Med 1916;17:863."""
    return 0.007184 * math.pow(height, 0.725) * math.pow(weight, 0.425)


def haycock(weight: float, height: float) -> float:
    """Body surface in square metres, also for children: Haycock, J Pediatr 1978;93:62."""
    return 0.024265 * math.pow(height, 0.3964) * math.pow(weight, 0.5378)


def mean_arterial_pressure(systolic: float, diastolic: float) -> float:
    return (systolic + 2 * diastolic) / 3


def news2(
    *,
    respiratory_rate: float,
    spo2: float,
    on_oxygen: bool,
    systolic: float,
    heart_rate: float,
    consciousness: str,
    temperature: float,
    spo2_scale2: bool = False,
) -> News2:
    """`spo2_scale2` is the clinician's order for hypercapnic failure with a target of 88 to 92 %."""
    scale = "spo2" if not spo2_scale2 else "spo2_scale2_on_oxygen" if on_oxygen else "spo2_scale2"
    parts = {
        "respiratory_rate": _points("respiratory_rate", respiratory_rate),
        "spo2": _points(scale, spo2),
        "on_oxygen": 2 if on_oxygen else 0,
        "systolic": _points("systolic", systolic),
        "heart_rate": _points("heart_rate", heart_rate),
        "consciousness": 0 if consciousness == "A" else 3,
        "temperature": _points("temperature", temperature),
    }
    total, single_three = sum(parts.values()), 3 in parts.values()
    response, repeat = _escalation(total, single_three)
    return News2(total=total, parts=parts, single_three=single_three, response=response, repeat=repeat)


def _escalation(total: int, single_three: bool) -> tuple[str, str]:
    if total >= 7:
        return "emergency-team", "continuous"
    if total >= 5:
        return "urgent-clinician", "hourly"
    if single_three:
        return "urgent-ward", "hourly"
    return ("ward-nurse", "4-6-hourly") if total else ("routine", "12-hourly")


def _points(measure: str, value: float) -> int:
    """The bands of the chart are whole numbers, of temperature tenths: the value is read as the chart shows it."""
    shown = round(value + 1e-9, 1) if measure == "temperature" else math.floor(value + 0.5)
    for least, most, points in _chart()[measure]:
        if (least is None or shown >= least) and (most is None or shown <= most):
            return points
    raise AssertionError("the bands of the chart leave no gap")


@cache
def _chart() -> dict[str, list[tuple[float | None, float | None, int]]]:
    chart: dict[str, list[tuple[float | None, float | None, int]]] = {}
    for row in rows("news2.csv"):
        chart.setdefault(row["measure"], []).append((number(row["least"]), number(row["most"]), int(row["points"])))
    return chart
