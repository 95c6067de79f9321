"""Assertions by which a client proves who it is (RFC 7523): joserfc verifies the signature, the rest is asked here."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from joserfc import jwt
from joserfc.jwk import KeySet

from salerno.contexts.identity.handlers.provider.clients import Client
from salerno.contexts.identity.handlers.provider.talk import LEEWAY, Talk
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.client import keys_of as keys_in
from salerno.contexts.identity.rules.codes import token_hash

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "PS256", "PS384"]
LONGEST = 300 + LEEWAY


def keys_of(client: Client) -> KeySet:
    found = keys_in(client.terms.jwks) if client.terms.jwks else None
    if found is None:
        raise InvalidClientError(description="This client does not sign with a key.")
    return found


async def verified(talk: Talk, assertion: str, keys: KeySet) -> dict[str, Any]:
    """The claims of a good assertion, whose id is spent by this."""
    token = jwt.decode(assertion, keys, algorithms=ALGORITHMS)
    claims, now = token.claims, int(talk.now.timestamp())
    if "kid" not in token.header or token.header.get("typ", "JWT") not in ("JWT", "client-authentication+jwt"):
        raise ValueError("header")
    if not isinstance(claims.get("sub"), str) or claims["sub"] != claims.get("iss"):
        raise ValueError("sub is not iss")
    if not _for_us(talk, claims.get("aud")):
        raise ValueError("aud")
    expires = _instant(claims, "exp")
    if not now - LEEWAY < expires <= now + LONGEST:
        raise ValueError("exp")
    if any(_instant(claims, name) > now + LEEWAY for name in ("iat", "nbf") if name in claims):
        raise ValueError("from the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 500:
        raise ValueError("jti")
    until = talk.now.fromtimestamp(expires + LEEWAY, talk.now.tzinfo)
    if not await talk.tx.fetchval(SQL["take_assertion"], claims["sub"], token_hash(jti), until):
        raise InvalidClientError(description="This assertion was used before.")
    return dict(claims)


def _for_us(talk: Talk, audience: Any) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    ours = {talk.issuer, f"{talk.issuer}/token", f"{talk.issuer}/par"}
    return bool(named) and all(isinstance(one, str) for one in named) and bool(ours.intersection(named))


def _instant(claims: dict[str, Any], name: str) -> int:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        raise ValueError(name)
    return int(value)
