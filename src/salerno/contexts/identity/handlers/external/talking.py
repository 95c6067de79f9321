"""What we ask of a provider, server to server: on its own host only, soon answered, small, and never redirected."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote
from weakref import WeakKeyDictionary

import httpx
import msgspec
import structlog
from msgspec import Struct

from salerno.contexts.identity.errors import ExternalRefused, NoSuchProvider, ProviderUnwell
from salerno.contexts.identity.rules.external import ExternalProvider, ExternalProviders
from salerno.kernel.bus import Bus

T = TypeVar("T")
PATH = "/.well-known/openid-configuration"
TIMEOUT, LONGEST = 5.0, 10.0
BIGGEST = 262_144
KEEP = timedelta(minutes=5)
LOG = structlog.get_logger("salerno.external")
_HEARD: WeakKeyDictionary[Bus, dict[tuple[str, str], tuple[datetime, Any]]] = WeakKeyDictionary()


class Metadata(Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery), as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)


class Tokens(Struct, frozen=True, kw_only=True):
    """What a code was worth."""

    id_token: str
    access_token: str = ""

    def __repr__(self) -> str:
        return "Tokens()"


class Keys(Struct, frozen=True):
    """A JWK set."""

    keys: list[dict[str, Any]]


def providers_of(bus: Bus) -> ExternalProviders:
    found = bus.settings.get(ExternalProviders)
    return found if isinstance(found, ExternalProviders) else ExternalProviders()


def provider_of(bus: Bus, id: str) -> ExternalProvider:
    found = providers_of(bus).by_id.get(id)
    if found is None:
        raise NoSuchProvider()
    return found


async def metadata_of(bus: Bus, provider: ExternalProvider) -> Metadata:
    """What it says of itself, where it says it of itself and of nobody else."""

    async def look() -> Metadata:
        said = await _asked(provider, "GET", provider.issuer.rstrip("/") + PATH, Metadata)
        ends = (said.authorization_endpoint, said.token_endpoint, said.jwks_uri)
        if said.issuer != provider.issuer or not all(provider.owns(end) for end in ends):
            raise _unwell(provider, "metadata of another")
        if "S256" not in said.code_challenge_methods_supported:
            raise _unwell(provider, "no S256")
        return said

    return await _kept(bus, (provider.issuer, "metadata"), look)


async def keys_of(bus: Bus, provider: ExternalProvider, said: Metadata, *, anew: bool) -> list[dict[str, Any]]:
    """Its keys, from memory unless `anew`."""

    async def look() -> Keys:
        return await _asked(provider, "GET", said.jwks_uri, Keys)

    if anew:
        _HEARD.setdefault(bus, {}).pop((provider.issuer, "keys"), None)
    return (await _kept(bus, (provider.issuer, "keys"), look)).keys


async def redeemed(provider: ExternalProvider, said: Metadata, code: str, verifier: str, back: str) -> Tokens:
    """The tokens that a code is worth, for whoever has its verifier and our secret."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    basic = provider.secret and "client_secret_basic" in said.token_endpoint_auth_methods_supported
    if basic:  # RFC 6749, 2.3.1: each part is encoded like a form's value before it is joined
        auth = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(provider.secret, safe=""))
        return await _asked(provider, "POST", said.token_endpoint, Tokens, data=form, auth=auth)
    form |= {"client_id": provider.client_id}
    form |= {"client_secret": provider.secret} if provider.secret else {}
    return await _asked(provider, "POST", said.token_endpoint, Tokens, data=form)


async def _kept(bus: Bus, place: tuple[str, str], look: Callable[[], Awaitable[T]]) -> T:
    """From memory for some minutes; two who ask at once both look."""
    heard, now = _HEARD.setdefault(bus, {}), bus.clock.now()
    if place in heard and heard[place][0] <= now < heard[place][0] + KEEP:
        found: T = heard[place][1]
        return found
    looked = await look()
    heard[place] = (now, looked)
    return looked


async def _asked(provider: ExternalProvider, method: str, url: str, shape: type[T], **more: Any) -> T:
    """One request. No proxy of the environment, no redirect, and no more than we can want to read."""
    if not provider.owns(url):
        raise _unwell(provider, "another host")
    try:
        async with (
            asyncio.timeout(LONGEST),
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as http,
            http.stream(method, url, headers={"Accept": "application/json"}, **more) as answer,
        ):
            read = await _read(provider, answer)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        raise _unwell(provider, type(error).__name__) from error
    if method == "POST" and answer.status_code == httpx.codes.BAD_REQUEST:
        raise refused(provider, "the code")
    if answer.status_code != httpx.codes.OK:
        raise _unwell(provider, f"status {answer.status_code}")
    try:
        return msgspec.json.decode(read, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unwell(provider, "malformed") from None


async def _read(provider: ExternalProvider, answer: httpx.Response) -> bytes:
    read = bytearray()
    async for chunk in answer.aiter_bytes():
        read += chunk
        if len(read) > BIGGEST:
            raise _unwell(provider, "too big")
    return bytes(read)


def _unwell(provider: ExternalProvider, why: str) -> ProviderUnwell:
    LOG.warning("external.unwell", provider=provider.id, why=why)
    return ProviderUnwell()


def refused(provider: ExternalProvider, why: str) -> ExternalRefused:
    """What was wrong is for the operator; whoever sent it learns only that it was."""
    LOG.warning("external.refused", provider=provider.id, why=why)
    return ExternalRefused()
