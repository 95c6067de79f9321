"""A provider says that somebody has signed out there: the sessions that its session opened here end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.external import HearSignOut
from salerno.contexts.identity.commands.provider import ProviderAnswer
from salerno.contexts.identity.errors import ProviderUnwell, TooManyAttempts
from salerno.contexts.identity.events import SignedOut
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.external import talking
from salerno.contexts.identity.handlers.external.linking import known_identity
from salerno.contexts.identity.handlers.external.tokens import (
    LEEWAY,
    BadSignature,
    Wrong,
    heard,
    session_there,
    verified,
)
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.external import ExternalProvider
from salerno.kernel.addresses import place_of
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

KIND = "logout-token"
TYPE = "logout+jwt"
REASON = "signed out at the other provider"
NO_STORE = (("Cache-Control", "no-store"),)
HEARD = ProviderAnswer(status=200, body={}, headers=NO_STORE)
REFUSED = ProviderAnswer(status=400, body={"error": "invalid_request"}, headers=NO_STORE)


async def hear_sign_out(desk: Desk, errand: HearSignOut, caller: Caller) -> ProviderAnswer:
    """400 for whatever is wrong with it; what it was is for the operator's log."""
    provider = talking.provider_of(desk.bus, errand.provider)
    try:
        claims = heard(provider, await _claims(desk, provider, errand.logout_token, caller), desk.now)
        rows = await _meant(desk, provider, claims)
        if not await _first_time(desk, provider, claims):
            raise Wrong("used before")
    except (Wrong, ProviderUnwell) as wrong:
        talking.LOG.warning("external.logout_refused", provider=provider.id, why=str(wrong))
        return REFUSED
    await _forget_halves(desk, provider, claims, rows)
    for row in rows:
        if row["ended_at"] is None:
            await _end(desk, row)
    return HEARD


async def _claims(desk: Desk, provider: ExternalProvider, token: str, caller: Caller) -> dict[str, Any]:
    """A key that is not known may be a new one; how often somebody makes us look is counted by address."""
    said = await talking.metadata_of(desk.bus, provider)
    keys = await talking.keys_of(desk.bus, provider, said, anew=False)
    try:
        return verified(token, keys, TYPE, said=True)[1]
    except BadSignature:
        await _not_too_often(desk, caller)
        keys = await talking.keys_of(desk.bus, provider, said, anew=True)
        return verified(token, keys, TYPE, said=True)[1]


async def _not_too_often(desk: Desk, caller: Caller) -> None:
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens(KIND, place_of(caller.address))
        return await counting.count(tx, KIND, place, policy.failures_per_address, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def _meant(desk: Desk, provider: ExternalProvider, claims: dict[str, Any]) -> list[Any]:
    """The sessions that it is about. One that we never had, or of somebody else, is none of ours."""
    account: UUID | None = None
    if subject := claims.get("sub"):
        known = await known_identity(desk, provider, subject, used=False)
        if known is None:
            raise Wrong("nobody here")
        account = known.account
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        if session := session_there(provider, claims):
            rows = await tx.fetch(SQL["sessions_by_provider_session"], provider.id, session)
        else:
            rows = await tx.fetch(SQL["sessions_of_account_by_provider"], provider.id, account)
    if "sid" in claims and (not rows or any(account not in (None, row["account"]) for row in rows)):
        raise Wrong("another session")
    return list(rows)


async def _first_time(desk: Desk, provider: ExternalProvider, claims: dict[str, Any]) -> bool:
    until = datetime.fromtimestamp(claims["exp"] + 2 * LEEWAY, desk.now.tzinfo)
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        named = f"{provider.issuer} {claims['jti']}"
        return bool(await tx.fetchval(SQL["take_assertion"], f"logout:{provider.id}", token_hash(named), until))


async def _forget_halves(desk: Desk, provider: ExternalProvider, claims: dict[str, Any], rows: list[Any]) -> None:
    """Whoever was about to show their second factor begins anew."""
    session = session_there(provider, claims)
    account = rows[0]["account"] if rows else None
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["forget_challenges_by_provider"], provider.id, session, account)


async def _end(desk: Desk, row: Any) -> None:
    session, home, account = (UUID(bytes=row[name].bytes) for name in ("id", "home", "account"))

    async def work(tx: Tx) -> None:
        if await tx.fetchval(SQL["end_session"], session, account, tx.now):
            await tx.run(SQL["follow_parents"], tx.now)
            await note(tx, account, SignedOut(account=account, session=session, reason=REASON))

    await desk.within(home, work, actor=account)
