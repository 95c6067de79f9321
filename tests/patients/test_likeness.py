"""How strongly two sets of demographics speak for one person."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salerno.contexts.patients.rules.likeness import Traits, likeness

MARIA = Traits(given_name="Maria", family_name="Rossi", birth_date=date(1948, 3, 12), gender="female")
PHONE = frozenset({"+393331234567"})
CODE = frozenset({("codice-fiscale", "RSSMRA48C52H501G")})
OTHER_CODE = frozenset({("codice-fiscale", "VRDNNA70A41F205X")})
STRONG = 0.9


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (MARIA, ("given-name", "family-name", "birth-date")),
        (replace(MARIA, family_name="Rosi"), ("given-name", "family-name-nearly", "birth-date")),
        (replace(MARIA, given_name="Anna Maria"), ("given-name-nearly", "family-name", "birth-date")),
        (
            replace(MARIA, given_name="Rossi", family_name="Maria"),
            ("given-name", "family-name", "names-swapped", "birth-date"),
        ),
        (replace(MARIA, birth_date=date(1948, 12, 3)), ("given-name", "family-name", "birth-date-swapped")),
    ],
)
def test_one_person_typed_in_another_way_is_recognised(other: Traits, reasons: tuple[str, ...]) -> None:
    found = likeness(MARIA, other)
    assert found.score >= STRONG
    assert found.reasons == reasons


def test_the_same_fiscal_code_outweighs_another_name() -> None:
    one, other = replace(MARIA, identifiers=CODE), Traits(given_name="Mary", family_name="Red", identifiers=CODE)
    found = likeness(one, other)
    assert found.score >= STRONG
    assert "identifier" in found.reasons


def test_namesakes_born_on_other_days_are_two_people() -> None:
    assert likeness(MARIA, replace(MARIA, birth_date=date(1970, 1, 1))).score < 0.1


def test_twins_and_mothers_with_their_children_are_two_people() -> None:
    maria = replace(MARIA, phones=PHONE, email="casa@rossi.it")
    twin = replace(maria, given_name="Angela")
    daughter = replace(maria, given_name="Sara", birth_date=date(1975, 6, 1))
    assert likeness(maria, twin).score < STRONG
    assert likeness(maria, daughter).score < 0.1
    assert likeness(replace(maria, identifiers=CODE), replace(twin, identifiers=OTHER_CODE)).score < 0.1


def test_one_wrong_digit_of_the_birth_date_is_strong_only_with_the_phone() -> None:
    mistyped = replace(MARIA, birth_date=date(1948, 3, 13))
    assert 0.5 < likeness(MARIA, mistyped).score < STRONG
    assert likeness(replace(MARIA, phones=PHONE), replace(mistyped, phones=PHONE)).score >= STRONG


def test_sexes_that_differ_speak_against() -> None:
    assert likeness(MARIA, replace(MARIA, gender="male")).score < likeness(MARIA, MARIA).score


NAMES = some.text(alphabet="abcdèòrsti' ", max_size=12)
PEOPLE = some.builds(
    Traits,
    given_name=NAMES,
    family_name=NAMES,
    birth_date=some.none() | some.dates(min_value=date(1920, 1, 1), max_value=date(2026, 1, 1)),
    gender=some.sampled_from(["male", "female", "unknown"]),
    phones=some.frozensets(some.sampled_from(["+39333", "+39334"])),
    email=some.sampled_from(["", "a@b.it", "A@B.it"]),
    identifiers=some.frozensets(some.tuples(some.just("codice-fiscale"), some.sampled_from(["A", "B"])), max_size=1),
)


@given(PEOPLE, PEOPLE)
def test_likeness_is_a_probability_and_the_same_from_both_sides(one: Traits, other: Traits) -> None:
    found = likeness(one, other)
    assert 0 <= found.score <= 1
    assert found.score == likeness(other, one).score


@given(PEOPLE)
def test_nobody_is_less_like_themselves_than_like_another(one: Traits) -> None:
    other = replace(one, given_name="Quintilio", family_name="Zanzotto", birth_date=date(1901, 1, 1))
    assert likeness(one, one).score >= likeness(one, other).score
