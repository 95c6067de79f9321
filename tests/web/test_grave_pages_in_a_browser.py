"""Removing, un-merging, stopping, voiding: readable by everybody, in both themes and languages, on every screen."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

import pytest
from tests.web.conftest import OpenPage

from salerno.contexts.encounters.commands import SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import NoteById
from salerno.contexts.patients.commands import MergePatients, RegisterPatient, RemovePatient
from salerno.contexts.prescribing.commands import IssuePrescription
from salerno.contexts.prescribing.events import Medication
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]


@pytest.fixture
async def pages(bus: Bus, admin: Caller, doctor: Caller) -> dict[str, str]:
    """The addresses, by who looks at them: an administrator or a doctor."""

    async def register(name: str) -> UUID:
        wish = RegisterPatient(full_name=name, date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
        return (await bus.handle(wish, admin)).aggregate_id

    ada, twin, gone = [await register(name) for name in ("Ada Byron", "Ada Bayron", "Nobody At All")]
    await bus.handle(MergePatients(patient_id=ada, duplicate_id=twin, reason="twice"), admin)
    await bus.handle(RemovePatient(patient_id=gone, reason="a test"), admin)
    visit = (await bus.handle(StartVisit(patient_id=ada), doctor)).aggregate_id
    note = (await bus.handle(SaveDraft(visit_id=visit, subjective="tired"), doctor)).aggregate_id
    held = await bus.ask(NoteById(note_id=note), doctor)
    await bus.handle(SignNote(note_id=note, content_hash=held.note.content_hash), doctor)
    lines = (Medication(name="Paracetamol 500 mg"),)
    order = IssuePrescription(patient_id=ada, visit_id=visit, medications=lines, sign=True)
    prescription = (await bus.handle(order, doctor)).aggregate_id
    await bus.settled()
    return {
        f"/people/{ada}/remove": "admin", "/people/removed": "admin", f"/people/{ada}/unmerge/{twin}": "admin",
        f"/people/{ada}/merge/{await register('Adah Byron')}": "admin", "/people": "admin",
        f"/chart/{ada}/prescriptions/{prescription}/0/stop": "doctor", f"/visit/{visit}": "doctor",
        f"/chart/{ada}/medicines": "doctor", f"/prescription/{prescription}": "doctor",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("width", "language", "theme"), [(390, "it", "dark"), (1280, "en", "light"), (1920, "en", "dark")]
)
async def test_every_page_is_accessible_and_fits(
    browser_page: OpenPage, admin: Caller, doctor: Caller, pages: dict[str, str], axe: Axe,
    width: int, language: str, theme: str,
) -> None:  # fmt: skip
    screens = {
        "admin": await browser_page(admin, width=width, language=language, theme=theme),
        "doctor": await browser_page(doctor, width=width, language=language, theme=theme),
    }
    found: list[str] = []
    for path, who in pages.items():
        page = screens[who]
        await page.goto(path)
        await page.evaluate(
            "document.querySelectorAll('main details:not(.menu)').forEach((each) => { each.open = true })"
        )
        under_the_bar = ("target-size",) if path.startswith("/visit/") else ()  # until one scrolls
        found += [f"{path}: {each}" for each in await axe(page, *under_the_bar)]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []


async def test_a_refused_removal_says_so_beside_its_fields(
    browser_page: OpenPage, admin: Caller, pages: dict[str, str], axe: Axe
) -> None:
    page = await browser_page(admin, next(path for path in pages if path.endswith("/remove")))
    await page.locator("main form button[type=submit]").click()
    await page.locator("#reason-error").wait_for()
    assert await page.locator("#certain-error").is_visible()
    assert await axe(page) == []


async def test_the_menu_of_a_visit_that_holds_a_form_is_no_list_of_commands(
    browser_page: OpenPage, doctor: Caller, pages: dict[str, str], axe: Axe
) -> None:
    page = await browser_page(doctor, next(path for path in pages if path.startswith("/visit/")))
    await page.locator(".sign-bar summary").click()
    await page.locator(".sign-bar input[name=because]").wait_for()
    assert await axe(page, "target-size") == []  # it lies over the page while it is open
