"""A program that asked to be registered, and opening one from a visit, in a real browser: languages, themes, axe."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page
from tests.web.conftest import OpenPage

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.identity.commands import RegisterClient
from salerno.contexts.identity.commands.registration import AskToRegister, SaidOfItself
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.queries import ClientById
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.patients.commands import RegisterPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import INSTALLATION, Caller

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]
LOOKS = [("en", "light"), ("it", "dark"), ("it", "light"), ("en", "dark")]


async def shoot(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: `SHOTS=folder`."""
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def asked(bus: Bus, admin: Caller) -> str:
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["keep_home"], admin.organisation, bus.clock.now(), "clinic", None, None)
    said = SaidOfItself(
        client_name="Cardiologia R0ssi", redirect_uris=("https://cardio.elsewhere.example/cb",),
        scope="openid profile offline_access patient-api user/Observation.rs", client_uri="https://elsewhere.example/",
        contacts=("dev@elsewhere.example",), post_logout_redirect_uris=("https://cardio.elsewhere.example/bye",),
    )  # fmt: skip
    bus.settings[SignInPolicy] = SignInPolicy(registration=True)
    stranger = Caller(actor=INSTALLATION, organisation=INSTALLATION, address="203.0.113.7")
    try:
        answer = await bus.ask(AskToRegister(said=said, organisation=admin.organisation), stranger)
    finally:
        bus.settings.pop(SignInPolicy)
    return str(answer.body["client_id"])


async def test_t027_who_asked_is_looked_at_and_approved_in_both_languages_and_themes(
    browser_page: OpenPage, bus: Bus, admin: Caller, axe: Axe
) -> None:
    known = {
        "redirect_uris": ("https://rossi.example/cb",),
        "scopes": ("openid",),
        "launch_uri": "https://rossi.example/",
    }
    await bus.handle(RegisterClient(name="Cardiologia Rossi", kind="web", **known), admin)  # type: ignore[arg-type]
    client = await asked(bus, admin)
    for language, theme in LOOKS:
        page = await browser_page(admin, "/settings/clients", language=language, theme=theme)
        assert await axe(page) == []
        await shoot(page, f"clients-{language}-{theme}")
        await page.goto(page.url.removesuffix("/settings/clients") + f"/settings/clients/{client}")
        assert await axe(page) == []
        await shoot(page, f"asked-{language}-{theme}")
    await page.get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("Approved.").wait_for()
    assert await axe(page) == []
    assert (await bus.ask(ClientById(client_id=client), admin)).status == "active"  # type: ignore[arg-type]


async def test_t022_an_application_is_offered_on_the_screen_of_a_visit(
    browser_page: OpenPage, bus: Bus, admin: Caller, doctor: Caller, axe: Axe
) -> None:
    terms = {"redirect_uris": ("https://rossi.example/cb",), "scopes": ("openid", "launch")}
    wish = RegisterClient(name="Cardio", kind="web", launch_uri="https://rossi.example/", **terms)  # type: ignore[arg-type]
    await bus.handle(wish, admin)
    patient = await bus.handle(RegisterPatient(full_name="Ada Rossi", confirmed_not_duplicate=True), doctor)
    await bus.settled()
    visit = (await bus.handle(StartVisit(patient_id=patient.aggregate_id), doctor)).aggregate_id
    for language, theme in LOOKS:
        page = await browser_page(doctor, f"/visit/{visit}", language=language, theme=theme)
        assert await axe(page) == []
        await shoot(page, f"visit-{language}-{theme}")
        await page.locator(f'a[href="/visit/{visit}/applications"]').click()
        await page.locator(f'form[action^="/visit/{visit}/applications/"]').wait_for()
        assert await axe(page) == []
        await shoot(page, f"launch-{language}-{theme}")
