"""What programs are told of how somebody came in: `amr` and `acr` of the id token, for every way of entering."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.doors.liar import CLIENT, SECRET, Liar
from tests.doors.provider_world import BASE, HTML, PASSWORD, World, application, csrf_in
from tests.identity.authenticator import PRESENT, VERIFIED, Authenticator

from salerno.contexts.identity.commands import ConfirmTotp, EnrolTotp
from salerno.contexts.identity.rules.external import ExternalProvider, ExternalProviders
from salerno.contexts.identity.rules.methods import ONE_FACTOR, SEVERAL_FACTORS, of_provider, together
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ELIGIBLE, BACKED_UP = 0x08, 0x10
SCOPE = "openid offline_access patient-api"


@pytest.fixture(autouse=True)
def policy(bus: Bus, clock: MovableClock) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        issuer=BASE, second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000
    )
    clock.set(NOON)
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def world(bus: Bus, admin: Caller) -> AsyncIterator[World]:
    app = application(bus)
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=HTML) as browser,
        httpx.AsyncClient(transport=transport, base_url=BASE) as program,
    ):
        yield World(bus, admin, browser, program, app)


async def claims_in(world: World, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await world.program.get("/.well-known/jwks.json")).json())
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


async def told(world: World, client: str) -> tuple[Any, Any]:
    """What a program hears now, which it hears again when it renews its tokens."""
    got = await world.tokens(client, scope=SCOPE)
    claims = await claims_in(world, got["id_token"])
    renewed = await world.refresh(client, got["refresh_token"])
    again = await claims_in(world, renewed.json()["id_token"])
    assert [again.get(one) for one in ("amr", "acr", "auth_time")] == [
        claims.get(one) for one in ("amr", "acr", "auth_time")
    ]
    return claims.get("amr"), claims.get("acr")


async def with_totp(world: World, account: UUID) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    owner = Caller(
        actor=account, organisation=world.admin.organisation, permissions=frozenset({"identity.change_self"})
    )
    made = pyotp.TOTP((await world.bus.ask(EnrolTotp(password=PASSWORD), owner)).secret)
    codes = (await world.bus.ask(ConfirmTotp(code=made.at(world.bus.clock.now())), owner)).codes
    return made, codes


async def with_passkey(world: World) -> Authenticator:
    """Adds one to the account that is signed in, and signs out."""
    device = Authenticator(BASE)
    csrf = csrf_in(await world.browser.get("/account"))
    options = (await world.browser.post("/account/passkeys/options", headers={"X-CSRF-Token": csrf})).json()
    form = {"csrf": csrf, "name": "Key", "credential": json.dumps(device.create(options))}
    assert (await world.browser.post("/account/passkeys", data=form)).status_code == 200
    world.forget_sessions()
    return device


async def enter_by_passkey(world: World, device: Authenticator, flags: int) -> None:
    world.browser.cookies.clear()
    options = (await world.browser.post("/sign-in/passkey/options")).json()
    form = {"credential": json.dumps(device.get(options, flags=flags)), "next": "/account"}
    assert (await world.browser.post("/sign-in/passkey", data=form)).status_code == 303


async def confirm(world: World, **form: str) -> None:
    page = await world.browser.get("/confirm-identity?next=/account")
    sent = await world.browser.post("/confirm-identity", data={"csrf": csrf_in(page), "next": "/account", **form})
    assert sent.status_code == 303, sent.text[-800:]
    world.forget_sessions()


async def test_a_password_is_one_factor(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    assert await told(world, client) == (["pwd"], ONE_FACTOR)


@pytest.mark.parametrize(("kind", "amr"), [("totp", ["pwd", "otp", "mfa"]), ("recovery", ["pwd", "mfa"])])
async def test_a_code_after_the_password_makes_two(
    world: World, clock: MovableClock, kind: str, amr: list[str]
) -> None:
    client = await world.client()
    account, email = await world.account()
    totp, codes = await with_totp(world, account)
    clock.set(NOON + timedelta(minutes=1))
    assert (await world.sign_in(email)).status_code == 200
    code = totp.at(world.bus.clock.now()) if kind == "totp" else codes[0]
    assert (await world.browser.post("/sign-in/code", data={"code": code, "next": "/account"})).status_code == 303
    assert await told(world, client) == (amr, SEVERAL_FACTORS)


@pytest.mark.parametrize(
    ("flags", "key"), [(PRESENT | VERIFIED, "hwk"), (PRESENT | VERIFIED | ELIGIBLE | BACKED_UP, "swk")]
)
async def test_a_passkey_alone_is_a_key_and_its_owner_and_never_a_password(world: World, flags: int, key: str) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    device = await with_passkey(world)
    assert await told(world, client) == (["pwd"], ONE_FACTOR)  # adding a key proves nothing yet
    await enter_by_passkey(world, device, flags)
    assert await told(world, client) == ([key, "user", "mfa"], SEVERAL_FACTORS)


async def test_what_is_shown_once_more_is_added_and_what_was_granted_before_stays_as_it_was(
    world: World, clock: MovableClock
) -> None:
    client = await world.client()
    account, email = await world.account()
    await world.sign_in(email)
    device = await with_passkey(world)
    totp, _ = await with_totp(world, account)
    clock.set(NOON + timedelta(minutes=1))
    await world.sign_in(email)
    form = {"code": totp.at(world.bus.clock.now()), "next": "/account"}
    assert (await world.browser.post("/sign-in/code", data=form)).status_code == 303
    before = await world.tokens(client, scope=SCOPE)
    options = (await world.browser.post("/sign-in/passkey/options", headers=await csrf(world))).json()
    await confirm(world, credential=json.dumps(device.get(options)))
    assert await told(world, client) == (["pwd", "otp", "hwk", "user", "mfa"], SEVERAL_FACTORS)
    old = (await world.refresh(client, before["refresh_token"])).json()
    assert (await claims_in(world, old["id_token"]))["amr"] == ["pwd", "otp", "mfa"]


async def csrf(world: World) -> dict[str, str]:
    return {"X-CSRF-Token": csrf_in(await world.browser.get("/account"))}


async def test_an_authenticator_that_is_set_up_in_a_session_was_shown_in_it(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    page = await world.browser.get("/account")
    begun = await world.browser.post("/account/second-factor", data={"csrf": csrf_in(page), "password": PASSWORD})
    secret = begun.text.partition("secret=")[2][:32] or begun.text.partition("<code")[2].partition(">")[2][:32]
    code = pyotp.TOTP(secret.replace(" ", "")).at(world.bus.clock.now())
    done = await world.browser.post("/account/second-factor/confirm", data={"csrf": csrf_in(begun), "code": code})
    assert done.status_code == 200, done.text[-800:]
    world.forget_sessions()
    assert await told(world, client) == (["pwd", "otp", "mfa"], SEVERAL_FACTORS)


async def test_a_device_without_a_keyboard_rests_on_the_session_that_let_it_in(world: World) -> None:
    client = await world.client(device=True)
    _, email = await world.account()
    await world.sign_in(email)
    begun = (await world.program.post("/device_authorization", data=secret_of(world, client) | {"scope": SCOPE})).json()
    page = await world.browser.get("/device")
    form = {"csrf": csrf_in(page), "user_code": begun["user_code"], "decision": "allow"}
    assert (await world.browser.post("/device/answer", data=form)).status_code == 303
    world.bus.clock.set(NOON + timedelta(seconds=30))  # type: ignore[attr-defined]
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    got = await world.token(client, grant_type=grant, device_code=begun["device_code"])
    assert (await claims_in(world, got.json()["id_token"]))["amr"] == ["pwd"]


def secret_of(world: World, client: str) -> dict[str, str]:
    return {"client_id": client, "client_secret": world.secrets[client]}


# ------------------------------------------------------------------ another provider
@pytest.fixture
def liar(bus: Bus) -> Iterator[Liar]:
    made = Liar(now=bus.clock.now)
    line = ExternalProvider(
        id="ospedale", name="Ospedale", issuer=made.issuer, client_id=CLIENT, secret=SECRET, factors=frozenset({"mfa"})
    )
    bus.settings[ExternalProviders] = ExternalProviders({"ospedale": line})
    yield made
    bus.settings.pop(ExternalProviders)
    made.stop()


async def through(world: World, liar: Liar, left: httpx.Response) -> httpx.Response:
    location = left.headers.get("location") or left.text.partition('content="0; url=')[2].partition('"')[0]
    asked = dict(httpx.URL(location.replace("&amp;", "&")).params)
    return await world.browser.get("/sign-in/back/ospedale", params=liar.authorize(asked))


async def linked(world: World, liar: Liar) -> UUID:
    account, email = await world.account()
    await world.sign_in(email)
    page = await world.browser.get("/account/providers")
    left = await world.browser.post("/account/providers/link/ospedale", data={"csrf": csrf_in(page)})
    assert (await through(world, liar, left)).status_code == 303
    world.forget_sessions()
    return account


async def enter(world: World, liar: Liar) -> httpx.Response:
    world.browser.cookies.clear()
    return await through(world, liar, await world.browser.get("/sign-in/with/ospedale"))


@pytest.mark.parametrize(
    ("said", "amr", "acr"),
    [
        (None, None, None),
        ("pwd", None, None),
        (["sc", "pin"], ["sc", "pin"], ONE_FACTOR),
        (["pwd"], ["pwd"], ONE_FACTOR),
        (["pwd", "otp", "mfa"], ["pwd", "otp", "mfa"], SEVERAL_FACTORS),
        (["https://idp.example/strong", 7, "hwk"], ["hwk"], ONE_FACTOR),
    ],
)
async def test_of_another_provider_is_told_what_it_said_and_never_a_password_of_ours(
    world: World, liar: Liar, said: Any, amr: Any, acr: Any
) -> None:
    client = await world.client()
    await linked(world, liar)
    liar.claims = {"amr": said}
    assert (await enter(world, liar)).status_code == 303
    assert await told(world, client) == (amr, acr)


async def test_our_code_is_added_to_what_the_other_provider_said(world: World, liar: Liar, clock: MovableClock) -> None:
    client = await world.client()
    totp, _ = await with_totp(world, await linked(world, liar))
    clock.set(NOON + timedelta(minutes=1))
    liar.claims = {"amr": ["sc"]}
    assert (await enter(world, liar)).status_code == 200
    form = {"code": totp.at(world.bus.clock.now()), "next": "/account"}
    assert (await world.browser.post("/sign-in/code", data=form)).status_code == 303
    assert await told(world, client) == (["sc", "otp", "mfa"], SEVERAL_FACTORS)


def test_several_factors_are_a_providers_word_only_where_the_operator_relies_on_it() -> None:
    assert of_provider({"amr": ["pwd", "mfa"]}) == ("pwd",)
    assert of_provider({"amr": ["hwk"]}, vouched=True) == ("hwk", "mfa")
    assert together(("pwd", "mfa"), ("pwd",), ("hwk", "mfa")) == ("pwd", "hwk", "mfa")
