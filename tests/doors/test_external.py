"""Signing in at another OpenID provider, as a browser does it, with a provider that may lie."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from tests.doors.liar import CLIENT, SECRET, Liar, unsigned
from tests.doors.provider_world import BASE, HTML, PASSWORD, POLICY, World, csrf_in, opened

from salerno.contexts.identity.commands import ConfirmTotp, EnrolTotp
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.identity.handlers.external.tokens import SIGN_OUT
from salerno.contexts.identity.handlers.letters import Written
from salerno.contexts.identity.rules.external import ExternalProvider, ExternalProviders
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

BACK = "/sign-in/back/ospedale"
REFUSED = "This sign-in was begun elsewhere, took too long or was answered wrongly."


@pytest.fixture
def liar(bus: Bus) -> Iterator[Liar]:
    made = Liar(now=bus.clock.now)
    yield made
    made.stop()


@pytest.fixture
def provider(bus: Bus, liar: Liar) -> Iterator[Callable[..., None]]:
    """Lists the provider; what a test says is laid over its line."""

    def put(**changes: Any) -> None:
        ospedale = ExternalProvider(
            id="ospedale", name="Ospedale", issuer=liar.issuer, client_id=CLIENT, secret=SECRET,
            factors=frozenset({"mfa"}),
        )  # fmt: skip
        other = ExternalProvider(id="other", name="Other", issuer="https://other.example", client_id="x")
        one = replace(ospedale, **changes)
        bus.settings[ExternalProviders] = ExternalProviders({"ospedale": one, "other": other})

    put()
    yield put
    bus.settings.pop(ExternalProviders)


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[Callable[..., None]]:
    def put(**changes: Any) -> None:
        bus.settings[SignInPolicy] = replace(POLICY, mails=True, **changes)

    put()
    yield put
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def world(bus: Bus, admin: Caller, provider: Callable[..., None]) -> AsyncIterator[World]:
    async with opened(bus, admin, bus.settings[SignInPolicy], **HTML) as world:
        yield world


def asked_in(answer: httpx.Response) -> dict[str, str]:
    """What the provider is asked, whether by a redirect or by a page that leads on."""
    location = answer.headers.get("location", "")
    if not location:
        location = re.findall(r'content="0; url=([^"]+)"', answer.text)[0].replace("&amp;", "&")
    assert urlsplit(location).path == "/authorize", location
    return dict(parse_qsl(urlsplit(location).query))


async def depart(world: World, path: str = "/sign-in/with/ospedale?next=/account") -> dict[str, str]:
    left = await world.browser.get(path)
    assert left.status_code == 303, left.text[-1500:]
    return asked_in(left)


async def enter(world: World, liar: Liar, **changes: str | None) -> httpx.Response:
    told = liar.authorize(await depart(world)) | changes
    return await world.browser.get(BACK, params={k: v for k, v in told.items() if v is not None})


async def linked(world: World, liar: Liar, role: str = "NURSE") -> tuple[UUID, str]:
    """An account of ours, signed in with its password, that has linked the provider's."""
    account, email = await world.account(role)
    assert (await world.sign_in(email)).status_code == 303
    left = await post(world, "/account/providers/link/ospedale")
    assert left.status_code == 200, left.text[-1500:]
    done = await world.browser.get(BACK, params=liar.authorize(asked_in(left)))
    assert (done.status_code, done.headers["location"]) == (303, "/account/providers?done=linked"), done.text[-1500:]
    world.forget_sessions()
    return account, email


async def post(world: World, path: str, **form: str) -> httpx.Response:
    page = await world.browser.get("/account/providers")
    return await world.browser.post(path, data={"csrf": csrf_in(page), **form})


async def sign_out(world: World) -> httpx.Response:
    page = await world.browser.get("/account")
    left = await world.browser.post("/sign-out", data={"csrf": csrf_in(page)})
    world.forget_sessions()
    return left


async def history(bus: Bus, home: UUID, account: UUID) -> list[Any]:
    async with bus.reading("identity", home) as tx:
        return [item.event for item in await tx.history("identity.account", account, None)]


def signed_in(answer: httpx.Response) -> bool:
    return "__Host-sid=" in str(answer.headers.get_list("set-cookie"))


