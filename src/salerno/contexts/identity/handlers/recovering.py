"""Confirming an address, choosing another password, inviting and being invited: all by links in letters."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.letters import (
    AcceptInvitation,
    AskPasswordReset,
    ConfirmEmail,
    InviteAgain,
    InviteUser,
    ResetPassword,
    TellOfSignIn,
)
from salerno.contexts.identity.errors import (
    LinkOver,
    MayNotGrant,
    NoMail,
    NoSuchAccount,
    NotActive,
    TooManyAttempts,
    WrongPassword,
)
from salerno.contexts.identity.events import (
    AccountInvited,
    EmailConfirmed,
    PasswordChanged,
    PasswordResetAsked,
    SessionsEnded,
    SignInFailed,
)
from salerno.contexts.identity.handlers import counting, letters, memberships
from salerno.contexts.identity.handlers.accounts import keep_password, password_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.hashing import hashed, is_right
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules import passwords
from salerno.contexts.identity.rules.account import ACCOUNT, SelfSignedUp, names
from salerno.contexts.identity.rules.email import checked, same
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, may_grant, role_of
from salerno.kernel.addresses import place_of
from salerno.kernel.clock import stopwatch
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller, Command, Origin, Query, Recorded
from salerno.kernel.room import Answer, Handler
from salerno.kernel.transactions import Tx

LETTERS_AN_HOUR = 3


async def may_write(desk: Desk, email: str) -> bool:
    """Whether this mailbox may get another letter now: nobody's is filled by strangers."""
    policy = replace(policy_of(desk.bus), window=timedelta(hours=1))

    async def work(tx: Tx) -> bool:
        (box,) = await tx.tokens("letter", same(email))
        return await counting.count(tx, "letter", box, LETTERS_AN_HOUR, policy, endless=True) == 0

    return await desk.within(INSTALLATION, work)


async def ask_password_reset(desk: Desk, errand: AskPasswordReset, caller: Caller) -> None:
    started, policy = stopwatch(), policy_of(desk.bus)
    await not_too_often(desk, caller, policy)
    if await may_write(desk, errand.email):
        await _write_reset(desk, errand.email, caller, policy)
    await counting.slow_down(started, policy)


async def not_too_often(desk: Desk, caller: Caller, policy: SignInPolicy) -> None:
    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens("reset", place_of(caller.address))
        return await counting.count(tx, "reset", place, policy.failures_per_address, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def _write_reset(desk: Desk, email: str, caller: Caller, policy: SignInPolicy) -> None:
    home, view = await found_by(desk, email)
    if home is None or view is None or view.status != "active" or not policy.mails:
        return

    async def work(tx: Tx) -> None:
        await note(tx, view.account, PasswordResetAsked(account=view.account, address=caller.address))
        await letters.write_link(tx, "reset", view, policy)

    await desk.within(home, work, actor=view.account)


async def found_by(desk: Desk, email: str) -> tuple[UUID | None, AccountView | None]:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        (token,) = await tx.tokens("login", same(email))
        row = await tx.fetchrow(SQL["login"], token)
    if row is None:
        return None, None
    home = UUID(bytes=row["home"].bytes)
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, row["account"])
    return home, held.doc if held else None


async def reset_password(desk: Desk, errand: ResetPassword, caller: Caller) -> None:
    await not_too_often(desk, caller, policy_of(desk.bus))
    home, view, _ = await letters.peek(desk, "reset", errand.token)
    if view.status != "active":
        raise LinkOver()
    about = (view.email, view.full_name)
    hash = await hashed(passwords.check(errand.password, about, has_factor=view.has_factor))

    async def work(tx: Tx) -> None:
        await letters.use(tx, "reset", errand.token)
        await keep_password(tx, view.account, hash)
        ended = SessionsEnded(account=view.account, reason="password reset")
        await note(tx, view.account, PasswordChanged(account=view.account), ended)
        await tx.run(SQL["forget_devices"], view.account)

    await desk.within(home, work, actor=view.account)


