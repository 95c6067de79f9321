"""Tokens for programs: what they are checked for, and how they are renewed."""

from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands import (
    FoundCaller,
    Introspect,
    Introspection,
    Opened,
    Refresh,
    ResolveBearer,
    SigningKeys,
)
from salerno.contexts.identity.errors import NoSuchAccount, RefreshRefused
from salerno.contexts.identity.events import SignedOut
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.keys import claims_of, ring
from salerno.contexts.identity.handlers.opening import (
    describe,
    new_refresh_token,
    note,
    with_access_token,
)
from salerno.contexts.identity.handlers.provider.bearer import KINDS, described_grant
from salerno.contexts.identity.handlers.standing import acting_in, must_enrol, standing_of
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.contexts.identity.queries import profile
from salerno.contexts.identity.rules.choices import LONGEST_IDLE
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.standing import names_of
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx


async def resolve_bearer(desk: Desk, errand: ResolveBearer, caller: Caller) -> FoundCaller | None:
    found = await _live(desk, errand.token)
    return found[1] if found else None


async def _live(desk: Desk, token: str) -> tuple[dict[str, Any], FoundCaller] | None:
    """The claims and the caller, where the token is ours and its session has not ended."""
    claims = await claims_of(desk, token)
    if claims is None:
        return None
    try:
        session = UUID(claims["sid"])
    except (ValueError, TypeError, AttributeError):
        return None
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["session_by_id"], session, tx.now, tx.now - LONGEST_IDLE)
    if row is None or str(row["account"]) != claims["sub"]:
        return None
    if row["kind"] in KINDS:
        found = await described_grant(desk, row, claims)
    else:
        found = await describe(desk.bus, row, desk.now)
    return (claims, found) if found else None


async def introspect(desk: Desk, errand: Introspect, caller: Caller) -> Introspection:
    found = await _live(desk, errand.token)
    if found is None:
        return Introspection(active=False)
    claims, behind = found
    if behind.caller.organisation != caller.organisation:
        return Introspection(active=False)
    return Introspection(
        active=True,
        sub=claims["sub"],
        iss=claims["iss"],
        aud=claims["aud"],
        exp=claims["exp"],
        iat=claims["iat"],
        sid=claims["sid"],
        role=behind.caller.role,
        roles=await _roles(desk, behind.caller),
        org=str(behind.caller.organisation),
        token_type="Bearer",  # noqa: S106 - the type's name (RFC 7662), no secret
        username=behind.caller.name,
    )


async def _roles(desk: Desk, behind: Caller) -> tuple[str, ...]:
    """Every role that gives this person something where they act, also one that the organisation made."""
    try:
        home, view = await own_account(desk, behind)
    except NoSuchAccount:  # a service
        return ()
    elsewhere = behind.organisation if home not in (INSTALLATION, behind.organisation) else None
    standing = await standing_of(desk.bus, view, home, elsewhere)
    return names_of(standing.shares) if standing else ()


async def signing_keys(desk: Desk, errand: SigningKeys, caller: Caller) -> dict[str, Any]:
    return (await ring(desk, to_sign=True)).public()


async def refresh(desk: Desk, errand: Refresh, caller: Caller) -> Opened:
    """A spent token that comes back after the grace of a lost answer was stolen: the session ends."""
    policy, hash = policy_of(desk.bus), token_hash(errand.refresh_token)
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        home = await tx.fetchval(SQL["home_of_refresh_token"], hash)
    if home is None:
        raise RefreshRefused()
    home = UUID(bytes=home.bytes)
    acting, _ = await acting_in(desk.bus, home)
    opened = await desk.within(home, lambda tx: _renew(tx, hash, policy, acting))
    if opened is None:
        raise RefreshRefused()
    life = policy.password_token if errand.kind == "password" else policy.access_token
    return await with_access_token(desk, opened, life.total_seconds())


async def _renew(tx: Tx, hash: bytes, policy: SignInPolicy, acting: UUID) -> Opened | None:
    row = await tx.fetchrow(SQL["lock_refresh_token"], hash)
    if row is None or row["kind"] != "api" or row["ended_at"] is not None or row["expires_at"] <= tx.now:
        return None
    session, account = UUID(bytes=row["session"].bytes), UUID(bytes=row["account"].bytes)
    if row["spent_at"] is not None and tx.now - row["spent_at"] > policy.refresh_grace:
        await _stolen(tx, account, session)
        return None
    held = await ACCOUNTS.get(tx, account)
    if held is None or held.doc.status != "active":
        return None
    await tx.run(SQL["spend_refresh_token"], hash, tx.now)
    token = await new_refresh_token(tx, session, policy)
    await tx.run(SQL["prolong_session"], session, tx.now + policy.refresh_token)
    return Opened(
        session=session,
        user=profile(held, acting),
        expires_at=tx.now + policy.refresh_token,
        refresh_token=token,
        must_enrol=must_enrol(held.doc, policy, await choices_of(tx, held.doc.roles)),
    )


async def _stolen(tx: Tx, account: UUID, session: UUID) -> None:
    if await tx.fetchval(SQL["end_session"], session, account, tx.now):
        await note(tx, account, SignedOut(account=account, session=session, reason="refresh token used twice"))
