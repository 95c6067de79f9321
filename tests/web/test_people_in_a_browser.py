"""People and charts in a real browser: keyboard, duplicates while typing, the drawer, the slider, axe."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.web.conftest import OpenPage

from salerno.contexts.encounters.commands import SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import NoteById
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import RecordAllergy, RecordProblem, RecordVitals
from salerno.contexts.records.queries import Allergies
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

pytestmark = pytest.mark.browser
CORNER = "document.querySelector('.plot canvas').toDataURL()"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
Axe = Callable[..., Awaitable[list[str]]]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.05)


@pytest.fixture
async def rossi(bus: Bus, doctor: Caller, receptionist: Caller, clock: MovableClock) -> UUID:
    clock.set(NOW - timedelta(days=400))
    wish = RegisterPatient(
        given_name="Maria", family_name="Rossi", date_of_birth=date(1948, 3, 12), gender="female", phone="+39061234567"
    )
    id = (await bus.handle(wish, receptionist)).aggregate_id
    for n in range(12):
        clock.set(NOW - timedelta(days=360 - 30 * n))
        await bus.handle(RecordVitals(patient_id=id, systolic=130 + n, diastolic=80, heart_rate=70), doctor)
    await bus.handle(RecordProblem(patient_id=id, display="Essential hypertension"), doctor)
    clock.set(NOW)
    return id


async def test_a_patient_is_found_and_opened_without_the_mouse(
    browser_page: OpenPage, doctor: Caller, rossi: UUID, axe: Axe
) -> None:
    page = await browser_page(doctor, "/people")
    await page.keyboard.type("Rosi maria")
    await page.get_by_text("similar name").wait_for()
    assert await axe(page) == []
    assert "q=" not in page.url and "Ros" not in page.url
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/chart/{rossi}")
    assert await page.title() == "Chart · Salerno"


async def test_duplicates_show_while_typing_and_rows_are_added(
    browser_page: OpenPage, receptionist: Caller, rossi: UUID, axe: Axe
) -> None:
    page = await browser_page(receptionist, "/people/new", language="it", theme="dark")
    await page.fill("#family_name", "Rossi")
    await page.fill("#given_name", "Maria")
    await page.fill("#date_of_birth", "1948-03-12")
    await page.locator(f'#likely a[href="/chart/{rossi}"]').wait_for()
    await page.click("button[data-rows=contacts]")
    await page.locator('[name="contacts.0.value"]').wait_for()
    assert await axe(page) == []
    await page.fill("#phone", "06 1234567")
    await page.keyboard.press("Control+Enter")
    await page.get_by_text("Non è stato ancora registrato nulla.").wait_for()
    assert await page.input_value("#family_name") == "Rossi"
    await page.check("input[name=confirmed]")
    await page.get_by_role("button", name="Registra", exact=True).click()
    await page.wait_for_url("**/chart/*")


async def test_an_allergy_is_entered_in_the_drawer_with_its_mistake_beside_the_field(
    bus: Bus, browser_page: OpenPage, doctor: Caller, rossi: UUID, axe: Axe
) -> None:
    page = await browser_page(doctor, f"/chart/{rossi}/allergies")
    await page.get_by_role("link", name="Add an allergy").first.click()
    await page.locator("#entry-drawer #substance").wait_for()
    assert page.url.endswith("/allergies")
    await page.fill("#onset", "last year")
    await page.get_by_role("button", name="Save").click()
    await page.locator("#onset-error").wait_for()
    assert await axe(page) == []
    await page.fill("#onset", "1999")
    await page.fill("#substance", "Penicillin")
    await page.fill("#reaction_0", "Hives")
    await page.select_option("#severity_0", "severe")
    await page.get_by_role("button", name="Save").click()
    await page.locator(".patient-banner .chip.danger", has_text="Penicillin").wait_for()
    assert (await bus.ask(Allergies(patient_id=rossi), doctor)).allergies[0].content.onset == "1999"


async def test_the_slider_goes_back_by_keyboard_and_everything_follows(
    bus: Bus, browser_page: OpenPage, doctor: Caller, rossi: UUID, axe: Axe
) -> None:
    await bus.handle(RecordAllergy(patient_id=rossi, substance="Latex"), doctor)
    page = await browser_page(doctor, f"/chart/{rossi}")
    await page.focus("#as-of")
    await page.keyboard.press("PageDown")
    await page.locator(".past-banner").wait_for()
    assert "as_of=" in page.url
    await page.get_by_role("link", name="Vital signs", exact=True).click()
    await page.locator(".plot canvas").first.wait_for()
    assert "as_of=" in page.url and await page.get_by_text("Latex").count() == 0
    assert await page.get_by_role("link", name="Add measurements").count() == 0
    assert await axe(page) == []
    await page.get_by_role("link", name="Previous recording").click()
    await page.wait_for_load_state()
    assert re.search(r"as_of=2026-", page.url)
    await page.get_by_role("link", name="Back to now").click()
    await page.locator(".chip", has_text="Latex").first.wait_for()


@pytest.mark.parametrize(
    ("width", "language", "theme"), [(390, "it", "dark"), (1280, "en", "light"), (1920, "it", "light")]
)
async def test_every_section_is_accessible_and_fits(
    browser_page: OpenPage, doctor: Caller, rossi: UUID, axe: Axe, width: int, language: str, theme: str
) -> None:
    page = await browser_page(doctor, width=width, language=language, theme=theme)
    found: list[str] = []
    for path in ("", "/timeline", "/problems", "/vitals", "/person", "/appointments", "?as_of=2026-03-01"):
        await page.goto(f"/chart/{rossi}{path}")
        found += [f"{path}: {each}" for each in await axe(page)]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []


async def test_what_is_recorded_elsewhere_appears_in_an_open_chart_and_nothing_typed_is_lost(
    bus: Bus, site: Any, browser_page: OpenPage, doctor: Caller, nurse: Caller, rossi: UUID, axe: Axe
) -> None:
    page = await browser_page(doctor, f"/chart/{rossi}/vitals")
    await page.locator(".plot canvas").first.wait_for()
    await page.get_by_role("link", name="Add measurements").click()
    await page.fill("#entry-drawer #systolic", "128")
    live = f"{doctor.organisation}/{rossi}"
    await until(lambda: live in site.state["live"].topics)
    await bus.handle(RecordAllergy(patient_id=rossi, substance="Latex"), nurse)
    await bus.handle(RecordVitals(patient_id=rossi, heart_rate=93), nurse)
    site.state["live"].publish(live, "chart", "", "chart")
    await page.locator(".patient-banner .chip", has_text="Latex").wait_for()
    await page.locator("#chart-section td", has_text="93").first.wait_for(state="attached")
    assert await page.input_value("#entry-drawer #systolic") == "128"
    await page.keyboard.press("Escape")
    assert await page.locator(".plot canvas").count() == await page.locator(".plot").count()
    assert await axe(page) == []
    await page.goto(f"/chart/{rossi}/vitals?as_of=2026-03-01")
    assert await page.locator("[data-live-topic=chart]").count() == 0


async def test_the_summary_prints_without_its_controls(browser_page: OpenPage, doctor: Caller, rossi: UUID) -> None:
    page = await browser_page(doctor, f"/chart/{rossi}")
    await page.emulate_media(media="print")
    assert await page.locator(".printed").is_visible()
    for gone in (".rail", ".topbar", ".as-of", ".chart-actions"):
        assert not await page.locator(gone).first.is_visible(), gone
    assert await page.get_by_text("Essential hypertension").is_visible()


async def test_what_is_printed_is_a_document_and_no_screen(
    bus: Bus, browser_page: OpenPage, doctor: Caller, rossi: UUID
) -> None:
    visit = (await bus.handle(StartVisit(patient_id=rossi, reason="cough"), doctor)).aggregate_id
    note = (await bus.handle(SaveDraft(visit_id=visit, subjective="Coughs at night."), doctor)).aggregate_id
    held = await bus.ask(NoteById(note_id=note), doctor)
    await bus.handle(SignNote(note_id=note, content_hash=held.note.content_hash), doctor)
    page = await browser_page(doctor, f"/visit/{visit}", theme="dark")
    await page.emulate_media(media="print")
    assert await page.get_by_text("Coughs at night.").is_visible()
    assert await page.locator("main .printed").is_visible()
    for gone in (".visit-was", ".visit-page form", ".visit-page .fold", ".sign-bar", ".follow-up"):
        assert not await page.locator(gone).first.is_visible(), gone
    await page.emulate_media(media="screen")
    await page.goto(f"/chart/{rossi}/vitals")
    await page.locator(".plot canvas").first.wait_for()
    dark = await page.evaluate(CORNER)
    await page.emulate_media(media="print")
    await page.wait_for_function(f"dark => {CORNER} !== dark", arg=dark, timeout=5000)  # on paper it is day
    assert len(await page.pdf(format="A4")) > 10_000
