"""T043: whatever is asked, in whatever way, nothing in an answer or a refusal betrays a restricted chart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace
from tests.protection.conftest import Ward
from tests.security.world import TOMORROW, Chart

from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.patients.commands import UpdatePatient
from salerno.contexts.patients.queries import FindPatients, ListPatients, PatientBanner
from salerno.contexts.scheduling.commands import CheckIn, ScheduleAppointment
from salerno.contexts.scheduling.errors import SlotTaken
from salerno.contexts.scheduling.queries import Appointments, DayCalendar
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Refused
from salerno.kernel.messages import Caller, Errand, Query

NAME, BIRTH = "Fiordaliso Quintavalle", "1960-02-03"
TODAY = datetime.now(UTC).date()
IN_A_YEAR = TODAY + timedelta(days=365)
# What a query without a default needs, by the field's name, beside the ids of the chart.
NEEDED: dict[str, Any] = {
    "day": TOMORROW.date(), "first": TODAY, "last": TODAY + timedelta(days=7),
    "moment": datetime(2099, 1, 1, tzinfo=UTC),
    "q": NAME, "event_id": 1, "code": "8867-4", "from_": TOMORROW, "to": TOMORROW + timedelta(days=1),
    "medications": [{"name": "Paracetamol 500 mg"}], "until": datetime(2099, 1, 1, tzinfo=UTC),
    "since": datetime(2020, 1, 1, tzinfo=UTC), "ids": (), "system": "", "kind": "history",
}  # fmt: skip
BETRAYING = {  # what shows a chart that is not hidden: asked the same way as for one that is
    "AccessEvents", "Allergies", "AppointmentById", "Appointments", "AppointmentsOfPatient",
    "ChartSections", "DayCalendar", "Draft", "EncounterTimeline", "EncountersAsOf", "EncountersOfPatient",
    "FindPatients", "LastVisits", "LikelyDuplicates", "LinkedSubjects", "ListPatients", "MedicinesAsOf",
    "MedicinesOfPatient", "NoteById", "OpenVisits", "PatientAsOf", "PatientBanner", "PatientById", "PatientNames",
    "PrescriptionById", "Prescriptions", "PrescriptionsOfPatient", "RecordTimeline",
    "RecordsAsOf", "UnsignedNotes", "VisitById", "VisitsOfPatient", "WaitingRoom", "WeekCalendar",
}  # fmt: skip


def ways(query: type[Query], chart: Chart) -> Iterator[Query]:
    """The least that may be asked, and with each optional field that narrows down to this chart."""
    known: dict[str, Any] = NEEDED | chart | {"patient_ids": (chart["patient_id"],)}
    fields = msgspec.structs.fields(query)
    least = {field.name: known.get(field.name, uuid4()) for field in fields if field.required}
    more = {"patient_id", "q", "name", "full_name", "birth_date", "date", "user_id", "limit"}
    wanted = known | {"name": NAME, "full_name": NAME, "birth_date": BIRTH, "date": TOMORROW.date(), "limit": 50}
    yield msgspec.convert(least, query, strict=False)
    names = {field.name for field in fields}
    if {"full_name", "birth_date"} <= names:
        yield msgspec.convert(least | {"full_name": NAME, "birth_date": BIRTH}, query, strict=False)
    for field in fields:
        if field.name in more and not field.required and field.name in wanted:
            yield msgspec.convert(least | {field.name: wanted[field.name]}, query, strict=False)


async def said(bus: Bus, query: Query, who: Caller) -> str:
    """Everything that leaves: the answer, or the refusal with all its details."""
    try:
        answer = await bus.ask(query, who)
    except Refused as refused:
        return f"{refused.code} {refused} {msgspec.json.encode(refused.details).decode()}"
    return msgspec.json.encode(answer).decode()


async def betrayals(bus: Bus, chart: Chart, mrn: str, who: Caller) -> dict[str, list[str]]:
    """For each query, the traces of this chart in what it says."""
    traces = [str(chart["patient_id"]), mrn, NAME, *NAME.split(), BIRTH]
    traces += [str(chart[name]) for name in ("visit_id", "note_id", "appointment_id", "prescription_id", "problem_id")]
    found: dict[str, list[str]] = {}
    for query in bus.queries().values():
        if issubclass(query, Errand) or bus.needs(query).hidden_too or not bus.needs(query).permission:
            continue
        for asked in ways(query, chart):
            text = await said(bus, asked, who)
            if shown := [trace for trace in traces if trace in text]:
                found.setdefault(query.__name__, []).extend(shown)
    return found


@pytest.fixture
async def quintavalle(bus: Bus, ward: Ward) -> tuple[Chart, str]:
    """A chart with something of everything, somebody waiting, and a note begun; and its MRN."""
    chart = await ward.whole_chart("Ada Muster")
    patient = chart["patient_id"]
    await bus.handle(UpdatePatient(patient_id=patient, full_name=NAME), ward.author)
    visit = (await bus.handle(StartVisit(patient_id=patient), ward.author)).aggregate_id
    await bus.handle(SaveDraft(visit_id=visit, subjective="Cough", base_revision=0), ward.author)
    now = datetime.now(UTC).replace(microsecond=0)
    wish = ScheduleAppointment(
        patient_id=patient, doctor_id=chart["staff_id"], appointment_datetime=now, overbook_reason="now"
    )
    waiting = (await bus.handle(wish, ward.author)).aggregate_id
    await bus.handle(CheckIn(appointment_id=waiting), ward.author)
    await bus.settled()
    chart = chart | {"visit_id": visit, "user_id": ward.author.actor}
    banner = await bus.ask(PatientBanner(patient_id=patient), ward.author)
    return chart, banner.mrn


async def test_t043_no_answer_and_no_refusal_holds_a_trace_of_a_restricted_chart(
    bus: Bus, ward: Ward, quintavalle: tuple[Chart, str]
) -> None:
    chart, mrn = quintavalle
    open_to_all = await betrayals(bus, chart, mrn, ward.author)
    assert BETRAYING - open_to_all.keys() == set(), "the question below would be an empty one"
    await ward.restrict(chart["patient_id"], named_only=True)
    for who in (
        ward.author,
        replace(ward.author, actor=uuid4()),
        replace(ward.chief, permissions=ward.author.permissions),
    ):
        assert await betrayals(bus, chart, mrn, who) == {}


async def test_t043_a_colleague_of_the_same_name_is_all_that_is_found_by_it(
    bus: Bus, ward: Ward, quintavalle: tuple[Chart, str]
) -> None:
    chart, mrn = quintavalle
    namesake = await ward.patient("Fiordaliso Quintavalla")
    await ward.restrict(chart["patient_id"], named_only=True)
    for typed in (NAME, "fiordaliso", "quintavale", mrn, BIRTH):
        found = await bus.ask(FindPatients(q=typed), ward.author)
        assert chart["patient_id"] not in {match.id for match in found.results}, typed
    assert namesake in {match.id for match in (await bus.ask(FindPatients(q="fiordaliso"), ward.author)).results}


async def test_t043_totals_and_pages_are_as_if_it_were_not_there(bus: Bus, ward: Ward) -> None:
    patients = [await ward.patient() for _ in range(5)]
    doctor = await ward.colleague()
    for patient in patients:
        await ward.book(patient, doctor)
    receptionist = ward.make("RECEPTIONIST")
    await ward.restrict(patients[2])
    listed = await bus.ask(ListPatients(limit=3), receptionist)
    rest = await bus.ask(ListPatients(limit=3, offset=3), receptionist)
    shown = [line.id for line in (*listed.items, *rest.items)]
    assert (listed.total, rest.total, shown) == (4, 4, [patients[nth] for nth in (4, 3, 1, 0)])
    booked = await bus.ask(Appointments(limit=2, offset=2), receptionist)
    assert (booked.total, [item.patient_id for item in booked.items]) == (4, [patients[3], patients[4]])
    past_the_end = await bus.ask(Appointments(limit=2, offset=400), receptionist)
    assert past_the_end.total == 4


async def test_t043_a_slot_stays_taken_without_a_name_and_a_second_booking_is_refused_as_always(
    bus: Bus, ward: Ward
) -> None:
    hidden, other, doctor = await ward.patient(), await ward.patient(), await ward.colleague()
    appointment = await ward.book(hidden, doctor)
    await bus.settled()
    before = await bus.ask(DayCalendar(day=TOMORROW.date()), ward.chief)
    (item,) = before.appointments
    await ward.restrict(hidden)
    receptionist = ward.make("RECEPTIONIST")
    calendar = await bus.ask(DayCalendar(day=TOMORROW.date()), receptionist)
    assert (list(calendar.appointments), [(one.doctor_id, one.starts_at, one.ends_at) for one in calendar.taken]) == (
        [], [(item.doctor_id, item.appointment_datetime, item.ends_at)],
    )  # fmt: skip
    wish = ScheduleAppointment(
        patient_id=other, doctor_id=item.doctor_id, appointment_datetime=item.appointment_datetime, overbook_reason="x"
    )
    with pytest.raises(SlotTaken) as taken:
        await bus.handle(wish, receptionist)
    assert str(hidden) not in str(taken.value.details)
    assert [one["resource"] for one in taken.value.details["conflicts"]] == ["practitioner"]
    assert appointment is not None


def test_every_query_that_opens_data_is_asked(bus: Bus) -> None:
    """A new one is either shown to betray a chart that is open, or named here as one that cannot."""
    silent = {  # their answers hold no name, number or id of whoever was asked about, or there is nothing to show
        "AccessEventById", "AccessesOfPatient", "ConsentsOf", "KeptResources", "ObservationsOfPatient",
        "PrescriptionsAsOf", "Problems", "RemovedPatients", "ScreenPrescription", "StatementsOfPatient",
        "VitalsOfPatient", "VitalsSeries", "WritesOfPatient",
    }  # fmt: skip
    opening = {query.__name__ for query in bus.queries().values() if bus.needs(query).opens}
    ours = {query.__name__ for query in bus.queries().values() if bus.needs(query).hidden_too}
    assert opening - ours - silent - BETRAYING == set()