async def test_an_account_there_opens_the_one_here_once_its_owner_has_linked_it(world: World, liar: Liar) -> None:
    account, _ = await linked(world, liar)
    page = (await world.browser.get("/account/providers?done=linked")).text
    assert "Ospedale" in page and "ada@ospedale.example" in page and "The account is linked." in page
    assert (await sign_out(world)).headers["location"] == "/sign-in?done=out"  # by password they came
    assert 'href="/sign-in/with/ospedale?next=' in (await world.browser.get("/sign-in")).text
    request = await depart(world)
    assert request["redirect_uri"] == f"{BASE}{BACK}"
    assert len({request["state"], request["nonce"], request["code_challenge"]}) == 3
    came = await world.browser.get(BACK, params=liar.authorize(request))
    assert (came.status_code, came.headers["location"]) == (303, "/account")
    assert signed_in(came)
    assert (await world.browser.get("/account")).status_code == 200
    told = await history(world.bus, world.admin.organisation, account)
    assert [type(one).__name__ for one in told][-4:] == [
        "ExternalIdentityLinked", "SessionsEnded", "SignedOut", "SignedIn"
    ]  # fmt: skip
    assert told[-1].method == "openid:ospedale"
    assert (told[-4].provider, told[-4].label) == ("ospedale", "ada@ospedale.example")


async def test_a_matching_address_alone_links_nothing(world: World, liar: Liar) -> None:
    _, email = await world.account()
    liar.claims = {"email": email}
    refused = await enter(world, liar)
    assert refused.status_code == 401 and not signed_in(refused)
    assert "Your account there is not linked to one here." in refused.text


LIES: dict[str, dict[str, Any]] = {
    "iss of another": {"iss": "https://other.example"},
    "iss with a slash": {"iss": "+/"},
    "no iss": {"iss": None},
    "aud of another": {"aud": "another"},
    "aud twice, no azp": {"aud": [CLIENT, "another"]},
    "azp of another": {"azp": "another"},
    "no aud": {"aud": None},
    "exp past": {"exp": -61},
    "no exp": {"exp": None},
    "exp as text": {"exp": "4102444800"},
    "iat to come": {"iat": 120},
    "iat long ago": {"iat": -3600},
    "nbf to come": {"nbf": 120},
    "nonce of another": {"nonce": "n" * 43},
    "no nonce": {"nonce": None},
    "no sub": {"sub": None},
    "empty sub": {"sub": ""},
    "sub a number": {"sub": 7},
    "at_hash of another": {"at_hash": "x" * 22},
}


async def test_t017_an_id_token_that_is_not_for_us_now_opens_nothing(world: World, liar: Liar) -> None:
    await linked(world, liar)
    await sign_out(world)
    for lie, said in LIES.items():
        at = int(world.bus.clock.now().timestamp())
        liar.claims = {
            name: at + value if name in ("exp", "iat", "nbf") and isinstance(value, int) else value
            for name, value in said.items()
        }
        if lie == "iss with a slash":
            liar.claims = {"iss": liar.issuer + "/"}
        refused = await enter(world, liar)
        assert (refused.status_code, signed_in(refused), REFUSED in refused.text) == (401, False, True), lie
    liar.claims = {}
    assert signed_in(await enter(world, liar))  # the truth still opens it


def by_another(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, ECKey.generate_key("P-256", {"kid": "one"}))


async def test_a_signature_of_nobody_of_another_or_by_the_public_key_opens_nothing(world: World, liar: Liar) -> None:
    await linked(world, liar)
    await sign_out(world)
    public = OctKey.import_key(json.dumps(liar.key.as_dict(private=False)))
    lies: list[Callable[..., str]] = [
        unsigned,
        by_another,
        lambda header, claims: by_another(header | {"kid": "nobody's"}, claims),
        lambda header, claims: jwt.encode(header | {"alg": "HS256"}, claims, public, algorithms=["HS256"]),
        lambda header, claims: jwt.encode(header | {"typ": "at+jwt"}, claims, liar.key),
        lambda header, claims: jwt.encode(header, claims, liar.key)[:-4] + "AAAA",
        lambda *_: "not.a.token",
    ]
    for lie in lies:
        liar.signs = lie
        refused = await enter(world, liar)
        assert (refused.status_code, signed_in(refused)) == (401, False)
        assert REFUSED in refused.text
    liar.signs = None
    assert signed_in(await enter(world, liar))


