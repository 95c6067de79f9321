"""The record on a real PostgreSQL: derived problems, vital signs with what follows from them, as of a moment."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from salerno.contexts.encounters.commands import RecordDiagnosis, RemoveDiagnosis
from salerno.contexts.encounters.queries import VisitById
from salerno.contexts.patients.commands import MergePatients, UnmergePatients
from salerno.contexts.records.commands import (
    ChangeProblem,
    KeepResource,
    ListDiagnosis,
    RecordAllergy,
    RecordCarePlan,
    RecordGoal,
    RecordHistory,
    RecordImmunization,
    RecordObservation,
    RecordProblem,
    RecordProcedure,
    RecordReport,
    RecordVitals,
    RemoveAllergy,
    StateNoKnownAllergies,
    VoidVitals,
    WithdrawStatement,
)
from salerno.contexts.records.errors import AlreadyOnTheList, HasAllergies, NoSuchRecord, UnknownPatient
from salerno.contexts.records.events import Coded, Component, Quantity, Range, Reaction
from salerno.contexts.records.queries import (
    Allergies,
    ChartSections,
    KeptResources,
    LaboratoryTests,
    ObservationsOfPatient,
    Problems,
    RecordsAsOf,
    RecordTimeline,
    StatementsOfPatient,
    VitalsOfPatient,
    VitalsSeries,
)
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Register = Callable[..., Awaitable[UUID]]
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WELL: dict[str, Any] = {
    "systolic": 120, "diastolic": 80, "heart_rate": 72, "respiratory_rate": 16, "temperature": 36.8, "spo2": 97,
    "on_oxygen": False, "consciousness": "A",
}  # fmt: skip


async def listed(bus: Bus, doctor: Caller, patient: UUID) -> list[tuple[str, str]]:
    await bus.settled()
    found = await bus.ask(Problems(patient_id=patient), doctor)
    return [(one.content.code, one.content.clinical_status) for one in found]


async def test_a_diagnosis_comes_onto_the_problem_list_and_goes_when_it_is_taken_back(
    bus: Bus, doctor: Caller, ada: UUID, visit: UUID
) -> None:
    for code, certainty in (("I10", "confirmed"), ("J18.9", "differential"), ("Z00.00", "confirmed")):
        await bus.handle(RecordDiagnosis(visit_id=visit, code=code, certainty=certainty), doctor)  # type: ignore[arg-type]
    assert await listed(bus, doctor, ada) == [("I10", "active")]
    page = await bus.ask(VisitById(visit_id=visit), doctor)
    hypertension = next(one.diagnosis for one in page.visit.diagnoses if one.code == "I10")
    await bus.handle(RemoveDiagnosis(visit_id=visit, diagnosis_id=hypertension, reason="normal at home"), doctor)
    assert await listed(bus, doctor, ada) == []


async def test_one_code_stands_on_the_list_once(bus: Bus, doctor: Caller, ada: UUID, visit: UUID) -> None:
    wish = RecordProblem(
        patient_id=ada, problem_id=uuid4(), code="I10", system="http://hl7.org/fhir/sid/icd-10-cm",
        display="Hypertension",
    )  # fmt: skip
    await bus.handle(wish, doctor)
    await bus.handle(ChangeProblem(problem_id=wish.problem_id or uuid4(), clinical_status="resolved"), doctor)
    assert await listed(bus, doctor, ada) == []
    await bus.handle(RecordDiagnosis(visit_id=visit, code="I10"), doctor)
    assert await listed(bus, doctor, ada) == [("I10", "recurrence")]
    (problem,) = await bus.ask(Problems(patient_id=ada, all=True), doctor)
    assert (problem.id, len(problem.content.diagnoses)) == (wish.problem_id, 1)


async def test_the_same_problem_by_hand_is_refused_when_it_says_something_else(
    bus: Bus, doctor: Caller, ada: UUID
) -> None:
    first = await bus.handle(RecordProblem(patient_id=ada, code="E11.9", display="Diabetes"), doctor)
    again = await bus.handle(RecordProblem(patient_id=ada, code="E11.9", display="Diabetes"), doctor)
    assert (first.aggregate_id, first.version) == (again.aggregate_id, again.version)
    with pytest.raises(AlreadyOnTheList):
        await bus.handle(RecordProblem(patient_id=ada, code="E11.9", display="Diabetes", severity="severe"), doctor)


async def test_t041_t047_the_room_lists_no_diagnosis_of_a_stranger_and_needs_no_words_beside_a_code(
    bus: Bus, doctor: Caller, ada: UUID, visit: UUID
) -> None:
    itself = replace(doctor, permissions=frozenset({"records.list_diagnoses"}))
    wish = ListDiagnosis(
        patient_id=ada, visit_id=visit, diagnosis_id=uuid4(), code="X-1", system="urn:oid:1.2.3", display=""
    )
    with pytest.raises(UnknownPatient):
        await bus.handle(replace(wish, patient_id=uuid4()), itself)
    await bus.handle(wish, itself)
    assert [one.content.display for one in await bus.ask(Problems(patient_id=ada), doctor)] == ["X-1"]


async def test_only_the_room_itself_lists_diagnoses(bus: Bus, doctor: Caller, ada: UUID, visit: UUID) -> None:
    wish = ListDiagnosis(patient_id=ada, visit_id=visit, diagnosis_id=uuid4(), code="I10", system="", display="x")
    with pytest.raises(NotAllowed):
        await bus.handle(wish, doctor)


async def test_the_statement_that_none_is_known_holds_until_there_is_an_allergy(
    bus: Bus, nurse: Caller, ada: UUID
) -> None:
    await bus.handle(StateNoKnownAllergies(patient_id=ada), nurse)
    said = await bus.ask(Allergies(patient_id=ada), nurse)
    assert (list(said.allergies), said.none_known is not None) == ([], True)
    rash = Reaction(manifestation=Coded(display="Rash"), severity="moderate")
    wish = RecordAllergy(patient_id=ada, substance="Penicillin", class_="penicillins", reactions=(rash,))
    allergy = (await bus.handle(wish, nurse)).aggregate_id
    now = await bus.ask(Allergies(patient_id=ada), nurse)
    assert now.none_known is None
    assert [(a.content.substance, a.content.reaction, a.content.severity) for a in now.allergies] == [
        ("Penicillin", "Rash", "moderate")
    ]
    with pytest.raises(HasAllergies):
        await bus.handle(StateNoKnownAllergies(patient_id=ada), nurse)
    await bus.handle(RemoveAllergy(allergy_id=allergy, reason="other patient"), nurse)
    after = await bus.ask(Allergies(patient_id=ada), nurse)
    assert (list(after.allergies), after.none_known is not None) == ([], True)


async def test_vital_signs_come_with_what_follows_from_them(bus: Bus, nurse: Caller, ada: UUID) -> None:
    await bus.settled()
    await bus.handle(RecordVitals(patient_id=ada, **WELL | {"weight": 70, "height": 170, "heart_rate": 135}), nurse)
    (line,) = await bus.ask(VitalsOfPatient(patient_id=ada), nurse)
    assert line.bmi == pytest.approx(24.22, abs=0.005)
    assert line.bsa == pytest.approx(1.8181, abs=0.00005)
    assert line.mean_pressure == pytest.approx(93.33, abs=0.005)
    assert line.news2 is not None
    assert (line.bmi_class, line.news2.total, line.news2.response) == ("normal", 3, "urgent-ward")
    assert line.flags == {"heart_rate": "HH"}


async def test_news2_is_not_given_to_children_in_pregnancy_or_when_something_is_missing(
    bus: Bus, doctor: Caller, ada: UUID, register: Register
) -> None:
    child = await register("Tim Small", date(2020, 1, 1), "male")
    mother = await register("Eva Round", date(1995, 1, 1))
    await bus.settled()
    await bus.handle(RecordProblem(patient_id=mother, code="Z34.90", display="Pregnancy"), doctor)
    for patient in (child, mother, ada):
        values = WELL if patient != ada else {"systolic": 120, "diastolic": 80}
        await bus.handle(RecordVitals(patient_id=patient, measured_at=MONDAY, **values), doctor)
    lines = [(await bus.ask(VitalsOfPatient(patient_id=patient), doctor))[0] for patient in (child, mother, ada)]
    assert [(line.news2, line.news2_applies) for line in lines] == [(None, False), (None, False), (None, True)]
    assert lines[2].news2_missing == (
        "respiratory_rate", "spo2", "on_oxygen", "heart_rate", "consciousness", "temperature",
    )  # fmt: skip
    assert lines[0].flags == {"heart_rate": "L", "respiratory_rate": "L"}


async def test_series_come_from_bedside_rounds_and_from_coded_results_alike(
    bus: Bus, doctor: Caller, ada: UUID
) -> None:
    pressure = RecordObservation(
        patient_id=ada, code="85354-9", effective_at=MONDAY - timedelta(days=1),
        components=(
            Component(code="8480-6", quantity=Quantity(value=150, unit="mm[Hg]")),
            Component(code="8462-4", quantity=Quantity(value=95, unit="mmHg")),
        ),
    )  # fmt: skip
    weight = RecordObservation(
        patient_id=ada, code="29463-7", effective_at=MONDAY, quantity=Quantity(value=154, unit="lb", code="[lb_av]")
    )
    for wish in (pressure, weight, RecordVitals(patient_id=ada, measured_at=MONDAY, systolic=120, diastolic=80)):
        await bus.handle(wish, doctor)
    void = await bus.handle(RecordVitals(patient_id=ada, measured_at=MONDAY, systolic=300), doctor)
    await bus.handle(VoidVitals(vitals_id=void.aggregate_id, reason="cuff slipped"), doctor)
    series = {one.kind: one for one in await bus.ask(VitalsSeries(patient_id=ada), doctor)}
    assert [(p.value, p.flag) for p in series["systolic"].points] == [(150, "H"), (120, "")]
    assert [p.value for p in series["diastolic"].points] == [95, 80]
    assert [p.value for p in series["weight"].points] == [69.853225]
    assert (series["systolic"].low, series["systolic"].high, set(series)) == (90, 139, {
        "systolic", "diastolic", "weight",
    })  # fmt: skip
    only = await bus.ask(VitalsSeries(patient_id=ada, kinds=("systolic",), since=MONDAY), doctor)
    assert [[p.value for p in one.points] for one in only] == [[120]]


async def test_results_are_paged_newest_first_and_flagged(bus: Bus, doctor: Caller, ada: UUID) -> None:
    await bus.settled()
    for day in range(7):
        wish = RecordObservation(
            patient_id=ada, code="718-7", category=("laboratory",), effective_at=MONDAY + timedelta(days=day - 30),
            quantity=Quantity(value=10 + day, unit="g/dL"),
        )  # fmt: skip
        await bus.handle(wish, doctor)
    sent = RecordObservation(
        patient_id=ada, code="9999-9", quantity=Quantity(value=5, unit="x"), reference_range=(Range(high=4),),
        effective_at=MONDAY,
    )  # fmt: skip
    await bus.handle(sent, doctor)
    page = await bus.ask(ObservationsOfPatient(patient_id=ada, code="718-7", limit=3, offset=2), doctor)
    assert ([(line.entry.content.quantity.value, line.flag) for line in page.items], page.total) == (  # type: ignore[union-attr]
        [(14, ""), (13, ""), (12, "")], 7,
    )  # fmt: skip
    newest = await bus.ask(ObservationsOfPatient(patient_id=ada, limit=1), doctor)
    assert (newest.items[0].flag, newest.total) == ("H", 8)
    low = await bus.ask(ObservationsOfPatient(patient_id=ada, category="laboratory", limit=1, offset=6), doctor)
    assert low.items[0].flag == "L"
    past_the_end = await bus.ask(ObservationsOfPatient(patient_id=ada, offset=50), doctor)
    assert (list(past_the_end.items), past_the_end.total) == ([], 8)


async def fill(bus: Bus, doctor: Caller, patient: UUID) -> None:
    for wish in (
        RecordProblem(patient_id=patient, code="I10", display="Hypertension", onset="2019-05"),
        RecordAllergy(patient_id=patient, substance="Latex", onset="2001"),
        RecordVitals(patient_id=patient, measured_at=MONDAY - timedelta(days=9), **WELL),
        RecordObservation(patient_id=patient, code="718-7", effective_at=MONDAY - timedelta(days=8)),
        RecordHistory(patient_id=patient, kind="family", display="Diabetes", relation="mother"),
        RecordImmunization(patient_id=patient, code="140", given_at=MONDAY - timedelta(days=7)),
        RecordProcedure(patient_id=patient, code="430193006", started_at=MONDAY - timedelta(days=6)),
        RecordReport(patient_id=patient, code="58410-2", effective_at=MONDAY - timedelta(days=5)),
        RecordCarePlan(patient_id=patient, display="Weight loss", started_at=MONDAY - timedelta(days=4)),
        RecordGoal(patient_id=patient, display="Below 80 kg"),
    ):
        await bus.handle(wish, doctor)


async def test_the_summary_shows_everything_and_the_timeline_its_order(bus: Bus, doctor: Caller, ada: UUID) -> None:
    await fill(bus, doctor, ada)
    chart = await bus.ask(ChartSections(patient_id=ada), doctor)
    sections = (
        chart.problems, chart.allergies.allergies, chart.vitals, chart.results, chart.histories, chart.immunizations,
        chart.procedures, chart.reports, chart.care_plans, chart.goals,
    )  # fmt: skip
    assert [len(section) for section in sections] == [1] * 10
    lines = await bus.ask(RecordTimeline(patient_id=ada), doctor)
    assert [line.kind for line in lines] == [
        "care_plan", "report", "procedure", "immunization", "observation", "vitals", "problem", "allergy",
    ]  # fmt: skip
    assert lines[5].detail.startswith("120/80 mm[Hg], 72 /min")
    older = await bus.ask(RecordTimeline(patient_id=ada, before=lines[5].at), doctor)
    assert [line.kind for line in older] == ["problem", "allergy"]


async def test_what_was_entered_in_error_is_shown_no_more(bus: Bus, doctor: Caller, ada: UUID) -> None:
    goal = (await bus.handle(RecordGoal(patient_id=ada, display="Walk daily"), doctor)).aggregate_id
    await bus.handle(WithdrawStatement(kind="goal", record_id=goal, reason="other patient"), doctor)
    page = await bus.ask(StatementsOfPatient(patient_id=ada, kind="goal"), doctor)
    assert (list(page.items), page.total) == ([], 0)
    with pytest.raises(NoSuchRecord):
        await bus.handle(WithdrawStatement(kind="goal", record_id=uuid4(), reason="other patient"), doctor)


async def test_the_record_as_of_a_moment_is_what_had_been_recorded_by_then(
    bus: Bus, doctor: Caller, ada: UUID, clock: MovableClock
) -> None:
    clock.set(MONDAY)
    problem = (await bus.handle(RecordProblem(patient_id=ada, code="I10", display="Hypertension"), doctor)).aggregate_id
    clock.set(MONDAY + timedelta(days=1))
    await bus.handle(RecordAllergy(patient_id=ada, substance="Latex"), doctor)
    clock.set(MONDAY + timedelta(days=2))
    await bus.handle(ChangeProblem(problem_id=problem, clinical_status="resolved"), doctor)
    old = MONDAY - timedelta(days=3650)
    imported = RecordHistory(patient_id=ada, kind="surgical", display="Appendix removed", onset="2015")
    await bus.handle(imported, doctor, happened_at=old, source_recorded_at=old)

    async def at(day: float, *, by_source: bool = False) -> tuple[list[str], int, int]:
        moment = MONDAY + timedelta(days=day)
        chart = await bus.ask(RecordsAsOf(patient_id=ada, moment=moment, by_source=by_source), doctor)
        statuses = [one.content.clinical_status for one in chart.problems]
        return statuses, len(chart.allergies.allergies), len(chart.histories)

    assert await at(-1) == ([], 0, 0)
    assert await at(-1, by_source=True) == ([], 0, 1)
    assert await at(0.5) == (["active"], 0, 0)
    assert await at(1.5) == (["active"], 1, 0)
    assert await at(3) == (["resolved"], 1, 1)
    live = await bus.ask(ChartSections(patient_id=ada), doctor)
    past = await bus.ask(RecordsAsOf(patient_id=ada, moment=MONDAY + timedelta(days=3)), doctor)
    assert msgspec.json.encode(live) == msgspec.json.encode(past)


async def test_an_import_repeated_adds_nothing(bus: Bus, doctor: Caller, ada: UUID) -> None:
    observation, happened = uuid4(), datetime(2012, 1, 9, tzinfo=UTC)
    wish = RecordObservation(
        observation_id=observation, patient_id=ada, code="8302-2", system="http://loinc.org", display="Body Height",
        effective_at=happened, quantity=Quantity(value=171.5278753471479, unit="cm"),
    )  # fmt: skip
    receipts = [await bus.handle_all([(wish, happened, happened)], doctor) for _ in range(2)]
    assert [(one.aggregate_id, one.version) for (one,) in receipts] == [(observation, 1), (observation, 1)]
    claim = KeepResource(patient_id=ada, resource_type="Claim", resource_id="c1", content='{"a": 1}')
    lone = KeepResource(resource_type="Organization", resource_id="o1", content="{}")
    system = msgspec.structs.replace(doctor, permissions=doctor.permissions | {"records.keep"})
    for kept in (claim, claim, lone):
        await bus.handle(kept, system)
    page = await bus.ask(KeptResources(patient_id=ada), system)
    assert ([one.content for one in page.items], page.total) == (['{"a": 1}'], 1)
    assert [one.resource_id for one in (await bus.ask(KeptResources(), system)).items] == ["o1"]


async def test_nobody_records_anything_about_a_patient_who_is_not_there(bus: Bus, doctor: Caller) -> None:
    for wish in (RecordVitals(patient_id=uuid4(), systolic=120), RecordGoal(patient_id=uuid4(), display="Walk")):
        with pytest.raises(UnknownPatient):
            await bus.handle(wish, doctor)


async def test_a_merged_chart_shows_both_and_an_unmerged_one_its_own(
    bus: Bus, doctor: Caller, admin: Caller, ada: UUID, register: Register
) -> None:
    twin = await register("Ada Lovelace")
    await bus.handle(RecordAllergy(patient_id=twin, substance="Latex"), doctor)
    await bus.handle(MergePatients(patient_id=ada, duplicate_id=twin, reason="same person"), admin)
    await bus.settled()
    assert len((await bus.ask(Allergies(patient_id=ada), doctor)).allergies) == 1
    await bus.handle(UnmergePatients(patient_id=ada, duplicate_id=twin, reason="two persons"), admin)
    await bus.settled()
    assert len((await bus.ask(Allergies(patient_id=ada), doctor)).allergies) == 0


async def test_each_role_sees_what_it_needs(
    bus: Bus, doctor: Caller, ada: UUID, caller: Callable[..., Caller], register: Register
) -> None:
    await fill(bus, doctor, ada)
    pharmacist, laboratory, desk = caller("PHARMACIST"), caller("LAB_TECHNICIAN"), caller("RECEPTIONIST")
    me, stranger = caller("PATIENT", subject=ada), caller("PATIENT", subject=await register("Grace Hopper"))
    everything = (ChartSections(patient_id=ada), Allergies(patient_id=ada), ObservationsOfPatient(patient_id=ada))

    async def may(who: Caller) -> list[bool]:
        answers = []
        for query in everything:
            try:
                await bus.ask(query, who)
                answers.append(True)
            except (NotAllowed, NotFound):
                answers.append(False)
        return answers

    assert [await may(who) for who in (doctor, pharmacist, laboratory, desk, me, stranger)] == [
        [True, True, True], [False, True, False], [False, False, True], [False] * 3, [True] * 3, [False] * 3,
    ]  # fmt: skip


async def test_tests_are_found_by_name_or_code(bus: Bus, doctor: Caller) -> None:
    assert [one.loinc for one in await bus.ask(LaboratoryTests(q="creat"), doctor)] == ["2160-0", "2157-6"]
    assert [one.name for one in await bus.ask(LaboratoryTests(q="4548"), doctor)] == ["HbA1c"]
