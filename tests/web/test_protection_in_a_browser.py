"""Restricted charts in a real browser: accessible in both languages and themes, the mark in the navigation, the end."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.protection.conftest import Ward
from tests.web.conftest import OpenPage

from salerno.contexts.protection.commands import ReviewBreakGlass
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]
LOOKS = [("en", "light"), ("it", "dark")]


@pytest.fixture
async def ward(bus: Bus, caller: Callable[..., Caller]) -> Ward:
    return await Ward(bus, caller).founded()


async def seen(page: Any, name: str) -> None:
    """A picture of the page, where somebody wants to look at it."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_page_of_restricted_charts_is_accessible(
    bus: Bus, ward: Ward, browser_page: OpenPage, axe: Axe, language: str, theme: str
) -> None:
    patient, other, doctor = await ward.patient("Olga Verdi"), await ward.patient("Nina Neri"), await ward.colleague()
    officer = await ward.colleague("ADMIN")
    await ward.restrict(patient, accounts=(officer.actor,))
    await ward.restrict(other, reason="staff")
    glass = await ward.break_glass(patient, doctor)
    reviewed = await ward.break_glass(other, doctor)
    await bus.handle(ReviewBreakGlass(glass_id=reviewed, outcome="unjustified", note="Curiosity"), officer)
    third = await ward.patient("Rita Bruni")
    await ward.restrict(third)
    paths = [
        (doctor, "/glass", "break"), (doctor, f"/chart/{third}", "refused"), (doctor, f"/chart/{patient}", "banner"),
        (officer, "/privacy", "queue"), (officer, "/privacy?status=reviewed", "reviewed"),
        (officer, f"/privacy/{glass}", "review"), (officer, f"/privacy/{reviewed}", "outcome"),
        (officer, "/settings/restricted", "restricted"), (officer, f"/settings/restricted/{patient}", "restriction"),
        (officer, f"/people/{await ward.patient('Ada Blu')}/restrict", "restrict"),
        (officer, f"/chart/{patient}/access", "access"),
    ]  # fmt: skip
    for who, path, name in paths:
        page = await browser_page(who, path, language=language, theme=theme)
        await seen(page, f"{name}-{language}-{theme}")
        assert await axe(page) == [], path
        await page.context.close()
    small = await browser_page(doctor, f"/chart/{patient}", width=390, language=language, theme=theme)
    await seen(small, f"banner-small-{language}-{theme}")
    assert await axe(small) == []
    assert await small.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_mark_in_the_navigation_comes_within_seconds_and_goes_with_the_review(
    bus: Bus, ward: Ward, browser_page: OpenPage
) -> None:
    patient, doctor, officer = await ward.patient(), await ward.colleague(), await ward.colleague("ADMIN")
    await ward.restrict(patient)
    page = await browser_page(officer, "/people")
    mark = page.locator(".rail .waiting-count")
    assert (await mark.text_content() or "").strip() == ""
    await ward.break_glass(patient, doctor)
    async with asyncio.timeout(60):
        while "1" not in (await mark.text_content() or ""):
            await page.reload()
    await seen(page, "mark")


async def test_a_mistake_keeps_what_was_typed_and_the_button_on_the_banner_ends_it(
    ward: Ward, browser_page: OpenPage
) -> None:
    patient, doctor = await ward.patient("Olga Verdi"), await ward.colleague()
    await ward.restrict(patient)
    page = await browser_page(doctor, f"/chart/{patient}")
    await page.get_by_role("link", name="Break the glass").click()
    await page.get_by_role("radio", name="Emergency").check()
    await page.get_by_label("Why do you need this chart?").fill("short")
    await page.get_by_role("button", name="Break the glass").click()
    await page.get_by_text("Say in at least ten characters why you need this chart.").wait_for()
    assert await page.get_by_label("Why do you need this chart?").input_value() == "short"
    await seen(page, "mistake")
    await page.get_by_label("Why do you need this chart?").fill("She collapsed in the corridor.")
    await page.get_by_role("button", name="Break the glass").click()
    await page.get_by_text("You have broken the glass of this chart").wait_for()
    await page.get_by_role("button", name="End now").click()
    await page.wait_for_url("**/people")
