"""Working in several organisations, by the pages and by the routes."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.applications import build

from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.identity.commands.made_roles import DefineRole
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"
HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, mails=True
    )
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [web.door(bus), api.door(bus)], Setup(sessions=sessions_of(bus), stop=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        yield client


async def account(bus: Bus, by: Caller, role: str) -> tuple[UUID, str]:
    email = f"{uuid4().hex[:12]}@example.com"
    wish = CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role)
    return (await bus.handle(wish, by)).aggregate_id, email


async def bearer(bus: Bus, email: str) -> dict[str, str]:
    opened = await bus.ask(SignIn(email=email, password=PASSWORD, kind="api"), NOBODY)
    return {"Authorization": f"Bearer {opened.access_token}"}


async def offered(bus: Bus, email: str, chief: Caller, role: str = "DOCTOR") -> None:
    await bus.handle(InviteUser(email=email, given_name="Ada", family_name="V.", role=role), chief)


async def test_an_offer_is_accepted_switched_to_and_left_by_the_pages(
    bus: Bus, admin: Caller, caller: Callable[..., Caller], http: httpx.AsyncClient
) -> None:
    chief = caller("ADMIN", organisation_id=uuid4())
    _, email = await account(bus, admin, "NURSE")
    await offered(bus, email, chief)
    await http.post("/sign-in", data={"email": email, "password": PASSWORD})
    page = await http.get("/account/organisations", headers=HTML)
    assert "asks you" in page.text
    start = page.text.index('name="csrf" value="') + 19
    held = {"csrf": page.text[start : page.text.index('"', start)]}
    one = f"/account/organisations/{chief.organisation}"
    accepted = await http.post(f"{one}/accept", data=held, headers=HTML)
    assert accepted.headers["location"] == "/account/organisations?done=accepted"
    before = http.cookies["__Host-sid"]
    switched = await http.post(f"{one}/switch", data=held, headers=HTML)
    assert (switched.status_code, switched.headers["location"]) == (303, "/today")
    assert http.cookies["__Host-sid"] != before
    page = await http.get("/account/organisations", headers=HTML)
    start = page.text.index('name="csrf" value="') + 19
    held = {"csrf": page.text[start : page.text.index('"', start)]}
    me = (await http.get("/users/me")).json()
    assert (me["hospital_id"], me["role"]) == (str(chief.organisation), "DOCTOR")
    left = await http.post(f"{one}/leave", data=held, headers=HTML)
    assert left.headers["location"] == "/account/organisations?done=left"
    out = await http.get("/account/organisations?done=left", headers=HTML)
    assert out.headers["location"] == "/sign-in?next=/account/organisations"


async def test_the_routes_of_memberships(
    bus: Bus, admin: Caller, caller: Callable[..., Caller], http: httpx.AsyncClient
) -> None:
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    _, chief = await account(bus, elsewhere, "ADMIN")
    id, email = await account(bus, admin, "NURSE")
    by, own = await bearer(bus, chief), await bearer(bus, email)
    body = {"email": email, "given_name": "Ada", "family_name": "V.", "role": "DOCTOR"}
    made = await http.post("/users/invitations", json=body, headers=by)
    assert (made.status_code, made.json()["status"], made.json()["member"]) == (201, "invited", True)
    listed = (await http.get("/users/me/organisations", headers=own)).json()["organisations"]
    assert [one["status"] for one in listed] == ["home", "offered"]
    one = f"/users/me/organisations/{elsewhere.organisation}"
    assert (await http.post(f"{one}/accept", headers=own)).status_code == 204
    assert (await http.post(f"{one}/switch", headers=own)).status_code == 204
    members = (await http.get("/users/members", headers=by)).json()["members"]
    assert [(item["user_id"], item["status"]) for item in members] == [(str(id), "active")]
    changed = await http.put(f"/users/members/{id}/role", json={"role": "NURSE"}, headers=by)
    assert changed.status_code == 204
    assert (await http.delete(f"/users/members/{id}", headers=by)).status_code == 204
    gone = await http.delete(f"/users/members/{id}", headers=by)
    assert gone.status_code == 404
    foreign = await http.post(f"/users/me/organisations/{uuid4()}/switch", headers=await bearer(bus, email))
    assert foreign.status_code == 404


async def test_an_administrator_sees_and_ends_memberships_in_the_list_of_accounts(
    bus: Bus, admin: Caller, caller: Callable[..., Caller], http: httpx.AsyncClient
) -> None:
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    _, chief = await account(bus, elsewhere, "ADMIN")
    id, email = await account(bus, admin, "NURSE")
    await offered(bus, email, elsewhere)
    await http.post("/sign-in", data={"email": chief, "password": PASSWORD})
    page = await http.get("/settings/accounts", headers=HTML)
    assert "From other organisations" in page.text
    assert "home in another organisation" in (await http.get(f"/settings/accounts/{id}", headers=HTML)).text
    start = page.text.index('name="csrf" value="') + 19
    held = {"csrf": page.text[start : page.text.index('"', start)]}
    ended = await http.post(f"/settings/accounts/{id}/end-membership", data=held, headers=HTML)
    assert ended.headers["location"] == "/settings/accounts?done=saved"
    assert "From other organisations" not in (await http.get("/settings/accounts", headers=HTML)).text


async def test_further_roles_of_a_member_are_given_and_taken_on_their_page(
    bus: Bus, admin: Caller, caller: Callable[..., Caller], http: httpx.AsyncClient
) -> None:
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    _, chief = await account(bus, elsewhere, "ADMIN")
    id, email = await account(bus, admin, "NURSE")
    await offered(bus, email, elsewhere, "RECEPTIONIST")
    wish = DefineRole(title="Accoglienza sera", name="EVENING", permissions={"patients.read": "yes"})
    await bus.handle(wish, elsewhere)
    await http.post("/sign-in", data={"email": chief, "password": PASSWORD})
    page = await http.get("/settings/accounts", headers=HTML)
    assert f'href="/settings/accounts/{id}"' in page.text
    path = f"/settings/accounts/{id}"
    page = await http.get(path, headers=HTML)
    assert "Accoglienza sera" in page.text and "at home in another organisation" in page.text
    start = page.text.index('name="csrf" value="') + 19
    held = {"csrf": page.text[start : page.text.index('"', start)], "role": "EVENING"}
    given = await http.post(f"{path}/further-roles/add", data=held, headers=HTML)
    assert given.headers["location"] == f"{path}?done=saved"
    assert "Take away: Accoglienza sera" in (await http.get(path, headers=HTML)).text
    taken = await http.post(f"{path}/further-roles/take", data=held, headers=HTML)
    assert taken.headers["location"] == f"{path}?done=saved"
    assert "Take away" not in (await http.get(path, headers=HTML)).text
