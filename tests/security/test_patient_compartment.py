"""T036: a patient reads what is their own; whatever has no rule for patients is refused to them.

Every query of the bus and every GET route of the running system is asked, about another patient of the same
organisation, in every way that could narrow down to them.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace
from tests.applications import build
from tests.protection.test_no_trace import said, ways
from tests.security.bodies import QUERIES
from tests.security.test_matrix import Everybody, answer_to, filled, routes_of
from tests.security.world import Chart, chart

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import UpdatePatient
from salerno.contexts.patients.queries import PatientBanner
from salerno.contexts.records.queries import RecordsAsOf
from salerno.interfaces import api, fhir, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.routes import Route
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed
from salerno.kernel.messages import Caller, Errand

OWN, OTHER = "Melisenda Ortolani", "Fiordaliso Quintavalle"
NOT_THEIRS = frozenset({"staff_id", "location_id"})  # of a chart: what belongs to the organisation
OPEN = frozenset({  # what patients may ask without a limit: it holds nobody's data
    "FreeSlots", "Location", "Locations", "NamesOfActors", "OnboardingFlow", "Organisation", "Practitioners", "Rooms",
    "Specialties", "VisitTypes",
})  # fmt: skip


class Clinic:
    """Two patients with something of everything; the session of the first, and of somebody who may do all."""

    def __init__(self, bus: Bus, own: Chart, other: Chart, patient: Caller, everything: Caller) -> None:
        self.bus, self.own, self.other, self.patient, self.everything = bus, own, other, patient, everything
        sessions = Everybody({"PATIENT": patient, "EVERYTHING": everything})
        doors = [api.door(bus), web.door(bus), fhir.door(bus)]
        self.app = build(bus, doors, Setup(sessions=sessions, stop=False))

    async def marks(self, of: Chart, name: str, born: str) -> list[str]:
        """What would betray a chart: its names, its numbers and the id of each of its entries."""
        banner = await self.bus.ask(PatientBanner(patient_id=of["patient_id"]), self.everything)
        ids = [str(id) for entry, id in of.items() if entry not in NOT_THEIRS]
        return [*name.split(), born, banner.mrn, *ids]

    async def shown(self, marks: list[str], about: Chart, who: Caller) -> dict[str, set[str]]:
        """For each query of the bus, the marks in what it says."""
        found: dict[str, set[str]] = {}
        for query in self.bus.queries().values():
            if issubclass(query, Errand) or not self.bus.needs(query).permission:
                continue  # what needs no permission opens nobody's data, see below
            try:
                await self.bus.permits.admit(query, who)
            except NotAllowed:
                continue  # whoever is not admitted is told so before anything is read
            for asked in ways(query, about):
                text = await said(self.bus, asked, who)
                if traces := {mark for mark in marks if mark in text}:
                    found.setdefault(query.__name__, set()).update(traces)
        return found

    async def pages(self, marks: list[str], about: Chart, role: str) -> dict[str, set[str]]:
        """For each GET route of the running system, the marks in its answer that its own address does not hold."""
        found: dict[str, set[str]] = {}
        for path, route, page in routes_of(self.bus):
            if route.method != "GET":
                continue
            address = filled(path, about)
            for query in narrowed(path, route, about):
                status, content = await answer_to(self.app, "GET", address, query, role, b"", page=page)
                assert status < 500 or status == 503, f"{path}?{query}: {status} {content!r}"
                text = content.decode("utf-8", "replace")
                if traces := {mark for mark in marks if mark in text and mark not in f"{address}?{query}"}:
                    found.setdefault(path, set()).update(traces)
        return found


def narrowed(path: str, route: Route, about: Chart) -> Iterator[str]:
    """The query strings to ask with: the least, and each field that narrows down to this patient."""
    least = QUERIES.get(path, "")
    yield least
    names = {field.encode_name for field in msgspec.structs.fields(route.query)} if route.query else set()
    for name in sorted(names & {"patient_id", "patient_ids", "patient", "subject"}):
        yield "&".join(filter(None, [least, f"{name}={about['patient_id']}"]))


@pytest.fixture
async def clinic(bus: Bus, caller: Callable[..., Caller]) -> Clinic:
    chief = caller("SUPER_ADMIN")
    wish = RegisterOrganisation(organisation_id=chief.organisation, kind="clinic", name="Poliambulatorio")
    await bus.handle(wish, chief)
    may = frozenset(bus.permissions() - {"protection.wards"})
    everything = replace(caller("DOCTOR"), permissions=may)
    who = {"DOCTOR": everything, "ADMIN": chief}
    own, other = await chart(bus, who, "Ida Bianchi", 0), await chart(bus, who, "Ugo Bruni", 1)
    for of, name, born in ((own, OWN, date(1960, 2, 3)), (other, OTHER, date(1931, 7, 9))):
        change = UpdatePatient(patient_id=of["patient_id"], full_name=name, date_of_birth=born)
        await bus.handle(change, everything)
    await bus.settled()
    return Clinic(bus, own, other, caller("PATIENT", subject=own["patient_id"]), everything)


async def test_t036_no_query_tells_a_patient_of_another_and_their_own_chart_is_told(clinic: Clinic) -> None:
    theirs = await clinic.marks(clinic.other, OTHER, "1931-07-09")
    about = clinic.other | {"user_id": clinic.everything.actor}
    assert await clinic.shown(theirs, about, clinic.patient) == {}
    mine = await clinic.marks(clinic.own, OWN, "1960-02-03")
    told = await clinic.shown(mine, clinic.own, clinic.patient)
    assert {
        "Allergies", "AppointmentById", "Appointments", "ChartSections", "NoteById", "PatientBanner", "PatientById",
        "VisitById", "VisitsOfPatient",
    } <= told.keys()  # fmt: skip


async def test_t036_no_address_shows_a_patient_anything_of_another(clinic: Clinic) -> None:
    theirs = await clinic.marks(clinic.other, OTHER, "1931-07-09")
    assert await clinic.pages(theirs, clinic.other, "PATIENT") == {}
    open_to_staff = await clinic.pages(theirs, clinic.other, "EVERYTHING")
    assert {"/api/v1/patients", "/api/v1/patients/{patient_id:uuid}", "/fhir/R4/Patient/{patient_id:str}"} <= (
        open_to_staff.keys()
    ), "the question above would be an empty one"
    assert len(open_to_staff) > 40


async def test_t036_what_has_no_rule_for_patients_is_refused_to_them(clinic: Clinic) -> None:
    """A query that opens data reaches a patient by a rule for their own chart alone; others are listed by name."""
    bus, open_to_all = clinic.bus, set()
    for query in bus.queries().values():
        if issubclass(query, Errand):
            continue
        try:
            reach = await bus.permits.admit(query, clinic.patient)
        except NotAllowed:
            continue
        if reach.everybody:
            assert bus.needs(query).opens is None, query.__name__
            open_to_all.add(query.__name__)
        else:
            assert reach.own and bus.needs(query).own and not reach.conditions, query.__name__
    assert open_to_all == OPEN
    unruled = RecordsAsOf(patient_id=clinic.own["patient_id"], moment=bus.clock.now())
    with pytest.raises(NotAllowed):  # a right over one's own chart is held, and the question has no rule for it
        await bus.ask(unruled, clinic.patient)


async def test_t036_a_patient_without_a_chart_reaches_nobodys(clinic: Clinic) -> None:
    nobody: Any = replace(clinic.patient, actor=uuid4(), subject=None)
    for of, name, born in ((clinic.own, OWN, "1960-02-03"), (clinic.other, OTHER, "1931-07-09")):
        assert await clinic.shown(await clinic.marks(of, name, born), of, nobody) == {}
