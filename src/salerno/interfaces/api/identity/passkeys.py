"""Passkeys, and showing once more who one is (IAM-38, IAM-39)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.passkeys import (
    AddPasskey,
    BeginPasskey,
    EnterByPasskey,
    LockScreen,
    MyPasskeys,
    OfferPasskey,
    PasskeyKept,
    PasskeyLine,
    ProveAgain,
    RemovePasskey,
)
from salerno.interfaces.api.identity.shapes import PUBLIC, TAGS, ApiLogin, PlainLogin, api_of, forgetting, plain_of
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_of,
    caller_or_nobody,
    delete,
    get,
    no_content,
    post,
    read_body,
)
from salerno.interfaces.http.cookies import sign_in, token_of

Credential = Annotated[dict[str, Any], Meta(description="A credential as WebAuthn writes it in JSON.")]


class NewPasskey(Body):
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    credential: Credential


class Assertion(Body):
    credential: Credential


class Shown(Body):
    """One of the three: a passkey, a code, or (without a second factor) the password."""

    password: Annotated[str, Meta(max_length=100_000)] = ""
    code: Annotated[str, Meta(max_length=100)] = ""
    credential: Credential | None = None


class PasskeyList(Struct, frozen=True, kw_only=True):
    passkeys: Sequence[PasskeyLine]


class PasskeyAnswer(Struct, frozen=True, kw_only=True):
    """`recovery_codes` are there once: with the first second factor of an account."""

    passkey_id: UUID
    recovery_codes: tuple[str, ...]


@get("/users/me/passkeys", of=MyPasskeys, gives=PasskeyList, tags=TAGS)
async def my_passkeys(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's passkeys, and when each was last used."""
    return answer(request, PasskeyList(passkeys=await ask(request, MyPasskeys())))


@post("/users/me/passkeys/options", of=BeginPasskey, takes=None, gives=dict[str, Any], tags=TAGS)
async def begin_passkey(request: Request[Any, Any, Any]) -> Response[Any]:
    """Options for `navigator.credentials.create`. Asks for a proof of identity of the last five minutes."""
    return answer(request, await ask(request, BeginPasskey()))


@post("/users/me/passkeys", of=AddPasskey, takes=NewPasskey, gives=PasskeyAnswer, status=201, tags=TAGS)
async def add_passkey(request: Request[Any, Any, Any]) -> Response[Any]:
    """Keep a passkey. Every other session ends."""
    body = await read_body(request, NewPasskey)
    kept: PasskeyKept = await ask(request, AddPasskey(name=body.name, credential=body.credential))
    made = answer(request, PasskeyAnswer(passkey_id=kept.passkey_id, recovery_codes=kept.codes), 201)
    return sign_in(request, made, kept.token if token_of(request) else "", _ends(request))


def _ends(request: Request[Any, Any, Any]) -> datetime:
    ends: datetime = request.scope["state"]["session"].expires_at
    return ends


@delete("/users/me/passkeys/{passkey_id:uuid}", of=RemovePasskey, status=204, tags=TAGS)
async def remove_passkey(request: Request[Any, Any, Any]) -> Response[Any]:
    """Remove a passkey. Every other session ends."""
    await ask(request, RemovePasskey(passkey_id=request.path_params["passkey_id"]))
    return forgetting(request, no_content())


@post("/auth/passkey/options", of=OfferPasskey, public=PUBLIC, takes=None, gives=dict[str, Any], tags=TAGS)
async def offer_passkey(request: Request[Any, Any, Any]) -> Response[Any]:
    """Options for `navigator.credentials.get`, the same for everybody."""
    return answer(request, await bus_of(request).ask(OfferPasskey(), caller_or_nobody(request)))


async def _enter(request: Request[Any, Any, Any], kind: Any) -> Opened:
    body = await read_body(request, Assertion)
    agent = request.headers.get("user-agent", "")[:400]
    wish = EnterByPasskey(credential=body.credential, kind=kind, agent=agent)
    opened: Opened = await bus_of(request).ask(wish, caller_or_nobody(request))
    return opened


_in: dict[str, Any] = {"of": EnterByPasskey, "public": PUBLIC, "takes": Assertion, "tags": TAGS}


@post("/auth/passkey", at="bare", gives=PlainLogin, **_in)
async def plain_enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in with a passkey alone, for one long-lived token."""
    return answer(request, plain_of(await _enter(request, "password")))


@post("/auth/passkey", at="versioned", gives=ApiLogin, **_in)
async def api_enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in with a passkey alone, for a short access token and a refresh token."""
    return answer(request, api_of(await _enter(request, "api")))


@post("/auth/prove", of=ProveAgain, takes=Shown, status=204, tags=TAGS)
async def prove(request: Request[Any, Any, Any]) -> Response[Any]:
    """Show once more that it is you. For five minutes what answers `reauth-required` is open."""
    body = await read_body(request, Shown)
    wish = ProveAgain(password=body.password, code=body.code, credential=body.credential)
    opened: Opened = await bus_of(request).ask(wish, caller_of(request))
    return sign_in(request, no_content(), opened.token if token_of(request) else "", opened.expires_at)


@post("/users/me/lock", of=LockScreen, takes=None, status=204, tags=TAGS)
async def lock(request: Request[Any, Any, Any]) -> Response[Any]:
    """Lock this session until its owner shows who they are."""
    await bus_of(request).ask(LockScreen(), caller_of(request))
    return forgetting(request, no_content())


ROUTES = [
    my_passkeys,
    begin_passkey,
    add_passkey,
    remove_passkey,
    offer_passkey,
    plain_enter,
    api_enter,
    prove,
    lock,
]
