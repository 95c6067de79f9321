"""Passkeys, the question before something grave and the locked screen, in Chromium with its virtual authenticator."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from bench.harness import free_port
from litestar import Litestar
from playwright.async_api import Browser, CDPSession, Error, Page
from tests.addresses import at
from tests.applications import build
from tests.web.conftest import served

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.observing import AccessLog
from salerno.interfaces.http.sessions import sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
PASSWORD = "quiet lantern over Salerno bay"
Axe = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def product(bus: Bus) -> Litestar:
    setup = Setup(sessions=sessions_of(bus), stop=False, development=True, log=AccessLog(io.BytesIO()))
    return build(bus, [web.door(bus), api.door(bus)], setup)


@pytest.fixture
async def door(bus: Bus, product: Litestar) -> AsyncIterator[str]:
    """The product with real sessions, under the one name that a browser takes for safe without TLS."""
    port = free_port()
    address = f"http://localhost:{port}"
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), issuer=address, failures_per_address=100_000
    )
    async with served(product, port):
        yield address
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def page(door: str, chromium: Browser) -> AsyncIterator[Page]:
    context = await chromium.new_context(base_url=door, locale="en", reduced_motion="reduce")
    await context.add_cookies(
        [{"name": "__Host-look", "value": "en.light", "url": door.replace("http:", "https:"), "secure": True}]
    )
    said: list[str] = []
    page = await context.new_page()
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    await context.close()
    assert [line for line in said if "status of 4" not in line] == []


async def telephone(page: Page) -> tuple[CDPSession, str]:
    """A device that verifies its owner by itself."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


async def account(bus: Bus, admin: Caller) -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="NURSE"), admin)
    return email


async def come_in(page: Page, email: str) -> None:
    await page.goto("/sign-in?next=/account")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(at("/account"))


async def test_a_passkey_is_added_opens_the_door_alone_unlocks_the_screen_and_is_removed(
    bus: Bus, admin: Caller, page: Page, axe: Axe
) -> None:
    email = await account(bus, admin)
    await come_in(page, email)
    device, authenticator = await telephone(page)
    assert await axe(page) == []
    await page.goto("/account/passkeys")
    assert await axe(page) == []
    await page.get_by_label("What do you call this device?").fill("My telephone")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.locator("code").first.wait_for()  # the recovery codes, shown once
    kept = await device.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})
    assert len(kept["credentials"]) == 1
    assert kept["credentials"][0]["isResidentCredential"]

    await page.goto("/account/passkeys")
    await page.get_by_text("My telephone").wait_for()
    await page.locator(".topbar summary, .topbar [aria-haspopup]").last.click()
    await page.get_by_role("menuitem", name="Lock the screen").click()
    await page.wait_for_url("**/locked?next=/account/passkeys")
    assert await axe(page) == []
    await page.goto("/account")
    await page.wait_for_url("**/locked?next=/account")
    await page.get_by_role("button", name="Unlock with a passkey").click()
    await page.wait_for_url(at("/account"))

    await page.goto("about:blank")  # an open page notices that its session is gone, and goes to sign-in by itself
    await page.context.clear_cookies(name="__Host-sid")
    with suppress(Error):  # the device may answer, and lead on, before the page has come to rest
        await page.goto("/sign-in?next=/account", wait_until="commit")
    await page.wait_for_url(at("/account"))  # the device answers where the address is typed (conditional mediation)
    await page.goto("/account/passkeys")
    await page.get_by_role("button", name="Remove: My telephone").click()
    await page.get_by_text("The passkey was removed.").wait_for()


async def test_the_button_at_the_door_asks_the_device(bus: Bus, admin: Caller, page: Page) -> None:
    email = await account(bus, admin)
    await come_in(page, email)
    device, authenticator = await telephone(page)
    await page.goto("/account/passkeys")
    await page.get_by_label("What do you call this device?").fill("My telephone")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.locator("code").first.wait_for()
    await page.goto("about:blank")
    await page.context.clear_cookies(name="__Host-sid")
    quiet = {"authenticatorId": authenticator, "enabled": False}
    await device.send("WebAuthn.setAutomaticPresenceSimulation", quiet)
    await page.goto("/sign-in?next=/account")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("heading", name="Second factor").wait_for()
    await device.send("WebAuthn.setAutomaticPresenceSimulation", quiet | {"enabled": True})
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(at("/account"))


async def test_before_something_grave_the_page_asks_and_leads_back(
    bus: Bus, admin: Caller, page: Page, product: Litestar, door: str, axe: Axe
) -> None:
    email = await account(bus, admin)
    await come_in(page, email)
    await telephone(page)
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False,
        floor=timedelta(),
        issuer=door,
        proof=timedelta(seconds=0),
        failures_per_address=100_000,
    )
    product.state["sessions"].forget()  # what the door remembers for two seconds
    await page.goto("/account/passkeys")
    await page.get_by_label("What do you call this device?").fill("My telephone")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.wait_for_url("**/confirm-identity?next=*")
    assert await axe(page) == []
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), issuer=door, failures_per_address=100_000
    )
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on").click()
    await page.wait_for_url(at("/account/passkeys"))
    await page.get_by_label("What do you call this device?").fill("My telephone")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.locator("code").first.wait_for()


@pytest.mark.parametrize(("language", "theme"), [("it", "dark"), ("en", "light")])
async def test_the_pages_of_letters_and_organisations_are_readable_for_everybody(
    bus: Bus, admin: Caller, page: Page, door: str, axe: Axe, language: str, theme: str
) -> None:
    look = {"name": "__Host-look", "value": f"{language}.{theme}", "url": door.replace("http:", "https:")}
    await page.context.add_cookies([{**look, "secure": True}])  # type: ignore[typeddict-item]
    for path in ("/forgot-password", "/reset-password?token=x", "/sign-up/confirm?token=x", "/invitation?token=x"):
        await page.goto(path)
        assert await axe(page) == [], path
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="ADMIN"), admin)
    await page.goto("/sign-in?next=/account")
    await page.locator("#email").fill(email)
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(at("/account"))
    await page.wait_for_load_state("networkidle")
    for path in (
        "/account",
        "/account/organisations",
        "/account/practise",
        "/confirm-identity",
        "/settings/accounts/invite",
    ):
        await page.goto(path)
        assert await axe(page) == [], path
