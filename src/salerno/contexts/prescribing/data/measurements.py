"""Which laboratory and vital-sign codes tell screening something, and their units turned into its own."""

import csv
from functools import cache
from importlib import resources

TO_OWN_UNIT = {
    "weight": {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lb": 0.45359237, "lbs": 0.45359237},
    "creatinine": {"mg/dl": 1.0, "umol/l": 1 / 88.4, "mmol/l": 1000 / 88.4},
    "egfr": {"ml/min": 1.0, "ml/min/{1.73_m2}": 1.0, "ml/min/1.73m2": 1.0, "ml/min/{1.73m2}": 1.0},
    "potassium": {"mmol/l": 1.0, "meq/l": 1.0},
}
PLAUSIBLE = {"weight": (0.3, 500.0), "creatinine": (0.1, 30.0), "egfr": (1.0, 250.0), "potassium": (1.0, 12.0)}


@cache
def facts_by_code() -> dict[str, str]:
    """LOINC code to the fact that it tells: weight, creatinine, egfr, potassium."""
    text = (resources.files(__package__) / "observations.csv").read_text("utf-8")
    return {row["loinc"]: row["fact"] for row in csv.DictReader(text.splitlines())}


def in_own_unit(fact: str, value: float, unit: str) -> float | None:
    """kg, mg/dL, mL/min or mmol/L; None where the unit is strange or the number cannot be one of a person."""
    factor = TO_OWN_UNIT[fact].get(unit.strip().casefold().replace("µ", "u").replace("μ", "u"))
    lowest, highest = PLAUSIBLE[fact]
    if factor is None or not lowest <= value * factor <= highest:
        return None
    return value * factor
