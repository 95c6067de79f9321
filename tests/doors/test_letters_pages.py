"""What people see of letters: the pages behind links, the REST routes beside them, and inviting."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.applications import build

from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.mail import Letter
from salerno.kernel.messages import INSTALLATION, Caller

PASSWORD = "quiet lantern over Salerno bay"
NEW = "seven herons cross the marsh at dusk"


class Box:
    """A mailbox of everybody's."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    def link(self, email: str) -> str:
        body = next(letter.body for letter in reversed(self.letters) if letter.to == email)
        found = re.search(r"https://clinic\.test(\S+)", body)
        assert found is not None
        return found[1]


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, mails=True,
        issuer="https://clinic.test",
    )  # fmt: skip
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def box(bus: Bus) -> Box:
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")
    return Box()


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [web.door(bus), api.door(bus)], Setup(sessions=sessions_of(bus), stop=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        yield client


@pytest.fixture
async def home(bus: Bus, organisation: UUID) -> UUID:
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    return organisation


async def account(bus: Bus, admin: Caller, role: str = "NURSE") -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    wish = CreateUser(email=email, password=PASSWORD, given_name="Ada", family_name="Verdi", role=role)
    await bus.handle(wish, admin)
    return email


async def token_of(bus: Bus, email: str, password: str = PASSWORD) -> dict[str, str]:
    opened = await bus.ask(SignIn(email=email, password=password, kind="api"), NOBODY)
    return {"Authorization": f"Bearer {opened.access_token}"}


async def deliver(bus: Bus, box: Box) -> None:
    await Postman(bus, box).deliver()


@pytest.mark.parametrize(("language", "said"), [("it", "Password dimenticata"), ("en", "Forgotten password")])
async def test_a_forgotten_password_is_chosen_anew_by_the_pages(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box, language: str, said: str
) -> None:
    email = await account(bus, admin)
    headers = {"Accept-Language": language}
    assert said in (await http.get("/sign-in", headers=headers)).text
    assert said in (await http.get("/forgot-password", headers=headers)).text
    sent = await http.post("/forgot-password", data={"email": email}, headers=headers)
    missing = await http.post("/forgot-password", data={"email": "nobody@example.com"}, headers=headers)
    assert (sent.status_code, _plain(sent)) == (missing.status_code, _plain(missing))
    await deliver(bus, box)
    link = box.link(email)
    assert (await http.get(link)).status_code == 200
    token = link.partition("token=")[2]
    weak = await http.post("/reset-password", data={"token": token, "password": "short"})
    assert weak.status_code == 422
    assert 'role="alert"' in weak.text
    done = await http.post("/reset-password", data={"token": token, "password": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?done=reset")
    again = await http.post("/reset-password", data={"token": token, "password": NEW})
    assert again.status_code == 422
    assert "does not work any more" in again.text
    assert await token_of(bus, email, NEW)


def _plain(page: httpx.Response) -> str:
    return re.sub(r'nonce(?:="|-)[^"\s]+|request[-_]id[^<]*', "", page.text)


async def test_signing_up_says_that_a_letter_is_on_its_way_and_the_link_opens_the_account(
    bus: Bus, http: httpx.AsyncClient, box: Box, home: UUID
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    form = {"given_name": "Lia", "family_name": "Neri", "email": email, "password": PASSWORD, "role": "PATIENT"}
    up = await http.post("/sign-up", data=form, headers={"Accept-Language": "en"})
    assert up.status_code == 201
    assert "A letter with a link is on its way" in up.text
    await deliver(bus, box)
    link = box.link(email)
    assert (await http.get(link)).status_code == 200
    token = link.partition("token=")[2]
    wrong = await http.post("/sign-up/confirm", data={"token": token, "password": NEW})
    assert wrong.status_code == 422
    done = await http.post("/sign-up/confirm", data={"token": token, "password": PASSWORD})
    assert done.headers["location"] == "/sign-in?done=confirmed"
    assert await token_of(bus, email)


async def test_the_routes_do_what_the_pages_do(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box, home: UUID
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    body = {"email": email, "password": PASSWORD, "firstName": "Lia", "lastName": "Neri"}
    up = await http.post("/api/v1/auth/register", json=body)
    assert up.json()["user"]["status"] == "unverified"
    await deliver(bus, box)
    token = box.link(email).partition("token=")[2]
    confirmed = await http.post("/api/v1/auth/confirm-email", json={"token": token, "password": PASSWORD})
    assert confirmed.json() == {"status": "active"}
    assert (await http.post("/auth/password/forgotten", json={"email": email})).status_code == 202
    await deliver(bus, box)
    token = box.link(email).partition("token=")[2]
    reset = await http.post("/auth/password/reset", json={"token": token, "password": NEW})
    assert reset.status_code == 204
    spent = await http.post("/auth/password/reset", json={"token": token, "password": NEW})
    assert (spent.status_code, spent.json()["code"]) == (422, "link-over")
    assert await token_of(bus, email, NEW)


async def test_an_administrator_invites_by_route_and_nobody_else_may(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box
) -> None:
    chief, nurse = await account(bus, admin, "ADMIN"), await account(bus, admin, "NURSE")
    email = f"{uuid4().hex[:12]}@example.com"
    body = {"email": email, "given_name": "Eva", "family_name": "Sala", "role": "NURSE", "language": "it"}
    refused = await http.post("/users/invitations", json=body, headers=await token_of(bus, nurse))
    assert refused.status_code == 403
    by = await token_of(bus, chief)
    made = await http.post("/users/invitations", json=body, headers=by)
    assert (made.status_code, made.json()["status"]) == (201, "invited")
    again = await http.post(f"/users/{made.json()['user_id']}/invite-again", headers=by)
    assert again.status_code == 204
    await deliver(bus, box)
    token = box.link(email).partition("token=")[2]
    accepted = await http.post("/auth/invitation", json={"token": token, "password": PASSWORD})
    assert accepted.status_code == 204
    assert await token_of(bus, email)


async def test_an_administrator_invites_by_the_page(bus: Bus, admin: Caller, box: Box, http: httpx.AsyncClient) -> None:
    chief = await account(bus, admin, "ADMIN")
    signed = await http.post("/sign-in", data={"email": chief, "password": PASSWORD})
    assert signed.status_code == 303
    page = await http.get("/settings/accounts/invite", headers={"Accept-Language": "en"})
    assert "Send the invitation" in page.text
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    email = f"{uuid4().hex[:12]}@example.com"
    form = {
        "csrf": found[1], "given_name": "Eva", "family_name": "Sala", "email": email, "role": "NURSE",
        "staff_id": "", "language": "en",
    }  # fmt: skip
    made = await http.post("/settings/accounts/invite", data=form)
    assert made.status_code == 303, made.text
    shown = await http.get(made.headers["location"], headers={"Accept-Language": "en"})
    assert "The invitation is on its way." in shown.text
    assert "Send the invitation again" in shown.text
    again = await http.post(made.headers["location"].partition("?")[0] + "/invite-again", data={"csrf": found[1]})
    assert again.headers["location"].endswith("?done=invited")
    await deliver(bus, box)
    assert box.link(email).startswith("/invitation?token=")


@pytest.mark.parametrize("path", ["/reset-password", "/sign-up/confirm", "/invitation"])
async def test_a_link_that_says_nothing_is_answered_with_a_form_and_then_refused(
    http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.get(path)).status_code == 200
    refused = await http.post(path, data={"token": "nothing", "password": NEW})
    assert refused.status_code == 422
