"""The OpenID provider's endpoints for programs: discovery, tokens, pushed requests, introspection and their like."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from salerno.contexts.identity.commands.external import HearSignOut
from salerno.contexts.identity.commands.provider import (
    AskProvider,
    Endpoint,
    ProviderAnswer,
    ProviderMetadata,
    UserInfo,
)
from salerno.contexts.identity.commands.registration import AskToRegister, SaidOfItself
from salerno.interfaces.http import (
    Body,
    Problem,
    Request,
    Response,
    Route,
    answer,
    ask,
    bus_of,
    caller_or_nobody,
    get,
    post,
    read_query,
)
from salerno.interfaces.http.bodies import from_json, media_type
from salerno.kernel.errors import NotFound

TAGS = ("OpenID provider",)
FORM = "application/x-www-form-urlencoded"
METADATA = "published metadata"
CREDENTIAL = "the program proves itself in the request"
MOST = 60
LONGEST = 10_000
BIGGEST = 65_536
BY_TOKEN = "the other provider's signature says who asks"  # noqa: S105
UNKNOWN = "a program that nobody knows yet"


class Whose(Body):
    """Whose administrators are asked; needed where there are several organisations."""

    hospital_id: UUID | None = None


def _metadata(path: str, kind: Any, summary: str) -> Route:
    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        told = await bus_of(request).ask(ProviderMetadata(kind=kind), caller_or_nobody(request))
        return answer(request, told, headers={"Cache-Control": "public, max-age=300"})

    route: Route = get(path, of=ProviderMetadata, public=METADATA, at="bare", tags=TAGS, summary=summary)(handle)
    return route


async def _form(request: Request[Any, Any, Any]) -> tuple[tuple[str, str], ...]:
    """The form as it came, repeated names and all: the provider says what may not repeat."""
    if media_type(request) != FORM:
        raise Problem(415, "unsupported-media-type", f"Send {FORM}.")
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        raise Problem(400, "malformed-form", "The body is not a form in UTF-8.") from None
    if any(len(value) > LONGEST or "\0" in value or "\ufffd" in name for name, value in pairs):
        raise Problem(400, "malformed-form", "A value is longer than any that has a meaning here.")
    return tuple(pairs)


def _endpoint(path: str, endpoint: Endpoint, summary: str) -> Route:
    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        wish = AskProvider(
            endpoint=endpoint,
            form=await _form(request),
            authorization=request.headers.get("authorization", "")[:4000],
        )
        return _told(await bus_of(request).ask(wish, caller_or_nobody(request)))

    said: dict[str, Any] = {"of": AskProvider, "public": CREDENTIAL, "at": "bare", "tags": TAGS, "summary": summary}
    route: Route = post(path, **said)(handle)
    return route


def _told(said: ProviderAnswer) -> Response[Any]:
    headers = {name: value for name, value in said.headers if name.lower() != "content-type"}
    return Response(
        msgspec.json.encode(said.body), status_code=said.status, headers=headers, media_type="application/json"
    )


async def _register(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where it is off there is nothing here, whatever was sent."""
    can = await bus_of(request).ask(ProviderMetadata(kind="oauth"), caller_or_nobody(request))
    if "registration_endpoint" not in can:
        raise NotFound
    if media_type(request) != "application/json":
        raise Problem(415, "unsupported-media-type", "Send application/json.")
    try:
        said = from_json(SaidOfItself, await request.body())
        whose = read_query(request, Whose).hospital_id
    except Problem as wrong:
        return _told(_unreadable(wrong))
    return _told(await bus_of(request).ask(AskToRegister(said=said, organisation=whose), caller_or_nobody(request)))


def _unreadable(wrong: Problem) -> ProviderAnswer:
    """In the words of RFC 7591, whose readers know no other."""
    first = wrong.errors[0] if wrong.errors else None
    why = f"{first.path}: {first.message}" if first else wrong.sentence
    body = {"error": "invalid_client_metadata", "error_description": why}
    return ProviderAnswer(status=400, body=body, headers=(("Cache-Control", "no-store"),))


async def _sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    given = [value for name, value in await _form(request) if name == "logout_token"]
    token = given[0] if len(given) == 1 else ""
    wish = HearSignOut(provider=str(request.path_params["provider"])[:40], logout_token=token[:20_000])
    return _told(await bus_of(request).ask(wish, caller_or_nobody(request)))


async def _user_info(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, await ask(request, UserInfo()))


_about: dict[str, Any] = {"of": UserInfo, "at": "bare", "tags": TAGS, "summary": "Who the bearer of the token is."}
ROUTES = [
    _metadata("/.well-known/openid-configuration", "openid", "What the OpenID provider can do."),
    _metadata("/.well-known/oauth-authorization-server", "oauth", "What the authorization server can do (RFC 8414)."),
    _metadata("/.well-known/smart-configuration", "smart", "What SMART applications may rely on."),
    _metadata("/fhir/R4/.well-known/smart-configuration", "smart", "The same, where SMART applications look for it."),
    _endpoint("/token", "token", "Tokens for a code, a refresh token, a device code, or for the program itself."),
    _endpoint("/par", "par", "Push an authorization request (RFC 9126)."),
    _endpoint("/introspect", "introspection", "Whether a token is active, with its claims (RFC 7662)."),
    _endpoint("/revoke", "revocation", "Give a token back (RFC 7009)."),
    _endpoint("/device_authorization", "device_authorization", "Begin to sign in on a device (RFC 8628)."),
    post(
        "/register",
        of=AskToRegister,
        public=UNKNOWN,
        at="bare",
        tags=TAGS,
        max_body=BIGGEST,
        takes=SaidOfItself,
        query=Whose,
        status=201,
        summary="Ask to be registered (RFC 7591), where the installation allows it.",
    )(_register),
    post(
        "/sign-in/out/{provider:str}",
        of=HearSignOut,
        public=BY_TOKEN,
        at="bare",
        tags=TAGS,
        summary="Another provider says that somebody has signed out there (OpenID Connect Back-Channel Logout).",
    )(_sign_out),
    get("/userinfo", **_about)(_user_info),
    post("/userinfo", **_about)(_user_info),
]
