"""BMI, body surface, mean pressure and NEWS2 against published and computed figures; units and ranges."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as some

from salerno.contexts.records.data import scores
from salerno.contexts.records.data.laboratory import hba1c_ifcc, laboratory_tests
from salerno.contexts.records.data.vital_signs import (
    conversions,
    in_own_unit,
    months_old,
    reference_range,
    rows,
    vital_signs,
)


@pytest.mark.parametrize(
    ("weight", "height", "index", "named"),
    [
        (70, 170, 24.22, "normal"),
        (95, 178, 29.98, "overweight"),
        (45, 160, 17.58, "underweight"),
        (120, 165, 44.08, "obese-3"),
    ],
)
def test_the_body_mass_index_and_its_class(weight: float, height: float, index: float, named: str) -> None:
    assert round(scores.bmi(weight, height), 2) == index
    assert scores.bmi_class(scores.bmi(weight, height)) == named


@pytest.mark.parametrize(
    ("index", "named"),
    [(18.49, "underweight"), (18.5, "normal"), (25, "overweight"), (30, "obese-1"), (35, "obese-2"), (40, "obese-3")],
)
def test_a_class_begins_at_its_lower_limit(index: float, named: str) -> None:
    assert scores.bmi_class(index) == named


@pytest.mark.parametrize(
    ("height", "weight", "mosteller", "du_bois", "haycock"),
    [
        (170, 70, 1.8181, 1.8097, 1.8257),
        (180, 80, 2.0000, 1.9964, 2.0066),
        (100, 16, 0.6667, 0.6578, 0.6689),
    ],
)
def test_body_surface_by_three_formulas(
    height: float, weight: float, mosteller: float, du_bois: float, haycock: float
) -> None:
    found = (scores.mosteller(weight, height), scores.du_bois(weight, height), scores.haycock(weight, height))
    assert tuple(round(one, 4) for one in found) == (mosteller, du_bois, haycock)


def test_the_mean_pressure_leans_to_the_diastolic_one() -> None:
    assert scores.mean_arterial_pressure(120, 80) == pytest.approx(93.333, abs=0.001)


# respiratory rate, SpO2, scale 2, oxygen, systolic, pulse, consciousness, temperature → total, a single three
VECTORS = [
    ((16, 97, False, False, 120, 72, "A", 36.8), 0, False),
    ((22, 95, False, True, 105, 115, "A", 38.5), 9, False),
    ((26, 90, True, True, 98, 112, "A", 38.2), 10, True),
    ((18, 94, True, False, 130, 88, "A", 37.0), 0, False),
    ((18, 97, True, True, 130, 88, "A", 37.0), 5, True),
    ((18, 98, False, False, 125, 80, "C", 37.0), 3, True),
    ((8, 83, False, True, 85, 135, "U", 34.9), 20, True),
    ((12, 96, False, False, 111, 51, "A", 36.1), 0, False),
    ((20, 93, True, True, 219, 90, "A", 38.0), 3, False),
    ((22, 90, True, True, 130, 80, "A", 37.0), 4, False),  # published: manual of the R package cliot
]


def news2(vector: tuple[float, float, bool, bool, float, float, str, float]) -> scores.News2:
    rate, spo2, scale2, oxygen, systolic, pulse, mind, heat = vector
    return scores.news2(
        respiratory_rate=rate, spo2=spo2, spo2_scale2=scale2, on_oxygen=oxygen, systolic=systolic, heart_rate=pulse,
        consciousness=mind, temperature=heat,
    )  # fmt: skip


@pytest.mark.parametrize(("vector", "total", "single_three"), VECTORS)
def test_news2_gives_the_published_totals(vector: tuple, total: int, single_three: bool) -> None:  # type: ignore[type-arg]
    found = news2(vector)
    assert (found.total, found.single_three) == (total, single_three)
    assert sum(found.parts.values()) == total


@pytest.mark.parametrize(
    ("vector", "response", "repeat"),
    [
        ((16, 97, False, False, 120, 72, "A", 36.8), "routine", "12-hourly"),
        ((22, 97, False, False, 120, 72, "A", 36.8), "ward-nurse", "4-6-hourly"),
        ((16, 97, False, False, 120, 72, "V", 36.8), "urgent-ward", "hourly"),
        ((18, 97, True, True, 130, 88, "A", 37.0), "urgent-clinician", "hourly"),
        ((22, 95, False, True, 105, 115, "A", 38.5), "emergency-team", "continuous"),
    ],
)
def test_news2_says_who_must_come_and_when_to_measure_again(vector: tuple, response: str, repeat: str) -> None:  # type: ignore[type-arg]
    found = news2(vector)
    assert (found.response, found.repeat) == (response, repeat)


def test_on_scale_2_a_high_saturation_on_air_is_no_danger() -> None:
    assert news2((18, 99, True, False, 130, 88, "A", 37.0)).total == 0


@for_all(
    some.tuples(
        some.floats(0, 80), some.floats(50, 100), some.booleans(), some.booleans(), some.floats(40, 280),
        some.floats(10, 250), some.sampled_from("ACVPU"), some.floats(25, 44),
    )
)  # fmt: skip
def test_news2_of_anything_measurable_lies_between_0_and_20(vector: tuple) -> None:  # type: ignore[type-arg]
    assert 0 <= news2(vector).total <= 20


def test_the_bands_of_the_chart_leave_no_gap_and_do_not_overlap() -> None:
    chart: dict[str, list[tuple[str, str]]] = {}
    for row in rows("news2.csv"):
        chart.setdefault(row["measure"], []).append((row["least"], row["most"]))
    for measure, bands in chart.items():
        step = 0.1 if measure == "temperature" else 1
        assert (bands[0][0], bands[-1][1]) == ("", "")
        for (_, most), (least, _) in pairwise(bands):
            assert float(least) == pytest.approx(float(most) + step)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "own"),
    [
        ("temperature", "[degF]", 98.6, 37.0),
        ("weight", "[lb_av]", 154, 69.853225),
        ("weight", "g", 3500, 3.5),
        ("height", "[in_i]", 70, 177.8),
        ("height", "m", 1.7, 170),
        ("systolic", "kPa", 16, 120.00992),
        ("glucose", "mmol/L", 5.55, 99.98658),
    ],
)
def test_other_units_become_the_rooms_own(kind: str, unit: str, value: float, own: float) -> None:
    assert in_own_unit(kind, value, unit) == pytest.approx(own)


def test_every_unit_belongs_to_something_that_is_measured() -> None:
    assert {kind for kind, _ in conversions()} <= set(vital_signs())
    assert in_own_unit("weight", 1, "stone") is None


@pytest.mark.parametrize(
    ("months", "pulse", "breaths"),
    [(0, (123, 164), (34, 57)), (24, (92, 128), (22, 34)), (100, (67, 103), (16, 22)), (400, (60, 100), (12, 20))],
)
def test_what_is_usual_depends_on_age(months: int, pulse: tuple[float, float], breaths: tuple[float, float]) -> None:
    heart, lungs = reference_range("heart_rate", months), reference_range("respiratory_rate", months)
    assert heart is not None
    assert lungs is not None
    assert ((heart.low, heart.high), (lungs.low, lungs.high)) == (pulse, breaths)


def test_ranges_by_age_follow_each_other_without_gap() -> None:
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in rows("reference_ranges.csv"):
        spans.setdefault(row["kind"], []).append((int(row["from_months"]), int(row["to_months"])))
    assert all(end == start for kind in spans.values() for (_, end), (start, _) in pairwise(kind))


@pytest.mark.parametrize(
    ("value", "flag"), [(39, "LL"), (40, "L"), (59, "L"), (60, ""), (100, ""), (101, "H"), (130, "H"), (131, "HH")]
)
def test_a_pulse_is_flagged(value: float, flag: str) -> None:
    adult = reference_range("heart_rate", 500)
    assert adult is not None
    assert adult.flag(value) == flag


def test_months_are_completed_on_the_day() -> None:
    assert [months_old(date(2020, 3, 15), on) for on in (date(2020, 4, 14), date(2020, 4, 15), date(2021, 3, 15))] == [
        0, 1, 12,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("loinc", "value", "converted", "places"),
    [
        ("2345-7", 100, 5.55, 2),
        ("2160-0", 1.0, 88.4, 1),
        ("2093-3", 200, 5.17, 2),
        ("2571-8", 150, 1.69, 2),
        ("1975-2", 1.0, 17.1, 1),
        ("3091-6", 40, 6.66, 2),
        ("718-7", 14.0, 140, 0),
        ("17861-6", 10.0, 2.50, 2),
        ("19123-9", 2.0, 0.82, 2),
        ("2777-1", 3.5, 1.13, 2),
        ("3084-1", 6.0, 357, 0),
        ("1989-3", 30, 74.9, 1),
        ("2132-9", 300, 221, 0),
        ("3024-7", 1.2, 15.4, 1),
        ("2498-4", 100, 17.9, 1),
        ("14959-1", 30, 3.4, 1),
        ("2019-8", 40, 5.3, 1),
    ],
)
def test_laboratory_values_convert(loinc: str, value: float, converted: float, places: int) -> None:
    found = laboratory_tests()[loinc].converted(value)
    assert found is not None
    assert round(found, places) == converted


def test_glycated_haemoglobin_converts_by_its_own_equation() -> None:
    assert [round(hba1c_ifcc(percent)) for percent in (7.0, 6.5)] == [53, 48]


def test_the_laboratory_table_holds_67_tests_and_knows_the_sexes_apart() -> None:
    creatinine = laboratory_tests()["2160-0"]
    male, female = creatinine.range_for("male"), creatinine.range_for("female")
    assert len(laboratory_tests()) == 67
    assert male is not None
    assert female is not None
    assert (male.high, female.high) == (1.2, 1.0)
    assert creatinine.range_for("unknown") is None
