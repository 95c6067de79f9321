"""No token but our own, for its purpose and its time, is good for anything: mutations by the thousand."""

import base64
import json
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from tests.doors.provider_world import BASE, POLICY, World, opened

from salerno.contexts.identity.handlers.keys import Ring, ring, verified_claims
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@pytest.fixture
async def world(bus: Bus, admin: Caller) -> AsyncIterator[World]:
    async with opened(bus, admin) as world:
        yield world


async def keys_of(bus: Bus, caller: Caller) -> Ring:
    return await ring(Desk(bus, bus.rooms["identity"], caller), to_sign=True)


async def token_of(world: World) -> str:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    return str((await world.tokens(client, scope="openid patient-api"))["access_token"])


def part(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def tampered(token: str, chance: random.Random) -> str:
    """Somewhere a letter more, less or other; or a part exchanged; or claims that nobody signed."""
    head, body, signature = token.split(".")
    match chance.randrange(8):
        case 0 | 1 | 2:
            at = chance.randrange(len(token))
            return token[:at] + chance.choice(LETTERS) + token[at + 1 :]
        case 3:
            at = chance.randrange(len(token))
            return token[:at] + token[at + 1 :]
        case 4:
            at = chance.randrange(len(token) + 1)
            return token[:at] + chance.choice(LETTERS + "=+/ \n\0é") + token[at:]
        case 5:
            claims = part(body) | {chance.choice(["sub", "scope", "exp", "role", "aud"]): str(uuid4())}
            return f"{head}.{encoded(claims)}.{signature}"
        case 6:
            change = chance.choice([{"alg": "none"}, {"alg": "HS256"}, {"typ": "JWT"}, {"kid": str(uuid4())},
                                    {"crit": ["exp"]}, {"jku": "https://evil.example/"}, {"b64": False}])  # fmt: skip
            return f"{encoded(part(head) | change)}.{body}.{signature}"
        case _:
            kept = [head, body, signature]
            chance.shuffle(kept)
            return ".".join(kept[: chance.randrange(1, 4)])


async def test_t017_of_ten_thousand_mutated_tokens_none_is_accepted(world: World, bus: Bus, admin: Caller) -> None:
    token, keys, chance = await token_of(world), await keys_of(bus, admin), random.Random(17)
    now = bus.clock.now()
    assert verified_claims(token, keys, POLICY, now) is not None
    seen = {token}
    while len(seen) <= 10_000:
        seen.add(tampered(token, chance))
    seen.discard(token)
    accepted = [one for one in seen if verified_claims(one, keys, POLICY, now) is not None]
    # The last letter of a signature of 64 bytes holds two bits that mean nothing: it is the same signature.
    assert [one for one in accepted if one[:-1] != token[:-1]] == []
    for one in sorted(seen - set(accepted))[:60]:
        if one.isascii() and one.isprintable():
            assert (await world.get("/api/v1/patients", one)).status_code == 401


def wrong(at: int, client: str = "") -> dict[str, dict[str, Any]]:
    """What to change in good claims, by a name; None takes a claim away."""
    return {
        **{f"without {name}": {name: None} for name in ("exp", "iat", "iss", "aud", "sub", "sid")},
        "exp text": {"exp": str(at + 60)}, "exp float": {"exp": at + 60.5}, "exp negative": {"exp": -1},
        "exp true": {"exp": True}, "exp past": {"exp": at - 1}, "exp now": {"exp": at},
        "exp list": {"exp": [at + 60]}, "exp huge": {"exp": 10**30}, "exp far": {"exp": at + 10**8},
        "iat future": {"iat": at + 600}, "iat text": {"iat": "now"}, "iat float": {"iat": at + 0.5},
        "nbf future": {"nbf": at + 600}, "nbf text": {"nbf": "later"},
        "iss slash": {"iss": BASE + "/"}, "iss prefix": {"iss": BASE[:-1]}, "iss case": {"iss": BASE.upper()},
        "iss suffix": {"iss": BASE + ".evil.example"}, "iss list": {"iss": [BASE]},
        "aud client": {"aud": client}, "aud list": {"aud": ["salerno"]}, "aud prefix": {"aud": "salern"},
        "aud list of more": {"aud": ["salerno", "other"]},
        "sid of another": {"sid": str(uuid4())}, "sid odd": {"sid": "1"}, "sid number": {"sid": 7},
        "sub of another": {"sub": str(uuid4())}, "client of another": {"client_id": str(uuid4())},
    }  # fmt: skip


@pytest.mark.parametrize("name", wrong(0))
async def test_t017_even_signed_by_us_such_claims_open_nothing(
    world: World, bus: Bus, admin: Caller, name: str
) -> None:
    token, keys = await token_of(world), await keys_of(bus, admin)
    key = keys.newest
    assert key is not None
    header, claims = part(token.split(".")[0]), part(token.split(".")[1])
    at = int(bus.clock.now().timestamp())
    changed = {n: v for n, v in (claims | wrong(at, claims["client_id"])[name]).items() if v is not None}
    made = jwt.encode(header, changed, key, algorithms=["ES256"])
    assert (await world.get("/api/v1/patients", made)).status_code == 401
    same = jwt.encode(header, claims, key, algorithms=["ES256"])
    assert (await world.get("/api/v1/patients", same)).status_code == 200


async def test_t017_another_key_another_type_another_algorithm_sign_nothing(
    world: World, bus: Bus, admin: Caller
) -> None:
    token, keys = await token_of(world), await keys_of(bus, admin)
    key = keys.newest
    assert key is not None
    header, claims = part(token.split(".")[0]), part(token.split(".")[1])
    other = ECKey.generate_key("P-256", {"kid": header["kid"]})
    shared = OctKey.import_key(json.dumps(key.as_dict(private=False)))
    bad = [
        jwt.encode(header, claims, other, algorithms=["ES256"]),
        jwt.encode(header | {"jwk": other.as_dict(private=False)}, claims, other, algorithms=["ES256"]),
        jwt.encode(header | {"alg": "HS256"}, claims, shared, algorithms=["HS256"]),
        jwt.encode({**header, "typ": "JWT"}, claims, key, algorithms=["ES256"]),
        jwt.encode({**header, "typ": "logout+jwt"}, claims, key, algorithms=["ES256"]),
        jwt.encode({k: v for k, v in header.items() if k != "typ"}, claims, key, algorithms=["ES256"]),
        jwt.encode({k: v for k, v in header.items() if k != "kid"}, claims, key, algorithms=["ES256"]),
        encoded({**header, "alg": "none"}) + "." + token.split(".")[1] + ".",
    ]
    for made in bad:
        assert (await world.get("/api/v1/patients", made)).status_code == 401
