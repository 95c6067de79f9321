"""Sending a browser to a provider. What it brings back is bound to one cookie; of that only a hash is kept."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands.external import (
    Departure,
    EnterByProvider,
    ExternalProvidersHere,
    LeaveProvider,
    LinkProvider,
    ProveByProvider,
    ProviderLine,
    ProviderOfSession,
    UnlockByProvider,
)
from salerno.contexts.identity.errors import LinkOver, NoSuchProvider, TooManyAttempts
from salerno.contexts.identity.handlers import counting, letters
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.external.talking import metadata_of, provider_of, providers_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.external import ExternalProvider
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

WITHIN = timedelta(minutes=10)
SCOPE = "openid email"


class Purpose(Struct, frozen=True, kw_only=True):
    """Why a browser is sent away, and for whom where that is known."""

    name: str
    account: UUID | None = None
    session: UUID | None = None
    link: bytes | None = None


def derived(what: str, token: str) -> str:
    """`state`, `nonce` or `verifier` of a departure: each follows from the cookie's token, which follows from none."""
    digest = hashlib.sha256(f"salerno {what} {token}".encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def way_back(bus: Bus, provider: ExternalProvider) -> str:
    """Each provider has an address of its own to come back to, so that none can answer in another's place."""
    return f"{policy_of(bus).issuer}/sign-in/back/{provider.id}"


async def external_providers_here(desk: Desk, errand: ExternalProvidersHere, caller: Caller) -> Sequence[ProviderLine]:
    return [ProviderLine(provider=one.id, name=one.name) for one in providers_of(desk.bus).by_id.values()]


async def enter_by_provider(desk: Desk, errand: EnterByProvider, caller: Caller) -> Departure:
    if not errand.invitation:
        return await _depart(desk, errand.provider, Purpose(name="enter"), caller)
    _, view, _ = await letters.peek(desk, "invitation", errand.invitation)
    if view.status != "invited":
        raise LinkOver()
    return await _depart(desk, errand.provider, Purpose(name="invitation", link=token_hash(errand.invitation)), caller)


async def link_provider(desk: Desk, errand: LinkProvider, caller: Caller) -> Departure:
    return await _depart(desk, errand.provider, await _own(desk, "link", caller), caller)


async def prove_by_provider(desk: Desk, errand: ProveByProvider, caller: Caller) -> Departure:
    return await _depart(desk, errand.provider, await _own(desk, "prove", caller), caller)


async def unlock_by_provider(desk: Desk, errand: UnlockByProvider, caller: Caller) -> Departure:
    """Only there where they came from: behind a lock nobody opens another way in."""
    purpose = await _own(desk, "unlock", caller)
    if await _came_by(desk, caller) != errand.provider:
        raise NoSuchProvider()
    return await _depart(desk, errand.provider, purpose, caller)


async def provider_of_session(desk: Desk, errand: ProviderOfSession, caller: Caller) -> ProviderLine | None:
    found = providers_of(desk.bus).by_id.get(await _came_by(desk, caller))
    return ProviderLine(provider=found.id, name=found.name) if found else None


async def _came_by(desk: Desk, caller: Caller) -> str:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        return str(await tx.fetchval(SQL["provider_of_session"], caller.session, caller.actor) or "")


async def _own(desk: Desk, name: str, caller: Caller) -> Purpose:
    if caller.session is None:
        raise NotSignedIn()
    _, view = await own_account(desk, caller)
    return Purpose(name=name, account=view.account, session=caller.session)


async def _depart(desk: Desk, id: str, purpose: Purpose, caller: Caller) -> Departure:
    provider = provider_of(desk.bus, id)
    await _not_too_often(desk, caller)
    said, token = await metadata_of(desk.bus, provider), new_token()
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        await tx.run(
            SQL["put_departure"], token_hash(token), provider.id, purpose.name, purpose.account, purpose.session,
            purpose.link, tx.now + WITHIN, tx.now,
        )  # fmt: skip
    verifier = hashlib.sha256(derived("verifier", token).encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": way_back(desk.bus, provider),
        "scope": SCOPE,
        "state": derived("state", token),
        "nonce": derived("nonce", token),
        "code_challenge": base64.urlsafe_b64encode(verifier).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    } | ({"prompt": "login", "max_age": "0"} if purpose.name in ("prove", "unlock") else {})
    end = said.authorization_endpoint
    return Departure(location=f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}", token=token)


async def _not_too_often(desk: Desk, caller: Caller) -> None:
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens("departure", caller.address)
        return await counting.count(tx, "departure", place, policy.failures_per_address, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def leave_provider(desk: Desk, errand: LeaveProvider, caller: Caller) -> str:
    """Whoever signs out there comes back to our sign-in page, if the provider knows that address."""
    provider = provider_of(desk.bus, errand.provider)
    end = (await metadata_of(desk.bus, provider)).end_session_endpoint
    if not provider.owns(end):
        return ""
    asked = {
        "client_id": provider.client_id,
        "post_logout_redirect_uri": f"{policy_of(desk.bus).issuer}/sign-in",
    }
    return f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}"
