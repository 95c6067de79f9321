"""T004: which passwords are good enough (NIST SP 800-63B-4): length counts, nothing common, nothing composed."""

import random
import unicodedata
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.identity.conftest import NOBODY, PASSWORD, Person
from tests.soaking import times

from salerno.contexts.identity.commands import ChangePassword, CreateUser, FoundCaller, Opened, SignIn
from salerno.contexts.identity.errors import PasswordRefused, WrongCredentials
from salerno.contexts.identity.rules import passwords
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

GOOD = "violet boats under nine grey stones lie quietly below the bridge of the old harbour while herons sleep and"
BREACHED = 10_000


def refused(password: str, *, has_factor: bool = False) -> str:
    try:
        passwords.check(password, has_factor=has_factor)
    except PasswordRefused as refusal:
        return str(refusal.errors[0]["code"])
    return ""


def of_length(length: int) -> str:
    return (GOOD + " and the tide turns")[:length].ljust(length, "~")


@pytest.mark.parametrize(
    ("length", "alone", "beside_a_factor"),
    [
        (7, "too-short", "too-short"), (8, "too-short", ""), (14, "too-short", ""), (15, "", ""), (64, "", ""),
        (128, "", ""), (129, "too-long", "too-long"), (1025, "too-long", "too-long"),
    ],
)  # fmt: skip
def test_t004_length_is_what_counts(length: int, alone: str, beside_a_factor: str) -> None:
    assert refused(of_length(length)) == alone
    assert refused(of_length(length), has_factor=True) == beside_a_factor


@pytest.mark.parametrize(
    "password",
    [
        "onlysmallletterswithoutanythingelse", "  spaces  at  both  ends and within  ", "🐟🐬🦑🐙🦀 in the bay of 🌋",
        "密码很长而且没有规律可循的一个句子吧", "ALLCAPITALSBUTNOTACOMMONWORD", "тихий фонарь над заливом ночью",
    ],
)  # fmt: skip
def test_t004_nothing_is_demanded_of_its_composition(password: str) -> None:
    assert refused(password) == ""


@pytest.mark.parametrize("has_factor", [False, True])
def test_t004_ten_thousand_breached_passwords_are_refused_with_a_reason(has_factor: bool) -> None:
    known = passwords._breached()[:BREACHED]
    assert len(known) == BREACHED
    let_in = [one for one in known if refused(one, has_factor=has_factor) not in ("too-short", "too-common")]
    assert let_in == []


def test_t004_dressing_up_a_breached_password_does_not_help() -> None:
    known = [one for one in passwords._breached()[:BREACHED] if len(one) >= 6 and one.isalpha()]
    chosen = random.Random(4).sample(known, times(3000))
    dress = (
        lambda word: f"{word}{word}",
        lambda word: f"{word}2024!",
        lambda word: f"!!{word.upper()}!!",
        lambda word: word.translate(str.maketrans("oieas", "0134$")),
        lambda word: f"{word}123456789",
    )
    let_in = [
        worn for word in chosen for wear in dress if len(worn := wear(word)) >= 8 and not refused(worn, has_factor=True)
    ]
    assert let_in == []


@given(some.text(min_size=15, max_size=60))
def test_t004_both_written_forms_of_a_password_are_judged_and_hashed_alike(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert passwords.normal(composed) == passwords.normal(decomposed)


@given(some.text(max_size=300))
def test_t004_any_text_at_all_is_judged_without_an_accident(text: str) -> None:
    assert refused(text) in ("", "too-short", "too-long", "too-common", "too-personal")


@pytest.mark.parametrize("length", [15, 64, 128])
async def test_t004_every_character_of_a_long_password_counts_at_the_door(
    bus: Bus, admin: Caller, person: Callable[..., Awaitable[Person]], length: int
) -> None:
    password = of_length(length)
    nurse = await person(password=password)
    assert isinstance(await bus.ask(SignIn(email=nurse.email, password=password), NOBODY), Opened)
    for other in (password[:-1] + "#", "#" + password[1:], password + "x", password[:-1], password.swapcase()):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=nurse.email, password=other), NOBODY)


async def test_t004_the_same_rules_stand_at_every_way_in(
    bus: Bus,
    admin: Caller,
    person: Callable[..., Awaitable[Person]],
    enter: Callable[..., Awaitable[Opened]],
    behind: Callable[..., Awaitable[FoundCaller | None]],
) -> None:
    common = "passwordpassword"
    wish = CreateUser(email=f"{uuid4().hex}@example.com", password=common, full_name="A B", role="NURSE")
    with pytest.raises(PasswordRefused):
        await bus.handle(wish, admin)
    found = await behind((await enter(await person())).token)
    assert found is not None
    with pytest.raises(PasswordRefused):
        await bus.ask(ChangePassword(current=PASSWORD, new=common), found.caller)
