"""Who has looked and who has written."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace
from tests.applications import build

from salerno.contexts.audit.queries import (
    AccessesOfPatient,
    AccessEventById,
    AccessEvents,
    NamesOfActors,
    WritesOfPatient,
)
from salerno.contexts.patients.commands import MergePatients, RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import PatientBanner, PatientById
from salerno.contexts.records.commands import RecordAllergy
from salerno.contexts.records.queries import Allergies, Problems
from salerno.contexts.staff.commands import AddStaffMember
from salerno.interfaces import api
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Register = Callable[..., Awaitable[UUID]]


@pytest.fixture
def register(bus: Bus, receptionist: Caller) -> Register:
    async def make(name: str = "Ada Lovelace") -> UUID:
        wish = RegisterPatient(full_name=name, date_of_birth=date(1950, 12, 10), confirmed_not_duplicate=True)
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


async def test_t091_one_look_is_what_one_request_opened(
    bus: Bus, register: Register, doctor: Caller, admin: Caller
) -> None:
    ada = await register()
    first, second = replace(doctor, request="r-1"), replace(doctor, request="r-2")
    for query in (PatientBanner(patient_id=ada), Allergies(patient_id=ada), Problems(patient_id=ada)):
        await bus.ask(query, first)
    await bus.ask(PatientById(patient_id=ada), second)
    page = await bus.ask(AccessesOfPatient(patient_id=ada), admin)
    looks = [(look.user_id, list(look.categories), list(look.actions)) for look in page.items]
    assert looks == [
        (doctor.actor, ["demographics"], ["PatientById"]),
        (doctor.actor, ["clinical", "demographics"], ["Allergies", "PatientBanner", "Problems"]),
    ]
    assert page.total == 2


async def test_t091_a_look_at_a_chart_that_was_merged_in_counts_for_the_survivor(
    bus: Bus, register: Register, doctor: Caller, admin: Caller
) -> None:
    ada, twin = await register(), await register("Ada Lovelace Byron")
    await bus.ask(PatientById(patient_id=twin), doctor)
    await bus.handle(MergePatients(patient_id=ada, duplicate_id=twin), doctor)
    await bus.settled()
    assert (await bus.ask(AccessesOfPatient(patient_id=ada), admin)).total == 1


async def test_t091_patients_see_who_looked_at_their_own_chart_only(
    bus: Bus, register: Register, doctor: Caller, patient_caller: Any
) -> None:
    ada, other = await register(), await register("Charles Babbage")
    await bus.ask(PatientById(patient_id=ada), doctor)
    page = await bus.ask(AccessesOfPatient(patient_id=ada), patient_caller(ada))
    assert [look.user_id for look in page.items] == [doctor.actor]
    with pytest.raises(NotFound):
        await bus.ask(AccessesOfPatient(patient_id=other), patient_caller(ada))
    with pytest.raises(NotAllowed):
        await bus.ask(AccessesOfPatient(patient_id=ada), doctor)


async def test_t091_the_log_is_narrowed_by_what_is_named(
    bus: Bus, register: Register, doctor: Caller, receptionist: Caller, admin: Caller
) -> None:
    ada = await register()
    await bus.ask(PatientById(patient_id=ada), doctor)
    with pytest.raises(NotAllowed):
        await bus.ask(Problems(patient_id=ada), receptionist)
    denied = await bus.ask(AccessEvents(outcome="denied"), admin)
    assert [(line.user_id, line.action, line.phi_accessed) for line in denied.items] == [
        (receptionist.actor, "Problems", False)
    ]
    shown = await bus.ask(AccessEvents(patient_id=ada, user_id=doctor.actor, category="demographics"), admin)
    assert [(line.action, list(line.patient_ids), line.ip_address) for line in shown.items] == [
        ("PatientById", [ada], "127.0.0.1")
    ]
    assert await bus.ask(AccessEventById(event_id=shown.items[0].id), admin) == shown.items[0]
    assert (await bus.ask(AccessEvents(until=datetime(2020, 1, 1, tzinfo=UTC)), admin)).total == 0


async def test_t001_another_organisation_sees_none_of_it(
    bus: Bus, register: Register, doctor: Caller, admin: Caller, caller: Any
) -> None:
    ada = await register()
    await bus.ask(PatientById(patient_id=ada), doctor)
    line = (await bus.ask(AccessEvents(), admin)).items[0]
    stranger = caller("ADMIN", organisation_id=uuid4())
    assert (await bus.ask(AccessEvents(), stranger)).total == 0
    assert (await bus.ask(AccessesOfPatient(patient_id=ada), stranger)).total == 0
    assert (await bus.ask(WritesOfPatient(patient_id=ada), stranger)) == []
    with pytest.raises(NotFound):
        await bus.ask(AccessEventById(event_id=line.id), stranger)


async def test_what_was_written_is_marked_by_the_minute_and_by_the_source_on_request(
    bus: Bus, register: Register, doctor: Caller, receptionist: Caller, clock: MovableClock
) -> None:
    first = datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
    clock.set(first)
    ada = await register()
    clock.set(first + timedelta(seconds=20))
    await bus.handle(UpdatePatient(patient_id=ada, email="ada@example.org"), receptionist)
    clock.set(first + timedelta(days=2))
    brought = first - timedelta(days=900)
    await bus.handle(RecordAllergy(patient_id=ada, substance="Latex"), doctor, source_recorded_at=brought)
    found = await bus.ask(WritesOfPatient(patient_id=ada), doctor)
    assert [(one.at, list(one.actors), one.events) for one in found] == [
        (first + timedelta(days=2), [doctor.actor], 1),
        (first + timedelta(seconds=20), [receptionist.actor], 2),
    ]
    assert list(found[0].kinds) == ["records.allergy_recorded.v1"]
    by_source = await bus.ask(WritesOfPatient(patient_id=ada, by_source=True), doctor)
    assert [one.at for one in by_source] == [first + timedelta(seconds=20), brought]


async def test_staff_are_known_by_name_and_patients_are_not(bus: Bus, admin: Caller, register: Register) -> None:
    added = AddStaffMember(given_name="Eleanor", family_name="Bell", role="DOCTOR")
    bell = (await bus.handle(added, admin)).aggregate_id
    ada = await register()
    await bus.settled()
    names = await bus.ask(NamesOfActors(ids=(bell, ada)), admin)
    assert list(names) == [bell] and "Eleanor Bell" in names[bell]


async def test_aud05_and_aud06_over_rest(bus: Bus, register: Register, doctor: Caller, admin: Caller) -> None:
    ada = await register()
    await bus.ask(PatientById(patient_id=ada), doctor)

    class Seat:
        def __init__(self, caller: Caller) -> None:
            self.found = Found(caller=caller, csrf="c", expires_at=datetime(2099, 1, 1, tzinfo=UTC))

        async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
            return None

        async def caller_by_bearer(self, token: str) -> Found | None:
            return self.found

        def forget(self, token: str = "") -> None:
            return None

    def client(caller: Caller) -> httpx.AsyncClient:
        app = build(bus, [api.door(bus)], Setup(sessions=Seat(caller), stop=False))
        headers = {"Authorization": "Bearer somebody"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test", headers=headers)

    async with client(admin) as browser:
        listed = (await browser.get(f"/api/v1/audit/events?patient_id={ada}&limit=1")).json()
        assert (listed["total"], listed["limit"], len(listed["events"])) == (1, 1, 1)
        line = listed["events"][0]
        assert (line["action"], line["patient_ids"], line["phi_accessed"]) == ("PatientById", [str(ada)], True)
        assert (await browser.get(f"/audit/events/{line['id']}")).json() == line
        assert (await browser.get("/api/v1/audit/events/999999999")).status_code == 404
        assert (await browser.get("/api/v1/audit/events?outcome=whatever")).status_code == 422
    async with client(doctor) as browser:
        assert (await browser.get("/api/v1/audit/events")).status_code == 403
