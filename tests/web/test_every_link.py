"""No link that a page shows leads to a refusal: every role walks from its day through whatever it is offered."""

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from tests.web.conftest import SiteClient

from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import IssuePrescription
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.records.commands import RecordAllergy, RecordProblem, RecordVitals
from salerno.contexts.scheduling.commands import CheckIn, ScheduleAppointment
from salerno.contexts.staff.commands import AddStaffMember
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
LINK = re.compile(r'<a\b[^>]*?href="(/[^"#]*)')
EACH = 2  # pages of one kind are enough


@pytest.fixture
async def a_day(bus: Bus, caller: Callable[..., Caller], admin: Caller, doctor: Caller, clock: MovableClock) -> UUID:
    """A patient who was seen, measured and given something, and who is here again."""
    founded = RegisterOrganisation(organisation_id=admin.organisation, kind="clinic", name="Poliambulatorio")
    await bus.handle(founded, caller("SUPER_ADMIN"))
    wish = AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR")
    staff = (await bus.handle(wish, admin)).aggregate_id
    person = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    ada = (await bus.handle(person, admin)).aggregate_id
    await bus.settled()
    visit = (await bus.handle(StartVisit(patient_id=ada, practitioner_id=staff), doctor)).aggregate_id
    await bus.handle(SaveDraft(visit_id=visit, subjective="tired"), doctor)
    await bus.handle(RecordVitals(patient_id=ada, visit_id=visit, heart_rate=71), doctor)
    await bus.handle(RecordAllergy(patient_id=ada, substance="Latex"), doctor)
    await bus.handle(RecordProblem(patient_id=ada, display="Gout"), doctor)
    lines = (Medication(name="Paracetamol 500 mg"),)
    await bus.handle(IssuePrescription(patient_id=ada, visit_id=visit, medications=lines, sign=True), doctor)
    book = ScheduleAppointment(
        patient_id=ada, doctor_id=staff, appointment_datetime=clock.now() + timedelta(minutes=5), duration_minutes=30,
        overbook_reason="comes again",
    )  # fmt: skip
    booked = (await bus.handle(book, admin)).aggregate_id
    await bus.handle(CheckIn(appointment_id=booked), admin)
    await bus.settled()
    return ada


@pytest.mark.parametrize(
    ("role", "reaches"),
    [
        ("DOCTOR", "/chart/-/prescriptions/-/0/stop"), ("NURSE", "/chart/-/vitals/new"),
        ("RECEPTIONIST", "/calendar/appointments/-"), ("PHARMACIST", "/prescription/-/print"),
        ("LAB_TECHNICIAN", "/people"), ("ADMIN", "/people/-/remove"), ("PATIENT", "/chart/-/vitals"),
    ],
)  # fmt: skip
async def test_every_link_that_a_role_is_shown_opens(
    sign_in: SiteClient, caller: Callable[..., Caller], a_day: UUID, role: str, reaches: str
) -> None:
    client = sign_in(caller(role, subject=a_day if role == "PATIENT" else None))
    walked: dict[str, int] = {}
    refused: dict[str, str] = {}
    waiting = [("/today", "")]
    found = await client.post("/people/search", data={"q": "Byron"})
    waiting += [(link, "/people") for link in LINK.findall(found.text)]
    while waiting:
        path, shown_on = waiting.pop(0)
        kind = ID.sub("-", path).partition("?")[0]
        if walked.get(kind, 0) >= EACH or path.startswith("/account"):  # these callers have none
            continue
        walked[kind] = walked.get(kind, 0) + 1
        answer = await client.get(path, follow_redirects=True)
        if answer.status_code >= 400:
            refused[f"{path} on {shown_on}"] = str(answer.status_code)
        elif "html" in answer.headers["content-type"]:
            waiting += [(html.unescape(link), path) for link in LINK.findall(answer.text)]
    assert refused == {}
    assert reaches in walked
