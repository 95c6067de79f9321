"""Signing in at another provider in Chromium: across two sites, with our policy of content and our cookies."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.async_api import Page
from tests.doors.liar import CLIENT, SECRET, Liar
from tests.web.test_passkeys_in_a_browser import PASSWORD, Axe, door, page, product

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.rules.external import ExternalProvider, ExternalProviders
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

__all__ = ["door", "page", "product"]
pytestmark = pytest.mark.browser


@pytest.fixture
def liar(bus: Bus) -> Iterator[Liar]:
    made = Liar(now=bus.clock.now)
    one = ExternalProvider(id="ospedale", name="Ospedale", issuer=made.issuer, client_id=CLIENT, secret=SECRET)
    bus.settings[ExternalProviders] = ExternalProviders({"ospedale": one})
    yield made
    bus.settings.pop(ExternalProviders)
    made.stop()


async def test_an_account_there_is_linked_opens_the_door_and_is_unlinked_and_axe_finds_nothing(
    page: Page, bus: Bus, admin: Caller, axe: Axe, liar: Liar
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="NURSE"), admin)
    await page.goto("/sign-in?next=/account/providers")
    assert await axe(page) == []
    await page.fill("#email", email)
    await page.fill("#password", PASSWORD)
    await page.click("form[action='/sign-in'] button[type=submit]")
    await page.wait_for_url("**/account/providers")
    await page.get_by_role("button", name="Link with Ospedale").click()
    await page.wait_for_url("**/account/providers?done=linked")  # away to another site, and back in the same session
    await page.get_by_text("ada@ospedale.example").wait_for()
    assert await axe(page) == []
    await page.context.clear_cookies(name="__Host-sid")
    await page.goto("/sign-in?next=/account/providers")
    await page.get_by_role("link", name="Sign in with Ospedale").click()
    await page.wait_for_url("**/account/providers")
    await page.goto("/confirm-identity?next=/account/providers")
    assert await axe(page) == []
    await page.get_by_role("button", name="Sign in anew with Ospedale").click()
    await page.wait_for_url("**/account/providers")
    await page.get_by_role("button", name="Unlink: Ospedale").click()
    await page.wait_for_url("**/account/providers?done=unlinked")
    await page.get_by_text("None yet.").wait_for()
