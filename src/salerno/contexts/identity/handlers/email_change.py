"""Another e-mail address: both mailboxes are asked, and what is answered does not tell who has one already."""

from dataclasses import replace as with_changes
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.email_change import (
    AskEmailChange,
    AskEmailChangeOf,
    ConfirmEmailChange,
    RevokeEmailChange,
)
from salerno.contexts.identity.errors import (
    EmailTaken,
    LinkOver,
    MayNotGrant,
    NoMail,
    NoSuchAccount,
    NotActive,
    NotYourself,
    TooManyAttempts,
)
from salerno.contexts.identity.events import EmailChangeAsked, EmailChanged, EmailChangeRevoked, SessionsEnded
from salerno.contexts.identity.handlers import counting, letters
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account, rotate
from salerno.contexts.identity.handlers.opening import new_token, note
from salerno.contexts.identity.handlers.recovering import found_by, may_write, not_too_often
from salerno.contexts.identity.handlers.sessions import present
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules.email import checked, same
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, may_grant
from salerno.kernel.clock import stopwatch
from salerno.kernel.desk import Desk
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import INSTALLATION, Caller, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

WISHES_AN_HOUR = 5
KEPT = timedelta(days=30)


class Wished(Struct, frozen=True, kw_only=True):
    """A change as it is sealed."""

    before: str
    email: str


# ------------------------------------------------------------------ asking
async def ask_email_change(desk: Desk, errand: AskEmailChange, caller: Caller) -> None:
    home, view = await own_account(desk, caller)
    await _ask(desk, home, view, errand.email, caller)


async def ask_email_change_of(desk: Desk, errand: AskEmailChangeOf, caller: Caller) -> None:
    """Of an account that is at home here, by whoever may appoint to its role."""
    if errand.account_id == caller.actor:
        raise NotYourself("Change your own address under My account.")
    home = caller.organisation
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, errand.account_id)
    if held is None:
        raise NoSuchAccount()
    if not may_grant(caller.role, Role(held.doc.role)):
        raise MayNotGrant(role=held.doc.role)
    if held.doc.status != "active":
        raise NotActive("Whoever has not accepted yet is invited anew; a deactivated account gets no letters.")
    await _ask(desk, home, held.doc, errand.email, caller)


async def _ask(desk: Desk, home: UUID, view: AccountView, wanted: str, caller: Caller) -> None:
    started, policy = stopwatch(), policy_of(desk.bus)
    if not policy.mails:
        raise NoMail("This installation has no mail server: a new address could not be confirmed.")
    email = checked(wanted)
    if same(email) == same(view.email):
        raise Invalid.field("email", "same-address", "This is the account's address already.")
    await _not_too_many(desk, view.account, policy)
    writes = await may_write(desk, email)
    taken = await _is_taken(desk, email, view.account)
    await desk.within(home, lambda tx: _wish(tx, view, email, caller, writes=writes and not taken))
    if taken and writes:
        await _tell_owner(desk, email, policy)
    await counting.slow_down(started, policy)


async def _not_too_many(desk: Desk, account: UUID, policy: SignInPolicy) -> None:
    """No account is a means of writing to strangers."""
    hourly = with_changes(policy, window=timedelta(hours=1))

    async def work(tx: Tx) -> int:
        (token,) = await tx.tokens("email-change", str(account))
        return await counting.count(tx, "email-change", token, WISHES_AN_HOUR, hourly, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def _is_taken(desk: Desk, email: str, account: UUID) -> bool:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        (token,) = await tx.tokens("login", same(email))
        return bool(await tx.fetchval(SQL["address_taken"], token, tx.now, account))


async def _wish(tx: Tx, view: AccountView, email: str, caller: Caller, *, writes: bool) -> None:
    """The old address hears of it at once, in every case; only the newest wish counts."""
    policy, change = policy_of(tx.bus), tx.new_id()
    sealed = await tx.seal_doc("email_changes", change, view.account, Wished(before=view.email, email=email))
    await tx.run(SQL["forget_email_changes"], tx.organisation, view.account, tx.now - KEPT)
    await tx.run(SQL["put_email_change"], tx.organisation, change, view.account, sealed, tx.now)
    await note(tx, view.account, EmailChangeAsked(account=view.account, email=email, address=caller.address))
    await tx.run(SQL["void_links"], view.account, ["email-change"])
    await letters.write_way_back(tx, "email-asked", view, policy, change)
    if writes:
        await letters.write_link(tx, "email-change", replace(view, email=email), policy, str(change))


async def _tell_owner(desk: Desk, email: str, policy: SignInPolicy) -> None:
    home, owner = await found_by(desk, email)
    if home is not None and owner is not None and owner.status == "active":
        await desk.within(home, lambda tx: letters.write_notice(tx, "email-taken", owner, policy), actor=owner.account)


# ------------------------------------------------------------------ by the links
async def confirm_email_change(desk: Desk, errand: ConfirmEmailChange, caller: Caller) -> Opened:
    home, view = await own_account(desk, caller)
    _, owner, change = await letters.peek(desk, "email-change", errand.token)
    if owner.account != view.account:
        raise LinkOver()
    token, until = new_token(), desk.now + letters.lives("email-revoke", policy_of(desk.bus))

    async def work(tx: Tx) -> None:
        await letters.use(tx, "email-change", errand.token)
        wished = await _wished(tx, change)
        if wished.before != view.email:
            raise LinkOver()
        changed = EmailChanged(account=view.account, before=view.email, email=wished.email, until=until)
        ended = SessionsEnded(account=view.account, reason="e-mail address changed", kept=caller.session)
        await note(tx, view.account, changed, ended)
        await tx.run(SQL["forget_devices"], view.account)
        await rotate(tx, caller, token)
        await letters.write_way_back(tx, "email-changed", view, policy_of(tx.bus), UUID(change))

    try:
        await desk.within(home, work)
    except EmailTaken:  # somebody else was faster: that is not told apart from a link that is over
        raise LinkOver() from None
    return await present(desk, home, caller, token)


async def revoke_email_change(desk: Desk, errand: RevokeEmailChange, caller: Caller) -> None:
    """The change is undone, or will never count. A password that a stranger knows is chosen anew by its owner."""
    await not_too_often(desk, caller, policy_of(desk.bus))
    home, view, change = await letters.peek(desk, "email-revoke", errand.token)

    async def work(tx: Tx) -> None:
        await letters.use(tx, "email-revoke", errand.token)
        before = (await _wished(tx, change)).before
        revoked = EmailChangeRevoked(account=view.account, email=before, address=caller.address)
        ended = SessionsEnded(account=view.account, reason="change of the e-mail address revoked")
        await note(tx, view.account, revoked, ended)
        await tx.run(SQL["void_email_changes"], view.account, change)
        await tx.run(SQL["forget_devices"], view.account)

    await desk.within(home, work, actor=view.account)


async def _wished(tx: Tx, change: str) -> Wished:
    rows: Any = await tx.fetch(SQL["email_change"], tx.organisation, UUID(change))
    docs = await tx.open_docs("email_changes", rows, Wished)
    if not docs:
        raise LinkOver()
    return docs[0]


EMAIL_CHANGE: dict[type[Query], Answer] = {
    AskEmailChange: ask_email_change,
    AskEmailChangeOf: ask_email_change_of,
    ConfirmEmailChange: confirm_email_change,
    RevokeEmailChange: revoke_email_change,
}
