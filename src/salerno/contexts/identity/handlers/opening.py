"""Opening a session, describing the caller behind one, and telling an account's history about it."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.identity.commands import FoundCaller, Opened
from salerno.contexts.identity.errors import AccountNotReady
from salerno.contexts.identity.events import IdentityEvent, SignedIn
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.keys import access_token
from salerno.contexts.identity.projections import ACCOUNTS, MEMBERS, SQL, AccountView
from salerno.contexts.identity.queries import profile
from salerno.contexts.identity.rules.account import ACCOUNT, Noted
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import ENROLMENT, Role, permissions_of
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller, Recorded
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
    factor: bool
    address: str
    agent: str
    known_device: bool = False
    previous: str = ""
    provider: str = ""  # somebody else's, by which they came
    vouched: bool = False  # a second factor was shown there, and counts here


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def must_enrol(view: AccountView, policy: SignInPolicy, choices: Choices) -> bool:
    """Whether the role demands a second factor that the account does not have."""
    return choices.demands_factor(view.roles, policy) and not view.has_factor


async def note(tx: Tx, account: UUID, *events: IdentityEvent) -> Sequence[Recorded[Any]]:
    """Write into the account's history what an errand has done. A burst of failures waits in line."""
    await tx.fetchval(SQL["lock_account"], tx.organisation, account)
    recorded: list[Recorded[Any]] = []
    for event in events:
        recorded += await tx.execute(ACCOUNT, account, Noted(event))
    return recorded


async def acting_in(bus: Bus, home: UUID) -> tuple[UUID, bool]:
    """The organisation to act in, and whether it is the only one. Somebody above all acts in the only one."""
    async with bus.reading("identity", INSTALLATION) as tx:
        homes = [UUID(bytes=row["home"].bytes) for row in await tx.fetch(SQL["homes"])]
    alone = not homes or homes == [home]
    return (homes[0] if home == INSTALLATION and len(homes) == 1 else home), alone


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
    await note(tx, entry.account, _signed_in(entry, session))
    place = await tx.seal_doc("sessions", session, entry.account, Place(entry.address, entry.agent))
    await tx.run(
        SQL["put_session"], session, entry.home, entry.account, entry.kind, token_hash(token) if web else None,
        new_token(), entry.factor, tx.now, expires, place,
    )  # fmt: skip
    if entry.provider:
        await tx.run(SQL["vouch_for_session"], session, entry.provider, entry.vouched)
    refresh = await new_refresh_token(tx, session, policy) if entry.kind == "api" else ""
    device = await _remember_device(tx, entry) if web and not entry.known_device else ""
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
        must_enrol=not entry.vouched and must_enrol(held.doc, policy, await choices_of(tx)),
    )


def _signed_in(entry: Entry, session: UUID) -> SignedIn:
    return SignedIn(account=entry.account, session=session, method=entry.method, address=entry.address)


async def new_refresh_token(tx: Tx, session: UUID, policy: SignInPolicy) -> str:
    token = new_token()
    await tx.run(SQL["put_refresh_token"], token_hash(token), session, tx.now + policy.refresh_token)
    return token


async def _remember_device(tx: Tx, entry: Entry) -> str:
    token = new_token()
    await tx.run(SQL["put_device"], token_hash(token), entry.account, tx.now)
    return token


async def _tidy(tx: Tx, policy: SignInPolicy) -> None:
    """What is long over is not kept."""
    await tx.run(SQL["forget_old_sessions"], tx.now - policy.refresh_token)
    await tx.run(SQL["forget_old_challenges"], tx.now - policy.challenge)
    await tx.run(SQL["forget_old_attempts"], tx.now - policy.absolute)


async def describe(bus: Bus, session: Any, now: datetime) -> FoundCaller | None:
    """Who is behind a live session's row; None where the account may no longer come in, or was unused for too long."""
    policy = policy_of(bus)
    async with bus.reading("identity", session["home"]) as tx:
        held, choices = await ACCOUNTS.get(tx, session["account"]), await choices_of(tx)
    if held is None or held.doc.status != "active":
        return None
    view, home = held.doc, UUID(bytes=session["home"].bytes)
    ends = web_ends(session, choices, view, policy)
    if ends <= now:
        return None
    acting, alone = await acting_in(bus, home)
    if session["acting"] is not None:
        acting = UUID(bytes=session["acting"].bytes)
        member = await _member(bus, acting, view)
        if member is None:
            return None
        view, alone = member, False
        async with bus.reading("identity", acting) as tx:
            choices = await choices_of(tx)
        if web_ends(session, choices, view, policy) <= now:
            return None
    enrol = not session["vouched"] and must_enrol(view, policy, choices)
    web = session["kind"] == "web"
    locked = session["locked_at"] is not None or (web and session["seen_at"] + policy.lock <= now)
    permissions = ENROLMENT if enrol else frozenset().union(*(permissions_of(role, alone=alone) for role in view.roles))
    return FoundCaller(
        caller=_caller(session, view, acting, frozenset() if locked else permissions),
        csrf=session["csrf"],
        expires_at=ends,
        language=view.language,
        theme=view.theme,
        must_enrol=enrol,
        zone=choices.zone or await _zone_of(bus, acting),
        stale=(session["proved_at"] or session["opened_at"]) + policy.proof <= now,
        locked=locked,
        lock_after=int(policy.lock.total_seconds()) if web else 0,
    )


def web_ends(session: Any, choices: Choices, view: AccountView, policy: SignInPolicy) -> datetime:
    """When the session ends if nobody comes: its own end, and for a browser's also that of being unused."""
    ends: datetime = session["expires_at"]
    return min(ends, session["seen_at"] + choices.idle(view.roles, policy)) if session["kind"] == "web" else ends


async def _member(bus: Bus, acting: UUID, view: AccountView) -> AccountView | None:
    """The account as what it is in another organisation; None where it works there no longer."""
    async with bus.reading("identity", acting) as tx:
        held = await MEMBERS.get(tx, view.account)
    if held is None or held.doc.status != "active":
        return None
    return replace(view, role=held.doc.role, also=(), staff=held.doc.staff, patient=None)


def _caller(session: Any, view: AccountView, acting: UUID, permissions: frozenset[str]) -> Caller:
    return Caller(
        actor=view.account,
        organisation=acting,
        permissions=permissions,
        role=view.role,
        name=view.full_name,
        subject=view.patient if view.role == Role.PATIENT else None,
        session=UUID(bytes=session["id"].bytes),
    )


async def _zone_of(bus: Bus, acting: UUID) -> str:
    """Somebody above all organisations reads the clocks of the one they act in."""
    async with bus.reading("identity", acting) as tx:
        return (await choices_of(tx)).zone
