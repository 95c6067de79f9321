"""T027: names that are taken for others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salerno.contexts.identity.rules.likeness import OURS, alike, is_odd, is_ours, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "salerno", "SALERNO", "S a l e r n o", "Sal\u00e9rno", "5alern0", "Sa1erno", "SaIerno", "Salemo",
        "\u0405alerno", "\uff33\uff41\uff4c\uff45\uff52\uff4e\uff4f", "\U0001d412alerno", "Sa\u029ferno",
        "Sal\u0435rno", "Salern\u03bf",
    ],
)  # fmt: skip
def test_t027_what_a_hasty_eye_takes_for_us_is_ours(name: str) -> None:
    assert is_ours(name), skeleton(name)


@pytest.mark.parametrize(
    "name",
    [
        "a\u202eb", "a\u200bb", "a\u00adb", "a\u2066b", "a\ufeffb", "a\nb", "a\u00a0b", "a\u2028b", "\ue000", "a\u0000",
        "\u0301clinic", "cli\u0438ic", "Card\u03b9o", "a\U000e0041",
    ],
)  # fmt: skip
def test_t027_what_nobody_sees_or_alphabets_that_look_alike_make_a_name_odd(name: str) -> None:
    assert is_odd(name)


@pytest.mark.parametrize(
    "name",
    [
        "Cardio", "Ospedale Sant\u2019Anna", "Caff\u00e8 & C.", "M\u00fcller 3", "\u041a\u0430\u0440\u0434\u0438\u043e",
        "\u039a\u03b1\u03c1\u03b4\u03b9\u03ac", "\u30ab\u30eb\u30c6\u5e33", "e-Health (test)",
    ],
)  # fmt: skip
def test_an_honest_name_is_neither_odd_nor_ours(name: str) -> None:
    assert not is_odd(name) and not is_ours(name)


def test_those_for_which_a_name_may_be_taken_are_told_in_their_order_each_once() -> None:
    known = ["Cardio", "Ortopedia", "Cardiologia", "Cardio", "ab"]
    assert alike("Kard1o", known) == ("Cardio",)
    assert alike("Cardiologia Nord", known) == ("Cardio", "Cardiologia")
    assert alike("ASL Salerno", known) == (OURS,)
    assert alike("Radiologia", ["Pediatria"]) == ()
    assert alike("\u2122", known) == ()


@given(st.text(max_size=40))
def test_any_name_that_can_be_seen_may_be_taken_for_itself(name: str) -> None:
    assert (name in alike(name, [name])) is bool(skeleton(name))
