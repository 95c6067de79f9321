"""Opening a session, describing the caller behind one, and telling an account's history about it."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands import FoundCaller, Opened
from salerno.contexts.identity.errors import AccountNotReady
from salerno.contexts.identity.events import IdentityEvent, SignedIn
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import is_known_device, policy_of
from salerno.contexts.identity.handlers.keys import access_token
from salerno.contexts.identity.handlers.standing import acting_in, caller_of, must_enrol, standing_of
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.queries import profile
from salerno.contexts.identity.rules.account import ACCOUNT, Noted
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.methods import together
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Recorded
from salerno.kernel.transactions import Tx


class Place(Struct, frozen=True):
    """From where a session was opened."""

    address: str
    agent: str


class Entry(Struct, frozen=True, kw_only=True):
    """How somebody got in: what is needed to open the session."""

    home: UUID
    account: UUID
    kind: str
    method: str
    shown: tuple[str, ...]  # the same for programs (RFC 8176)
    factor: bool
    address: str
    agent: str
    device: str = ""  # the token that this browser was given before
    previous: str = ""
    provider: str = ""  # somebody else's, by which they came
    provider_session: bytes | None = None  # hash of what the session is called there
    vouched: bool = False  # a second factor was shown there, and counts here


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


async def note(tx: Tx, account: UUID, *events: IdentityEvent) -> Sequence[Recorded[Any]]:
    """Write into the account's history what an errand has done. A burst of failures waits in line."""
    await tx.fetchval(SQL["lock_account"], tx.organisation, account)
    recorded: list[Recorded[Any]] = []
    for event in events:
        recorded += await tx.execute(ACCOUNT, account, Noted(event))
    return recorded


async def open_session(desk: Desk, entry: Entry) -> Opened:
    """A session with everything that its kind needs, and its trace in the account's history."""
    policy = policy_of(desk.bus)
    acting, _ = await acting_in(desk.bus, entry.home)
    opened = await desk.within(entry.home, lambda tx: _open(tx, entry, policy, acting), actor=entry.account)
    if entry.kind == "web":
        return opened
    life = policy.password_token if entry.kind == "password" else policy.access_token
    return await with_access_token(desk, opened, life.total_seconds())


async def with_access_token(desk: Desk, opened: Opened, seconds: float) -> Opened:
    token = await access_token(desk, opened.user, opened.session, int(seconds))
    fields: dict[str, Any] = {name: getattr(opened, name) for name in Opened.__struct_fields__}
    return Opened(**fields | {"access_token": token, "access_seconds": int(seconds)})


async def _open(tx: Tx, entry: Entry, policy: SignInPolicy, acting: UUID) -> Opened:
    held = await ACCOUNTS.get(tx, entry.account)
    if held is None or held.doc.status != "active":
        raise AccountNotReady()
    session, web = tx.new_id(), entry.kind == "web"
    expires = tx.now + (policy.absolute if web else max(policy.refresh_token, policy.password_token))
    token = new_token() if web else ""
    known = web and await is_known_device(tx, entry.device, entry.account, policy)
    await note(tx, entry.account, _signed_in(entry, session, known=known))
    place = await tx.seal_doc("sessions", session, entry.account, Place(entry.address, entry.agent))
    await tx.run(
        SQL["put_session"], session, entry.home, entry.account, entry.kind, token_hash(token) if web else None,
        new_token(), entry.factor, tx.now, expires, place, list(entry.shown),
    )  # fmt: skip
    if entry.provider:
        await tx.run(SQL["vouch_for_session"], session, entry.provider, entry.vouched, entry.provider_session)
    refresh = await new_refresh_token(tx, session, policy) if entry.kind == "api" else ""
    device = await _remember_device(tx, entry) if web and not known else ""
    if entry.previous:
        await tx.run(SQL["move_grants"], token_hash(entry.previous), session, entry.account)
        await tx.run(SQL["end_session_by_token"], token_hash(entry.previous), tx.now)
    await _tidy(tx, policy)
    return Opened(
        session=session,
        user=profile(held, acting),
        expires_at=expires,
        token=token,
        refresh_token=refresh,
        device=device,
        must_enrol=not entry.vouched and must_enrol(held.doc, policy, await choices_of(tx, held.doc.roles)),
    )


