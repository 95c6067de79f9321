"""The visit and today in a real browser: nothing that axe finds, nothing that the policy blocks, all by keyboard."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import RecordAllergy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser


@pytest.fixture
async def visit(bus: Bus, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, doctor)).aggregate_id
    await bus.handle(RecordAllergy(patient_id=patient, substance="Amoxicillin", category="medication"), doctor)
    await bus.settled()
    return (await bus.handle(StartVisit(patient_id=patient, reason="cough"), doctor)).aggregate_id


async def test_from_the_first_word_to_the_signature_by_keyboard(
    browser_page: Any, doctor: Caller, visit: UUID, axe: Any
) -> None:
    page = await browser_page(doctor, f"/visit/{visit}")
    assert await axe(page) == []
    await page.locator("#subjective").press_sequentially("Coughs at night.")
    await expect(page.locator("[data-saved-state]")).to_contain_text("Saved")
    await page.locator("#diagnosis").press_sequentially("I10", delay=20)
    await expect(page.locator("#diagnosis-list [role=option]").first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator("#diagnoses")).to_contain_text("Essential (primary) hypertension")
    await page.locator("#plan").press_sequentially("Syrup.")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/sign")
    assert await axe(page) == []
    await expect(page.locator("main")).to_contain_text("Coughs at night.")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url(f"**/visit/{visit}#note-*")
    await expect(page.locator(".signed-note")).to_contain_text("signed")


async def test_two_windows_show_both_texts_and_lose_neither(browser_page: Any, doctor: Caller, visit: UUID) -> None:
    one, two = [await browser_page(doctor, f"/visit/{visit}") for _ in range(2)]
    await one.locator("#subjective").press_sequentially("first")
    await expect(one.locator("[data-saved-state]")).to_contain_text("Saved")
    await two.locator("#subjective").press_sequentially("second")
    await expect(two.locator("[data-saved-state]")).to_contain_text("changed by somebody else")
    await expect(two.locator("[data-conflict=subjective] pre")).to_have_text("first")
    await two.get_by_role("button", name="Keep mine").click()
    await expect(two.locator("[data-saved-state]")).to_have_attribute("data-state", "saved")
    await two.reload()
    await expect(two.locator("#subjective")).to_have_value("second")


async def test_alerts_appear_beside_the_line_while_typing(browser_page: Any, doctor: Caller, visit: UUID) -> None:
    page = await browser_page(doctor, f"/visit/{visit}")
    await page.locator("#line-0-name").press_sequentially("Amoxicillin", delay=20)
    await expect(page.locator("#rx-alerts-0")).to_contain_text("CONTRAINDICATED", ignore_case=True)
    await page.get_by_role("button", name="Sign the prescription").click()
    await expect(page.locator("#rx-alerts-0 .field-error")).to_be_visible()
    await page.locator("#rx-alerts-0 input").fill("tolerated last year")
    await page.get_by_role("button", name="Sign the prescription").click()
    await expect(page.locator("#orders")).to_contain_text("signed")


@pytest.mark.parametrize(("width", "language", "theme"), [(390, "it", "dark"), (1280, "en", "light")])
async def test_today_is_readable_by_everybody(
    browser_page: Any, doctor: Caller, visit: UUID, axe: Any, width: int, language: str, theme: str
) -> None:
    page = await browser_page(doctor, "/today", width=width, language=language, theme=theme)
    assert await axe(page) == []
    await page.goto(f"/visit/{visit}")
    assert await axe(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
