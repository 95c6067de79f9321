"""The id token of a provider (OpenID Connect Core 3.1.3.7): joserfc verifies the signature, the rest is asked here."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from salerno.contexts.identity.rules.client import SECRETS_OF_KEYS
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.external import ExternalProvider

DIGESTS = {
    "ES256": "sha256", "ES384": "sha384", "ES512": "sha512", "RS256": "sha256", "RS384": "sha384", "RS512": "sha512",
    "PS256": "sha256", "PS384": "sha384", "PS512": "sha512",
}  # fmt: skip
CURVES = frozenset({"P-256", "P-384", "P-521"})
RSA_LETTERS = 341  # base64url of 2048 bits
SIGN_OUT = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY = 60
OLDEST = 600
LONGEST_SUBJECT = LONGEST_SID = 255
LONGEST_TOKEN = 65_536


class Wrong(Exception):
    """What is wrong with an id token, in words for the log."""


class BadSignature(Wrong):
    """No key that we know has signed it; perhaps one that we do not know yet."""


def verified(
    token: str, keys: list[dict[str, Any]], kind: str = "JWT", *, said: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token of this type that one of these keys has signed. `said`: it names its type."""
    fit = [key for key in keys[:100] if _is_fit(key)]
    if not fit or len(token) > LONGEST_TOKEN:
        raise BadSignature("no fit key, or too long")
    try:
        read = jwt.decode(token, KeySet.import_key_set({"keys": fit}), algorithms=list(DIGESTS))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadSignature(type(error).__name__) from None
    named = str(read.header.get("typ", "" if said else kind)).lower().removeprefix("application/")
    if named != kind.lower():
        raise Wrong("typ")
    return read.header, read.claims


def _is_fit(key: dict[str, Any]) -> bool:
    """Whether it is a public key for signatures, and strong enough."""
    if key.get("use", "sig") != "sig" or SECRETS_OF_KEYS & key.keys():
        return False
    modulus = key.get("n")
    if key.get("kty") == "RSA":
        return isinstance(modulus, str) and len(modulus) >= RSA_LETTERS
    return key.get("kty") == "EC" and key.get("crv") in CURVES


def checked(
    provider: ExternalProvider,
    header: dict[str, Any],
    claims: dict[str, Any],
    *,
    nonce: str,
    now: datetime,
    access_token: str,
    since: datetime | None = None,
) -> str:
    """The subject of a token that is for us, of now, and for this browser. `since`: they signed in there no earlier."""
    at = int(now.timestamp())
    if claims.get("iss") != provider.issuer:
        raise Wrong("iss")
    _for_us(provider, claims)
    if _instant(claims, "exp") <= at - LEEWAY:
        raise Wrong("exp")
    if not at - OLDEST <= _instant(claims, "iat") <= at + LEEWAY:
        raise Wrong("iat")
    if "nbf" in claims and _instant(claims, "nbf") > at + LEEWAY:
        raise Wrong("nbf")
    if since is not None and not since.timestamp() - LEEWAY <= _instant(claims, "auth_time") <= at + LEEWAY:
        raise Wrong("auth_time")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Wrong("nonce")
    if "at_hash" in claims and claims["at_hash"] != _half_hash(str(header.get("alg")), access_token):
        raise Wrong("at_hash")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise Wrong("sub")
    return subject


def _for_us(provider: ExternalProvider, claims: dict[str, Any]) -> None:
    audience, party = claims.get("aud"), claims.get("azp")
    named = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in named:
        raise Wrong("aud")
    if party != provider.client_id and (party is not None or len(named) > 1):
        raise Wrong("azp")


def _instant(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        raise Wrong(name)
    return value


def _half_hash(algorithm: str, token: str) -> str:
    digest = hashlib.new(DIGESTS[algorithm], token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def heard(provider: ExternalProvider, claims: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The claims of a logout token that is for us and of now (OpenID Connect Back-Channel Logout 2.6)."""
    at = int(now.timestamp())
    if claims.get("iss") != provider.issuer:
        raise Wrong("iss")
    _for_us(provider, claims)
    if not at - LEEWAY < _instant(claims, "exp") <= at + OLDEST + LEEWAY:
        raise Wrong("exp")
    if not at - OLDEST <= _instant(claims, "iat") <= at + LEEWAY:
        raise Wrong("iat")
    if "nonce" in claims:
        raise Wrong("nonce")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(SIGN_OUT), dict):
        raise Wrong("events")
    for name, longest in (("jti", LONGEST_SUBJECT), ("sub", LONGEST_SUBJECT), ("sid", LONGEST_SID)):
        value = claims.get(name)
        if (value is not None or name == "jti") and not (isinstance(value, str) and 1 <= len(value) <= longest):
            raise Wrong(name)
    if claims.get("sub") is None and claims.get("sid") is None:
        raise Wrong("neither sub nor sid")
    return claims


def session_there(provider: ExternalProvider, claims: dict[str, Any]) -> bytes | None:
    """What the session is called there, where it is called anything: kept as a hash."""
    said = claims.get("sid")
    fit = isinstance(said, str) and 1 <= len(said) <= LONGEST_SID
    return token_hash(f"{provider.issuer}\n{said}") if fit else None