async def show(tx: Tx, session: UUID, *shown: str) -> None:
    """In this session its owner has shown this too."""
    before: Any = await tx.fetchval(SQL["session_shown"], session)
    await tx.run(SQL["show_in_session"], session, list(together(before or (), shown)))


def _signed_in(entry: Entry, session: UUID, *, known: bool) -> SignedIn:
    return SignedIn(
        account=entry.account,
        session=session,
        method=entry.method,
        address=entry.address,
        agent=entry.agent,
        device=("known" if known else "new") if entry.kind == "web" else "",
    )


async def new_refresh_token(tx: Tx, session: UUID, policy: SignInPolicy) -> str:
    token = new_token()
    await tx.run(SQL["put_refresh_token"], token_hash(token), session, tx.now + policy.refresh_token)
    return token


async def _remember_device(tx: Tx, entry: Entry) -> str:
    """A browser that several people use keeps the token that it has: to each of them it is new once."""
    shared = bool(entry.device) and await tx.fetchval(SQL["is_any_device"], token_hash(entry.device))
    token = entry.device if shared else new_token()
    await tx.run(SQL["put_device"], token_hash(token), entry.account, tx.now)
    return "" if shared else token


async def _tidy(tx: Tx, policy: SignInPolicy) -> None:
    """What is long over is not kept."""
    await tx.run(SQL["forget_old_sessions"], tx.now - policy.refresh_token)
    await tx.run(SQL["forget_old_challenges"], tx.now - policy.challenge)
    await tx.run(SQL["forget_old_attempts"], tx.now - policy.absolute)


async def describe(bus: Bus, session: Any, now: datetime) -> FoundCaller | None:
    """Who is behind a live session's row; None where the account may no longer come in, or was unused for too long."""
    policy = policy_of(bus)
    async with bus.reading("identity", session["home"]) as tx:
        held = await ACCOUNTS.get(tx, session["account"])
        choices = await choices_of(tx, held.doc.roles if held else ())
    if held is None or held.doc.status != "active" or web_ends(session, choices, held.doc, policy) <= now:
        return None
    elsewhere = session["acting"] and UUID(bytes=session["acting"].bytes)
    standing = await standing_of(bus, held.doc, UUID(bytes=session["home"].bytes), elsewhere, choices)
    if standing is None:
        return None
    view = standing.view
    ends = web_ends(session, choices, held.doc, policy)
    if elsewhere and web_ends(session, standing.choices, view, policy) <= now:
        return None
    if session["vouched"]:  # a second factor was shown elsewhere, and counts here
        standing = replace(standing, enrol=False)
    web = session["kind"] == "web"
    locked = session["locked_at"] is not None or (web and session["seen_at"] + policy.lock <= now)
    id, permissions = UUID(bytes=session["id"].bytes), frozenset[str]() if locked else standing.permissions
    return FoundCaller(
        caller=caller_of(standing, id, permissions),
        csrf=session["csrf"],
        expires_at=ends,
        language=view.language,
        theme=view.theme,
        must_enrol=standing.enrol,
        zone=standing.choices.zone or await _zone_of(bus, standing.acting),
        stale=(session["proved_at"] or session["opened_at"]) + policy.proof <= now,
        locked=locked,
        lock_after=int(policy.lock.total_seconds()) if web else 0,
    )


def web_ends(session: Any, choices: Choices, view: AccountView, policy: SignInPolicy) -> datetime:
    """When the session ends if nobody comes: its own end, and for a browser's also that of being unused."""
    ends: datetime = session["expires_at"]
    return min(ends, session["seen_at"] + choices.idle(view.roles, policy)) if session["kind"] == "web" else ends


async def _zone_of(bus: Bus, acting: UUID) -> str:
    """Somebody above all organisations reads the clocks of the one they act in."""
    async with bus.reading("identity", acting) as tx:
        return (await choices_of(tx)).zone
