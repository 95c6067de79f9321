"""Tokens for programs: signed access tokens, rotated refresh tokens, the published keys."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from salerno.kernel.messages import Errand

Jwt = Annotated[str, Meta(max_length=8192)]


class ResolveBearer(Errand):
    """FoundCaller or None: signature, issuer, audience, type, expiry, and that the session still lives."""

    token: Jwt

    def __repr__(self) -> str:
        return "ResolveBearer()"


class Refresh(Errand):
    """Opened, with new tokens. The old refresh token is spent; used again it ends the session."""

    refresh_token: Annotated[str, Meta(max_length=200)]
    kind: str = "api"

    def __repr__(self) -> str:
        return "Refresh()"


class Introspect(Errand):
    """Whether a token is active, with its claims (RFC 7662)."""

    token: Jwt

    def __repr__(self) -> str:
        return "Introspect()"


class Introspection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    active: bool
    sub: str = ""
    iss: str = ""
    aud: str = ""
    exp: int = 0
    iat: int = 0
    sid: str = ""
    role: str = ""
    roles: tuple[str, ...] = ()
    org: str = ""
    token_type: str = ""
    username: str = ""


class SigningKeys(Errand):
    """The public keys, as a JWK set."""


Jwks = dict[str, list[dict[str, Any]]]
