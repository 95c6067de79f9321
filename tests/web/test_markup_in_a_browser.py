"""T050: what was typed or imported as markup is shown in Chromium, and nothing of it runs, loads or moves the page."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from playwright.async_api import Page
from tests.encounters.test_rich_text import HOSTILE
from tests.fhir import bundles_of_tests as made
from tests.fhir.test_markup import NARRATIVE
from tests.web.conftest import OpenPage

from salerno.contexts.encounters.commands import SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import Draft
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import RecordAllergy, RecordObservation, RecordProblem
from salerno.interfaces.fhir.importer import Importer
from salerno.interfaces.fhir.references import our_id
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
TYPED = '"><img src=x onerror="window.hit=1"><svg onload=window.hit=2><script>window.hit=3</script>'
RAN = "() => window.hit === undefined"
SECTIONS = ("", "/problems", "/allergies", "/results", "/notes", "/timeline", "/visits")


async def _silent(page: Page, path: str) -> None:
    """The page stands where it was asked for, nothing that was typed became an element, and nothing of it ran."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(path, wait_until="load")
    assert await page.evaluate(RAN), path
    foreign = await page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(one => /^(iframe|object|embed|base|math|form-x)$/i
            .test(one.tagName) || [...one.attributes].some(each => /^on/i.test(each.name)
            || /^\\s*javascript:/i.test(each.value))).map(one => one.outerHTML.slice(0, 120))"""
    )
    assert foreign == [], path
    assert await page.locator("main img[src='x'], main script").count() == 0, path
    assert page.url.endswith(path)
    assert not [url for url in asked if "x.test" in url or url.endswith("/x")], path


async def test_t050_nothing_that_was_typed_into_a_chart_runs(bus: Bus, doctor: Caller, browser_page: OpenPage) -> None:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), confirmed_not_duplicate=True)
    ada = (await bus.handle(wish, doctor)).aggregate_id
    await bus.handle(RecordProblem(patient_id=ada, display=TYPED, comment=TYPED), doctor)
    await bus.handle(RecordAllergy(patient_id=ada, substance=TYPED, comment=TYPED), doctor)
    await bus.handle(RecordObservation(patient_id=ada, code="x", display=TYPED, value_text=TYPED), doctor)
    for text, form in ((TYPED, "plain"), ("".join(HOSTILE), "html")):
        visit = (await bus.handle(StartVisit(patient_id=ada, reason=TYPED), doctor)).aggregate_id
        await bus.handle(SaveDraft(visit_id=visit, subjective=text, plan=text, text_format=form), doctor)  # type: ignore[arg-type]
        draft = await bus.ask(Draft(visit_id=visit), doctor)
        await bus.handle(SignNote(note_id=draft.note.note, content_hash=draft.note.content_hash), doctor)
    await bus.settled()
    page = await browser_page(doctor)
    for section in SECTIONS:
        await _silent(page, f"/chart/{ada}{section}")
    await _silent(page, f"/visit/{visit}")


async def test_t050_nothing_of_an_imported_bundle_runs(
    bus: Bus, doctor: Caller, browser_page: OpenPage, organisation: UUID, tmp_path: Path
) -> None:
    importer = replace(doctor, actor=uuid4(), role="SUPER_ADMIN", permissions=frozenset(bus.permissions()))
    await bus.handle(RegisterOrganisation(kind="clinic", name="Clinica Mercanti"), importer)
    text: dict[str, Any] = {"text": {"status": "generated", "div": NARRATIVE}}
    fever = made.condition(code=made.coded(made.SNOMED, "386661006", TYPED), **text)
    bundle = made.bundle(
        made.organization(**text), made.practitioner(**text), made.patient(**text), made.encounter(**text), fever
    )
    report = await Importer(bus, importer).run([made.written(tmp_path / "a.json", bundle)])
    assert report.taken["Condition"] == 1, report
    await bus.settled()
    page = await browser_page(doctor)
    for section in SECTIONS:
        await _silent(page, f"/chart/{our_id(organisation, 'Patient', made.PATIENT)}{section}")