async def confirm_email(desk: Desk, errand: ConfirmEmail, caller: Caller) -> str:
    home, view, outcome = await letters.peek(desk, "confirm", errand.token)
    attempt = await counting.begin(desk, view.email, caller.address)
    if not attempt.allowed:
        raise TooManyAttempts(retry_after=attempt.retry_after)
    async with desk.bus.reading("identity", home) as tx:
        stored = await password_of(tx, view.account)
    if not await is_right(errand.password, stored):
        failed = SignInFailed(account=view.account, reason="wrong password at confirmation", address=caller.address)
        await desk.within(home, lambda tx: note(tx, view.account, failed), actor=view.account)
        raise WrongPassword("That is not the password that was chosen.")

    async def work(tx: Tx) -> None:
        await letters.use(tx, "confirm", errand.token)
        await note(tx, view.account, EmailConfirmed(account=view.account, status=outcome))
        await counting.clear(tx, "account", attempt.token)

    await desk.within(home, work, actor=view.account)
    return outcome


async def on_invitation(tx: Tx, command: InviteUser | InviteAgain, origin: Origin) -> Sequence[Recorded[Any]]:
    policy = policy_of(tx.bus)
    if not policy.mails:
        raise NoMail()
    if isinstance(command, InviteAgain):
        return await _again(tx, command, origin, policy)
    if (offered := await memberships.offer(tx, command)) is not None:
        return offered
    role = role_of(command.role)
    if not may_grant(origin.role, role):
        raise MayNotGrant(role=role.value)
    given, family = names(command.given_name, command.family_name, "")
    wish = SelfSignedUp(
        account=command.account_id or tx.new_id(),
        email=checked(command.email),
        given_name=given,
        family_name=family,
        role=role,
        patient=None,
        language=command.language,
        approved=False,
        status="invited",
        staff=command.staff_id,
    )
    recorded = await tx.execute(ACCOUNT, wish.account, wish, subject=wish.account)
    view = AccountView(
        account=wish.account, email=wish.email, full_name=f"{given} {family}", given_name=given, family_name=family,
        role=role.value, status="invited", language=wish.language,
    )  # fmt: skip
    await _invite(tx, view, policy)
    return recorded


async def _again(tx: Tx, command: InviteAgain, origin: Origin, policy: SignInPolicy) -> Sequence[Recorded[Any]]:
    held = await ACCOUNTS.get(tx, command.account_id)
    if held is None:
        raise NoSuchAccount()
    if not may_grant(origin.role, Role(held.doc.role)):
        raise MayNotGrant(role=held.doc.role)
    if held.doc.status != "invited":
        raise NotActive("Whoever was invited has accepted already.")
    return await _invite(tx, held.doc, policy)


async def _invite(tx: Tx, view: AccountView, policy: SignInPolicy) -> Sequence[Recorded[Any]]:
    await letters.write_link(tx, "invitation", view, policy)
    return await note(tx, view.account, AccountInvited(account=view.account, until=tx.now + policy.invitation))


async def accept_invitation(desk: Desk, errand: AcceptInvitation, caller: Caller) -> None:
    await not_too_often(desk, caller, policy_of(desk.bus))
    home, view, _ = await letters.peek(desk, "invitation", errand.token)
    if view.status != "invited":
        raise LinkOver()
    hash = await hashed(passwords.check(errand.password, (view.email, view.full_name)))

    async def work(tx: Tx) -> None:
        await letters.use(tx, "invitation", errand.token)
        await keep_password(tx, view.account, hash)
        await note(tx, view.account, EmailConfirmed(account=view.account, status="active"))

    await desk.within(home, work, actor=view.account)


RECOVERING_HANDLERS: dict[type[Command], Handler] = {
    InviteUser: on_invitation,
    InviteAgain: on_invitation,
    TellOfSignIn: letters.tell_of_sign_in,
}
RECOVERING: dict[type[Query], Answer] = {
    AskPasswordReset: ask_password_reset,
    ResetPassword: reset_password,
    ConfirmEmail: confirm_email,
    AcceptInvitation: accept_invitation,
}
