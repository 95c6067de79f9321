"""A right under a condition filters lists: what is listed is what may be opened one at a time, totals included."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.protection.conftest import Ward

from salerno.contexts.audit.queries import AccessEventById, AccessEvents
from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.encounters.queries import LastVisits, OpenVisits, UnsignedNotes, VisitById
from salerno.contexts.organisations.commands import AddLocation
from salerno.contexts.patients.commands import MergePatients
from salerno.contexts.patients.queries import (
    FindPatients,
    LikelyDuplicates,
    ListPatients,
    PatientById,
    PatientNames,
)
from salerno.contexts.prescribing.commands import IssuePrescription
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.queries import PrescriptionById, Prescriptions
from salerno.contexts.scheduling.commands import CheckIn, ScheduleAppointment
from salerno.contexts.scheduling.queries import AppointmentById, Appointments, DayCalendar, WaitingRoom
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, Refused
from salerno.kernel.messages import Caller, Query

RIGHTS = (
    "patients.read", "patients.find", "patients.banner", "patients.register", "scheduling.read", "encounters.read",
    "encounters.write", "prescribing.read", "audit.read",
)  # fmt: skip
CONDITIONS = (("care",), ("location",), ("care", "location"))
TABLET = Medication(name="Paracetamol 500 mg", dosage="500 mg", frequency="once daily")


class World:
    """Seven charts: in care, seen where one works, merged, restricted, broken open, of neither, and one's own."""

    def __init__(self, bus: Bus, ward: Ward) -> None:
        self.bus, self.ward, self.patients = bus, ward, list[UUID]()
        self.appointments = list[UUID]()

    async def build(self) -> "World":
        ward, bus = self.ward, self.bus
        self.author = replace(ward.make("DOCTOR"), permissions=frozenset(bus.permissions() - {"protection.wards"}))
        self.doctor, self.other = await ward.colleague(), await ward.colleague()
        place = (await bus.handle(AddLocation(name="Piazza"), ward.chief)).aggregate_id
        away = (await bus.handle(AddLocation(name="Porto"), ward.chief)).aggregate_id
        await ward.works_at(self.doctor, place)
        await ward.works_at(self.other, away)
        self.patients = [await ward.patient(f"Zelda Quarto {word}") for word in ("A", "B", "C", "D", "E", "F", "G")]
        in_care, here, survivor, restricted, glass, nobodys, both = self.patients
        merged = await ward.patient("Zelda Quarto H")
        await bus.settled()
        for patient, who in ((in_care, self.doctor), (merged, self.doctor), (restricted, self.doctor)):
            self.appointments.append(await ward.book(patient, who, location_id=away))
        for patient in (here, both):
            self.appointments.append(await ward.book(patient, self.other, location_id=place))
        for patient in (glass, nobodys):
            self.appointments.append(await ward.book(patient, self.other, location_id=away))
        self.appointments.append(await ward.book(both, self.doctor, location_id=away))
        for patient in self.patients:
            await self._something_of_everything(patient)
        await bus.handle(MergePatients(patient_id=survivor, duplicate_id=merged, reason="one person"), self.author)
        await ward.restrict(restricted, named_only=True)
        await bus.settled()
        await ward.break_glass(glass, self.doctor)
        await bus.settled()
        return self

    async def _something_of_everything(self, patient: UUID) -> None:
        visit = (await self.bus.handle(StartVisit(patient_id=patient), self.author)).aggregate_id
        await self.bus.handle(SaveDraft(visit_id=visit, subjective="Cough", base_revision=0), self.author)
        await self.bus.handle(IssuePrescription(patient_id=patient, medications=(TABLET,)), self.author)
        await self.bus.settled()
        now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40 * self.patients.index(patient))
        wish = ScheduleAppointment(
            patient_id=patient, doctor_id=self.ward.staff[self.other.actor], appointment_datetime=now,
            overbook_reason="now",
        )  # fmt: skip
        waiting = (await self.bus.handle(wish, self.author)).aggregate_id
        await self.bus.handle(CheckIn(appointment_id=waiting), self.author)
        self.appointments.append(waiting)

    def under(self, conditions: Sequence[str], who: Caller | None = None) -> Caller:
        """This account with each right under these conditions alone."""
        held = frozenset(f"{right}:{one}" for right in RIGHTS for one in conditions)
        return replace(who or self.doctor, permissions=held, role="NURSE")

    async def opened(self, queries: dict[UUID, Query], who: Caller) -> set[UUID]:
        """The ids whose question is answered, asked one at a time."""
        return {id for id, query in queries.items() if await self.answers(query, who)}

    async def answers(self, query: Query, who: Caller) -> bool:
        try:
            await self.bus.ask(query, who)
        except Refused:
            return False
        return True


