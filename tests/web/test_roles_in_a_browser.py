"""Roles in a real browser: made by keyboard alone, the matrix and an explanation, in both languages and themes; axe."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page
from tests.web.conftest import OpenPage

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.commands.further_roles import AddUserRole
from salerno.contexts.identity.commands.made_roles import DefineRole
from salerno.contexts.identity.queries import Roles
from salerno.contexts.patients.commands import RegisterPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]
LOOKS = [("en", "light"), ("it", "dark"), ("it", "light"), ("en", "dark")]


async def shoot(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: `SHOTS=folder`."""
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
async def receptionist_account(bus: Bus, admin: Caller) -> UUID:
    wish = CreateUser(
        email=f"{uuid4().hex[:10]}@example.com", password="quiet lantern over Salerno", full_name="Rosa Gallo",
        role="RECEPTIONIST",
    )  # fmt: skip
    account = (await bus.handle(wish, admin)).aggregate_id
    permissions = {"patients.read": "care+location", "records.read_vitals": "care"}
    await bus.handle(DefineRole(title="Infermiere di triage", name="TRIAGE_NURSE", permissions=permissions), admin)
    await bus.handle(AddUserRole(account_id=account, role="TRIAGE_NURSE"), admin)
    return account


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_the_pages_of_roles_are_accessible_in_both_languages_and_themes(
    browser_page: OpenPage,
    bus: Bus,
    admin: Caller,
    doctor: Caller,
    receptionist_account: UUID,
    axe: Axe,
    language: str,
    theme: str,
) -> None:
    (role,) = await bus.ask(Roles(), admin)
    patient = await bus.handle(RegisterPatient(full_name="Ada Rossi", confirmed_not_duplicate=True), doctor)
    page = await browser_page(admin, "/settings/roles", language=language, theme=theme)
    assert await axe(page) == []
    await shoot(page, f"roles-{language}-{theme}")
    base = page.url.removesuffix("/settings/roles")
    for path, name in (
        (f"/settings/roles/{role.role_id}", "role"),
        ("/settings/roles/matrix", "matrix"),
        (f"/settings/accounts/{receptionist_account}", "account"),
        (f"/settings/roles/explain?account={receptionist_account}", "explain"),
    ):
        await page.goto(base + path)
        assert await axe(page) == []
        await shoot(page, f"{name}-{language}-{theme}")
    await page.select_option("#what", "records.read_vitals")
    await page.fill("#patient_id-search", "Ada")
    await page.locator(f'#patient_id-list [data-value="{patient.aggregate_id}"]').click()
    await page.keyboard.press("Enter")
    await page.locator("#answer").wait_for()
    assert ("No, " in await page.locator("#answer strong").inner_text()) is True
    assert await page.locator("#answer li.stopped").count() == 1
    assert await axe(page) == []
    await shoot(page, f"explained-{language}-{theme}")


async def test_a_role_is_made_without_the_mouse_on_a_narrow_screen(
    browser_page: OpenPage, bus: Bus, admin: Caller, axe: Axe
) -> None:
    page = await browser_page(admin, "/settings/roles/new", width=390)
    await page.focus("#title")
    await page.keyboard.type("Night watch")
    await page.keyboard.press("Tab")  # the name in programs
    await page.keyboard.press("Tab")
    await page.keyboard.type("ev")  # the first permission: everybody's
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Save").press("Enter")
    await page.wait_for_url("**/settings/roles/*?done=added")
    assert await axe(page) == []
    await shoot(page, "role-narrow")
    (line,) = await bus.ask(Roles(), admin)
    assert (line.name, line.permissions) == ("NIGHT_WATCH", {"patients.read": "yes"})