async def test_a_new_key_of_the_provider_is_found_although_the_old_ones_are_remembered(
    world: World, liar: Liar
) -> None:
    await linked(world, liar)
    await sign_out(world)
    liar.key = ECKey.generate_key("P-256", {"kid": "next", "use": "sig"})
    liar.header = {"kid": "next"}
    assert signed_in(await enter(world, liar))


async def test_t026_an_answer_of_another_or_to_another_is_refused(world: World, liar: Liar) -> None:
    """Mix-up (RFC 9207), a replayed or foreign state, a doubled parameter, another browser, another provider's path."""
    await linked(world, liar)
    await sign_out(world)
    for wrong in (
        {"iss": "https://other.example"},
        {"iss": None},
        {"state": "s" * 43},
        {"state": None},
        {"code": None},
    ):
        refused = await enter(world, liar, **wrong)
        assert (refused.status_code, signed_in(refused)) == (401, False), wrong
    told = liar.authorize(await depart(world))
    assert (await world.program.get(BACK, params=told)).status_code == 401  # a browser without the cookie
    assert (await world.browser.get("/sign-in/back/other", params=told)).status_code == 401
    told = liar.authorize(await depart(world))
    twice = [*told.items(), ("code", "another")]
    assert (await world.browser.get(BACK, params=twice)).status_code == 401
    told = liar.authorize(await depart(world))
    kept = world.browser.cookies["__Host-departure"]
    assert signed_in(await world.browser.get(BACK, params=told))
    world.browser.cookies.set("__Host-departure", kept, domain="clinic.test", path="/")
    liar.codes[told["code"]] = {}
    assert (
        await world.program.get(BACK, params=told, headers={"Cookie": f"__Host-departure={kept}"})
    ).status_code == 401


async def test_a_departure_is_over_after_ten_minutes_and_a_denial_is_said(
    world: World, liar: Liar, clock: MovableClock
) -> None:
    denied = await enter(world, liar, error="access_denied", code=None)
    assert denied.status_code == 401 and "The other provider did not sign you in." in denied.text
    told = liar.authorize(await depart(world))
    clock.set(world.bus.clock.now() + timedelta(minutes=11))
    late = await world.browser.get(BACK, params=told)
    assert late.status_code == 401 and REFUSED in late.text


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "https://other.example/authorize"},
        {"code_challenge_methods_supported": ["plain"]},
        {"jwks_uri": 7},
    ],
    ids=str,
)
async def test_a_provider_that_points_elsewhere_is_not_followed(world: World, liar: Liar, said: dict[str, Any]) -> None:
    liar.metadata = said
    left = await world.browser.get("/sign-in/with/ospedale")
    assert left.status_code == 503 and "location" not in left.headers
    assert "The other provider does not answer as it should." in left.text
    assert liar.asked == ["/.well-known/openid-configuration"]


async def test_a_redirect_or_a_flood_from_the_token_endpoint_is_not_followed(world: World, liar: Liar) -> None:
    request = await depart(world)
    liar.redirects = f"{liar.issuer}/elsewhere"
    assert (await world.browser.get(BACK, params=liar.authorize(request))).status_code == 503
    liar.redirects = ""
    request = await depart(world)
    liar.padding = 300_000
    assert (await world.browser.get(BACK, params=liar.authorize(request))).status_code == 503
    assert "/elsewhere" not in liar.asked


async def test_the_second_factor_is_asked_for_unless_one_that_counts_was_seen_there(world: World, liar: Liar) -> None:
    account, _ = await linked(world, liar)
    owner = replace_caller(world.admin, account)
    secret = (await world.bus.ask(EnrolTotp(password=PASSWORD), owner)).secret
    code = pyotp.TOTP(secret).at(world.bus.clock.now())
    codes = (await world.bus.ask(ConfirmTotp(code=code), owner)).codes
    world.forget_sessions()
    world.browser.cookies.clear()
    half = await enter(world, liar)
    assert half.status_code == 200 and not signed_in(half)
    assert 'action="/sign-in/code"' in half.text
    form = {"code": codes[0], "next": "/account"}
    whole = await world.browser.post("/sign-in/code", data=form)
    assert whole.status_code == 303 and signed_in(whole)
    assert (await history(world.bus, world.admin.organisation, account))[-1].method == "openid:ospedale recovery-code"
    world.browser.cookies.clear()
    liar.claims = {"amr": ["pwd", "otp"]}
    assert not signed_in(await enter(world, liar))
    liar.claims = {"amr": ["pwd", "mfa"]}
    came = await enter(world, liar)
    assert (came.headers["location"], signed_in(came)) == ("/account", True)


