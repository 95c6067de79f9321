"""Signing in at another provider in Chromium: across two sites, with our policy of content and our cookies."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.async_api import Page
from tests.addresses import at
from tests.doors.liar import CLIENT, SECRET, Liar
from tests.web.test_passkeys_in_a_browser import PASSWORD, Axe, door, page, product

from salerno.contexts.identity.commands import CreateUser, RegisterClient
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
    await page.wait_for_url(at("/account/providers"))
    await page.get_by_role("button", name="Link with Ospedale").click()
    await page.wait_for_url("**/account/providers?done=linked")  # away to another site, and back in the same session
    await page.get_by_text("ada@ospedale.example").wait_for()
    assert await axe(page) == []
    await page.context.clear_cookies(name="__Host-sid")
    await page.goto("/sign-in?next=/account/providers")
    await page.get_by_role("link", name="Sign in with Ospedale").click()
    await page.wait_for_url(at("/account/providers"))
    await page.goto("/confirm-identity?next=/account/providers")
    assert await axe(page) == []
    await page.get_by_role("button", name="Sign in anew with Ospedale").click()
    await page.wait_for_url(at("/account/providers"))
    await page.evaluate("""async () => {
        const form = document.querySelector('form[action="/sign-out"]');
        const body = new URLSearchParams({csrf: form.elements.csrf.value, next: '/account/providers'});
        await fetch('/lock', {method: 'POST', body});
    }""")
    await page.goto("/account/providers")
    await page.wait_for_url("**/locked?next=/account/providers")
    assert await axe(page) == []
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=f"{folder}/locked.png")
    await page.get_by_role("button", name="Unlock by signing in anew with Ospedale").click()
    await page.wait_for_url(at("/account/providers"))
    await page.get_by_role("button", name="Unlink: Ospedale").click()
    await page.wait_for_url("**/account/providers?done=unlinked")
    await page.get_by_text("None yet.").wait_for()


async def test_a_form_of_another_site_leads_whoever_is_signed_in_here_to_the_question_and_no_further(
    page: Page, door: str, bus: Bus, admin: Caller, liar: Liar
) -> None:
    email, wanted = f"{uuid4().hex[:12]}@example.com", "https://app.example/cb"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="NURSE"), admin)
    wish = RegisterClient(name="Cardio", kind="browser", redirect_uris=(wanted,), scopes=("openid", "profile"))
    client = (await bus.handle(wish, admin)).aggregate_id
    await page.goto("/sign-in?next=/account/providers")
    await page.fill("#email", email)
    await page.fill("#password", PASSWORD)
    await page.click("form[action='/sign-in'] button[type=submit]")
    await page.wait_for_url(at("/account/providers"))
    await page.goto(f"{liar.issuer}/keys")
    said = {
        "response_type": "code", "client_id": str(client), "redirect_uri": wanted, "scope": "openid profile",
        "code_challenge": "x" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    await page.evaluate(
        """([address, said]) => {
            const form = document.createElement('form');
            [form.method, form.action] = ['post', address];
            for (const [name, value] of Object.entries(said)) {
                form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
            }
            document.body.append(form);
            form.submit();
        }""",
        [f"{door}/authorize", said],
    )
    await page.wait_for_url("**/authorize/go/*")
    await page.get_by_role("heading", name="Cardio wants to act for you").wait_for()
