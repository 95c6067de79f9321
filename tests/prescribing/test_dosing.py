"""Doses in words, read as numbers; and the kidney formulas with their published and computed vectors."""

import pytest

from salerno.contexts.prescribing.events import Dose, Medication
from salerno.contexts.prescribing.rules.dosing import Amount, amount_of, days_of, regimen, rhythm_of, strengths_of
from salerno.contexts.prescribing.rules.kidney import ckd_epi_2021, cockcroft_gault


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("three times a day", 3), ("3 volte al giorno", 3), ("3 times daily", 3), ("twice daily", 2), ("tid", 3),
        ("bid", 2), ("qds", 4), ("every 8 hours", 3), ("ogni 6 ore", 4), ("q12h", 2), ("1-0-1", 2), ("1+1+1", 3),
        ("once a day", 1), ("una volta al giorno", 1), ("daily", 1), ("al giorno", 1), ("2/die", 2), ("1 x 3", 3),
        ("1 compressa al giorno", 1), ("1 tablet 3 times a day", 3), ("1 cp x 2/die", 2), ("mattina e sera", 2),
        ("at bedtime", 1), ("every other day", 0.5), ("once weekly", 1 / 7), ("una volta a settimana", 1 / 7),
        ("2 volte alla settimana", 2 / 7), ("every 4-6 hours", 6), ("3 times a day for 1 week", 3),
        ("ogni giorno per una settimana", 1), ("1 cp al di per 2 settimane", 1), ("daily for a week", 1),
        ("500 mg/die", 1), ("1 compressa a settimana", 1 / 7), ("3 volte al dì per 7 giorni", 3),
    ],
)  # fmt: skip
def test_how_often_is_understood_in_both_languages(text: str, per_day: float) -> None:
    rhythm = rhythm_of(text)
    assert rhythm is not None
    assert rhythm.per_day == pytest.approx(per_day)


@pytest.mark.parametrize(
    "text", ["", "as needed", "al bisogno", "as directed", "secondo schema", "for 1 week", "2 compresse di X"]
)
def test_what_does_not_say_how_often_is_never_guessed(text: str) -> None:
    assert rhythm_of(text) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500 mg", Amount(500, "mg")), ("1 g three times a day", Amount(1000, "mg")), ("0,25 mg", Amount(0.25, "mg")),
        ("125 mcg", Amount(0.125, "mg")), ("62.5 µg", Amount(0.0625, "mg")),
        ("15 mg/kg", Amount(15, "mg", per_kg=True)),
        ("4000 UI", Amount(4000, "IU")), ("1-2 tablets", Amount(2, "piece")), ("mezza compressa", Amount(0.5, "piece")),
        ("2 compresse da 500 mg", Amount(1000, "mg")), ("one tablet", Amount(1, "piece")), ("2", Amount(2, "piece")),
    ],
)  # fmt: skip
def test_how_much_is_understood(text: str, amount: Amount) -> None:
    found = amount_of(text)
    assert found is not None
    assert found.value == pytest.approx(amount.value)
    assert (found.unit, found.per_kg) == (amount.unit, amount.per_kg)


@pytest.mark.parametrize("text", ["", "10 ml", "5 mg/5 ml", "a little", "quanto basta"])
def test_an_amount_that_cannot_be_told_is_unknown(text: str) -> None:
    assert amount_of(text) is None


@pytest.mark.parametrize(
    ("text", "days"), [("7 days", 7), ("per 10 gg", 10), ("2 weeks", 14), ("1 mese", 30), ("7-10 days", 10), ("", None)]
)
def test_how_long_is_understood(text: str, days: float | None) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize(
    ("name", "strengths"),
    [
        ("Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG Oral Tablet", (325, 7.5)),
        ("amoxicillina + acido clavulanico 875/125 mg", (875, 125)),
        ("levotiroxina 75 µg", (0.075,)),
        ("Furosemide 10 MG/ML Injection", ()),
        ("Yaz 28 Day Pack", ()),
    ],
)
def test_the_strength_of_one_piece_is_read_from_the_name(name: str, strengths: tuple[float, ...]) -> None:
    assert strengths_of(name) == pytest.approx(strengths)


def test_a_structured_dose_wins_over_the_words() -> None:
    line = Medication(name="digoxin", dosage="1 g", frequency="tid", dose=Dose(amount=125, unit="µg", times_per_day=1))
    found = regimen(line)
    assert found.amount == Amount(0.125, "mg")
    assert found.rhythm is not None and found.rhythm.per_day == 1


@pytest.mark.parametrize(
    ("age", "weight", "creatinine", "female", "clearance"),
    [(60, 70, 1.0, False, 77.78), (80, 55, 1.4, True, 27.83), (30, 80, 0.9, False, 135.80), (92, 48, 1.1, True, 24.73)],
)
def test_cockcroft_gault(age: float, weight: float, creatinine: float, female: bool, clearance: float) -> None:
    assert cockcroft_gault(age, weight, creatinine, female) == pytest.approx(clearance, abs=0.005)


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "rate"),
    [
        (1.0, 50, False, 91.69), (1.0, 50, True, 68.63), (0.7, 30, True, 119.24), (0.9, 30, False, 117.83),
        (0.5, 25, True, 133.40), (2.5, 75, False, 26.14), (1.2, 80, True, 45.76), (0.6, 40, False, 125.15),
    ],
)  # fmt: skip
def test_ckd_epi_2021(creatinine: float, age: float, female: bool, rate: float) -> None:
    assert ckd_epi_2021(age, creatinine, female) == pytest.approx(rate, abs=0.005)


@pytest.mark.parametrize(("creatinine", "age", "rate"), [(1.2, 55, 71), (1.1, 50, 82)])
def test_ckd_epi_2021_as_published(creatinine: float, age: float, rate: int) -> None:
    assert round(ckd_epi_2021(age, creatinine, False)) == rate