def replace_caller(admin: Caller, account: UUID) -> Caller:
    return Caller(actor=account, organisation=admin.organisation, permissions=frozenset({"identity.change_self"}))


async def test_a_role_that_needs_a_second_factor_sets_one_up_unless_it_was_seen_there(
    world: World, liar: Liar, policy: Callable[..., None]
) -> None:
    await linked(world, liar, "DOCTOR")
    await sign_out(world)
    policy(second_factor_demanded=True)
    assert (await enter(world, liar)).headers["location"] == "/account#second-factor"
    world.forget_sessions()
    assert (await world.browser.get("/people")).status_code in (303, 403)
    world.browser.cookies.clear()
    liar.claims = {"amr": ["mfa"]}
    assert (await enter(world, liar)).headers["location"] == "/account"
    assert (await world.browser.get("/people")).status_code == 200
    client = await world.client(scopes=("openid", "patient-api"))  # and so it is for what they let act for them
    token = (await world.tokens(client, scope="openid patient-api"))["access_token"]
    assert (await world.get("/api/v1/patients", token)).status_code == 200


async def test_linking_asks_once_more_who_it_is_and_one_account_there_opens_one_here(
    world: World, liar: Liar, clock: MovableClock
) -> None:
    await linked(world, liar)
    world.browser.cookies.clear()
    _, email = await world.account()
    await world.sign_in(email)
    left = await post(world, "/account/providers/link/ospedale")
    taken = await world.browser.get(BACK, params=liar.authorize(asked_in(left)))
    assert taken.status_code == 409 and "is linked to an account here already" in taken.text
    left = await post(world, "/account/providers/link/ospedale")
    told = liar.authorize(asked_in(left))
    world.browser.cookies.delete("__Host-sid")
    assert (await world.browser.get(BACK, params=told)).status_code == 401  # the session that left does not come back
    await world.sign_in(email)
    clock.set(world.bus.clock.now() + timedelta(minutes=6))
    world.forget_sessions()
    stale = await post(world, "/account/providers/link/ospedale")
    assert (stale.status_code, stale.headers["location"]) == (303, "/confirm-identity?next=/account")


async def test_unlinking_ends_other_sessions_and_closes_the_door(world: World, liar: Liar) -> None:
    account, _ = await linked(world, liar)
    listed = await world.browser.get("/api/v1/users/me/external-identities")
    assert [(one["provider"], one["label"], one["listed"]) for one in listed.json()] == [
        ("ospedale", "ada@ospedale.example", True)
    ]
    unlinked = await post(world, f"/account/providers/unlink/{listed.json()[0]['identity_id']}")
    assert unlinked.headers["location"] == "/account/providers?done=unlinked"
    told = await history(world.bus, world.admin.organisation, account)
    assert [type(one).__name__ for one in told][-2:] == ["ExternalIdentityUnlinked", "SessionsEnded"]
    again = await post(world, f"/account/providers/unlink/{uuid4()}")
    assert again.status_code == 404 and "No such account is linked." in again.text
    world.browser.cookies.clear()
    assert "is not linked to one here" in (await enter(world, liar)).text
    await linked(world, liar)  # and it may be linked anew, by somebody else too


async def invited(world: World) -> str:
    """The token of an invitation's letter."""
    wish = InviteUser(email=f"{uuid4().hex[:12]}@example.com", role="NURSE", given_name="Ada", family_name="Verdi")
    account = (await world.bus.handle(wish, world.admin)).aggregate_id
    async with world.bus.reading("identity", world.admin.organisation) as tx:
        rows = await tx.fetch("SELECT id, account AS subject, doc FROM letters WHERE account = $1", account)
        return (await tx.open_docs("letters", rows, Written))[0].body.partition("token=")[2].split()[0]


