"""What a patient can be found by, and how what was typed is understood."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salerno.contexts.patients.rules.names import sound_of, words_of
from salerno.contexts.patients.rules.searching import Findable, Term, findable_texts, fit, slip_texts, terms_of

MARIA = Findable(
    full_name="Maria Rossi",
    birth_date=date(1948, 3, 12),
    mrn="MRN-2026-000142",
    phones=("+393331234567",),
    emails=("maria@rossi.it",),
    identifiers=("RSSMRA48C52H501G",),
)


@pytest.mark.parametrize(
    ("asked", "score", "reasons"),
    [
        ("maria rossi", 1.0, ["name"]),
        ("ROSSI MARIA", 1.0, ["name"]),
        ("ros", 0.91, ["name_begins"]),
        ("m rossi", 0.935, ["name_begins", "name"]),
        ("12/03/1948", 1.0, ["birth_date"]),
        ("12.3.1948 rossi", 1.0, ["birth_date", "name"]),
        ("1948-03-12", 1.0, ["birth_date"]),
        ("03/12/1948", 0.9, ["birth_date"]),
        ("333 123 4567", 1.0, ["phone"]),
        ("+39 333 1234567", 1.0, ["phone"]),
        ("0039 3331234567", 1.0, ["phone"]),
        ("234567", 1.0, ["phone"]),
        ("999234567", 0.0, []),
        ("mrn-2026-000142", 1.0, ["mrn"]),
        ("MRN-2026-142", 1.0, ["mrn"]),
        ("MRN-2025-000142", 0.0, []),
        ("142", 1.0, ["mrn"]),
        ("143", 0.0, []),
        ("rssmra48c52h501g", 1.0, ["identifier"]),
        ("Maria@Rossi.it", 1.0, ["email"]),
        ("rossi verdi", 0.0, []),
        ("31/02/1948", 0.0, []),
        ("", 0.0, []),
        ("!!", 0.0, []),
    ],
)
def test_what_was_typed_is_understood(asked: str, score: float, reasons: list[str]) -> None:
    found, why = fit(terms_of(asked), MARIA)
    assert found == pytest.approx(score, abs=0.001)
    assert sorted(why) == sorted(reasons)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("giovani", "Giovanni"), ("giovanin", "Giovanni"), ("giovannni", "Giovanni"), ("gxovanni", "Giovanni"),
        ("rosi", "Rossi"), ("smtih", "Smith"), ("tompson", "Thompson"), ("macdonad", "MacDonald"),
    ],
)  # fmt: skip
def test_one_slip_of_the_finger_still_finds_the_name(typed: str, name: str) -> None:
    card = Findable(full_name=name, birth_date=None, mrn="", phones=(), emails=(), identifiers=())
    assert set(slip_texts(Term(word=typed))) & set(findable_texts(card))
    assert fit(terms_of(typed), card)[0] >= 0.6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("michele", "michael"), ("chiara", "kiara"), ("filippo", "philip"), ("smith", "smyth"),
        ("schiavone", "skiavone"), ("catherine", "katherine"), ("giovanni", "jiovanni"), ("rizzo", "riso"),
    ],
)  # fmt: skip
def test_spellings_that_sound_alike_share_a_key(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Nicolò D’Angelo", ("nicolo", "dangelo")),
        ("D'Angelo", ("dangelo",)),
        ("O'Brien-Smith", ("obrien", "smith")),
        ("Müller Weiß", ("muller", "weiss")),
        ("ŁUKASZ Ørsted", ("lukasz", "orsted")),
        ("Niccolo'", ("niccolo",)),
        ("Αλέξης", ("αλεξησ",)),
    ],
)
def test_accents_and_apostrophes_make_no_difference(written: str, compared: tuple[str, ...]) -> None:
    assert words_of(written) == compared


WORDS = some.text(alphabet="abcdeghilmnorstu", min_size=4, max_size=10)


@given(WORDS, some.data())
def test_any_single_slip_shares_a_token_with_the_word(word: str, data: some.DataObject) -> None:
    at = data.draw(some.integers(0, len(word) - 1))
    letter = data.draw(some.sampled_from("abcxyz"))
    slips = [word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + word[at + 1 :]]
    card = Findable(full_name=word, birth_date=None, mrn="", phones=(), emails=(), identifiers=())
    for slip in slips:
        if len(slip) >= 4:
            assert set(slip_texts(Term(word=slip))) & set(findable_texts(card))


@given(some.text(max_size=80))
def test_t049_whatever_is_typed_is_understood_somehow(asked: str) -> None:
    score, reasons = fit(terms_of(asked), MARIA)
    assert 0 <= score <= 1
    assert bool(score) == bool(reasons)
