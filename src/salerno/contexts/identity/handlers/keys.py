"""The keys that sign access tokens (ES256): made here, kept sealed, published by their public halves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from weakref import WeakKeyDictionary

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry
from msgspec import Struct

from salerno.contexts.identity.commands import Profile
from salerno.contexts.identity.events import SigningKeyMade
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.decider import Decider
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Origin
from salerno.kernel.transactions import Tx

STREAM = uuid5(INSTALLATION, "signing keys")
SIGNS_FOR, HOLDS_FOR = timedelta(days=90), timedelta(days=120)
ALGORITHM, TYPE = "ES256", "at+jwt"
LOOK_AGAIN, LOOK_SOONER = timedelta(seconds=30), timedelta(seconds=2)


class Private(Struct, frozen=True):
    """A private key as a JWK."""

    jwk: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys that hold, the newest last, and when they were looked up."""

    keys: tuple[tuple[datetime, ECKey], ...]
    at: datetime

    @property
    def newest(self) -> ECKey | None:
        return self.keys[-1][1] if self.keys and self.at - self.keys[-1][0] < SIGNS_FOR else None

    def public(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for _, key in self.keys]}


@dataclass(frozen=True, slots=True)
class Made:
    """Which key was made last."""

    key: UUID | None = None


@dataclass(frozen=True, slots=True)
class MakeKey:
    """Make this one."""

    key: UUID
    thumbprint: str


def decide(state: Made, wish: MakeKey, origin: Origin) -> Sequence[SigningKeyMade]:
    return [SigningKeyMade(key=wish.key, thumbprint=wish.thumbprint)]


def evolve(state: Made, event: SigningKeyMade) -> Made:
    return Made(event.key)


SIGNING: Decider[Made, MakeKey, SigningKeyMade] = Decider(
    kind="identity.signing", initial=Made(), decide=decide, evolve=evolve, events=SigningKeyMade
)
_rings: "WeakKeyDictionary[Bus, Ring]" = WeakKeyDictionary()


async def ring(desk: Desk, *, to_sign: bool = False, fresh: bool = False) -> Ring:
    """The keys that hold now; with `to_sign` there is one to sign with, made if need be."""
    known = _rings.get(desk.bus)
    if known is None or fresh or not timedelta() <= desk.now - known.at < LOOK_AGAIN:
        known = await _load(desk)
    if to_sign and known.newest is None:
        await desk.within(INSTALLATION, _make)
        known = await _load(desk)
    return known


async def _load(desk: Desk) -> Ring:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch(SQL["signing_keys"], INSTALLATION, tx.now - HOLDS_FOR)
        docs = await tx.open_docs("signing_keys", rows, Private)
    found = Ring(tuple((r["made_at"], ECKey.import_key(d.jwk)) for r, d in zip(rows, docs, strict=True)), desk.now)
    _rings[desk.bus] = found
    return found


async def _make(tx: Tx) -> None:
    """Whoever loses the race for the stream's next version finds the other's key here, and makes none."""
    if await tx.fetch(SQL["signing_keys"], INSTALLATION, tx.now - SIGNS_FOR):
        return
    id = tx.new_id()
    key = ECKey.generate_key("P-256", {"kid": str(id), "alg": ALGORITHM, "use": "sig"}, private=True)
    await tx.execute(SIGNING, STREAM, MakeKey(id, key.thumbprint()), subject=INSTALLATION)
    sealed = await tx.seal_doc("signing_keys", id, INSTALLATION, Private(dict(key.as_dict(private=True))))
    await tx.run(SQL["put_signing_key"], INSTALLATION, id, sealed, tx.now)


async def access_token(desk: Desk, user: Profile, session: UUID, seconds: int) -> str:
    """A signed access token (RFC 9068). What it allows is looked up when it is used, not read from it."""
    key, policy = (await ring(desk, to_sign=True)).newest, policy_of(desk.bus)
    assert key is not None
    issued = int(desk.now.timestamp())
    claims = {
        "iss": policy.issuer,
        "sub": str(user.user_id),
        "aud": policy.audience,
        "iat": issued,
        "exp": issued + seconds,
        "jti": session.hex + format(issued, "x"),
        "sid": str(session),
        "client_id": "salerno",
        "role": user.role,
        "org": str(user.hospital_id),
    }
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


async def claims_of(desk: Desk, token: str) -> dict[str, Any] | None:
    """The claims of a token that is ours, meant for us and not expired; else None."""
    policy, keys = policy_of(desk.bus), await ring(desk)
    found = verified_claims(token, keys, policy, desk.now)
    if found is None and desk.now - keys.at >= LOOK_SOONER and _names_unknown_key(token, keys):
        found = verified_claims(token, await ring(desk, fresh=True), policy, desk.now)
    return found


def verified_claims(token: str, keys: Ring, policy: SignInPolicy, now: datetime) -> dict[str, Any] | None:
    """joserfc checks neither type nor, of its own accord, any claim: each is asked for here."""
    if not keys.keys:
        return None
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=5,
        iss={"essential": True, "value": policy.issuer},
        aud={"essential": True, "values": list(policy.audiences)},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        sid={"essential": True},
    )
    try:
        decoded = jwt.decode(token, KeySet([key for _, key in keys.keys]), algorithms=[ALGORITHM])
        rules.validate(decoded.claims)
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError):
        return None
    if not _is_ours_in_shape(decoded.claims, policy):
        return None
    expired = decoded.claims["exp"] <= int(now.timestamp())
    return None if expired or decoded.header.get("typ") != TYPE or "kid" not in decoded.header else decoded.claims


def _is_ours_in_shape(claims: dict[str, Any], policy: SignInPolicy) -> bool:
    """We write whole seconds and one audience, and no token lives longer than the longest of ours."""
    moments = [claims["exp"], claims["iat"]]
    if not isinstance(claims["aud"], str) or any(type(moment) is not int for moment in moments):
        return False
    longest = max(policy.password_token, policy.access_token)
    return bool(claims["exp"] - claims["iat"] <= longest.total_seconds())


def _names_unknown_key(token: str, keys: Ring) -> bool:
    """Another process may have made a key since we looked."""
    try:
        kid = extract_compact(token.encode()).headers().get("kid", "")
        UUID(str(kid))
    except (JoseError, ValueError):
        return False
    return all(key.kid != kid for _, key in keys.keys)