async def test_an_invitation_is_accepted_there_and_the_only_way_in_cannot_be_taken_away(
    world: World, liar: Liar, clock: MovableClock
) -> None:
    token = await invited(world)
    page = (await world.browser.get(f"/invitation?token={token}")).text
    assert f'href="/invitation/with/ospedale?token={token}"' in page and "Accept with Ospedale" in page
    request = await depart(world, f"/invitation/with/ospedale?token={token}")
    came = await world.browser.get(BACK, params=liar.authorize(request))
    assert (came.headers["location"], signed_in(came)) == ("/today", True)
    assert (await world.browser.get(f"/invitation/with/ospedale?token={token}")).status_code == 422  # it works once
    mine = (await world.browser.get("/api/v1/users/me/external-identities")).json()
    kept = await post(world, f"/account/providers/unlink/{mine[0]['identity_id']}")
    assert kept.status_code == 409 and "This is the only way into your account." in kept.text
    # and who has no password shows once more who they are by signing in there anew, not by having done so
    clock.set(world.bus.clock.now() + timedelta(minutes=6))
    world.forget_sessions()
    shown = await world.browser.get("/confirm-identity?next=/account")
    assert "Sign in anew with Ospedale" in shown.text
    old = int((world.bus.clock.now() - timedelta(minutes=5)).timestamp())
    for auth_time, status in ((old, 401), (None, 303)):
        left = await post(world, "/confirm-identity/with/ospedale", next="/account")
        request = asked_in(left)
        assert (request["prompt"], request["max_age"]) == ("login", "0")
        liar.claims = {"auth_time": auth_time} if auth_time else {}
        assert (await world.browser.get(BACK, params=liar.authorize(request))).status_code == status
    world.forget_sessions()
    assert (await post(world, "/account/providers/link/ospedale")).status_code == 200


async def test_t014_who_signs_out_here_is_told_that_they_may_still_be_signed_in_there(world: World, liar: Liar) -> None:
    await linked(world, liar)
    await sign_out(world)
    await enter(world, liar)
    sid = world.browser.cookies["__Host-sid"]
    left = await sign_out(world)
    assert left.headers["location"] == "/sign-in?done=out&at=ospedale"
    stolen = {"Cookie": f"__Host-sid={sid}"}
    assert (await world.program.get("/account", headers=stolen)).status_code == 303
    page = (await world.browser.get(left.headers["location"])).text
    assert "You are signed out here. At Ospedale you may still be signed in." in page
    there = await world.browser.get("/sign-out/at/ospedale")
    assert there.headers["location"] == (
        f"{liar.issuer}/logout?client_id={CLIENT}&post_logout_redirect_uri=https%3A%2F%2Fclinic.test%2Fsign-in"
    )


ADMITTED: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"domains": frozenset({"ospedale.example"})}, {}, True),
    ({"domains": frozenset({"ospedale.example"})}, {"email_verified": False}, False),
    ({"domains": frozenset({"example"})}, {}, False),
    ({"claim": ("groups", "wards")}, {"groups": ["wards", "x"]}, True),
    ({"claim": ("groups", "wards")}, {"groups": "ward"}, False),
    ({"claim": ("groups", "wards")}, {}, False),
    ({"organisation": UUID(int=7)}, {}, False),
]


async def test_whom_the_table_does_not_admit_stays_outside(
    world: World, liar: Liar, provider: Callable[..., None]
) -> None:
    await linked(world, liar)
    await sign_out(world)
    for line, claims, admitted in ADMITTED:
        world.browser.cookies.clear()
        provider(**line)
        liar.claims = claims
        came = await enter(world, liar)
        assert (came.status_code, signed_in(came)) == (303 if admitted else 401, admitted), (line, claims)
        said = "This installation does not let you in with your account there." in came.text
        assert said is not admitted


async def test_a_provider_that_nobody_listed_is_not_there(world: World) -> None:
    assert (await world.browser.get("/sign-in/with/nobody")).status_code == 404
    assert (await world.browser.get("/sign-in/back/nobody?code=x&state=y")).status_code == 404


