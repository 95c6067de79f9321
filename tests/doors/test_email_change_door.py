"""Another e-mail address by pages and by REST: the form, the letters' links, and what a stale session may not do."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup, build
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.mail import Letter
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.testing import MovableClock

PASSWORD = "quiet lantern over Salerno bay"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Box:
    """Everybody's mailbox."""

    def __init__(self, bus: Bus) -> None:
        self.letters: list[Letter] = []
        self._postman = Postman(bus, self)

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    async def link(self, email: str) -> str:
        await self._postman.deliver()
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
    return Box(bus)


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    setup = Setup(sessions=sessions_of(bus), stop=False, clock=bus.clock)
    app: Any = build(bus, [web.door(bus), api.door(bus)], setup)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        yield client


def fresh() -> str:
    return f"{uuid4().hex[:12]}@example.com"


async def account(bus: Bus, admin: Caller, role: str = "NURSE") -> str:
    email = fresh()
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role), admin)
    return email


async def bearer(bus: Bus, email: str) -> dict[str, str]:
    opened = await bus.ask(SignIn(email=email, password=PASSWORD, kind="api"), NOBODY)
    return {"Authorization": f"Bearer {opened.access_token}"}


async def sign_in(http: httpx.AsyncClient, email: str) -> str:
    """Into the client's cookies; answers what forms carry."""
    done = await http.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert done.status_code == 303
    return await csrf(http, "/account")


async def csrf(http: httpx.AsyncClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await http.get(path)).text)
    assert found is not None
    return found[1]


async def test_by_rest_an_address_is_asked_for_confirmed_and_given_back(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box
) -> None:
    old, new = await account(bus, admin), fresh()
    token = await bearer(bus, old)
    asked = await http.post("/api/v1/users/me/email", json={"email": new}, headers=token)
    assert (asked.status_code, asked.content) == (202, b"")
    link = (await box.link(new)).partition("token=")[2]
    confirmed = await http.post("/api/v1/users/me/email/confirm", json={"token": link}, headers=token)
    assert confirmed.status_code == 204
    assert (await http.post("/api/v1/auth/login", json={"email": old, "password": PASSWORD})).status_code == 401
    assert (await http.post("/api/v1/auth/login", json={"email": new, "password": PASSWORD})).status_code == 200
    back = (await box.link(old)).partition("token=")[2]
    assert (await http.post("/api/v1/auth/email-change/revoke", json={"token": back})).status_code == 204
    assert (await http.post("/api/v1/auth/login", json={"email": old, "password": PASSWORD})).status_code == 200
    over = await http.post("/api/v1/auth/email-change/revoke", json={"token": back})
    assert (over.status_code, over.json()["code"]) == (422, "link-over")


async def test_a_session_that_was_not_proved_for_five_minutes_changes_no_address(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, clock: MovableClock
) -> None:
    clock.set(NOON)
    token = await bearer(bus, await account(bus, admin))
    clock.set(NOON + timedelta(minutes=6))
    refused = await http.post("/api/v1/users/me/email", json={"email": fresh()}, headers=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "reauth-required")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Another address", "Look into your mailbox.", "Confirm the new address", "Undo the change of address")),
        ("it", ("Un altro indirizzo", "Controlla la posta.", "Conferma il nuovo indirizzo", "Annulla il cambio")),
    ],
)
async def test_the_pages_lead_from_the_account_to_the_new_address_and_back(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box, language: str, words: tuple[str, ...]
) -> None:
    http.headers.update({"Accept-Language": language, "Accept": "text/html"})
    old, new = await account(bus, admin), fresh()
    form = {"csrf": await sign_in(http, old)}
    assert words[0] in (await http.get("/account/email")).text
    bad = await http.post("/account/email", data=form | {"email": "nobody"})
    assert bad.status_code == 422
    assert 'value="nobody"' in bad.text
    sent = await http.post("/account/email", data=form | {"email": new})
    assert words[1] in sent.text
    link = await box.link(new)
    assert words[2] in (await http.get(link)).text
    done = await http.post("/account/email/confirm", data=form | {"token": link.partition("token=")[2]})
    assert (done.status_code, done.headers["location"]) == (303, "/account?done=email")
    assert new in (await http.get("/account?done=email")).text
    http.cookies.clear()
    back = await box.link(old)
    assert words[3] in (await http.get(back)).text
    form = {"token": back.partition("token=")[2]}
    undone = await http.post("/email-change/revoke", data=form)
    assert (undone.status_code, undone.headers["location"]) == (303, "/email-change/revoke?done=revoked")
    assert "/forgot-password" in (await http.get("/email-change/revoke?done=revoked")).text
    again = await http.post("/email-change/revoke", data=form)
    assert again.status_code == 422


async def test_who_opens_the_link_signed_out_signs_in_first_and_comes_back_to_it(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, box: Box
) -> None:
    old, new = await account(bus, admin), fresh()
    token = await bearer(bus, old)
    await http.post("/api/v1/users/me/email", json={"email": new}, headers=token)
    link = await box.link(new)
    sent = await http.get(link, headers={"Accept": "text/html"})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/sign-in?next=/account/email/confirm")
    wanted = httpx.URL(sent.headers["location"]).params["next"]
    done = await http.post("/sign-in", data={"email": old, "password": PASSWORD, "next": wanted})
    assert done.headers["location"] == link


async def test_an_administrator_starts_it_from_the_accounts_page_and_by_rest(
    bus: Bus, caller: Any, http: httpx.AsyncClient, box: Box, admin: Caller
) -> None:
    chief, nurse, new = await account(bus, caller("SUPER_ADMIN"), "ADMIN"), await account(bus, admin), fresh()
    http.headers.update({"Accept": "text/html"})
    form = {"csrf": await sign_in(http, chief)}
    listed = (await http.get(f"/settings/accounts?q={nurse}")).text
    found = re.search(r"/settings/accounts/([0-9a-f-]{36})", listed)
    assert found is not None
    path = f"/settings/accounts/{found[1]}"
    bad = await http.post(f"{path}/email", data=form | {"email": nurse})
    assert bad.status_code == 422
    sent = await http.post(f"{path}/email", data=form | {"email": new})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=letter")
    assert "/account/email/confirm?token=" in await box.link(new)
    asked = await http.post(
        f"/api/v1/users/{found[1]}/email", json={"email": fresh()}, headers=await bearer(bus, chief)
    )
    assert asked.status_code == 202
