"""Tokens for programs: checked strictly, renewed once, dead with their session."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from tests.identity.conftest import NOBODY, Person

from salerno.contexts.identity.commands import (
    ChangeUserRole,
    FoundCaller,
    Introspect,
    Introspection,
    Opened,
    Refresh,
    ResolveBearer,
    SigningKeys,
)
from salerno.contexts.identity.errors import RefreshRefused
from salerno.contexts.identity.handlers.keys import Private
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]


def part(token: str, nth: int) -> dict[str, Any]:
    text = token.split(".")[nth]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


def packed(content: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def who(bus: Bus, token: str) -> FoundCaller | None:
    found: FoundCaller | None = await bus.ask(ResolveBearer(token=token), NOBODY)
    return found


async def test_a_token_is_es256_signed_and_verifies_with_the_published_keys(
    person: Make, enter: Enter, bus: Bus, admin: Caller
) -> None:
    nurse = await person("NURSE")
    opened = await enter(nurse, kind="api")
    keys = await bus.ask(SigningKeys(), NOBODY)
    assert all("d" not in key for key in keys["keys"])
    decoded = jwt.decode(opened.access_token, KeySet.import_key_set(keys), algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["sub"] == str(nurse.account)
    assert decoded.claims["role"] == "NURSE"
    assert decoded.claims["org"] == str(admin.organisation)
    assert decoded.claims["sid"] == str(opened.session)
    assert decoded.claims["aud"] == "salerno"
    assert decoded.claims["exp"] - decoded.claims["iat"] == 15 * 60
    found = await who(bus, opened.access_token)
    assert found is not None
    assert found.caller.actor == nurse.account


async def test_the_plain_login_s_token_lives_as_long_as_its_setting_says(
    person: Make, enter: Enter, bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person(), kind="password")
    assert opened.refresh_token == ""
    assert opened.access_seconds == 24 * 3600
    clock.set(noon + timedelta(hours=23, minutes=59))
    assert await who(bus, opened.access_token)
    clock.set(noon + timedelta(hours=24))
    assert await who(bus, opened.access_token) is None


async def private_key(bus: Bus) -> ECKey:
    async with bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch("SELECT id, subject, doc FROM signing_keys ORDER BY made_at DESC")
        docs = await tx.open_docs("signing_keys", rows, Private)
    return ECKey.import_key(docs[0].jwk)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"kid": "unknown"}, {}),
        ({}, {"iss": "https://evil.example"}),
        ({}, {"iss": None}),
        ({}, {"aud": "another"}),
        ({}, {"aud": None}),
        ({}, {"exp": None}),
        ({}, {"exp": 1}),
        ({}, {"sid": None}),
        ({}, {"sid": "not-a-session"}),
        ({}, {"sub": "00000000-0000-7000-8000-000000000000"}),
        ({}, {"iat": 99999999999}),
    ],
)
async def test_a_token_that_lacks_or_bends_anything_is_nobodys(
    person: Make, enter: Enter, bus: Bus, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    opened = await enter(await person(), kind="api")
    key = await private_key(bus)
    good_header = {k: v for k, v in ({**part(opened.access_token, 0), **header}).items() if v is not None}
    good_claims = {k: v for k, v in ({**part(opened.access_token, 1), **claims}).items() if v is not None}
    assert await who(bus, jwt.encode(good_header, good_claims, key, algorithms=["ES256"])) is None


async def test_neither_unsigned_nor_signed_by_another_key_nor_by_the_public_key_as_secret(
    person: Make, enter: Enter, bus: Bus
) -> None:
    token = (await enter(await person(), kind="api")).access_token
    header, claims = part(token, 0), part(token, 1)
    other = ECKey.generate_key("P-256", {"kid": header["kid"]}, private=True)
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for forged in (
        jwt.encode(header, claims, other, algorithms=["ES256"]),
        f"{packed({**header, 'alg': 'none'})}.{packed(claims)}.",
        f"{packed({**header, 'alg': 'HS256'})}.{packed(claims)}.{token.split('.')[2]}",
        flipped,
        "",
        "a.b.c",
        "\u00e9" * 40,
    ):
        assert await who(bus, forged) is None


async def test_a_changed_role_ends_every_token_and_the_next_one_carries_the_new_one(
    person: Make, enter: Enter, bus: Bus, admin: Caller
) -> None:
    nurse = await person("NURSE")
    old = await enter(nurse, kind="password")
    await bus.handle(ChangeUserRole(account_id=nurse.account, role="receptionist"), admin)
    assert await who(bus, old.access_token) is None
    found = await who(bus, (await enter(nurse, kind="password")).access_token)
    assert found is not None
    assert found.caller.role == "RECEPTIONIST"


async def test_a_refresh_token_is_renewed_and_a_lost_answer_may_be_asked_for_again(
    person: Make, enter: Enter, bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    first = await enter(await person(), kind="api")
    second: Opened = await bus.ask(Refresh(refresh_token=first.refresh_token), NOBODY)
    clock.set(noon + timedelta(seconds=9))
    again: Opened = await bus.ask(Refresh(refresh_token=first.refresh_token), NOBODY)
    assert len({first.refresh_token, second.refresh_token, again.refresh_token}) == 3
    assert await who(bus, again.access_token)


async def test_a_spent_refresh_token_that_comes_back_ends_the_session(
    person: Make, enter: Enter, bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    first = await enter(await person(), kind="api")
    second: Opened = await bus.ask(Refresh(refresh_token=first.refresh_token), NOBODY)
    clock.set(noon + timedelta(seconds=11))
    with pytest.raises(RefreshRefused):
        await bus.ask(Refresh(refresh_token=first.refresh_token), NOBODY)
    with pytest.raises(RefreshRefused):
        await bus.ask(Refresh(refresh_token=second.refresh_token), NOBODY)
    assert await who(bus, second.access_token) is None


async def test_a_refresh_token_ends_with_its_life_and_none_is_made_up(
    person: Make, enter: Enter, bus: Bus, clock: MovableClock, noon: datetime, policy: Callable[..., SignInPolicy]
) -> None:
    clock.set(noon)
    first = await enter(await person(), kind="api")
    clock.set(noon + timedelta(days=7, seconds=1))
    for token in (first.refresh_token, "made-up"):
        with pytest.raises(RefreshRefused):
            await bus.ask(Refresh(refresh_token=token), NOBODY)


async def test_introspection_tells_the_claims_of_a_live_token_to_the_same_organisation_only(
    person: Make, enter: Enter, bus: Bus, admin: Caller, caller: Callable[..., Caller]
) -> None:
    nurse = await person()
    token = (await enter(nurse, kind="api")).access_token
    told: Introspection = await bus.ask(Introspect(token=token), admin)
    assert (told.active, told.sub, told.role) == (True, str(nurse.account), "NURSE")
    assert await bus.ask(Introspect(token=token + "x"), admin) == Introspection(active=False)
    stranger = caller("ADMIN", organisation_id=nurse.account)
    assert await bus.ask(Introspect(token=token), stranger) == Introspection(active=False)
