"""Another e-mail address: the new mailbox confirms, the old one is told and may undo, and nobody is given away."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import CreateUser, DeactivateUser, FoundCaller, Opened, Register, SignIn
from salerno.contexts.identity.commands.email_change import (
    AskEmailChange,
    AskEmailChangeOf,
    ConfirmEmailChange,
    RevokeEmailChange,
)
from salerno.contexts.identity.commands.letters import AskPasswordReset, ResetPassword
from salerno.contexts.identity.errors import (
    EmailTaken,
    LinkOver,
    MayNotGrant,
    NoMail,
    NoSuchAccount,
    NotActive,
    NotYourself,
    TooManyAttempts,
    WrongCredentials,
)
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.queries import Me, UserById
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid
from salerno.kernel.mail import Letter
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]


class Box:
    """Everybody's mailbox."""

    def __init__(self, bus: Bus) -> None:
        self.letters: list[Letter] = []
        self._postman = Postman(bus, self)

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    async def subjects(self, address: str) -> list[str]:
        await self._postman.deliver()
        mine = [letter.subject for letter in self.letters if letter.to == address]
        return sorted(subject for subject in mine if not subject.startswith("A sign-in"))

    async def token(self, address: str, subject: str = "") -> str:
        await self._postman.deliver()
        mine = [one for one in self.letters if one.to == address and subject in one.subject and "token=" in one.body]
        found = re.search(r"token=([\w-]+)", mine[-1].body)
        assert found is not None
        return found[1]


@pytest.fixture
async def box(bus: Bus, policy: Callable[..., SignInPolicy]) -> Box:
    policy(mails=True, issuer="https://clinic.example")
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")
        await tx.run("DELETE FROM attempts")
    return Box(bus)


@pytest.fixture
def signed_in(enter: Enter, behind: Behind) -> Callable[[Person], Awaitable[Caller]]:
    async def go(who: Person) -> Caller:
        found = await behind((await enter(who)).token)
        assert found is not None
        return found.caller

    return go


SignedIn = Callable[[Person], Awaitable[Caller]]


def fresh() -> str:
    return f"{uuid4().hex[:12]}@example.com"


async def told(bus: Bus, home: UUID, account: UUID) -> list[str]:
    async with bus.reading("identity", home) as tx:
        items = await tx.history("identity.account", account)
    return [type(item.event).__name__ for item in items if "Email" in type(item.event).__name__]


async def test_a_new_address_counts_once_its_letter_came_back_and_the_old_one_opens_nothing(
    bus: Bus, box: Box, person: Make, enter: Enter, signed_in: SignedIn, organisation: UUID
) -> None:
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    assert (await bus.ask(Me(), caller)).email == nurse.email
    await enter(nurse)
    await bus.ask(ConfirmEmailChange(token=await box.token(new)), caller)
    assert (await bus.ask(Me(), caller)).email == new
    await enter(Person(nurse.account, new))
    with pytest.raises(WrongCredentials):
        await enter(nurse)
    assert await told(bus, organisation, nurse.account) == ["EmailChangeAsked", "EmailChanged"]
    assert await box.subjects(new) == ["Confirm your new e-mail address"]
    assert await box.subjects(nurse.email) == [
        "Another e-mail address is wished for your account",
        "Your e-mail address has changed",
    ]


async def test_a_changed_address_ends_every_other_session_and_renews_the_present_one(
    bus: Bus, box: Box, person: Make, enter: Enter, behind: Behind
) -> None:
    nurse, new = await person(), fresh()
    here, elsewhere = await enter(nurse), await enter(nurse)
    found = await behind(here.token)
    assert found is not None
    await bus.ask(AskEmailChange(email=new), found.caller)
    opened: Opened = await bus.ask(ConfirmEmailChange(token=await box.token(new)), found.caller)
    assert await behind(elsewhere.token) is None
    assert await behind(here.token) is None
    assert await behind(opened.token) is not None


async def test_the_link_works_once_for_a_day_and_in_no_other_accounts_session(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, clock: MovableClock, noon: datetime
) -> None:
    nurse, stranger, new = await person(), await person(), fresh()
    caller, other = await signed_in(nurse), await signed_in(stranger)
    await bus.ask(AskEmailChange(email=new), caller)
    token = await box.token(new)
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=token), other)
    await bus.ask(ConfirmEmailChange(token=token), caller)
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=token), caller)
    clock.set(noon)
    later = fresh()
    await bus.ask(AskEmailChange(email=later), caller)
    late = await box.token(later)
    clock.set(noon + timedelta(days=1, seconds=1))
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=late), caller)


