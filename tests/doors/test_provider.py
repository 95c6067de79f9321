"""The OpenID provider as programs and browsers meet it: every grant, every page on the way, and what is refused."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from tests.doors.provider_world import (
    BASE,
    CALLBACK,
    FORM,
    VERIFIER,
    World,
    application,
    back,
    challenge_of,
    csrf_in,
)

from salerno.contexts.identity.commands import DeactivateUser, RetireClient
from salerno.contexts.identity.commands.further_roles import AddUserRole
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.identity.commands.made_roles import DefineRole, RetireRole
from salerno.contexts.identity.commands.memberships import AcceptMembership, EndMembership, SwitchOrganisation
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.testing import MovableClock


async def verified(world: World, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, by the published keys, as any other program would do it."""
    keys = KeySet.import_key_set((await world.program.get("/.well-known/jwks.json")).json())
    found = jwt.decode(token, keys, algorithms=["ES256"])
    return dict(found.header), dict(found.claims)


# ------------------------------------------------------------------ the whole way
async def test_a_person_signs_in_allows_and_the_program_gets_its_tokens(world: World) -> None:
    client = await world.client()
    account, email = await world.account()
    asked = await world.authorize(client, scope="openid profile email offline_access patient-api")
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/sign-in?next=/authorize/go/")
    next = asked.headers["location"].partition("next=")[2]
    entered = await world.sign_in(email, next)
    assert (entered.status_code, entered.headers["location"]) == (303, next)
    page = await world.browser.get(next)
    assert "Cardio" in page.text and "app.example" in page.text and 'value="patient-api"' in page.text
    told = back(await world.allow(page))
    assert (told["state"], told["iss"]) == ("st", BASE)
    got = await world.redeem(client, told["code"])
    assert got.status_code == 200
    assert got.headers["cache-control"] == "no-store"
    body = got.json()
    assert body["token_type"] == "Bearer"
    assert body["scope"] == "openid profile email offline_access patient-api"
    header, claims = await verified(world, body["access_token"])
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert (claims["iss"], claims["aud"], claims["sub"], claims["client_id"]) == (BASE, "salerno", str(account), client)
    header, claims = await verified(world, body["id_token"])
    assert header["typ"] == "JWT"
    assert {"auth_time", "at_hash", "amr", "sid"} <= claims.keys()
    assert (claims["aud"], claims["nonce"], claims["email"], claims["name"]) == (client, "no", email, "Ada Verdi")
    about = await world.get("/userinfo", body["access_token"])
    assert about.status_code == 200, about.text
    assert (about.status_code, about.json()["sub"], about.json()["email"]) == (200, str(account), email)


