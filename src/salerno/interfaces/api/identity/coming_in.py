"""Signing in, second factors, registration, tokens and their end (IAM-13 to IAM-18)."""

from typing import Any

from salerno.contexts.identity.commands import (
    ChallengePosed,
    Introspect,
    Introspection,
    Opened,
    Refresh,
    Register,
    Registered,
    SignIn,
    SigningKeys,
    SignOut,
    VerifySecondFactor,
)
from salerno.interfaces.api.identity.shapes import (
    PUBLIC,
    TAGS,
    ApiLogin,
    Credentials,
    Factor,
    PlainLogin,
    RefreshToken,
    RegisteredAnswer,
    RegisteredUser,
    Registration,
    Token,
    api_of,
    forgetting,
    plain_of,
)
from salerno.interfaces.http import (
    Problem,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_or_nobody,
    get,
    no_content,
    post,
    read_body,
)
from salerno.interfaces.http.cookies import device_of, sign_out, token_of


# ------------------------------------------------------------------ coming in
async def _sign_in(request: Request[Any, Any, Any], kind: Any) -> Opened:
    body = await read_body(request, Credentials)
    wish = SignIn(
        email=body.email,
        password=body.password,
        kind=kind,
        device=device_of(request),
        agent=request.headers.get("user-agent", "")[:400],
    )
    opened: Opened | ChallengePosed = await bus_of(request).ask(wish, caller_or_nobody(request))
    if isinstance(opened, Opened):
        return opened
    raise Problem(
        401,
        "second-factor-required",
        "The password is right. Send a code of the second factor with this challenge.",
        details={"challenge": opened.challenge, "expires_at": opened.expires_at, "methods": opened.methods},
    )


LOGIN = {"email": "test.doctor@example.com", "password": "password123"}
_in: dict[str, Any] = {"of": SignIn, "public": PUBLIC, "takes": Credentials, "tags": TAGS, "example": LOGIN}


@post("/auth/login", at="bare", gives=PlainLogin, **_in)
async def plain_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in for one long-lived token. With a second factor: 401 `second-factor-required` and a challenge."""
    return answer(request, plain_of(await _sign_in(request, "password")))


@post("/auth/login", at="versioned", gives=ApiLogin, **_in)
async def api_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in for a short access token and a refresh token. With a second factor: 401 and a challenge."""
    return answer(request, api_of(await _sign_in(request, "api")))


async def _second(request: Request[Any, Any, Any]) -> Opened:
    body = await read_body(request, Factor)
    wish = VerifySecondFactor(
        challenge=body.challenge, code=body.code, agent=request.headers.get("user-agent", "")[:400]
    )
    opened: Opened = await bus_of(request).ask(wish, caller_or_nobody(request))
    return opened


_second_factor: dict[str, Any] = {"of": VerifySecondFactor, "public": PUBLIC, "takes": Factor, "tags": TAGS}


@post("/auth/second-factor", at="bare", gives=PlainLogin, **_second_factor)
async def plain_second_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """Finish signing in with a code of the authenticator or a recovery code."""
    return answer(request, plain_of(await _second(request)))


@post("/auth/second-factor", at="versioned", gives=ApiLogin, **_second_factor)
async def api_second_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """Finish signing in with a code of the authenticator or a recovery code."""
    return answer(request, api_of(await _second(request)))


@post(
    "/auth/register", of=Register, public="sign-up", takes=Registration, gives=RegisteredAnswer, status=201, tags=TAGS
)
async def register(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for an account. It is active at once only where an administrator asks, or with a code of the clinic's."""
    body = await read_body(request, Registration)
    wish = Register(
        email=body.email,
        password=body.password,
        given_name=body.first_name_camel or body.first_name,
        family_name=body.last_name_camel or body.last_name,
        role=body.role,
        language=body.language,  # type: ignore[arg-type]
        code=body.code,
    )
    made: Registered = await bus_of(request).ask(wish, caller_or_nobody(request))
    user = RegisteredUser(
        id=made.user_id,
        email=made.email,
        first_name=made.given_name,
        last_name=made.family_name,
        role=made.role,
        status=made.status,
    )
    return answer(request, RegisteredAnswer(user=user), 201)


@post(
    "/auth/refresh",
    of=Refresh,
    public="the refresh token is the credential",
    takes=RefreshToken,
    gives=ApiLogin,
    tags=TAGS,
)
async def refresh(request: Request[Any, Any, Any]) -> Response[Any]:
    """New tokens for a refresh token, which is spent. Used again later, it ends the session."""
    body = await read_body(request, RefreshToken)
    wish = Refresh(refresh_token=body.camel or body.refresh_token)
    return answer(request, api_of(await bus_of(request).ask(wish, caller_or_nobody(request))))


@post("/auth/logout", of=SignOut, takes=None, status=204, tags=TAGS)
async def logout(request: Request[Any, Any, Any]) -> Response[Any]:
    """End this session, with its access and refresh tokens, everywhere."""
    await ask(request, SignOut())
    return sign_out(request, no_content()) if token_of(request) else forgetting(request, no_content())


@post("/auth/introspect", of=Introspect, takes=Token, gives=Introspection, tags=TAGS)
async def introspect(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whether a token is active, with its claims (RFC 7662)."""
    body = await read_body(request, Token)
    return answer(request, await ask(request, Introspect(token=body.token)))


@get("/.well-known/jwks.json", of=SigningKeys, public="public keys", at="bare", tags=TAGS)
async def jwks(request: Request[Any, Any, Any]) -> Response[Any]:
    """The keys that access tokens are verified with."""
    return answer(request, await bus_of(request).ask(SigningKeys(), caller_or_nobody(request)))