async def test_only_the_newest_wish_counts(bus: Bus, box: Box, person: Make, signed_in: SignedIn) -> None:
    nurse, first, second = await person(), fresh(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=first), caller)
    earlier = await box.token(first)
    await bus.ask(AskEmailChange(email=second), caller)
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=earlier), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(second)), caller)
    assert (await bus.ask(Me(), caller)).email == second


async def test_a_taken_address_looks_like_a_free_one_to_who_asks_and_its_owner_gets_a_letter(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, organisation: UUID
) -> None:
    nurse, owner = await person(), await person()
    caller = await signed_in(nurse)
    taken = await bus.ask(AskEmailChange(email=owner.email), caller)
    free = await bus.ask(AskEmailChange(email=fresh()), caller)
    assert taken == free
    assert await box.subjects(owner.email) == ["Somebody wished your address for another account"]
    assert len(await box.subjects(nurse.email)) == 2
    assert await told(bus, organisation, nurse.account) == ["EmailChangeAsked", "EmailChangeAsked"]


async def test_an_address_that_was_taken_meanwhile_makes_the_link_one_that_is_over(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, admin: Caller
) -> None:
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    token = await box.token(new)
    await bus.handle(CreateUser(email=new, password=PASSWORD, full_name="Ugo Blu", role="NURSE"), admin)
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=token), caller)
    assert (await bus.ask(Me(), caller)).email == nurse.email


async def test_who_reads_the_old_address_stops_a_wish_before_it_counts(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, behind: Behind, enter: Enter
) -> None:
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    session = await enter(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    token = await box.token(new)
    await bus.ask(RevokeEmailChange(token=await box.token(nurse.email)), NOBODY)
    assert await behind(session.token) is None
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=token), await signed_in(nurse))


@pytest.mark.parametrize("letter", ["is wished", "has changed"])
async def test_who_reads_the_old_address_gets_it_back_by_either_letter_for_seven_days(
    bus: Bus,
    box: Box,
    person: Make,
    signed_in: SignedIn,
    enter: Enter,
    behind: Behind,
    clock: MovableClock,
    noon: datetime,
    letter: str,
) -> None:
    nurse, new = await person(), fresh()
    clock.set(noon)
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    opened: Opened = await bus.ask(ConfirmEmailChange(token=await box.token(new)), caller)
    token = await box.token(nurse.email, letter)
    clock.set(noon + timedelta(days=6, hours=23))
    await bus.ask(RevokeEmailChange(token=token), NOBODY)
    assert await behind(opened.token) is None
    await enter(nurse)
    with pytest.raises(WrongCredentials):
        await enter(Person(nurse.account, new))
    with pytest.raises(LinkOver):
        await bus.ask(RevokeEmailChange(token=token), NOBODY)


async def test_after_seven_days_the_change_stays_and_the_old_address_is_free_for_others(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, admin: Caller, clock: MovableClock, noon: datetime
) -> None:
    nurse, new = await person(), fresh()
    clock.set(noon)
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(new)), caller)
    token = await box.token(nurse.email)
    wish = CreateUser(email=nurse.email, password=PASSWORD, full_name="Ugo Blu", role="NURSE")
    clock.set(noon + timedelta(days=6, hours=23))
    with pytest.raises(EmailTaken):
        await bus.handle(wish, admin)
    clock.set(noon + timedelta(days=7, seconds=1))
    with pytest.raises(LinkOver):
        await bus.ask(RevokeEmailChange(token=token), NOBODY)
    await bus.handle(wish, admin)
    assert (await bus.ask(SignIn(email=nurse.email, password=PASSWORD), NOBODY)).user.full_name == "Ugo Blu"


async def test_a_chain_of_changes_does_not_take_the_last_word_from_the_first_mailbox(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, enter: Enter
) -> None:
    """Who holds a stolen session moves the account twice, and even revokes the second move."""
    nurse, second, third = await person(), fresh(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=second), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(second)), caller)
    await bus.ask(AskEmailChange(email=third), caller)
    await bus.ask(RevokeEmailChange(token=await box.token(second, "is wished")), NOBODY)
    caller = await signed_in(Person(nurse.account, second))
    await bus.ask(AskEmailChange(email=third), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(third)), caller)
    await bus.ask(RevokeEmailChange(token=await box.token(nurse.email, "has changed")), NOBODY)
    assert (await enter(nurse)).user.email == nurse.email
    for gone in (second, third):
        with pytest.raises(WrongCredentials):
            await enter(Person(nurse.account, gone))
    with pytest.raises(LinkOver):
        await bus.ask(RevokeEmailChange(token=await box.token(second, "has changed")), NOBODY)


