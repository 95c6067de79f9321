"""Doing without a password: when it may be dropped, what a guess is told then, and how one comes back."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.identity.authenticator import Authenticator
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import (
    ChallengePosed,
    ChangePassword,
    DropPassword,
    EnrolTotp,
    FoundCaller,
    Opened,
    RegenerateRecoveryCodes,
    ResetSecondFactor,
    SignIn,
    VerifySecondFactor,
)
from salerno.contexts.identity.commands.letters import AskPasswordReset, ResetPassword
from salerno.contexts.identity.commands.passkeys import (
    AddPasskey,
    BeginPasskey,
    EnterByPasskey,
    LockScreen,
    MyPasskeys,
    OfferPasskey,
    PasskeyKept,
    ProveAgain,
    RemovePasskey,
)
from salerno.contexts.identity.errors import (
    LinkOver,
    NoMail,
    NoPassword,
    PasskeyNeeded,
    PasswordDemanded,
    PasswordNeeded,
    WrongCredentials,
    WrongPassword,
)
from salerno.contexts.identity.handlers import hashing
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.queries import Me
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.organisations.commands import ChangeSettings, RegisterOrganisation
from salerno.kernel.bus import Bus
from salerno.kernel.mail import Letter
from salerno.kernel.messages import INSTALLATION, Caller

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
NEW = "seven herons cross the marsh at dusk"


class Without:
    """Somebody with a passkey on a device, and the recovery codes that came with it."""

    def __init__(self, person: Person, caller: Caller, device: Authenticator, kept: PasskeyKept) -> None:
        self.person, self.caller, self.device, self.codes = person, caller, device, kept.codes


@pytest.fixture(autouse=True)
async def at_the_clinic(bus: Bus, policy: Callable[..., SignInPolicy]) -> None:
    policy(mails=True, issuer="https://clinic.example")
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")


async def add(bus: Bus, caller: Caller, device: Authenticator) -> PasskeyKept:
    options = await bus.ask(BeginPasskey(), caller)
    kept: PasskeyKept = await bus.ask(AddPasskey(name="Telephone", credential=device.create(options)), caller)
    return kept


async def come_in(bus: Bus, device: Authenticator) -> Opened:
    options = await bus.ask(OfferPasskey(), NOBODY)
    opened: Opened = await bus.ask(EnterByPasskey(credential=device.get(options)), NOBODY)
    return opened


@pytest.fixture
def with_passkey(bus: Bus, person: Make, enter: Enter, behind: Behind) -> Callable[..., Awaitable[Without]]:
    async def make(role: str = "NURSE") -> Without:
        who, device = await person(role), Authenticator()
        found = await behind((await enter(who)).token)
        assert found is not None
        return Without(who, found.caller, device, await add(bus, found.caller, device))

    return make


MakeWithout = Callable[..., Awaitable[Without]]


@pytest.fixture
def without(bus: Bus, with_passkey: MakeWithout) -> MakeWithout:
    async def make(role: str = "NURSE") -> Without:
        made = await with_passkey(role)
        await bus.ask(DropPassword(), made.caller)
        return made

    return make


async def letter_to(bus: Bus, email: str) -> list[Letter]:
    taken: list[Letter] = []

    class Box:
        async def send(self, letter: Letter) -> None:
            taken.append(letter)

    await Postman(bus, Box()).deliver()
    return [letter for letter in taken if letter.to == email]


async def test_whoever_drops_the_password_comes_in_by_the_passkey_alone(
    bus: Bus, without: MakeWithout, behind: Behind
) -> None:
    nurse = await without()
    opened = await come_in(bus, nurse.device)
    found = await behind(opened.token)
    assert found is not None
    assert found.caller.actor == nurse.person.account
    assert (await bus.ask(Me(), found.caller)).without_password
    subjects = [letter.subject for letter in await letter_to(bus, nurse.person.email)]
    assert "Your account has no password any more" in subjects


async def test_dropping_it_ends_every_other_session_and_renews_the_present_one(
    bus: Bus, with_passkey: MakeWithout, behind: Behind
) -> None:
    nurse = await with_passkey()
    elsewhere = await come_in(bus, nurse.device)
    opened: Opened = await bus.ask(DropPassword(), nurse.caller)
    assert await behind(elsewhere.token) is None
    assert await behind(opened.token) is not None


async def test_a_password_is_answered_exactly_as_a_wrong_one_and_as_an_unknown_address(
    bus: Bus, without: MakeWithout, person: Make, enter: Enter
) -> None:
    nurse, other = await without(), await person()
    answers = []
    for email, password in ((nurse.person.email, PASSWORD), (other.email, NEW), ("nobody@example.com", PASSWORD)):
        with pytest.raises(WrongCredentials) as refused:
            await bus.ask(SignIn(email=email, password=password), NOBODY)
        answers.append((refused.value.code, str(refused.value)))
    assert len(set(answers)) == 1


async def test_as_much_is_hashed_for_an_account_without_a_password_as_for_one_with(
    bus: Bus, without: MakeWithout, person: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse, other = await without(), await person()
    hashed: list[str] = []
    real = hashing._matches

    def matches(password: str, stored: str) -> bool:
        hashed.append("$".join(stored.split("$")[:4]))  # the kind and what it costs
        return real(password, stored)

    monkeypatch.setattr(hashing, "_matches", matches)
    for who in (nurse.person, other):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=who.email, password=NEW), NOBODY)
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]


async def test_without_a_passkey_no_password_is_dropped(bus: Bus, person: Make, enter: Enter, behind: Behind) -> None:
    nurse = await person()
    found = await behind((await enter(nurse)).token)
    assert found is not None
    with pytest.raises(PasskeyNeeded):
        await bus.ask(DropPassword(), found.caller)
    await enter(nurse)


async def test_an_organisation_that_asks_for_passwords_keeps_them(
    bus: Bus, with_passkey: MakeWithout, admin: Caller, organisation: UUID, caller: Callable[..., Caller]
) -> None:
    chief = replace(caller("SUPER_ADMIN"), organisation=organisation)
    await bus.handle(RegisterOrganisation(name="Clinic", kind="clinic", country="IT"), chief)
    await bus.handle(ChangeSettings(password_demanded=True), admin)
    await bus.settled()
    nurse = await with_passkey()
    with pytest.raises(PasswordDemanded):
        await bus.ask(DropPassword(), nurse.caller)
    await bus.handle(ChangeSettings(password_demanded=False), admin)
    await bus.settled()
    await bus.ask(DropPassword(), nurse.caller)


async def test_without_a_mail_server_no_password_is_dropped_because_nothing_would_lead_back(
    bus: Bus, with_passkey: MakeWithout, policy: Callable[..., SignInPolicy]
) -> None:
    nurse = await with_passkey()
    policy(mails=False, issuer="https://clinic.example")
    with pytest.raises(NoMail):
        await bus.ask(DropPassword(), nurse.caller)


async def test_it_is_dropped_once(bus: Bus, without: MakeWithout) -> None:
    nurse = await without()
    with pytest.raises(NoPassword):
        await bus.ask(DropPassword(), nurse.caller)


async def test_the_last_passkey_stays_while_there_is_no_password(bus: Bus, without: MakeWithout) -> None:
    nurse, second = await without(), Authenticator()
    await add(bus, nurse.caller, second)
    first, other = [one.passkey_id for one in await bus.ask(MyPasskeys(), nurse.caller)]
    await bus.ask(RemovePasskey(passkey_id=first), nurse.caller)
    with pytest.raises(PasswordNeeded):
        await bus.ask(RemovePasskey(passkey_id=other), nurse.caller)
    await bus.ask(ChangePassword(current="", new=NEW), nurse.caller)
    await bus.ask(RemovePasskey(passkey_id=other), nurse.caller)


async def test_a_password_is_chosen_again_without_one_of_before_and_counts(bus: Bus, without: MakeWithout) -> None:
    nurse = await without()
    await bus.ask(ChangePassword(current="", new=NEW), nurse.caller)
    posed = await bus.ask(SignIn(email=nurse.person.email, password=NEW), NOBODY)
    assert isinstance(posed, ChallengePosed)
    assert not (await bus.ask(Me(), nurse.caller)).without_password
    with pytest.raises(WrongPassword):
        await bus.ask(ChangePassword(current="", new=PASSWORD), nurse.caller)


async def test_recovery_codes_and_an_authenticator_are_set_up_without_a_password_too(
    bus: Bus, without: MakeWithout
) -> None:
    nurse = await without()
    assert len((await bus.ask(RegenerateRecoveryCodes(password=""), nurse.caller)).codes) == 10
    assert (await bus.ask(EnrolTotp(password=""), nurse.caller)).secret


async def test_no_password_unlocks_a_screen_or_proves_anything_where_there_is_none(
    bus: Bus, without: MakeWithout, behind: Behind
) -> None:
    nurse = await without()
    opened = await come_in(bus, nurse.device)
    found = await behind(opened.token)
    assert found is not None
    await bus.ask(LockScreen(), found.caller)
    for password in ("", PASSWORD):
        with pytest.raises(WrongPassword):
            await bus.ask(ProveAgain(password=password, purpose="unlock"), found.caller)


async def test_who_lost_the_passkey_comes_back_by_a_letter_and_a_recovery_code_and_by_neither_alone(
    bus: Bus, without: MakeWithout, behind: Behind, policy: Callable[..., SignInPolicy]
) -> None:
    """A doctor's second factor is demanded: the letter opens nothing but the question for it."""
    policy(mails=True, issuer="https://clinic.example", second_factor_demanded=True)
    doctor = await without("DOCTOR")
    await letter_to(bus, doctor.person.email)
    await bus.ask(AskPasswordReset(email=doctor.person.email), NOBODY)
    (letter,) = await letter_to(bus, doctor.person.email)
    found = re.search(r"token=([\w-]+)", letter.body)
    assert found is not None
    await bus.ask(ResetPassword(token=found[1], password=NEW), NOBODY)
    posed = await bus.ask(SignIn(email=doctor.person.email, password=NEW), NOBODY)
    assert isinstance(posed, ChallengePosed)
    assert set(posed.methods) == {"passkey", "recovery-code"}
    opened: Any = await bus.ask(VerifySecondFactor(challenge=posed.challenge, code=doctor.codes[0]), NOBODY)
    assert not opened.must_enrol
    assert (await behind(opened.token)) is not None