# ------------------------------------------------------------------ a locked screen
async def locked(world: World) -> str:
    page = await world.browser.get("/account/providers")
    sent = await world.browser.post("/lock", data={"csrf": csrf_in(page), "next": "/account"})
    world.forget_sessions()
    return str(sent.headers["location"])


async def unlock(world: World, provider: str = "ospedale") -> httpx.Response:
    page = await world.browser.get("/locked?next=/account")
    return await world.browser.post(f"/locked/with/{provider}", data={"csrf": csrf_in(page), "next": "/account"})


async def test_whoever_came_by_a_provider_unlocks_the_screen_by_signing_in_there_anew(
    world: World, liar: Liar, clock: MovableClock
) -> None:
    account, _ = await linked(world, liar)
    world.browser.cookies.clear()
    assert (await enter(world, liar)).status_code == 303
    page = await world.browser.get(await locked(world))
    assert 'action="/locked/with/ospedale"' in page.text
    assert (await world.browser.get("/account")).headers["location"].startswith("/locked")
    left = await unlock(world)
    asked = asked_in(left)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    before = world.browser.cookies["__Host-sid"]
    back = await world.browser.get(BACK, params=liar.authorize(asked))
    assert (back.status_code, back.headers["location"]) == (303, "/account"), back.text[-800:]
    assert world.browser.cookies["__Host-sid"] != before
    world.forget_sessions()
    assert (await world.browser.get("/account")).status_code == 200
    assert (await history(world.bus, world.admin.organisation, account))[-1].method == "openid:ospedale"


async def test_a_locked_screen_is_not_unlocked_by_an_old_sign_in_by_another_person_or_another_provider(
    world: World, liar: Liar, clock: MovableClock
) -> None:
    await linked(world, liar)
    await locked(world)
    page = await world.browser.get("/locked?next=/account")
    assert "/locked/with/" not in page.text  # this session was opened with the password
    assert (await unlock(world)).status_code == 404
    world.browser.cookies.clear()
    assert (await enter(world, liar)).status_code == 303
    await locked(world)
    assert (await unlock(world, "other")).status_code == 404
    told = liar.authorize(asked_in(await unlock(world)))
    liar.claims = {"auth_time": int(world.bus.clock.now().timestamp()) - 3600}
    stale = await world.browser.get(BACK, params=told)
    assert stale.status_code == 401 and "The screen is locked." in stale.text
    told = liar.authorize(asked_in(await unlock(world)))
    liar.claims = {"sub": uuid4().hex}
    stranger = await world.browser.get(BACK, params=told)
    assert stranger.status_code == 401 and "The screen is locked." in stranger.text
    liar.claims = {}
    told = liar.authorize(asked_in(await unlock(world)))
    world.browser.cookies.delete("__Host-sid")
    assert not signed_in(await world.browser.get(BACK, params=told))


async def test_unlocking_so_proves_nothing_grave_where_there_is_a_second_factor(world: World, liar: Liar) -> None:
    account, _ = await linked(world, liar)
    owner = replace_caller(world.admin, account)
    secret = (await world.bus.ask(EnrolTotp(password=PASSWORD), owner)).secret
    await world.bus.ask(ConfirmTotp(code=pyotp.TOTP(secret).at(world.bus.clock.now())), owner)
    world.forget_sessions()
    world.browser.cookies.clear()
    liar.claims = {"amr": ["mfa"]}
    assert (await enter(world, liar)).status_code == 303
    await locked(world)
    liar.claims = {}
    world.bus.clock.set(world.bus.clock.now() + timedelta(minutes=6))  # type: ignore[attr-defined]
    world.forget_sessions()
    back = await world.browser.get(BACK, params=liar.authorize(asked_in(await unlock(world))))
    assert back.status_code == 303
    world.forget_sessions()
    stale = await post(world, "/account/providers/link/ospedale")
    assert (stale.status_code, stale.headers["location"]) == (303, "/confirm-identity?next=/account")