async def test_what_was_allowed_is_not_asked_again_and_never_stretched(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    await world.code(client, scope="openid patient-api")
    assert "code" in back(await world.authorize(client, scope="openid patient-api", prompt="none"))
    more = await world.authorize(client, scope="openid patient-api appointment-api", prompt="none")
    assert back(more)["error"] == "consent_required"
    asked = await world.authorize(client, scope="openid patient-api", prompt="consent")
    assert asked.headers["location"].startswith("/authorize/go/")


async def test_iam06_our_own_web_client_asks_no_consent(world: World) -> None:
    _, email = await world.account()
    await world.sign_in(email)
    told = back(await world.authorize("meditrack-web", redirect_uri="http://localhost:3000/callback"))
    assert "code" in told
    assert "MediTrack" in (await world.browser.get("/account/applications")).text


async def test_refusing_is_told_to_the_program(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    page = await world.browser.get((await world.authorize(client)).headers["location"])
    path = page.request.url.path
    no = await world.browser.post(path, data={"csrf": csrf_in(page), "decision": "deny"})
    assert back(no) == {"error": "access_denied", "state": "st", "iss": BASE} | (
        {"error_description": back(no)["error_description"]} if "error_description" in back(no) else {}
    )
    assert (await world.browser.get(path)).status_code == 400


async def test_prompt_none_without_a_session_is_login_required(world: World) -> None:
    client = await world.client()
    assert back(await world.authorize(client, prompt="none"))["error"] == "login_required"


async def test_prompt_login_and_max_age_make_the_person_prove_it_again(world: World, clock: MovableClock) -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    clock.set(start)
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    await world.code(client)
    clock.set(start + timedelta(minutes=8))
    for said in ({"prompt": "login"}, {"max_age": "60"}):
        asked = await world.authorize(client, **said)
        assert "again=true" in asked.headers["location"]
        assert (await world.browser.get(asked.headers["location"])).status_code == 200
    next = asked.headers["location"].partition("next=")[2].partition("&")[0]
    assert (await world.browser.get(next)).headers["location"].startswith("/sign-in")
    await world.sign_in(email, next)
    assert "code" in back(await world.browser.get(next))


async def test_t031_after_the_password_comes_303_and_the_page_leads_on_without_a_script(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    asked = await world.authorize(client)
    page = await world.browser.get(asked.headers["location"])
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    led = await world.allow(page)
    assert led.status_code == 200 and "data-onward" in led.text


# ------------------------------------------------------------------ refresh
async def test_a_refresh_token_is_rotated_and_a_lost_answer_is_given_again(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    first = await world.tokens(client, scope="openid offline_access patient-api")
    once = (await world.refresh(client, first["refresh_token"])).json()
    again = (await world.refresh(client, first["refresh_token"])).json()
    assert once["refresh_token"] == again["refresh_token"] != first["refresh_token"]
    assert (await world.refresh(client, once["refresh_token"])).status_code == 200


async def test_a_spent_refresh_token_that_comes_back_ends_the_grant(world: World, clock: MovableClock) -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    clock.set(start)
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    first = await world.tokens(client, scope="openid offline_access patient-api")
    second = (await world.refresh(client, first["refresh_token"])).json()
    clock.set(start + timedelta(seconds=11))
    got = await world.refresh(client, first["refresh_token"])
    assert (got.status_code, got.json()["error"]) == (400, "invalid_grant")
    assert (await world.refresh(client, second["refresh_token"])).json()["error"] == "invalid_grant"
    world.forget_sessions()
    assert (await world.get("/userinfo", second["access_token"])).status_code == 401


async def test_a_used_successor_makes_an_early_replay_a_theft(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    first = await world.tokens(client, scope="openid offline_access")
    second = (await world.refresh(client, first["refresh_token"])).json()
    third = (await world.refresh(client, second["refresh_token"])).json()
    assert (await world.refresh(client, first["refresh_token"])).status_code == 400
    assert (await world.refresh(client, third["refresh_token"])).status_code == 400


async def test_eight_refreshes_at_once_have_one_successor(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    first = await world.tokens(client, scope="openid offline_access")
    answers = await asyncio.gather(*(world.refresh(client, first["refresh_token"]) for _ in range(8)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["refresh_token"] for one in answers}) == 1


async def test_without_offline_access_there_is_no_refresh_token(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    assert "refresh_token" not in await world.tokens(client, scope="openid patient-api")


async def test_another_clients_refresh_token_is_refused_and_not_spent(world: World) -> None:
    client, other = await world.client(), await world.client(name="Other")
    _, email = await world.account()
    await world.sign_in(email)
    first = await world.tokens(client, scope="openid offline_access")
    assert (await world.refresh(other, first["refresh_token"])).json()["error"] == "invalid_grant"
    narrower = await world.refresh(client, first["refresh_token"], scope="openid appointment-api")
    assert narrower.json()["error"] == "invalid_scope"
    assert (await world.refresh(client, first["refresh_token"])).status_code == 200
    plain = await world.program.post("/auth/refresh", json={"refreshToken": first["refresh_token"]})
    assert plain.status_code == 401


async def test_a_public_clients_refresh_token_says_whose_it_is_and_no_others_does(world: World) -> None:
    public, secretive = await world.client(kind="browser"), await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    for client, status in ((public, 200), (secretive, 401)):
        token = (await world.tokens(client, scope="openid offline_access"))["refresh_token"]
        got = await world.program.post("/token", data={"grant_type": "refresh_token", "refresh_token": token})
        assert got.status_code == status
    unknown = await world.program.post("/token", data={"grant_type": "refresh_token", "refresh_token": "x"})
    assert unknown.json()["error"] == "invalid_client"


# ------------------------------------------------------------------ C: codes, PKCE, addresses
async def test_t025_a_code_is_used_once_and_a_second_use_ends_what_the_first_gave(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    code = await world.code(client, scope="openid offline_access")
    answers = await asyncio.gather(*(world.redeem(client, code) for _ in range(12)))
    assert sorted(one.status_code for one in answers) == [200] + [400] * 11
    good = next(one for one in answers if one.status_code == 200).json()
    world.forget_sessions()
    assert (await world.get("/userinfo", good["access_token"])).status_code == 401
    assert (await world.refresh(client, good["refresh_token"])).status_code == 400


async def test_t025_a_code_is_its_clients_its_addresss_and_a_minutes(world: World, clock: MovableClock) -> None:
    clock.set(start := datetime(2026, 3, 2, 12, tzinfo=UTC))
    client = await world.client(redirect_uris=(CALLBACK, f"{CALLBACK}2"))
    other = await world.client(name="Other")
    _, email = await world.account()
    await world.sign_in(email)
    code = await world.code(client)
    assert (await world.redeem(other, code)).json()["error"] == "invalid_grant"
    assert (await world.redeem(client, code, redirect_uri=f"{CALLBACK}2")).json()["error"] == "invalid_grant"
    clock.set(start + timedelta(seconds=61))
    assert (await world.redeem(client, code)).json()["error"] == "invalid_grant"
    code = await world.code(client)
    clock.set(start + timedelta(seconds=120))
    assert (await world.redeem(client, code)).status_code == 200


@pytest.mark.parametrize(
    ("method", "challenge"),
    [
        (None, None),
        ("S256", None),
        (None, challenge_of(VERIFIER)),
        ("plain", VERIFIER),
        ("S256", ""),
        ("S256", "x" * 42),
        ("S256", "x" * 44),
        ("s256", challenge_of(VERIFIER)),
        ("S512", challenge_of(VERIFIER)),
    ],
)
async def test_t024_without_a_challenge_of_s256_there_is_no_code(
    world: World, method: str | None, challenge: str | None
) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    told = back(await world.authorize(client, code_challenge=challenge, code_challenge_method=method))
    assert (told["error"], told["state"], told["iss"]) == ("invalid_request", "st", BASE)


@pytest.mark.parametrize("verifier", [None, "", "w" * 64, "v" * 42, "v" * 129, challenge_of(VERIFIER)])
async def test_t024_a_wrong_verifier_gets_no_token(world: World, verifier: str | None) -> None:
    for said in ({}, {"kind": "browser"}):
        client = await world.client(**said)
        _, email = await world.account()
        await world.sign_in(email)
        code = await world.code(client)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        got = await world.token(client, **form, **({} if verifier is None else {"code_verifier": verifier}))
        assert got.status_code == 400
        assert got.json()["error"] in ("invalid_request", "invalid_grant")
        assert (await world.redeem(client, code)).status_code == 200  # the owner's own try still counts


MUTATIONS = [
    CALLBACK + "/",
    CALLBACK + "x",
    CALLBACK[:-1],
    CALLBACK + "?a=b",
    CALLBACK + "#f",
    CALLBACK + "%2f",
    CALLBACK + "/../cb",
    CALLBACK.replace("https", "http"),
    CALLBACK.replace("https", "HTTPS"),
    CALLBACK.replace("app.", "APP."),
    CALLBACK.replace("app.example", "app.example."),
    CALLBACK.replace("app.example", "app.example:443"),
    CALLBACK.replace("app.example", "app.example:8443"),
    CALLBACK.replace("app.example", "app.example@evil.example"),
    CALLBACK.replace("app.example", "u:p@app.example"),
    CALLBACK.replace("app.example", "evil.example"),
    CALLBACK.replace("app.example", "app.example.evil.example"),
    CALLBACK.replace("app.example", "aрp.example"),
    CALLBACK.replace("//app", "//sub.app"),
    CALLBACK.replace("/cb", "\\cb"),
    CALLBACK.replace("/cb", "/%63b"),
    CALLBACK.replace("/cb", "//cb"),
    CALLBACK.replace("/cb", "/./cb"),
    CALLBACK.replace("/cb", "/CB"),
    "",
    " ",
    "/cb",
    "cb",
    "//app.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://localhost:3000/callback",
    "http://127.0.0.1/cb",
    f" {CALLBACK}",
    f"{CALLBACK} ",
    f"{CALLBACK}\r\nX: y",
    f"{CALLBACK}\x00",
    f"{CALLBACK}%00",
    "com.example.app:/cb",
]


async def test_t023_nobody_is_sent_to_an_address_that_is_not_registered(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    for uri in MUTATIONS:
        for more in ({}, {"response_type": "token"}, {"scope": "nonsense"}, {"code_challenge": None}):
            got = await world.authorize(client, redirect_uri=uri, **more)
            assert (got.status_code, "location" in got.headers) == (400, False), (uri, more)
            assert "http-equiv" not in got.text
    twice = await world.browser.get(
        "/authorize", params=[*world.request(client).items(), ("redirect_uri", "https://evil.example/")]
    )
    assert (twice.status_code, "evil.example" in twice.headers.get("location", "")) == (400, False)
    for missing in ("redirect_uri", "client_id"):
        assert (await world.authorize(client, **{missing: None})).status_code == 400


async def test_t026_only_codes_are_given_and_nothing_else_is_advertised(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    for kind in ("token", "id_token", "code id_token", "code token", "none", ""):
        told = back(await world.authorize(client, response_type=kind))
        assert told["error"] in ("unsupported_response_type", "invalid_request") and told["iss"] == BASE
    for mode in ("fragment", "form_post", "web_message"):
        assert back(await world.authorize(client, response_mode=mode))["error"] == "invalid_request"
    for grant in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "", "client_credentials"):
        got = await world.token(client, grant_type=grant, username=email, password="x", assertion="x")
        assert got.json()["error"] in ("unsupported_grant_type", "unauthorized_client", "invalid_request")
    told_of = (await world.program.get("/.well-known/openid-configuration")).json()
    assert told_of["response_types_supported"] == ["code"]
    assert told_of["grant_types_supported"] == [
        "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code",
    ]  # fmt: skip
    assert told_of["authorization_response_iss_parameter_supported"] is True
    assert told_of["issuer"] == BASE
    assert not [name for name in ("registration_endpoint", "request_object") if name in told_of]


async def test_t026_a_request_uri_that_is_not_ours_is_never_followed(world: World) -> None:
    client = await world.client()
    for uri in ("http://169.254.169.254/", "https://clinic.test/x", "urn:ietf:params:oauth:request_uri:nobody", ""):
        got = await world.authorize(client, request_uri=uri)
        assert (got.status_code, "location" in got.headers) == (400, False)
    assert back(await world.authorize(client, request="e30.e30."))["error"] == "request_not_supported"


async def test_t026_every_document_names_the_same_issuer_and_only_asymmetric_signatures(world: World) -> None:
    for path in ("openid-configuration", "oauth-authorization-server", "smart-configuration"):
        told = (await world.program.get(f"/.well-known/{path}")).json()
        assert told["issuer"] == BASE
        named = [one for name, value in told.items() if "alg" in name for one in value]
        assert not [one for one in named if one.startswith("HS") or one == "none"]
    keys = (await world.program.get("/.well-known/jwks.json")).json()["keys"]
    assert keys and not [key for key in keys if {"d", "k"} & key.keys()]


# ------------------------------------------------------------------ PAR
async def test_a_pushed_request_is_used_once_by_its_own_client(world: World) -> None:
    client, other = await world.client(), await world.client(name="Other")
    _, email = await world.account()
    await world.sign_in(email)
    form = world.request(client) | {"client_secret": world.secrets[client]}
    pushed = await world.program.post("/par", data=form)
    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 60)
    uri = pushed.json()["request_uri"]
    foreign = await world.browser.get("/authorize", params={"client_id": other, "request_uri": uri})
    assert foreign.status_code == 400
    asked = await world.browser.get("/authorize", params={"client_id": client, "request_uri": uri})
    told = back(await world.allow(asked))
    assert (await world.redeem(client, told["code"])).status_code == 200
    again = await world.browser.get("/authorize", params={"client_id": client, "request_uri": uri})
    assert again.status_code == 400


async def test_a_push_is_checked_when_it_is_made(world: World) -> None:
    client = await world.client()
    good = world.request(client) | {"client_secret": world.secrets[client]}
    for change, error in (
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"request_uri": "urn:x"}, "invalid_request"),
    ):
        got = await world.program.post("/par", data=good | change)
        assert got.json()["error"] == error
        assert "location" not in got.headers


# ------------------------------------------------------------------ B: what a token opens
async def test_t017_a_token_is_for_its_purpose_alone(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    for wrong in (got["id_token"], got["refresh_token"], got["access_token"][:-2], got["access_token"] + "A"):
        assert (await world.get("/api/v1/patients", wrong)).status_code == 401
    assert (await world.refresh(client, got["access_token"])).status_code == 400
    assert (await world.redeem(client, got["refresh_token"])).status_code == 400


async def test_t017_a_scope_of_another_room_is_forbidden(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    token = (await world.tokens(client, scope="openid patient-api"))["access_token"]
    assert (await world.get("/api/v1/patients", token)).status_code == 200
    for path in ("/api/v1/appointments", "/api/v1/users"):
        got = await world.get(path, token)
        assert (got.status_code, got.json()["code"]) == (403, "not-allowed")
    changed = await world.program.post(
        "/users/me/totp", json={"password": "x"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert changed.status_code == 403


async def test_t019_what_ends_ends_at_every_door(world: World) -> None:
    client = await world.client()
    account, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    await world.bus.handle(DeactivateUser(account_id=account), world.admin)
    world.forget_sessions()
    assert (await world.get("/api/v1/patients", got["access_token"])).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).json()["error"] == "invalid_grant"


async def test_t019_a_retired_application_is_out(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    await world.bus.handle(RetireClient(client_id=UUID(client)), world.admin)
    world.forget_sessions()
    assert (await world.get("/api/v1/patients", got["access_token"])).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).json()["error"] == "invalid_client"


async def test_t014_signing_out_ends_the_programs_too(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    page = await world.browser.get("/account")
    await world.browser.post("/sign-out", data={"csrf": csrf_in(page)})
    world.forget_sessions()
    assert (await world.get("/api/v1/patients", got["access_token"])).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).json()["error"] == "invalid_grant"
    told = await world.program.post(
        "/introspect", data={"token": got["access_token"], "client_id": client, "client_secret": world.secrets[client]}
    )
    assert told.json() == {"active": False}


async def test_signing_in_again_in_the_same_browser_keeps_the_programs(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access")
    page = await world.browser.get("/account")
    await world.browser.post("/sign-in", data={"email": email, "password": "wrong", "csrf": csrf_in(page)})
    data = {"email": email, "password": "quiet lantern over Salerno bay", "csrf": csrf_in(page)}
    assert (await world.browser.post("/sign-in", data=data)).status_code == 303
    assert (await world.refresh(client, got["refresh_token"])).status_code == 200


# ------------------------------------------------------------------ introspection and revocation
async def test_introspection_is_for_the_tokens_of_ones_own_house(world: World, bus: Bus, caller: Any) -> None:
    client = await world.client()
    account, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    form = {"client_id": client, "client_secret": world.secrets[client]}
    told = (await world.program.post("/introspect", data=form | {"token": got["access_token"]})).json()
    assert (told["active"], told["sub"], told["client_id"]) == (True, str(account), client)
    assert told["scope"] == "openid offline_access patient-api"
    assert (await world.program.post("/introspect", data=form | {"token": got["refresh_token"]})).json()["active"]
    assert (await world.program.post("/introspect", data=form | {"token": "nonsense"})).json() == {"active": False}
    stranger = World(bus, caller("ADMIN", organisation_id=uuid4()), world.browser, world.program, world.app)
    theirs = await stranger.client()
    form = {"client_id": theirs, "client_secret": stranger.secrets[theirs]}
    hidden = await world.program.post("/introspect", data=form | {"token": got["access_token"]})
    assert hidden.json() == {"active": False}
    assert (await world.program.post("/introspect", data={"token": got["access_token"]})).status_code == 401


async def test_a_token_that_is_given_back_takes_its_family_along(world: World) -> None:
    client, other = await world.client(), await world.client(name="Other")
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access")
    form = {"client_id": other, "client_secret": world.secrets[other], "token": got["refresh_token"]}
    assert (await world.program.post("/revoke", data=form)).status_code == 400
    assert (await world.get("/userinfo", got["access_token"])).status_code == 200
    form = {"client_id": client, "client_secret": world.secrets[client]}
    assert (await world.program.post("/revoke", data=form | {"token": "unknown"})).status_code == 200
    assert (await world.program.post("/revoke", data=form | {"token": got["refresh_token"]})).status_code == 200
    world.forget_sessions()
    assert (await world.get("/userinfo", got["access_token"])).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).json()["error"] == "invalid_grant"


# ------------------------------------------------------------------ services
def service_key() -> tuple[ECKey, str]:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    return key, json.dumps({"keys": [key.as_dict(private=False)]})


def assertion(client: str, key: Any, now: datetime, **changes: Any) -> str:
    at = int(now.timestamp())
    claims = {"iss": client, "sub": client, "aud": f"{BASE}/token", "iat": at, "exp": at + 60, "jti": uuid4().hex}
    header = {"alg": changes.pop("alg", "ES256"), "kid": changes.pop("kid", "one")}
    given = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(header, given, key, algorithms=["ES256", "HS256", "none"])


def unsigned(signed: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    return f"{header}.{signed.split('.')[1]}."


async def by_assertion(world: World, client: str, signed: str, **more: str) -> httpx.Response:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": signed}
    return await world.program.post("/token", data=form | more)


async def test_iam03_a_service_gets_a_token_of_its_own_by_secret(world: World) -> None:
    client = await world.client(kind="service", redirect_uris=(), scopes=("patient-api", "system/Observation.rs"))
    got = await world.token(client, grant_type="client_credentials")
    assert got.status_code == 200
    body = got.json()
    assert body["scope"] == "patient-api system/Observation.rs"
    assert not {"refresh_token", "id_token"} & body.keys()
    assert (await world.get("/api/v1/patients", body["access_token"])).status_code == 200
    for path in ("/api/v1/appointments", "/api/v1/users", "/userinfo"):
        assert (await world.get(path, body["access_token"])).status_code == 403
    basic = await world.program.post(
        "/token", data={"grant_type": "client_credentials"}, auth=(client, world.secrets[client])
    )
    assert basic.status_code == 200
    narrower = await world.token(client, grant_type="client_credentials", scope="patient-api records-api")
    assert narrower.json()["scope"] == "patient-api"
    assert (await world.token(client, grant_type="client_credentials", scope="records-api")).status_code == 400


async def test_t028_an_assertion_is_ours_fresh_and_used_once(world: World) -> None:
    key, public = service_key()
    said: dict[str, Any] = {"kind": "service", "redirect_uris": (), "scopes": ("patient-api",)}
    client = await world.client(**said, jwks=public)
    now = world.bus.clock.now()
    signed = assertion(client, key, now)
    answers = await asyncio.gather(*(by_assertion(world, client, signed) for _ in range(10)))
    assert sorted(one.status_code for one in answers) == [200] + [401] * 9
    assert {one.json()["error"] for one in answers if one.status_code == 401} == {"invalid_client"}
    assert (await by_assertion(world, client, assertion(client, key, now, aud=BASE))).status_code == 200


async def test_t028_any_other_assertion_is_no_client(world: World) -> None:
    key, public = service_key()
    stranger, _ = service_key()
    said: dict[str, Any] = {"kind": "service", "redirect_uris": (), "scopes": ("patient-api",)}
    client = await world.client(**said, jwks=public)
    other = await world.client(**said, jwks=service_key()[1])
    secretive = await world.client(**said)
    now = world.bus.clock.now()
    at = int(now.timestamp())
    shared = OctKey.import_key(public)
    bad = [
        assertion(client, key, now, aud="https://elsewhere.example/token"),
        assertion(client, key, now, aud=None),
        assertion(client, key, now, aud=[]),
        assertion(client, key, now, iss=other),
        assertion(client, key, now, sub=other),
        assertion(other, key, now),
        assertion(secretive, key, now),
        assertion(client, key, now, exp=at + 600),
        assertion(client, key, now, exp=at - 60),
        assertion(client, key, now, exp=None),
        assertion(client, key, now, exp=str(at + 60)),
        assertion(client, key, now, exp=True),
        assertion(client, key, now, iat=at + 600),
        assertion(client, key, now, nbf=at + 600),
        assertion(client, key, now, jti=None),
        assertion(client, key, now, jti=7),
        assertion(client, stranger, now),
        assertion(client, key, now, kid="retired"),
        assertion(client, shared, now, alg="HS256"),
        unsigned(assertion(client, key, now)),
        "", "a.b.c", "x" * 4000, "e30.e30.",
    ]  # fmt: skip
    for signed in bad:
        got = await by_assertion(world, client, signed)
        assert (got.status_code, got.json()["error"]) == (401, "invalid_client"), signed[:200]
    both = await by_assertion(world, client, assertion(client, key, now), client_secret="x", client_id=client)
    assert both.json()["error"] == "invalid_request"


async def test_a_wrong_secret_is_no_client_whatever_it_asks(world: World) -> None:
    client = await world.client()
    public = await world.client(kind="browser")
    for form in (
        {"client_id": client, "client_secret": "wrong"},
        {"client_id": client},
        {"client_id": "nobody", "client_secret": "x"},
        {"client_id": public, "client_secret": "x"},
        {},
    ):
        for path, more in (
            ("/token", {"grant_type": "refresh_token", "refresh_token": "x"}),
            ("/introspect", {"token": "x"}),
            ("/revoke", {"token": "x"}),
            ("/par", world.request(client) | form),
        ):
            got = await world.program.post(path, data=more | form)
            assert (got.status_code, got.json()["error"]) == (401, "invalid_client"), (path, form)


async def test_guesses_at_a_programs_secret_are_counted_before_they_are_looked_at(world: World) -> None:
    client = await world.client(kind="service", redirect_uris=(), scopes=("patient-api",))
    other = await world.client()
    good = {"grant_type": "client_credentials", "client_id": client, "client_secret": world.secrets[client]}

    async def ask(secret: str, **form: str) -> int:
        return (await world.program.post("/token", data=good | form | {"client_secret": secret})).status_code

    async def by_basic(secret: str) -> int:
        answer = await world.program.post("/token", data={"grant_type": "client_credentials"}, auth=(client, secret))
        return answer.status_code

    # what went wrong after the program had proved itself is no guess, and a success begins the count anew
    assert [await ask(world.secrets[client], scope="records-api") for _ in range(101)] == [400] * 101
    assert [await ask("wrong") for _ in range(90)] + [await ask(world.secrets[client])] == [401] * 90 + [200]
    # nor does a request that proves nothing reset it
    doubled = urlencode([*good.items(), ("grant_type", "x")])
    for _ in range(20):
        assert await ask("wrong") == 401
        answer = await world.program.post("/token", content=doubled, headers={"Content-Type": FORM})
        assert answer.status_code == 400
    at_once = await asyncio.gather(*(way(f"guess {nth}") for nth in range(75) for way in (ask, by_basic)))
    assert sorted(at_once) == [401] * 60 + [429] * 90
    refused = await world.program.post("/token", data=good)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")
    assert int(refused.headers["retry-after"]) > 1
    assert (await world.token(other, grant_type="refresh_token", refresh_token="x")).status_code == 400
    elsewhere = httpx.ASGITransport(world.app, client=("198.51.100.8", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url=BASE) as there:
        assert (await there.post("/token", data=good)).status_code == 200  # nobody else locks a program out


async def test_forms_that_make_no_sense_are_answered_and_never_break(world: World) -> None:
    client = await world.client()
    bodies = [
        b"",
        b"\xff\xfe",
        b"grant_type=a&grant_type=b",
        b"=&=&=",
        b"a" * 20_000,
        b"grant_type=%00",
        b"code=\xc3\xa9",
    ]
    for body in bodies:
        for path in ("/token", "/par", "/introspect", "/revoke", "/device_authorization"):
            got = await world.program.post(
                path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
            )
            assert 400 <= got.status_code < 500, (path, body[:40], got.status_code)
    assert (await world.program.post("/token", json={"grant_type": "x"})).status_code == 415
    for query in ("?a=" + "b" * 20_000, "?%ff=%fe", "?client_id=%00", f"?client_id={client}&scope=%F0%9F%92%89"):
        assert (await world.browser.get("/authorize" + query)).status_code == 400


# ------------------------------------------------------------------ devices
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


async def device_begins(world: World, client: str, scope: str = "openid patient-api") -> dict[str, Any]:
    form = {"client_id": client, "scope": scope}
    got = await world.program.post("/device_authorization", data=form)
    assert got.status_code == 200, got.text
    body: dict[str, Any] = got.json()
    return body


async def poll(world: World, client: str, code: str) -> httpx.Response:
    return await world.program.post("/token", data={"grant_type": DEVICE, "device_code": code, "client_id": client})


async def test_a_device_is_signed_in_by_a_code_that_its_owner_types(world: World, clock: MovableClock) -> None:
    clock.set(start := datetime(2026, 3, 2, 12, tzinfo=UTC))
    client = await world.client(kind="native", redirect_uris=("http://127.0.0.1/cb",), device=True)
    account, email = await world.account()
    begun = await device_begins(world, client)
    assert begun["verification_uri"] == f"{BASE}/device"
    assert (await poll(world, client, begun["device_code"])).json()["error"] == "slow_down"
    clock.set(start + timedelta(seconds=11))
    assert (await poll(world, client, begun["device_code"])).json()["error"] == "authorization_pending"
    await world.sign_in(email)
    page = await world.browser.get(f"/device?user_code={begun['user_code']}")
    form = {"csrf": csrf_in(page), "user_code": begun["user_code"].lower()}
    shown = await world.browser.post("/device", data=form)
    assert "Cardio" in shown.text
    done = await world.browser.post("/device/answer", data=form | {"decision": "allow"})
    assert done.headers["location"] == "/device?done=allowed"
    clock.set(start + timedelta(seconds=30))
    answers = await asyncio.gather(*(poll(world, client, begun["device_code"]) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200] + [400] * 4
    good = next(one.json() for one in answers if one.status_code == 200)
    assert (await world.get("/userinfo", good["access_token"])).json()["sub"] == str(account)
    assert (await world.browser.post("/device/answer", data=form | {"decision": "deny"})).status_code == 404


async def test_a_device_that_is_refused_or_late_gets_nothing(world: World, clock: MovableClock) -> None:
    clock.set(start := datetime(2026, 3, 2, 12, tzinfo=UTC))
    client = await world.client(kind="native", redirect_uris=("http://127.0.0.1/cb",), device=True)
    plain = await world.client(kind="browser")
    _, email = await world.account()
    await world.sign_in(email)
    begun, late = await device_begins(world, client), await device_begins(world, client)
    page = await world.browser.get("/device")
    form = {"csrf": csrf_in(page), "user_code": begun["user_code"], "decision": "deny"}
    assert (await world.browser.post("/device/answer", data=form)).status_code == 303
    assert (await poll(world, client, begun["device_code"])).json()["error"] == "access_denied"
    clock.set(start + timedelta(minutes=9))
    await world.browser.get("/device")
    clock.set(start + timedelta(minutes=11))
    assert (await poll(world, client, late["device_code"])).json()["error"] == "expired_token"
    refused = await world.program.post("/device_authorization", data={"client_id": plain, "scope": "openid"})
    assert refused.status_code == 400


async def test_device_codes_cannot_be_guessed_for_long(world: World) -> None:
    _, email = await world.account()
    await world.sign_in(email)
    page = await world.browser.get("/device")
    form = {"csrf": csrf_in(page), "user_code": "BBBB-BBBB"}
    statuses = [(await world.browser.post("/device", data=form)).status_code for _ in range(13)]
    assert statuses == [404] * 10 + [429] * 3


# ------------------------------------------------------------------ signing out
async def test_t030_signing_out_for_a_program_needs_its_id_token_or_a_yes(world: World) -> None:
    client = await world.client(logout_uris=("https://app.example/bye",))
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access")
    bare = await world.browser.get("/end-session", params={"post_logout_redirect_uri": "https://app.example/bye"})
    assert bare.status_code == 200 and 'action="/end-session"' in bare.text
    assert (await world.browser.get("/account")).status_code == 200
    for hint in ("nonsense", got["access_token"], got["id_token"][:-3]):
        asked = await world.browser.get("/end-session", params={"id_token_hint": hint})
        assert asked.status_code == 200 and 'action="/end-session"' in asked.text
    said = {"id_token_hint": got["id_token"], "post_logout_redirect_uri": "https://app.example/bye", "state": "s"}
    gone = await world.browser.get("/end-session", params=said)
    assert "https://app.example/bye?state=s" in gone.text
    assert "__Host-sid" in gone.headers["set-cookie"] and gone.headers["clear-site-data"]
    world.forget_sessions()
    assert (await world.browser.get("/account")).status_code == 303
    assert (await world.refresh(client, got["refresh_token"])).status_code == 400


async def test_t030_an_unregistered_address_after_signing_out_is_ignored(world: World) -> None:
    client = await world.client(logout_uris=("https://app.example/bye",))
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client)
    said = {"id_token_hint": got["id_token"], "post_logout_redirect_uri": "https://evil.example/"}
    gone = await world.browser.get("/end-session", params=said)
    assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in?done=out")


async def test_t030_somebody_elses_id_token_ends_nobodys_session(world: World) -> None:
    client = await world.client(logout_uris=("https://app.example/bye",))
    _, first = await world.account()
    _, second = await world.account()
    await world.sign_in(first)
    theirs = (await world.tokens(client))["id_token"]
    world.browser.cookies.clear()
    await world.sign_in(second)
    asked = await world.browser.get("/end-session", params={"id_token_hint": theirs})
    assert 'action="/end-session"' in asked.text
    assert (await world.browser.get("/account")).status_code == 200
    yes = await world.browser.post("/end-session", data={"csrf": csrf_in(asked), "query": ""})
    assert yes.headers["location"] == "/sign-in?done=out"
    world.forget_sessions()
    assert (await world.browser.get("/account")).status_code == 303


# ------------------------------------------------------------------ the programs one has let in
async def test_t029_what_is_granted_is_asked_and_registered_and_held_and_allowed(world: World) -> None:
    client = await world.client()
    _, email = await world.account("RECEPTIONIST")
    await world.sign_in(email)
    asked = await world.authorize(client, scope="openid email patient-api appointment-api records-api prescription-api")
    page = await world.browser.get(asked.headers["location"])
    assert "records-api" not in page.text and "prescription-api" not in page.text
    told = back(await world.allow(page, only={"openid", "patient-api"}))
    body = (await world.redeem(client, told["code"])).json()
    assert body["scope"] == "openid patient-api"
    assert (await world.get("/api/v1/appointments", body["access_token"])).status_code == 403


async def test_t029_access_that_is_taken_back_ends_at_once(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid offline_access")
    page = await world.browser.get("/account/applications")
    assert "Cardio" in page.text
    await world.browser.post("/account/applications/withdraw", data={"csrf": csrf_in(page), "client_id": client})
    world.forget_sessions()
    assert (await world.get("/userinfo", got["access_token"])).status_code == 401
    assert (await world.refresh(client, got["refresh_token"])).status_code == 400
    assert back(await world.authorize(client, prompt="none"))["error"] == "consent_required"


async def test_a_stranger_of_another_organisation_is_not_let_in(world: World, bus: Bus, caller: Any) -> None:
    client = await world.client()
    elsewhere = World(bus, caller("ADMIN", organisation_id=uuid4()), world.browser, world.program, world.app)
    _, email = await elsewhere.account()
    await world.sign_in(email)
    assert back(await world.authorize(client))["error"] == "access_denied"


async def test_a_program_token_is_nobodys_presence(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid")
    answer = await world.program.get(
        "/authorize", params=world.request(client), headers={"Authorization": f"Bearer {got['access_token']}"}
    )
    assert answer.headers["location"].startswith("/sign-in")


async def test_what_is_grave_is_not_for_programs(world: World) -> None:
    client = await world.client(scopes=("openid", "identity-api"))
    _, email = await world.account("ADMIN")
    await world.sign_in(email)
    token = (await world.tokens(client, scope="openid identity-api"))["access_token"]
    assert (await world.get("/api/v1/users", token)).status_code == 200
    got = await world.program.post(
        "/users/me/totp", json={"password": "x"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (got.status_code, got.json()["code"]) == (403, "reauth-required")


async def test_t027_programs_do_not_register_themselves(world: World) -> None:
    for path in ("/register", "/connect/register", "/clients", "/reg"):
        got = await world.program.post(path, json={"redirect_uris": ["javascript:alert(1)"], "scope": "system/*.*"})
        assert got.status_code == 404
    told = (await world.program.get("/.well-known/openid-configuration")).json()
    assert "registration_endpoint" not in told


async def test_t031_no_other_origin_reads_the_way_to_a_code(world: World) -> None:
    app = application(world.bus, cross_origins=frozenset({"https://app.example"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as program:
        for origin, path, named in (
            ("https://app.example", "/.well-known/openid-configuration", True),
            ("https://evil.example", "/.well-known/openid-configuration", False),
            ("https://app.example", "/authorize?client_id=x", False),
        ):
            got = await program.get(path, headers={"Origin": origin})
            assert ("access-control-allow-origin" in got.headers) is named, (origin, path)
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "meditrack-web"}
        allowed = await program.post("/token", data=form, headers={"Origin": "https://app.example"})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (400, "https://app.example")
        other = await program.post("/token", data=form, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_t031_hints_with_markup_are_not_shown(world: World) -> None:
    client = await world.client()
    asked = await world.authorize(client, login_hint="<script>alert(1)</script>", ui_locales="<b>")
    page = await world.browser.get(asked.headers["location"])
    assert page.status_code == 200 and "alert(1)" not in page.text


# ------------------------------------------------------------------ the same by a form
async def post_authorize(world: World, said: dict[str, str], **headers: str) -> httpx.Response:
    return await world.browser.post("/authorize", data=said, headers={"Origin": "https://app.example", **headers})


async def test_a_request_in_a_form_goes_the_same_way_to_a_code(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    posted = await post_authorize(world, world.request(client), **{"Sec-Fetch-Site": "cross-site"})
    assert posted.status_code == 303, posted.text
    asking = await world.browser.get(posted.headers["location"])
    told = back(await world.allow(asking))
    assert told["state"] == "st" and (await world.redeem(client, told["code"])).status_code == 200
    again = await world.browser.get(posted.headers["location"])
    assert (again.status_code, "location" in again.headers) == (400, False)
    silent = await post_authorize(world, world.request(client, prompt="none"))
    assert "code" in back(await world.browser.get(silent.headers["location"]))


async def test_a_pushed_request_is_named_in_a_form_too(world: World) -> None:
    client = await world.client()
    _, email = await world.account()
    await world.sign_in(email)
    form = world.request(client) | {"client_secret": world.secrets[client]}
    uri = (await world.program.post("/par", data=form)).json()["request_uri"]
    posted = await post_authorize(world, {"client_id": client, "request_uri": uri})
    assert "code" in back(await world.allow(await world.browser.get(posted.headers["location"])))
    foreign = await post_authorize(world, {"client_id": client, "request_uri": "https://evil.example/request"})
    refused = await world.browser.get(foreign.headers["location"])
    assert (refused.status_code, "location" in refused.headers) == (400, False)


async def test_t023_a_form_sends_nobody_to_an_address_that_is_not_registered(world: World) -> None:
    client = await world.client()
    for said in (
        world.request(client, redirect_uri="https://evil.example/cb"),
        world.request(client, redirect_uri=CALLBACK + "/"),
        world.request(client, redirect_uri=None),
        world.request(str(uuid4())),
        world.request(client) | {"client_id": "\u202e"},
    ):
        refused = await post_authorize(world, said)
        assert (refused.status_code, "location" in refused.headers) == (400, False), refused.text
    twice = urlencode([*world.request(client).items(), ("redirect_uri", "https://evil.example/cb")])
    refused = await world.browser.post("/authorize", content=twice, headers={"Content-Type": FORM})
    assert not refused.headers.get("location", "").startswith("https://evil")
    assert back(await post_authorize(world, world.request(client, response_type="token")))["error"] == (
        "unsupported_response_type"
    )
    assert back(await post_authorize(world, world.request(client, scope="everything")))["error"] == "invalid_scope"
    assert (await world.browser.post("/authorize", json=world.request(client))).status_code == 415


async def test_t031_no_cookie_counts_where_another_site_posts(world: World) -> None:
    """Who is signed in is asked where the browser comes by GET: a form of another site learns nothing of it."""
    client = await world.client()
    _, email = await world.account()
    answers = []
    for _ in range(2):
        posted = await post_authorize(world, world.request(client, prompt="none"))
        answers.append((posted.status_code, posted.headers["location"].partition("request_uri=")[0]))
        assert "set-cookie" not in posted.headers and "access-control-allow-origin" not in posted.headers
        await world.sign_in(email)
    assert answers[0] == answers[1]


# ------------------------------------------------------------------ roles that organisations make
async def test_iam08_a_role_that_the_organisation_made_stands_beside_the_eight_wherever_roles_are_told(
    world: World, bus: Bus
) -> None:
    client = await world.client()
    wish = DefineRole(title="Triage", name=f"TRIAGE_{uuid4().hex[:6].upper()}", permissions={"patients.read": "yes"})
    made = (await bus.handle(wish, world.admin)).aggregate_id
    account, email = await world.account("RECEPTIONIST")
    await bus.handle(AddUserRole(account_id=account, role=wish.name), world.admin)
    await world.sign_in(email)
    got = await world.tokens(client, scope="openid profile offline_access patient-api")
    form = {"client_id": client, "client_secret": world.secrets[client]}

    async def heard(body: dict[str, Any]) -> list[Any]:
        ours = await world.program.post("/introspect", data=form | {"token": body["access_token"]})
        about = await world.get("/userinfo", body["access_token"])
        _, identity = await verified(world, body["id_token"])
        _, access = await verified(world, body["access_token"])
        return [ours.json(), about.json(), identity, access]

    for told in await heard(got):
        assert (told["role"], told["roles"]) == ("RECEPTIONIST", ["RECEPTIONIST", wish.name])
        assert told["org"] == str(world.admin.organisation)
    await bus.handle(RetireRole(role_id=made), world.admin)
    for told in await heard((await world.refresh(client, got["refresh_token"])).json()):
        assert (told["role"], told["roles"]) == ("RECEPTIONIST", ["RECEPTIONIST"])


async def test_iam08_who_acts_where_they_are_not_at_home_is_told_as_what_they_are_there(
    world: World, bus: Bus, caller: Any
) -> None:
    bus.settings[SignInPolicy] = replace(bus.settings[SignInPolicy], mails=True)
    chief = caller("ADMIN", organisation_id=uuid4())
    there = World(bus, chief, world.browser, world.program, world.app)
    client, wish = await there.client(), DefineRole(title="Triage", name="TRIAGE", permissions={"patients.read": "yes"})
    await bus.handle(wish, chief)
    account, email = await world.account("NURSE")
    await bus.handle(InviteUser(email=email, given_name="Ada", family_name="V.", role="RECEPTIONIST"), chief)
    await bus.handle(AddUserRole(account_id=account, role="TRIAGE"), chief)
    await world.sign_in(email)
    found = await world.app.state["sessions"].caller_by_cookie(world.browser.cookies["__Host-sid"])
    await bus.ask(AcceptMembership(organisation_id=chief.organisation), found.caller)
    switched = await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
    world.browser.cookies.clear()
    world.browser.cookies.set("__Host-sid", switched.token)
    got = await there.tokens(client, scope="openid profile offline_access patient-api")
    for body in (got, (await there.refresh(client, got["refresh_token"])).json()):
        about = (await world.get("/userinfo", body["access_token"])).json()
        assert (about["sub"], about["org"]) == (str(account), str(chief.organisation))
        assert (about["role"], about["roles"]) == ("RECEPTIONIST", ["RECEPTIONIST", "TRIAGE"])
    await bus.handle(EndMembership(account_id=account), chief)
    world.forget_sessions()
    assert (await world.get("/userinfo", got["access_token"])).status_code == 401
    assert (await there.refresh(client, body["refresh_token"])).status_code == 400
