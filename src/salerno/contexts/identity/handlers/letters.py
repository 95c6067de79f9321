"""Letters with links: put by in the transaction of what they tell about, so that a crash loses neither."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from msgspec import Struct

from salerno.contexts.identity.commands.letters import TellOfSignIn, TellPrivacyOfficers
from salerno.contexts.identity.errors import LinkOver
from salerno.contexts.identity.events import (
    ExternalIdentityLinked,
    ExternalIdentityUnlinked,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    PasswordDropped,
    SecondFactorAdded,
    SecondFactorRemoved,
)
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.letters import written
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Origin, Recorded
from salerno.kernel.transactions import Tx

PAGES = {
    "confirm": "/sign-up/confirm", "reset": "/reset-password", "invitation": "/invitation",
    "email-change": "/account/email/confirm", "email-revoke": "/email-change/revoke",
}  # fmt: skip
NOTICE = timedelta(days=2)
OFFICERS = ("ADMIN", "SUPER_ADMIN")
OF_ACCESS = (
    PasswordChanged, SecondFactorAdded, SecondFactorRemoved, PasskeyAdded, PasskeyRemoved, ExternalIdentityLinked,
    ExternalIdentityUnlinked, PasswordDropped,
)  # fmt: skip


class Written(Struct, frozen=True, kw_only=True):
    """To whom and what, as it is sealed."""

    to: str
    subject: str
    body: str
    language: str


def lives(kind: str, policy: SignInPolicy) -> timedelta:
    """How long the link of such a letter holds."""
    return {
        "confirm": policy.confirm_link,
        "email-change": policy.confirm_link,
        "reset": policy.reset_link,
        "email-revoke": policy.email_way_back,
    }.get(kind, policy.invitation)


async def write_link(tx: Tx, kind: str, view: AccountView, policy: SignInPolicy, outcome: str = "") -> None:
    """A letter with a link that works once. An older link of the kind is void."""
    await tx.run(SQL["void_links"], view.account, [kind])
    await _write(tx, kind, view, policy, outcome, opens=kind)


async def write_way_back(tx: Tx, kind: str, view: AccountView, policy: SignInPolicy, change: UUID) -> None:
    """To the address that is being left. Older links of the kind keep working: the first reader has the last word."""
    await _write(tx, kind, view, policy, str(change), opens="email-revoke")


async def _write(tx: Tx, kind: str, view: AccountView, policy: SignInPolicy, outcome: str, *, opens: str) -> None:
    token, life = new_token(), lives(opens, policy)
    await tx.run(
        SQL["put_link"], token_hash(token), opens, tx.organisation, view.account, outcome, tx.now + life
    )  # fmt: skip
    await _put(tx, kind, view, f"{policy.issuer}{PAGES[opens]}?token={token}", life)


async def write_notice(
    tx: Tx, kind: str, view: AccountView, policy: SignInPolicy, page: str = "/forgot-password", id: UUID | None = None
) -> None:
    """A letter without a secret; with an `id`, once."""
    await _put(tx, kind, view, f"{policy.issuer}{page}", NOTICE, id)


async def _put(tx: Tx, kind: str, view: AccountView, link: str, life: timedelta, once: UUID | None = None) -> None:
    subject, body = written(kind, view.language, link, life)
    id, language = once or tx.new_id(), view.language or "en"
    doc = Written(to=view.email, subject=subject, body=body, language=language)
    sealed = await tx.seal_doc("letters", id, view.account, doc)
    await tx.run(SQL["put_letter"], id, tx.organisation, view.account, kind, tx.now, tx.now + life, sealed)


async def peek(desk: Desk, kind: str, token: str) -> tuple[UUID, AccountView, str]:
    """The account of a link that still works, without using it up. One refusal for all that do not."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["link"], token_hash(token), kind, desk.now)
    if row is None:
        raise LinkOver()
    home, account = UUID(bytes=row["home"].bytes), UUID(bytes=row["account"].bytes)
    return home, await account_in(desk.bus, home, account), row["outcome"]


async def account_in(bus: Bus, home: UUID, account: UUID) -> AccountView:
    async with bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, account)
    if held is None:
        raise LinkOver()
    return held.doc


async def use(tx: Tx, kind: str, token: str) -> None:
    """Once, whoever else tries at the same moment."""
    if await tx.fetchrow(SQL["use_link"], token_hash(token), kind, tx.now) is None:
        raise LinkOver()


async def tell_of_access(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Who owns an account hears by letter of each change in how it is entered."""
    policy = tx.bus.settings.get(SignInPolicy)
    if not isinstance(policy, SignInPolicy) or not policy.mails:
        return
    told = {(item.event.account, _kind(item.event)) for item in items}
    for account, kind in sorted(told, key=str):
        held = await ACCOUNTS.get(tx, account)
        if held is not None and held.doc.status == "active":
            await write_notice(tx, kind, held.doc, policy)


def _kind(event: Any) -> str:
    match event:
        case PasswordChanged():
            return "password-changed"
        case PasswordDropped():
            return "password-dropped"
        case _:
            return "factor-changed"


async def tell_of_sign_in(tx: Tx, command: TellOfSignIn, origin: Origin) -> Sequence[Recorded[Any]]:
    """One letter for a sign-in, however much of it was unusual."""
    policy, held = tx.bus.settings.get(SignInPolicy), await ACCOUNTS.get(tx, command.account_id)
    if isinstance(policy, SignInPolicy) and policy.mails and held is not None and held.doc.status == "active":
        once = uuid5(command.account_id, str(command.session_id))
        await write_notice(tx, "unusual-sign-in", held.doc, policy, "/account/security", once)
    return []


async def on_tell_officers(tx: Tx, command: TellPrivacyOfficers, origin: Origin) -> Sequence[Recorded[Any]]:
    """Nothing of whom or why stands in the letter: that is read in Salerno."""
    policy = tx.bus.settings.get(SignInPolicy)
    if not isinstance(policy, SignInPolicy) or not policy.mails:
        return []
    for role in OFFICERS:
        for held in await ACCOUNTS.open(tx, await tx.fetch(SQL["accounts_of"], tx.organisation, role, "active")):
            if held.id != command.by:
                await write_notice(tx, "break-glass", held.doc, policy, "/privacy")
    return []


async def no_link_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """A link that was asked for before the password changed opens nothing."""
    for item in items:
        await tx.run(SQL["void_links"], item.event.account, ["reset", "invitation"])