async def test_one_may_go_back_to_ones_former_address_in_the_usual_way(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, enter: Enter
) -> None:
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    for address in (new, nurse.email):
        await bus.ask(AskEmailChange(email=address), caller)
        await bus.ask(ConfirmEmailChange(token=await box.token(address, "Confirm")), caller)
    assert (await enter(nurse)).user.email == nurse.email


async def test_a_link_for_another_password_that_went_to_the_old_address_is_void(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn
) -> None:
    nurse, new = await person(), fresh()
    await bus.ask(AskPasswordReset(email=nurse.email), NOBODY)
    reset = await box.token(nurse.email)
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(new)), caller)
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=reset, password=PASSWORD), NOBODY)


@pytest.mark.parametrize(("wanted", "code"), [("no address", "not-an-address"), ("", "same-address")])
async def test_what_is_no_new_address_is_said_beside_the_field(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, wanted: str, code: str
) -> None:
    nurse = await person()
    with pytest.raises(Invalid) as refused:
        await bus.ask(AskEmailChange(email=wanted or nurse.email.upper()), await signed_in(nurse))
    assert [(one["path"], one["code"]) for one in refused.value.errors] == [("email", code)]


async def test_an_account_is_no_means_of_writing_to_many_strangers(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn
) -> None:
    caller = await signed_in(await person())
    for _ in range(5):
        await bus.ask(AskEmailChange(email=fresh()), caller)
    with pytest.raises(TooManyAttempts):
        await bus.ask(AskEmailChange(email=fresh()), caller)


async def test_a_mailbox_gets_three_letters_an_hour_and_nobody_learns_that_it_was_full(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn
) -> None:
    new = fresh()
    for _ in range(5):
        await bus.ask(AskEmailChange(email=new), await signed_in(await person()))
    assert len(await box.subjects(new)) == 3


async def test_without_a_mail_server_no_address_is_changed(
    bus: Bus, person: Make, signed_in: SignedIn, policy: Callable[..., SignInPolicy]
) -> None:
    policy(mails=False)
    with pytest.raises(NoMail):
        await bus.ask(AskEmailChange(email=fresh()), await signed_in(await person()))


# ------------------------------------------------------------------ by an administrator
async def test_an_administrator_starts_it_and_the_owner_confirms_it_from_the_new_address(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, admin: Caller
) -> None:
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChangeOf(account_id=nurse.account, email=new), admin)
    assert (await bus.ask(UserById(account_id=nurse.account), admin)).email == nurse.email
    assert await box.subjects(nurse.email) == ["Another e-mail address is wished for your account"]
    token = await box.token(new)
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmailChange(token=token), await signed_in(await person()))
    await bus.ask(ConfirmEmailChange(token=token), caller)
    assert (await bus.ask(UserById(account_id=nurse.account), admin)).email == new


async def test_an_administrator_reaches_only_whom_they_may_appoint_here(
    bus: Bus, box: Box, person: Make, caller: Callable[..., Caller], admin: Caller
) -> None:
    nurse, colleague = await person(), await person("SUPER_ADMIN", by=caller("SUPER_ADMIN"))
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    asked = AskEmailChangeOf(account_id=nurse.account, email=fresh())
    with pytest.raises(NoSuchAccount):
        await bus.ask(asked, elsewhere)
    with pytest.raises(MayNotGrant):
        await bus.ask(AskEmailChangeOf(account_id=colleague.account, email=fresh()), admin)
    with pytest.raises(NotYourself):
        await bus.ask(asked, replace(admin, actor=nurse.account))
    await bus.handle(DeactivateUser(account_id=nurse.account), admin)
    with pytest.raises(NotActive):
        await bus.ask(asked, admin)


async def test_somebody_signing_up_with_an_address_that_is_kept_for_its_former_owner_learns_nothing(
    bus: Bus, box: Box, person: Make, signed_in: SignedIn, organisation: UUID
) -> None:
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    nurse, new = await person(), fresh()
    caller = await signed_in(nurse)
    await bus.ask(AskEmailChange(email=new), caller)
    await bus.ask(ConfirmEmailChange(token=await box.token(new)), caller)
    wish = Register(email=nurse.email, password=PASSWORD, given_name="Lia", family_name="Neri", role="PATIENT")
    assert (await bus.ask(wish, NOBODY)).status == "unverified"
    assert (await bus.ask(replace(wish, email=fresh()), NOBODY)).status == "unverified"
