"""T045: a chart that was removed, erased or merged into another is asked for by every address that could show it.

Documents, thumbnails, links for a time and exports by address do not exist in this product; what exists are charts
and their entries, through the REST interface, the FHIR interface and the pages.
"""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.applications import build
from tests.security.bodies import QUERIES
from tests.security.test_matrix import PARAMETER, Everybody, answer_to, filled, routes_of
from tests.security.world import Chart, chart

from salerno.app import rooms
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import MergePatients, RegisterPatient, RemovePatient, UpdatePatient
from salerno.contexts.patients.queries import PatientBanner
from salerno.interfaces import api, fhir, web
from salerno.interfaces.http.application import Setup
from salerno.kernel.bus import Bus
from salerno.kernel.erasure import erase
from salerno.kernel.messages import Caller

NAME, BORN = "Fiordaliso Quintavalle", date(1931, 7, 9)
ADDRESSES = ("/api/v1/patients/{patient_id:uuid}", "/fhir/R4/Patient/{patient_id:str}", "/chart/{patient_id:uuid}")
GONE = {404, 410}
PERSONS = (*ADDRESSES, *(f"{ADDRESSES[0]}/{part}" for part in ("as-of", "banner", "consents")))
NOT_THEIRS = frozenset({"patient_id", "duplicate_id", "staff_id", "location_id"})


class States:
    """Somebody who may do everything, and what each address answers them about a chart."""

    def __init__(self, bus: Bus, chief: Caller, everything: Caller) -> None:
        self.bus, self.chief, self.everything = bus, chief, everything
        doors = [api.door(bus), web.door(bus), fhir.door(bus)]
        self.app = build(bus, doors, Setup(sessions=Everybody({"EVERYTHING": everything}), stop=False))
        self.mrn = ""

    async def chart(self) -> Chart:
        """One with something of everything."""
        made = await chart(self.bus, {"DOCTOR": self.everything, "ADMIN": self.chief}, "Ida Bianchi", 0)
        wish = UpdatePatient(patient_id=made["patient_id"], full_name=NAME, date_of_birth=BORN)
        await self.bus.handle(wish, self.everything)
        await self.bus.settled()
        self.mrn = (await self.bus.ask(PatientBanner(patient_id=made["patient_id"]), self.everything)).mrn
        return made

    def marks(self, of: Chart) -> list[str]:
        entries = [str(id) for name, id in of.items() if name not in NOT_THEIRS]
        return [*NAME.split(), str(BORN), self.mrn, *entries]

    async def answers(self, of: Chart, names: Callable[[str], bool]) -> dict[str, tuple[int, set[str]]]:
        """By the GET routes whose parameters `names` accepts: the status, and what betrays this chart."""
        found: dict[str, tuple[int, set[str]]] = {}
        for path, route, page in routes_of(self.bus):
            if route.method != "GET" or not any(names(one) for one in PARAMETER.findall(path)):
                continue
            address = filled(path, of)
            status, content = await answer_to(
                self.app, "GET", address, QUERIES.get(path, ""), "EVERYTHING", b"", page=page
            )
            text = content.decode("utf-8", "replace")
            found[path] = status, {mark for mark in self.marks(of) if mark in text and mark not in address}
        return found


@pytest.fixture
async def states(bus: Bus, caller: Callable[..., Caller]) -> States:
    chief = caller("SUPER_ADMIN")
    wish = RegisterOrganisation(organisation_id=chief.organisation, kind="clinic", name="Poliambulatorio")
    await bus.handle(wish, chief)
    may = frozenset(bus.permissions() - {"protection.wards"})
    return States(bus, chief, replace(caller("DOCTOR"), permissions=may))


def anything(of: Chart) -> Callable[[str], bool]:
    ours = {name for name in of if name not in ("staff_id", "location_id", "duplicate_id")} | {"record_id"}
    return lambda name: name in ours


def the_chart(name: str) -> bool:
    return name == "patient_id"


async def test_t045_an_erased_chart_and_its_entries_are_gone_from_every_address(states: States) -> None:
    of = await states.chart()
    alive = await states.answers(of, anything(of))
    assert {alive[path][0] for path in ADDRESSES} == {200}
    assert len([path for path, (_, traces) in alive.items() if traces]) > 30, "the question would be an empty one"
    await erase(states.bus, rooms(), states.everything, of["patient_id"], "asked by the person")
    await states.bus.settled()
    gone = await states.answers(of, anything(of))
    assert {path: traces for path, (_, traces) in gone.items() if traces} == {}
    assert {gone[path][0] for path in ADDRESSES} <= GONE
    assert [path for path, (status, _) in gone.items() if status >= 500] == []


async def test_t045_a_removed_chart_is_told_of_by_no_page_and_neither_interface_knows_its_person(
    states: States,
) -> None:
    of = await states.chart()
    await states.bus.handle(RemovePatient(patient_id=of["patient_id"], reason="a test entry"), states.everything)
    await states.bus.settled()
    gone = await states.answers(of, the_chart)
    assert {path: gone[path][0] for path in PERSONS} == dict.fromkeys(PERSONS, 404)
    pages = {path: answer for path, answer in gone.items() if not path.startswith(("/api/", "/fhir/"))}
    assert {path: status for path, (status, _) in pages.items() if status not in GONE} == {
        "/chart/{patient_id:uuid}/break-glass": 200  # a form that names nobody
    }
    assert {path: traces for path, (_, traces) in pages.items() if traces} == {}


async def test_t045_a_merged_chart_answers_410_or_its_page_leads_to_the_survivor(states: States) -> None:
    of = await states.chart()
    person = RegisterPatient(full_name="Ortensia Malaspina", confirmed_not_duplicate=True)
    survivor: UUID = (await states.bus.handle(person, states.everything)).aggregate_id
    wish = MergePatients(patient_id=survivor, duplicate_id=of["patient_id"], reason="the same person")
    await states.bus.handle(wish, states.everything)
    await states.bus.settled()
    answers = await states.answers(of, the_chart)
    assert [answers[path][0] for path in ADDRESSES] == [410, 410, 303]
    pages = {path: answer for path, answer in answers.items() if not path.startswith(("/api/", "/fhir/"))}
    assert {status for status, _ in pages.values()} <= {200, 303, *GONE}
    assert {path for path, (status, _) in pages.items() if status == 200} == {"/chart/{patient_id:uuid}/break-glass"}
    assert {path: traces for path, (_, traces) in pages.items() if traces} == {}
