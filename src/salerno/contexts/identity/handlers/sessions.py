"""Who is behind a cookie, and the end of sessions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from salerno.contexts.identity.commands import (
    ChangePassword,
    EndMySession,
    EndMySessions,
    FoundCaller,
    MySessions,
    Opened,
    Profile,
    ResolveSession,
    SessionLine,
    SignOut,
)
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.events import PasswordChanged, SessionsEnded, SignedOut
from salerno.contexts.identity.handlers.accounts import keep_password
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import confirm_owner, own_account, rotate
from salerno.contexts.identity.handlers.hashing import hashed
from salerno.contexts.identity.handlers.opening import Place, describe, new_token, note
from salerno.contexts.identity.handlers.standing import acting_in, must_enrol
from salerno.contexts.identity.projections import ACCOUNTS, MEMBERS, SQL
from salerno.contexts.identity.queries import Me, profile
from salerno.contexts.identity.rules import passwords
from salerno.contexts.identity.rules.choices import LONGEST_IDLE
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

SEEN_EVERY = timedelta(seconds=5)


async def resolve_session(desk: Desk, errand: ResolveSession, caller: Caller) -> FoundCaller | None:
    """A live browser session; looked at by a person it lives on, written at most every five seconds."""
    now = desk.now
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["session_by_token"], errand.token_hash, now, now - LONGEST_IDLE)
    if row is None:
        return None
    found = await describe(desk.bus, row, now)
    if found is not None and found.locked and row["locked_at"] is None:
        await _lock(desk, row)
    if found is None or found.locked or not errand.user_initiated or now - row["seen_at"] < SEEN_EVERY:
        return found
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["see_session"], row["id"], now)
    return await describe(desk.bus, dict(row) | {"seen_at": now}, now)


async def _lock(desk: Desk, row: Any) -> None:
    """Nobody was there for too long: whoever comes now shows first who they are."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["lock_session"], row["id"], row["account"], desk.now)


async def sign_out(desk: Desk, errand: SignOut, caller: Caller) -> str:
    """The other provider by which the session was opened, where they may still be signed in; "" for none."""
    if caller.session is None:
        raise NotSignedIn()
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        provider = await tx.fetchval(SQL["provider_of_session"], caller.session, caller.actor)
    await _end_one(desk, caller, caller.session)
    return str(provider or "")


async def end_my_session(desk: Desk, errand: EndMySession, caller: Caller) -> None:
    await _end_one(desk, caller, errand.session_id)


async def _end_one(desk: Desk, caller: Caller, session: UUID) -> None:
    home, view = await own_account(desk, caller)

    async def work(tx: Tx) -> None:
        if await tx.fetchval(SQL["end_session"], session, view.account, tx.now):
            await note(tx, view.account, SignedOut(account=view.account, session=session))

    await desk.within(home, work)


async def end_my_sessions(desk: Desk, errand: EndMySessions, caller: Caller) -> None:
    home, view = await own_account(desk, caller)
    kept = None if errand.present_too else caller.session
    event = SessionsEnded(account=view.account, reason="ended by the owner", kept=kept)

    async def work(tx: Tx) -> None:
        await note(tx, view.account, event)
        await tx.run(SQL["forget_devices"], view.account)

    await desk.within(home, work)


async def my_sessions(desk: Desk, errand: MySessions, caller: Caller) -> Sequence[SessionLine]:
    home, view = await own_account(desk, caller)
    async with desk.bus.reading("identity", home) as tx:
        idle = (await choices_of(tx)).idle(view.roles, policy_of(desk.bus))
        rows = await tx.fetch(SQL["sessions_of_account"], view.account, tx.now, tx.now - idle)
        places = await tx.open_docs("sessions", rows, Place)
    return [
        SessionLine(
            session=row["id"],
            kind=row["kind"],
            opened_at=row["opened_at"],
            seen_at=row["seen_at"],
            address=place.address,
            agent=place.agent,
            current=row["id"] == caller.session,
        )
        for row, place in zip(rows, places, strict=True)
    ]


async def change_password(desk: Desk, errand: ChangePassword, caller: Caller) -> Opened:
    """Whoever else was in is out."""
    home, view = await own_account(desk, caller)
    await confirm_owner(desk, home, view, errand.current)
    about = (view.email, view.full_name)
    hash = await hashed(passwords.check(errand.new, about, has_factor=view.has_factor))
    token = new_token()

    async def work(tx: Tx) -> None:
        ended = SessionsEnded(account=view.account, reason="password changed", kept=caller.session)
        await keep_password(tx, view.account, hash)
        await note(tx, view.account, PasswordChanged(account=view.account), ended)
        await tx.run(SQL["forget_devices"], view.account)
        await rotate(tx, caller, token)

    await desk.within(home, work)
    return await present(desk, home, caller, token)


async def present(desk: Desk, home: UUID, caller: Caller, token: str) -> Opened:
    acting, _ = await acting_in(desk.bus, home)
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, caller.actor)
        choices = await choices_of(tx, held.doc.roles if held else ())
    if held is None or caller.session is None:
        raise NotSignedIn()
    policy = policy_of(desk.bus)
    return Opened(
        session=caller.session,
        user=profile(held, acting),
        expires_at=desk.now + choices.idle(held.doc.roles, policy),
        token=token,
        must_enrol=must_enrol(held.doc, policy, choices),
    )


async def me(desk: Desk, query: Me, caller: Caller) -> Profile:
    home, view = await own_account(desk, caller)
    acting, _ = await acting_in(desk.bus, home)
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, view.account)
    if held is None:
        raise NoSuchAccount()
    if caller.organisation == home or home == INSTALLATION:
        return profile(held, acting)
    async with desk.bus.reading("identity", caller.organisation) as tx:
        member = await MEMBERS.get(tx, view.account)
    if member is None:
        return profile(held, acting)
    shown = profile(held, caller.organisation)
    here = member.doc
    return replace(shown, role=here.role, staff_id=here.staff, patient_id=None, also=here.also, instead=here.instead)