async def test_who_lost_the_codes_too_is_reset_by_an_administrator_and_must_set_up_a_factor_before_anything_else(
    bus: Bus, without: MakeWithout, behind: Behind, admin: Caller, policy: Callable[..., SignInPolicy]
) -> None:
    policy(mails=True, issuer="https://clinic.example", second_factor_demanded=True)
    doctor = await without("DOCTOR")
    await bus.handle(ResetSecondFactor(account_id=doctor.person.account), admin)
    await letter_to(bus, doctor.person.email)
    await bus.ask(AskPasswordReset(email=doctor.person.email), NOBODY)
    (letter,) = await letter_to(bus, doctor.person.email)
    found = re.search(r"token=([\w-]+)", letter.body)
    assert found is not None
    await bus.ask(ResetPassword(token=found[1], password=NEW), NOBODY)
    opened = await bus.ask(SignIn(email=doctor.person.email, password=NEW), NOBODY)
    assert isinstance(opened, Opened)
    assert opened.must_enrol


async def test_a_letter_for_another_password_from_before_is_void(bus: Bus, with_passkey: MakeWithout) -> None:
    nurse = await with_passkey()
    await letter_to(bus, nurse.person.email)
    await bus.ask(AskPasswordReset(email=nurse.person.email), NOBODY)
    (letter,) = await letter_to(bus, nurse.person.email)
    found = re.search(r"token=([\w-]+)", letter.body)
    assert found is not None
    await bus.ask(DropPassword(), nurse.caller)
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=found[1], password=NEW), NOBODY)