# ------------------------------------------------------------------ signed out there
def logout_token(liar: Liar, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    at = int(liar.now().timestamp())
    true: dict[str, Any] = {
        "iss": liar.issuer, "aud": CLIENT, "iat": at, "exp": at + 120, "jti": uuid4().hex, "sub": liar.subject,
        "sid": "there-1", "events": {SIGN_OUT: {}},
    }  # fmt: skip
    claims = {name: value for name, value in (true | changes).items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": "one", "typ": "logout+jwt"} | (header or {}), claims, liar.key)


async def hear(world: World, token: str, provider: str = "ospedale") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url=BASE) as provider_itself:
        got = await provider_itself.post(f"/sign-in/out/{provider}", data={"logout_token": token})
    world.forget_sessions()
    return got


async def is_in(world: World) -> bool:
    return (await world.browser.get("/account")).status_code == 200


async def test_t030_a_sign_out_there_ends_what_was_opened_by_it_here_and_what_was_granted_in_it(
    world: World, liar: Liar
) -> None:
    account, email = await linked(world, liar)
    world.browser.cookies.clear()
    liar.claims = {"sid": "there-1"}
    assert (await enter(world, liar)).status_code == 303
    client = await world.client(scopes=("openid", "offline_access", "patient-api"))
    got = await world.tokens(client, scope="openid offline_access patient-api")
    told = await hear(world, logout_token(liar))
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store"), told.text
    assert not await is_in(world)
    about = {"Authorization": f"Bearer {got['access_token']}", "Accept": "application/json"}
    assert (await world.program.get("/userinfo", headers=about)).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).json()["error"] == "invalid_grant"
    last = (await history(world.bus, world.admin.organisation, account))[-1]
    assert last.reason == "signed out at the other provider"
    assert (await hear(world, logout_token(liar))).status_code == 200  # signed out already
    await world.sign_in(email)  # with the password: none of the provider's business
    assert (await hear(world, logout_token(liar, sid=None))).status_code == 200
    assert await is_in(world)
    assert (await enter(world, liar)).status_code == 303
    assert (await hear(world, logout_token(liar, sid=None))).status_code == 200
    assert not await is_in(world)


async def test_t030_any_other_logout_token_is_400_and_ends_no_session(world: World, liar: Liar) -> None:
    await linked(world, liar)
    world.browser.cookies.clear()
    liar.claims = {"sid": "there-1"}
    assert (await enter(world, liar)).status_code == 303
    at, key = int(liar.now().timestamp()), ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
    forged = Liar(now=liar.now, key=key, subject=liar.subject)
    wrong = {
        "nonce": logout_token(liar, nonce="n"),
        "no events": logout_token(liar, events=None),
        "other events": logout_token(liar, events={"http://schemas.openid.net/event/other": {}}),
        "events that are no object": logout_token(liar, events=[SIGN_OUT]),
        "an event that is no object": logout_token(liar, events={SIGN_OUT: True}),
        "typ of an id token": logout_token(liar, header={"typ": "JWT"}),
        "typ of an access token": logout_token(liar, header={"typ": "at+jwt"}),
        "another sid": logout_token(liar, sid="there-2"),
        "another person's sub": logout_token(liar, sub=uuid4().hex),
        "neither sub nor sid": logout_token(liar, sub=None, sid=None),
        "sid that is no text": logout_token(liar, sid=7),
        "no jti": logout_token(liar, jti=None),
        "another audience": logout_token(liar, aud="other"),
        "two audiences": logout_token(liar, aud=[CLIENT, "other"]),
        "another issuer": logout_token(liar, iss="https://other.example"),
        "expired": logout_token(liar, exp=at - 61),
        "no exp": logout_token(liar, exp=None),
        "long-lived": logout_token(liar, exp=at + 86_400),
        "old": logout_token(liar, iat=at - 3600),
        "of the future": logout_token(liar, iat=at + 3600),
        "another key": logout_token(forged),
        "unsigned": unsigned({"typ": "logout+jwt"}, {"iss": liar.issuer}),
        "no token": "x",
        "nothing": "",
    }
    forged.stop()
    for name, token in wrong.items():
        got = await hear(world, token)
        assert (got.status_code, got.json()) == (400, {"error": "invalid_request"}), name
    assert (await hear(world, logout_token(liar), "nobody")).status_code == 404
    assert await is_in(world)
    good = logout_token(liar)
    assert (await hear(world, good)).status_code == 200
    assert (await enter(world, liar)).status_code == 303
    assert (await hear(world, good)).status_code == 400  # used before
    assert await is_in(world)