@pytest.fixture
async def world(bus: Bus, ward: Ward) -> World:
    return await World(bus, ward).build()


async def test_every_list_shows_what_may_be_opened_one_at_a_time_and_counts_it(bus: Bus, world: World) -> None:
    everything = world.author
    visits = [page.visit.visit for page in await bus.ask(OpenVisits(limit=100), everything)]
    notes = [page.note.note for page in await bus.ask(UnsignedNotes(limit=100), everything)]
    papers = [one.prescription.prescription for one in (await bus.ask(Prescriptions(limit=100), everything)).items]
    seen: list[int] = []
    for who in (world.doctor, world.other, replace(world.author, permissions=frozenset())):
        for conditions in CONDITIONS:
            limited = world.under(conditions, who)
            charts = await world.opened({id: PatientById(patient_id=id) for id in world.patients}, limited)
            listed = await bus.ask(ListPatients(limit=50), limited)
            assert {line.id for line in listed.items} == charts
            assert listed.total == len(charts)
            found = await bus.ask(FindPatients(q="Zelda Quarto", limit=50), limited)
            assert {match.id for match in found.results} == charts
            named = await bus.ask(PatientNames(patient_ids=tuple(world.patients)), limited)
            assert {one.id for one in named} == charts
            assert set(await bus.ask(LastVisits(patient_ids=tuple(world.patients)), limited)) <= charts
            alike = await bus.ask(LikelyDuplicates(full_name="Zelda Quarto A"), limited)
            assert {one.id for one in alike.duplicates} <= charts
            mine = await world.opened({id: AppointmentById(appointment_id=id) for id in world.appointments}, limited)
            page = await bus.ask(Appointments(limit=100), limited)
            assert ({one.id for one in page.items}, page.total) == (mine, len(mine))
            far = await bus.ask(Appointments(limit=2, offset=90), limited)
            assert far.total == len(mine)
            day = datetime.now(UTC).date()
            waiting = {one.id for one in await bus.ask(WaitingRoom(), limited)}
            assert waiting <= mine
            calendar = await bus.ask(DayCalendar(day=day), limited)
            assert {one.id for one in calendar.appointments} <= mine
            whole = await bus.ask(DayCalendar(day=day), world.author)
            assert len(calendar.taken) + len(calendar.appointments) == len(whole.taken) + len(whole.appointments)
            open_ = {page.visit.visit for page in await bus.ask(OpenVisits(limit=100), limited)}
            assert open_ == await world.opened({id: VisitById(visit_id=id) for id in visits}, limited)
            drafts = await bus.ask(UnsignedNotes(limit=100), replace(limited, actor=limited.actor))
            assert {page.note.note for page in drafts} <= set(notes)
            written = await bus.ask(Prescriptions(limit=100), limited)
            by_hand = await world.opened({id: PrescriptionById(prescription_id=id) for id in papers}, limited)
            assert ({one.prescription.prescription for one in written.items}, written.total) == (by_hand, len(by_hand))
            seen.append(len(charts))
    assert len(set(seen)) >= 4, seen
    assert 0 < max(seen) < len(world.patients)


async def test_who_is_in_care_restricted_merged_or_broken_open_is_where_it_should_be(bus: Bus, world: World) -> None:
    in_care, here, survivor, restricted, glass, nobodys, both = world.patients

    async def listed(*conditions: str) -> set[UUID]:
        return {line.id for line in (await bus.ask(ListPatients(limit=50), world.under(conditions))).items}

    assert await listed("care") == {in_care, survivor, glass, both}
    assert await listed("location") == {here, glass, both}
    assert await listed("care", "location") == {in_care, here, survivor, glass, both}
    assert not {restricted, nobodys} & await listed("care", "location")


