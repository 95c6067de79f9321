"""T010 and the lock: what a session may not do when its owner was not seen for too long, on every door."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.applications import build
from tests.identity.authenticator import Authenticator

from salerno.app import rooms
from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

PASSWORD = "quiet lantern over Salerno bay"
NEW = "seven herons cross the marsh at dusk"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
GRAVE = {
    "AddAddendum", "ApproveClient", "AskEmailChange", "AskEmailChangeOf", "BeginPasskey", "BreakGlass", "ChangeClient",
    "ChangePassword", "ChangeRestriction", "ChangeRole", "DefineRole", "DropPassword", "EnrolTotp",
    "IssueClientSecret", "LiftRestriction", "LinkProvider", "PractiseMyself", "RegenerateRecoveryCodes",
    "RegisterClient", "RemovePasskey", "RemovePatient", "RemoveTotp", "RestrictChart", "RetireRole", "SignNote",
    "SignPrescription", "UnlinkExternalIdentity",
}  # fmt: skip


@pytest.fixture(autouse=True)
def policy(bus: Bus, clock: MovableClock) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, issuer="https://clinic.test"
    )
    clock.set(NOON)
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    setup = Setup(sessions=sessions_of(bus), stop=False, clock=bus.clock)
    app: Any = build(bus, [web.door(bus), api.door(bus)], setup)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        client.app = app  # type: ignore[attr-defined]
        yield client


def forget(http: httpx.AsyncClient) -> None:
    """What the door remembers for two seconds of the wall clock."""
    http.app.state["sessions"].forget()  # type: ignore[attr-defined]


async def token(bus: Bus, admin: Caller, role: str = "DOCTOR") -> tuple[str, dict[str, str]]:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role), admin)
    opened = await bus.ask(SignIn(email=email, password=PASSWORD, kind="password"), NOBODY)
    return email, {"Authorization": f"Bearer {opened.access_token}"}


def test_what_is_grave_is_written_down() -> None:
    grave = {message.__name__ for room in rooms() for message, needs in room.needs.items() if needs.fresh}
    assert grave == GRAVE


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/users/me/password", {"current": PASSWORD, "new": NEW}),
        ("POST", "/users/me/totp", {"password": PASSWORD}),
        ("POST", "/users/me/totp/remove", {"password": PASSWORD, "code": "123456"}),
        ("POST", "/users/me/recovery-codes", {"password": PASSWORD}),
        ("POST", "/users/me/passkeys/options", None),
        ("DELETE", f"/users/me/passkeys/{UUID(int=7)}", None),
        ("POST", f"/notes/{UUID(int=7)}/sign", {"content_hash": "0" * 64}),
        ("POST", f"/prescriptions/{UUID(int=7)}/sign", {}),
        ("POST", "/commands/sign-note", {"payload": {}}),
        ("POST", "/commands/sign-prescription", {"payload": {}}),
        ("POST", "/commands/remove-patient", {"payload": {}}),
        ("DELETE", f"/patients/{UUID(int=7)}", None),
    ],
)
async def test_t010_after_five_minutes_something_grave_asks_again(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, clock: MovableClock, method: str, path: str, body: Any
) -> None:
    _, by = await token(bus, admin, "ADMIN" if "patient" in path else "DOCTOR")
    clock.set(NOON + timedelta(minutes=5))
    refused = await http.request(method, path, json=body, headers=by)
    assert (refused.status_code, refused.json()["code"]) == (403, "reauth-required")
    assert (await http.get("/users/me", headers=by)).status_code == 200
    assert (await http.post("/auth/prove", json={"password": "wrong"}, headers=by)).status_code == 422
    assert (await http.post("/auth/prove", json={"password": PASSWORD}, headers=by)).status_code == 204
    forget(http)
    after = await http.request(method, path, json=body, headers=by)
    assert after.status_code != 403 or after.json()["code"] != "reauth-required"


async def test_the_routes_of_passkeys(bus: Bus, admin: Caller, http: httpx.AsyncClient) -> None:
    _, by = await token(bus, admin)
    device = Authenticator("https://clinic.test")
    options = (await http.post("/api/v1/users/me/passkeys/options", headers=by)).json()
    body = {"name": "Telephone", "credential": device.create(options)}
    made = await http.post("/api/v1/users/me/passkeys", json=body, headers=by)
    assert made.status_code == 201, made.text
    assert len(made.json()["recovery_codes"]) == 10
    listed = (await http.get("/users/me/passkeys", headers=by)).json()["passkeys"]
    assert [one["name"] for one in listed] == ["Telephone"]
    for path, named in (("/auth/passkey", "token"), ("/api/v1/auth/passkey", "accessToken")):
        options = (await http.post("/auth/passkey/options")).json()
        entered = await http.post(path, json={"credential": device.get(options)})
        assert entered.status_code == 200, entered.text
        assert entered.json()[named].count(".") == 2
    gone = await http.delete(f"/users/me/passkeys/{listed[0]['passkey_id']}", headers=by)
    assert gone.status_code == 204
    options = (await http.post("/auth/passkey/options")).json()
    refused = await http.post("/auth/passkey", json={"credential": device.get(options)})
    assert (refused.status_code, refused.json()["code"]) == (401, "passkey-refused")


async def browser(http: httpx.AsyncClient, bus: Bus, admin: Caller, role: str = "DOCTOR") -> dict[str, str]:
    email, _ = await token(bus, admin, role)
    await http.post("/sign-in", data={"email": email, "password": PASSWORD})
    page = await http.get("/account", headers={"Accept": "text/html"})
    start = page.text.index('name="csrf" value="') + 19
    return {"csrf": page.text[start : page.text.index('"', start)]}


async def test_a_form_that_is_grave_leads_to_the_question_and_back(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, clock: MovableClock
) -> None:
    held = await browser(http, bus, admin)
    clock.set(NOON + timedelta(minutes=6))
    forget(http)
    form = {**held, "password": PASSWORD}
    sent = await http.post("/account/second-factor", data=form, headers={"Accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/confirm-identity?next=/account")
    asked = await http.get(sent.headers["location"], headers={"Accept": "text/html"})
    assert asked.status_code == 200
    before = http.cookies["__Host-sid"]
    shown = await http.post("/confirm-identity", data=form | {"next": "/account"}, headers={"Accept": "text/html"})
    assert (shown.status_code, shown.headers["location"]) == (303, "/account")
    assert http.cookies["__Host-sid"] != before
    stolen = await http.get("/account", headers={"Accept": "text/html", "Cookie": f"__Host-sid={before}"})
    assert stolen.status_code in (200, 303)  # httpx sends its own cookie as well


async def test_a_locked_screen_shows_nothing_on_any_door(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, clock: MovableClock
) -> None:
    held = await browser(http, bus, admin)
    locked = await http.post("/lock", data=held | {"next": "/account"}, headers={"Accept": "text/html"})
    assert locked.headers["location"] == "/locked?next=/account"
    for path in ("/account", "/today", "/people", "/settings/accounts"):
        sent = await http.get(path, headers={"Accept": "text/html"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/locked?next={path}")
    for path in ("/users/me", "/patients", "/live"):
        refused = await http.get(path, headers={"Accept": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (403, "locked")
    part = await http.get("/people", headers={"HX-Request": "true", "Accept": "text/html"})
    assert part.headers["hx-redirect"] == "/locked?next=/people"
    page = await http.get("/locked?next=/account", headers={"Accept": "text/html"})
    assert "Ada Verdi" in page.text
    wrong = await http.post("/locked", data=held | {"password": "wrong"}, headers={"Accept": "text/html"})
    assert wrong.status_code == 422
    before = http.cookies["__Host-sid"]
    form = held | {"password": PASSWORD, "next": "/account"}
    opened = await http.post("/locked", data=form, headers={"Accept": "text/html"})
    assert (opened.status_code, opened.headers["location"]) == (303, "/account")
    assert http.cookies["__Host-sid"] != before
    assert (await http.get("/account", headers={"Accept": "text/html"})).status_code == 200


async def test_t012_only_a_person_keeps_the_screen_open(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, clock: MovableClock
) -> None:
    held = await browser(http, bus, admin)
    policy = bus.settings[SignInPolicy]
    bus.settings[SignInPolicy] = replace(policy, lock=timedelta(minutes=10))
    for minutes in (4, 8, 12):
        clock.set(NOON + timedelta(minutes=minutes))
        forget(http)
        polled = await http.get("/users/me", headers={"X-Background": "1"})
        assert polled.status_code == (200 if minutes < 10 else 403)
    awake = await http.post("/awake", headers={"X-CSRF-Token": held["csrf"]})
    assert awake.status_code == 403


async def test_org09_further_roles_are_given_and_taken_by_the_pages_and_the_routes(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    held = await browser(http, bus, admin, "ADMIN")
    wish = CreateUser(email=f"{uuid4().hex[:12]}@example.com", password=PASSWORD, full_name="Eva Sala", role="NURSE")
    nurse = (await bus.handle(wish, admin)).aggregate_id
    page = f"/settings/accounts/{nurse}"
    html = {"Accept": "text/html", "Accept-Language": "en"}
    given = await http.post(f"{page}/further-roles/add", data=held | {"role": "RECEPTIONIST"}, headers=html)
    assert given.headers["location"] == f"{page}?done=saved"
    shown = await http.get(page, headers=html)
    assert "Take away: Receptionist" in shown.text
    taken = await http.post(f"{page}/further-roles/take", data=held | {"role": "RECEPTIONIST"}, headers=html)
    assert taken.headers["location"] == f"{page}?done=saved"
    _, by = await token(bus, admin, "ADMIN")
    added = await http.post(f"/users/{nurse}/roles", json={"role": "LAB_TECHNICIAN"}, headers=by)
    assert added.json()["also"] == ["LAB_TECHNICIAN"]
    assert (await http.delete(f"/users/{nurse}/roles/LAB_TECHNICIAN", headers=by)).status_code == 204
    refused = await http.post("/users/me/practise", headers=by)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-yourself")
    asked = await http.get("/account/practise", headers=html)
    assert "I am the doctor of this practice" in asked.text
    told = await http.post("/account/practise", data=held, headers=html)
    assert told.status_code == 403
