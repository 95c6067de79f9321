"""Signing in and up and one's own account, as a browser without a script does it."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from tests.applications import build

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"
HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000
    )
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def browser(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [web.door(bus)], Setup(sessions=sessions_of(bus), stop=False))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://clinic.test", headers=HTML) as client:
        yield client


async def account(bus: Bus, admin: Caller, role: str = "NURSE") -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role), admin)
    return email


async def come_in(browser: httpx.AsyncClient, email: str, **more: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"email": email, "password": PASSWORD, **more})


async def csrf(browser: httpx.AsyncClient) -> dict[str, str]:
    page = await browser.get("/account")
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text[:400]
    return {"csrf": found[1]}


async def test_in_and_out_again(bus: Bus, admin: Caller, browser: httpx.AsyncClient) -> None:
    email = await account(bus, admin)
    assert (await browser.get("/account")).headers["location"] == "/sign-in?next=/account"
    got = await come_in(browser, email, next="/account")
    assert (got.status_code, got.headers["location"]) == (303, "/account")
    for cookie in got.headers.get_list("set-cookie"):
        assert cookie.startswith(("__Host-sid=", "__Host-device="))
        assert all(flag in cookie.lower() for flag in ("secure", "httponly", "path=/", "samesite="))
    page = await browser.get("/account")
    assert page.status_code == 200
    assert "Ada Verdi" in page.text and email in page.text
    token = browser.cookies["__Host-sid"]
    assert token not in page.text
    out = await browser.post("/sign-out", data=await csrf(browser))
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in?done=out")
    browser.cookies.clear()
    assert (await browser.get("/account", headers={"Cookie": f"__Host-sid={token}"})).status_code == 303


async def test_a_wrong_password_shows_the_form_again_without_it(
    bus: Bus, admin: Caller, browser: httpx.AsyncClient
) -> None:
    email = await account(bus, admin)
    got = await browser.post("/sign-in", data={"email": email, "password": "wrong horse"})
    assert got.status_code == 401
    assert "The e-mail address or the password is wrong." in got.text
    assert f'value="{email}"' in got.text
    assert "wrong horse" not in got.text
    assert "__Host-sid" not in got.headers.get("set-cookie", "")


async def test_after_too_many_the_page_says_how_long(bus: Bus, admin: Caller, browser: httpx.AsyncClient) -> None:
    email = await account(bus, admin)
    for _ in range(10):
        await browser.post("/sign-in", data={"email": email, "password": "wrong horse"})
    got = await come_in(browser, email)
    assert (got.status_code, int(got.headers["retry-after"]) > 0) == (429, True)
    assert "Too many failed attempts." in got.text


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_nobody_is_sent_elsewhere_after_signing_in(
    bus: Bus, admin: Caller, browser: httpx.AsyncClient, path: str
) -> None:
    got = await come_in(browser, await account(bus, admin), next=path)
    assert got.headers["location"] == "/today"


async def test_the_second_factor_from_its_picture_to_signing_in_with_it(
    bus: Bus, admin: Caller, browser: httpx.AsyncClient
) -> None:
    email = await account(bus, admin)
    await come_in(browser, email)
    first = browser.cookies["__Host-sid"]
    begun = await browser.post("/account/second-factor", data={**await csrf(browser), "password": PASSWORD})
    assert "<svg" in begun.text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", begun.text)
    assert secret
    totp = pyotp.TOTP(secret[1])
    data = {**await csrf(browser), "code": totp.now()}
    codes = await browser.post("/account/second-factor/confirm", data=data)
    found = re.findall(r"<code>([A-Z2-9-]{19})</code>", codes.text)
    assert len(found) == 10
    assert browser.cookies["__Host-sid"] != first
    assert (await browser.get("/account")).status_code == 200
    browser.cookies.clear()
    posed = await come_in(browser, email, next="/account")
    assert posed.status_code == 200
    assert "__Host-sid" not in browser.cookies
    challenge = browser.cookies["__Host-challenge"]
    assert challenge not in posed.text
    wrong = await browser.post("/sign-in/code", data={"code": "nonsense", "next": "/account"})
    assert (wrong.status_code, "The code is wrong, used or too old." in wrong.text) == (401, True)
    done = await browser.post("/sign-in/code", data={"code": found[0], "next": "/account"})
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert (await browser.get("/account")).status_code == 200


async def test_a_role_that_must_have_one_is_led_there(bus: Bus, admin: Caller, browser: httpx.AsyncClient) -> None:
    bus.settings[SignInPolicy] = SignInPolicy(floor=timedelta(), failures_per_address=100_000)
    got = await come_in(browser, await account(bus, admin, "DOCTOR"))
    assert got.headers["location"] == "/account#second-factor"
    assert "Your role needs a second factor." in (await browser.get("/account")).text


async def test_the_password_is_changed_and_the_old_cookie_is_void(
    bus: Bus, admin: Caller, browser: httpx.AsyncClient
) -> None:
    await come_in(browser, await account(bus, admin))
    old = browser.cookies["__Host-sid"]
    new = "seven herons cross the marsh at dusk"
    short = {**await csrf(browser), "current": PASSWORD, "password": "too short"}
    assert (await browser.post("/account/password", data=short)).status_code == 422
    data = {**await csrf(browser), "current": PASSWORD, "password": new}
    assert (await browser.post("/account/password", data=data)).headers["location"] == "/account?done=password"
    assert "Your password has changed." in (await browser.get("/account?done=password")).text
    browser.cookies.clear()
    assert (await browser.get("/account", headers={"Cookie": f"__Host-sid={old}"})).status_code == 303


async def test_other_sessions_are_listed_and_ended(bus: Bus, admin: Caller, browser: httpx.AsyncClient) -> None:
    email = await account(bus, admin)
    await come_in(browser, email)
    other = browser.cookies["__Host-sid"]
    browser.cookies.clear()
    browser.headers["User-Agent"] = "Second browser"
    await come_in(browser, email)
    page = await browser.get("/account")
    assert "Second browser" in page.text
    ended = re.search(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page.text)
    assert ended
    assert (await browser.post(ended[1], data=await csrf(browser))).status_code == 303
    assert await sessions_of(bus).caller_by_cookie(other) is None


async def test_every_form_needs_the_token_of_its_session(bus: Bus, admin: Caller, browser: httpx.AsyncClient) -> None:
    await come_in(browser, await account(bus, admin))
    for path in ("/sign-out", "/account/password", "/account/second-factor", "/account/sessions/end"):
        assert (await browser.post(path, data={"password": PASSWORD})).status_code == 403
    assert (await browser.get("/account")).status_code == 200


async def test_signing_up_waits_for_approval_and_says_so(
    bus: Bus, admin: Caller, organisation: UUID, browser: httpx.AsyncClient
) -> None:
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    assert (await browser.get("/sign-up")).status_code == 200
    form = {"given_name": "Ugo", "family_name": "Bianchi", "email": "ugo", "password": "short", "role": "DOCTOR"}
    wrong = await browser.post("/sign-up", data=form)
    assert wrong.status_code == 422
    assert "This is not an e-mail address." in wrong.text
    email = f"{uuid4().hex}@example.com"
    weak = await browser.post("/sign-up", data={**form, "email": email})
    assert "Take a longer password" in weak.text
    done = await browser.post("/sign-up", data={**form, "email": email, "password": PASSWORD})
    assert (done.status_code, "as soon as an administrator has approved it" in done.text) == (201, True)
    assert (await come_in(browser, email)).status_code == 401


async def test_the_pages_speak_italian(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/sign-in", headers={"Accept-Language": "it"})
    assert "Indirizzo e-mail" in page.text and 'lang="it"' in page.text