async def test_pages_of_a_limited_list_follow_one_another_without_gap(bus: Bus, world: World) -> None:
    limited = world.under(("care", "location"))
    whole = [line.id for line in (await bus.ask(ListPatients(limit=50), limited)).items]
    pages = [await bus.ask(ListPatients(limit=2, offset=offset), limited) for offset in (0, 2, 4)]
    assert [line.id for page in pages for line in page.items] == whole
    assert {page.total for page in pages} == {5}


async def test_somebody_in_care_is_found_behind_many_of_the_same_name(bus: Bus, ward: Ward) -> None:
    mine = await ward.patient("Ugo Settembrini")
    doctor = await ward.colleague()
    await ward.book(mine, doctor)
    for _ in range(8):
        await ward.patient("Ugo Settembrini")
    await bus.settled()
    limited = replace(doctor, permissions=frozenset({"patients.find:care"}))
    for typed in ("Settembrini", "Ugo Settembrini", "sett", "Ugo Settembrino"):
        found = await bus.ask(FindPatients(q=typed, limit=1), limited)
        assert [match.id for match in found.results] == [mine], typed


async def test_a_patient_lists_what_is_their_own(bus: Bus, world: World, caller: Callable[..., Caller]) -> None:
    patient = caller("PATIENT", subject=world.patients[0])
    listed = await bus.ask(ListPatients(), patient)
    assert ([line.id for line in listed.items], listed.total) == ([world.patients[0]], 1)
    page = await bus.ask(Appointments(limit=50), patient)
    mine = await world.opened({id: AppointmentById(appointment_id=id) for id in world.appointments}, patient)
    assert ({one.id for one in page.items}, page.total) == (mine, len(mine))
    drafts = await bus.ask(Prescriptions(), patient)
    assert (list(drafts.items), drafts.total) == ([], 0)  # nobody has signed one yet
    for query in (DayCalendar(day=datetime.now(UTC).date()), OpenVisits(), FindPatients(q="Zelda")):
        with pytest.raises(NotAllowed):
            await bus.ask(query, patient)


async def test_the_access_log_under_a_condition_tells_of_those_charts_alone(bus: Bus, world: World) -> None:
    in_care, nobodys = world.patients[0], world.patients[5]
    for patient in (in_care, nobodys):
        await bus.ask(PatientById(patient_id=patient), world.author)
    limited = world.under(("care",))
    events = await bus.ask(AccessEvents(limit=200), limited)
    assert events.items
    admitted = {line.id for line in (await bus.ask(ListPatients(limit=50), limited)).items}
    assert all(one.patient_ids and admitted.issuperset(one.patient_ids) for one in events.items)
    assert events.total < (await bus.ask(AccessEvents(limit=1), world.author)).total
    whole = (await bus.ask(AccessEvents(limit=200), world.author)).items
    beyond = next(one for one in whole if nobodys in one.patient_ids)
    with pytest.raises(Refused):
        await bus.ask(AccessEventById(event_id=beyond.id), limited)


async def test_nobody_without_a_condition_is_asked_for_charts(bus: Bus, ward: Ward, monkeypatch: Any) -> None:
    await ward.patient("Ugo Settembrini")

    async def never(*_: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(bus.permits.wards, "within", never)
    assert (await bus.ask(ListPatients(), ward.chief)).total == 1
    assert (await bus.ask(FindPatients(q="Settembrini"), ward.make("DOCTOR"))).results
    limited = replace(ward.make("DOCTOR"), permissions=frozenset({"patients.read:care"}))
    with pytest.raises(Refused):  # a chart that is named is asked for by itself
        await bus.ask(PatientById(patient_id=ward.chief.actor), limited)


async def test_care_that_has_ended_long_ago_leaves_the_lists(bus: Bus, ward: Ward, clock: Any) -> None:
    patient, doctor = await ward.patient(), await ward.colleague()
    await ward.book(patient, doctor)
    await bus.settled()
    limited = replace(doctor, permissions=frozenset({"patients.read:care"}))
    assert (await bus.ask(ListPatients(), limited)).total == 1
    clock.set(datetime.now(UTC) + timedelta(days=400))
    bus.permits.wards.forget()  # type: ignore[attr-defined]
    assert (await bus.ask(ListPatients(), limited)).total == 0
    bus.permits.wards.forget()  # type: ignore[attr-defined]
