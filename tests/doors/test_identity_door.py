"""Signing in over HTTP: bodies as the paths promise them, cookies, codes, and what forged headers change (nothing)."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from tests.applications import build

from salerno.contexts.identity.commands import CreateUser, Opened, SignIn
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, development=True
    )
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [api.door(bus)], Setup(sessions=sessions_of(bus), stop=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        yield client


@pytest.fixture
async def home(bus: Bus, organisation: UUID) -> UUID:
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    return organisation


async def account(bus: Bus, admin: Caller, role: str = "DOCTOR") -> tuple[UUID, str]:
    email = f"{uuid4().hex[:12]}@example.com"
    wish = CreateUser(email=email, password=PASSWORD, given_name="Ada", family_name="Verdi", role=role)
    return (await bus.handle(wish, admin)).aggregate_id, email


async def login(http: httpx.AsyncClient, email: str, path: str = "/api/v1/auth/login") -> dict[str, Any]:
    got = await http.post(path, json={"email": email, "password": PASSWORD})
    assert got.status_code == 200, got.text
    body: dict[str, Any] = got.json()
    return body


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_iam13_the_bare_path_answers_a_token_and_a_user_in_snake_and_lower_case(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    id, email = await account(bus, admin)
    body = await login(http, email, "/auth/login")
    assert body["user"] == {
        "user_id": str(id),
        "hospital_id": str(admin.organisation),
        "email": email,
        "full_name": "Ada Verdi",
        "role": "doctor",
    }
    assert body["token"].count(".") == 2
    assert body["expires_in"] == 86_400
    me = await http.get("/users/me", headers=bearer(body["token"]))
    assert me.json()["user_id"] == str(id)


async def test_iam14_the_versioned_path_answers_user_access_and_refresh_token(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    id, email = await account(bus, admin)
    body = await login(http, email)
    assert {"user", "accessToken", "refreshToken"} <= body.keys()
    assert body["user"]["firstName"] == "Ada"
    assert body["user"]["role"] == "DOCTOR"
    me = await http.get("/api/v1/users/me", headers=bearer(body["accessToken"]))
    assert (me.status_code, me.json()["id"], me.json()["hospitalId"]) == (200, str(id), str(admin.organisation))


async def test_wrong_or_missing_the_answer_is_the_same(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    _, email = await account(bus, admin)
    answers = []
    for name in (email, f"{uuid4().hex}@example.com"):
        got = await http.post("/auth/login", json={"email": name, "password": "wrong horse"})
        body = {k: v for k, v in got.json().items() if k not in ("request_id", "instance")}
        answers.append((got.status_code, body, sorted(got.headers)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "wrong-credentials"


async def test_t005_forged_addresses_change_nothing(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    _, email = await account(bus, admin)
    statuses = []
    for nth in range(14):
        forged = {"X-Forwarded-For": f"10.0.0.{nth}", "Forwarded": f"for=10.1.0.{nth}", "X-Real-IP": f"10.2.0.{nth}"}
        got = await http.post("/auth/login", json={"email": email, "password": f"guess {nth}"}, headers=forged)
        statuses.append(got.status_code)
    assert statuses == [401] * 10 + [429] * 4
    assert 1 <= int(got.headers["Retry-After"]) <= 301
    assert got.json()["code"] == "too-many-attempts"


async def test_an_account_with_a_second_factor_gets_a_challenge_and_no_token(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    _, email = await account(bus, admin)
    token = (await login(http, email))["accessToken"]
    made = await http.post("/users/me/totp", json={"password": PASSWORD}, headers=bearer(token))
    assert made.status_code == 201
    totp = pyotp.TOTP(made.json()["secret"])
    confirmed = await http.post("/users/me/totp/confirm", json={"code": totp.now()}, headers=bearer(token))
    codes = confirmed.json()["recovery_codes"]
    for path, key in (("/auth", "token"), ("/api/v1/auth", "accessToken")):
        posed = await http.post(f"{path}/login", json={"email": email, "password": PASSWORD})
        assert (posed.status_code, posed.json()["code"]) == (401, "second-factor-required")
        assert key not in posed.text.replace("challenge", "")
        challenge = posed.json()["details"]["challenge"]
        got = await http.post(f"{path}/second-factor", json={"challenge": challenge, "code": codes.pop()})
        assert (got.status_code, bool(got.json()[key])) == (200, True)


async def test_register_then_login_as_the_sample_does(home: UUID, http: httpx.AsyncClient) -> None:
    body = {
        "email": f"{uuid4().hex[:12]}@example.com",
        "password": PASSWORD,
        "firstName": "Ugo",
        "lastName": "Bianchi",
        "role": "DOCTOR",
    }
    got = await http.post("/api/v1/auth/register", json=body)
    assert (got.status_code, got.json()["user"]["status"]) == (201, "active")
    assert (await login(http, body["email"]))["user"]["role"] == "DOCTOR"


@pytest.mark.parametrize("extra", ["hospital_id", "isAdmin", "roles", "permissions", "status", "patient_id"])
async def test_t001_register_takes_no_further_key(home: UUID, http: httpx.AsyncClient, extra: str) -> None:
    body = {"email": "x@example.com", "password": PASSWORD, "firstName": "A", "lastName": "B", extra: "ADMIN"}
    got = await http.post("/auth/register", json=body)
    assert got.status_code == 422
    assert got.json()["errors"][0]["path"] == extra


async def test_iam17_refreshed_at_both_paths(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    _, email = await account(bus, admin)
    first = await login(http, email)
    second = (await http.post("/api/v1/auth/refresh", json={"refreshToken": first["refreshToken"]})).json()
    third = (await http.post("/auth/refresh", json={"refreshToken": second["refreshToken"]})).json()
    assert (await http.get("/users/me", headers=bearer(third["accessToken"]))).status_code == 200
    assert (await http.post("/auth/refresh", json={"refreshToken": "made-up"})).status_code == 401


async def test_t014_signing_out_revokes_access_and_refresh(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    _, email = await account(bus, admin)
    body = await login(http, email)
    assert (await http.get("/users/me", headers=bearer(body["accessToken"]))).status_code == 200
    assert (await http.post("/auth/logout", headers=bearer(body["accessToken"]))).status_code == 204
    assert (await http.get("/users/me", headers=bearer(body["accessToken"]))).status_code == 401
    assert (await http.post("/auth/refresh", json={"refreshToken": body["refreshToken"]})).status_code == 401


async def test_iam18_introspection(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    id, email = await account(bus, admin)
    token = (await login(http, email))["accessToken"]
    got = await http.post("/auth/introspect", json={"token": token}, headers=bearer(token))
    assert (got.json()["active"], got.json()["sub"]) == (True, str(id))
    assert (await http.post("/auth/introspect", json={"token": "x"}, headers=bearer(token))).json() == {"active": False}
    assert (await http.post("/auth/introspect", json={"token": token})).status_code == 401


async def test_the_published_keys_have_public_members_only(http: httpx.AsyncClient) -> None:
    got = await http.get("/.well-known/jwks.json")
    assert got.status_code == 200
    for key in got.json()["keys"]:
        assert key["kty"] == "EC"
        assert not {"d", "k"} & key.keys()


async def test_iam16_create_user_over_the_command_door_and_iam23_the_list(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    _, chief = await account(bus, admin, "ADMIN")
    headers = bearer((await login(http, chief))["accessToken"])
    email = f"{uuid4().hex[:12]}@example.com"
    payload = {"email": email, "password": PASSWORD, "full_name": "Nina Neri", "role": "nurse"}
    made = await http.post("/commands/create-user", json={"payload": payload}, headers=headers)
    assert made.json()["success"] is True
    listed = (await http.get("/api/v1/users?role=NURSE", headers=headers)).json()
    assert [user["email"] for user in listed["users"]] == [email]
    path = f"/users/{made.json()['aggregate_id']}"
    changed = await http.patch(path, json={"role": "receptionist"}, headers=headers)
    assert changed.json()["role"] == "RECEPTIONIST"
    assert (await http.patch(path, json={"role": "SUPER_ADMIN"}, headers=headers)).status_code == 403
    assert (await http.delete(path, headers=headers)).status_code == 204
    assert (await http.get(path, headers=headers)).json()["status"] == "deactivated"
    nurse = bearer((await login(http, (await account(bus, admin, "NURSE"))[1]))["accessToken"])
    assert (await http.get("/users", headers=nurse)).status_code == 403


async def test_t013_a_changed_password_gives_the_browser_a_new_cookie_and_voids_the_old_one(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    _, email = await account(bus, admin)
    opened: Opened = await bus.ask(SignIn(email=email, password=PASSWORD), NOBODY)
    cookie = {"Cookie": f"__Host-sid={opened.token}"}
    found = await sessions_of(bus).caller_by_cookie(opened.token)
    assert found is not None
    body = {"current": PASSWORD, "new": "seven herons cross the marsh at dusk"}
    got = await http.put("/users/me/password", json=body, headers=cookie | {"X-CSRF-Token": found.csrf})
    assert got.status_code == 204
    given = got.headers["set-cookie"]
    assert given.startswith("__Host-sid=")
    for flag in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert flag.lower() in given.lower()
    assert "domain" not in given.lower()
    assert (await http.get("/users/me", headers=cookie)).status_code == 401
    new = given.split(";")[0]
    http.cookies.clear()
    assert (await http.get("/users/me", headers={"Cookie": new})).status_code == 200


async def test_mistakes_are_named_and_never_a_500(http: httpx.AsyncClient) -> None:
    for body, status in (({}, 422), ({"email": 1, "password": []}, 422), ({"email": "\u0000", "password": ""}, 400)):
        assert (await http.post("/auth/login", json=body)).status_code == status
    huge = await http.post("/auth/login", json={"email": "a@example.com", "password": "x" * 5000})
    assert (huge.status_code, huge.json()["code"]) == (422, "password-refused")
    for path in ("/auth/second-factor", "/auth/refresh", "/auth/register", "/auth/introspect"):
        got = await http.post(path, json={"surprise": True})
        assert got.status_code in (401, 422)
