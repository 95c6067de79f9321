"""Problems, allergies, measurements and statements, told as examples."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as some

from salerno.contexts.records.commands import (
    ChangeAllergy,
    ChangeProblem,
    ChangeStatementStatus,
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
    UnlistDiagnosis,
    VoidVitals,
    WithdrawStatement,
)
from salerno.contexts.records.errors import (
    AlreadyOnTheList,
    AlreadyRecorded,
    HasAllergies,
    Implausible,
    NoSuchRecord,
    NothingMeasured,
    ReasonNeeded,
    UnknownStatus,
    UnknownUnit,
    WasEnteredInError,
)
from salerno.contexts.records.events import (
    AllergyChanged,
    AllergyRecorded,
    AllergyRemoved,
    Coded,
    NoKnownAllergiesStated,
    ObservationRecorded,
    ProblemBacked,
    ProblemChanged,
    ProblemRecorded,
    ProblemUnbacked,
    Quantity,
    Reaction,
    ResourceKept,
    StatementStatusChanged,
    StatementWithdrawn,
    VitalsRecorded,
    VitalsVoided,
)
from salerno.contexts.records.rules import allergy, problem, vitals
from salerno.contexts.records.rules.kept_resource import KEPT_RESOURCE, Keeping
from salerno.contexts.records.rules.statement import FAMILIES, OF_KIND, STATEMENTS, Changing, Stating
from salerno.kernel.errors import Invalid
from salerno.kernel.testing import ORIGIN, THEN, Scenario

ID, ADA, VISIT, FIRST, SECOND = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


# ------------------------------------------------------------ problems
HYPERTENSION = ProblemRecorded(problem=ID, patient=ADA, code="I10", system=ICD, display="Hypertension")


def problems(*events: Any) -> Scenario[Any, Any, Any]:
    return Scenario(problem.PROBLEM).given(*events)


def record_problem(**fields: Any) -> problem.Recording:
    asked = {"patient_id": ADA, "code": "I10", "system": ICD, "display": "Hypertension"} | fields
    return problem.Recording(RecordProblem(**asked), ID)


def listing(diagnosis: UUID = FIRST, **fields: Any) -> problem.Listing:
    asked = {"code": "I10", "system": ICD, "display": "Hypertension"} | fields
    return problem.Listing(ListDiagnosis(patient_id=ADA, visit_id=VISIT, diagnosis_id=diagnosis, **asked), ID)


def changed(status: Any, verification: Any = "confirmed", abated: str = "", reason: str = "") -> ProblemChanged:
    return ProblemChanged(
        problem=ID, patient=ADA, clinical_status=status, verification=verification, abated=abated, reason=reason
    )


def test_a_problem_is_recorded_once() -> None:
    problems().when(record_problem()).then(HYPERTENSION)
    problems(HYPERTENSION).when(record_problem()).then_nothing()
    refused = problems(HYPERTENSION).when(record_problem(comment="new")).then_refused(AlreadyOnTheList)
    assert refused.details == {"record_id": str(ID), "clinical_status": "active"}


@pytest.mark.parametrize(("onset", "code"), [("2026-02-30", "no-such-date"), ("2027", "in-the-future")])
def test_a_problem_began_on_a_day_that_was(onset: str, code: str) -> None:
    refused = problems().when(record_problem(onset=onset)).then_refused(Invalid)
    assert refused.errors[0] == {  # type: ignore[attr-defined]
        "path": "onset", "code": code, "message": refused.errors[0]["message"],  # type: ignore[attr-defined]
    }  # fmt: skip


def test_a_resolved_problem_forgets_its_end_when_it_is_active_again() -> None:
    over = changed("resolved", abated="2026-01")
    wish = ChangeProblem(problem_id=ID, clinical_status="resolved", abated="2026-01")
    problems(HYPERTENSION).when(wish).then(over)
    problems(HYPERTENSION, over).when(wish).then_nothing()
    problems(HYPERTENSION, over).when(ChangeProblem(problem_id=ID, clinical_status="active")).then(changed("active"))


def test_taking_a_problem_off_as_an_error_needs_a_reason() -> None:
    wish = ChangeProblem(problem_id=ID, entered_in_error=True)
    problems(HYPERTENSION).when(wish).then_refused(ReasonNeeded)
    reasoned = ChangeProblem(problem_id=ID, entered_in_error=True, reason="other patient")
    off = changed("active", "entered-in-error", reason="other patient")
    problems(HYPERTENSION).when(reasoned).then(off)
    problems(HYPERTENSION, off).when(reasoned).then_nothing()
    gone = problems(HYPERTENSION, off)
    gone.when(ChangeProblem(problem_id=ID, clinical_status="resolved")).then_refused(WasEnteredInError)
    gone.when(record_problem()).then(HYPERTENSION)
    problems().when(reasoned).then_refused(NoSuchRecord)


BY_DIAGNOSIS = ProblemRecorded(
    problem=ID, patient=ADA, visit=VISIT, diagnosis=FIRST, code="I10", system=ICD, display="Hypertension"
)


def test_a_diagnosis_comes_onto_the_list_and_a_second_one_backs_it() -> None:
    problems().when(listing()).then(BY_DIAGNOSIS)
    problems(BY_DIAGNOSIS).when(listing()).then_nothing()
    problems(BY_DIAGNOSIS).when(listing(SECOND)).then(ProblemBacked(problem=ID, patient=ADA, diagnosis=SECOND))


def test_what_was_over_recurs_when_it_is_diagnosed_again() -> None:
    past = problems(HYPERTENSION, changed("resolved", abated="2025"))
    past.when(listing()).then(
        ProblemBacked(problem=ID, patient=ADA, diagnosis=FIRST), changed("recurrence", reason="diagnosed in a visit")
    )


def test_a_firm_diagnosis_firms_up_a_provisional_problem() -> None:
    unsure = ProblemRecorded(
        problem=ID, patient=ADA, code="I10", system=ICD, display="Hypertension", verification="provisional"
    )
    backed, firm = problems(unsure).when(listing()).events()
    assert (type(backed), firm.verification) == (ProblemBacked, "confirmed")


def test_when_the_last_diagnosis_is_taken_back_so_is_the_problem_unless_a_person_put_it_there() -> None:
    wish = UnlistDiagnosis(patient_id=ADA, diagnosis_id=FIRST, code="I10", system=ICD, reason="normal at home")
    unbacked = ProblemUnbacked(problem=ID, patient=ADA, diagnosis=FIRST)
    problems(BY_DIAGNOSIS).when(wish).then(unbacked, changed("active", "entered-in-error", reason="normal at home"))
    second = ProblemBacked(problem=ID, patient=ADA, diagnosis=SECOND)
    problems(BY_DIAGNOSIS, second).when(wish).then(unbacked)
    first = ProblemBacked(problem=ID, patient=ADA, diagnosis=FIRST)
    problems(HYPERTENSION, first).when(wish).then(unbacked)
    problems(HYPERTENSION).when(wish).then_nothing()


# ------------------------------------------------------------ allergies
RASH = Reaction(manifestation=Coded(display="Rash"), severity="mild")
SHOCK = Reaction(manifestation=Coded(display="Anaphylaxis"), severity="severe")
PENICILLIN = AllergyRecorded(
    allergy=ID, patient=ADA, substance="Penicillin", class_="penicillins", reactions=(RASH, SHOCK),
    reaction="Rash, Anaphylaxis", severity="severe",
)  # fmt: skip


def allergies(*events: Any) -> Scenario[Any, Any, Any]:
    return Scenario(allergy.ALLERGY).given(*events)


def record_allergy(**fields: Any) -> allergy.Recording:
    asked = {"substance": "Penicillin", "class_": "penicillins", "reactions": (RASH, SHOCK)} | fields
    return allergy.Recording(RecordAllergy(patient_id=ADA, **asked), ID)


def test_an_allergy_sums_its_reactions_up_with_the_worst_first() -> None:
    allergies().when(record_allergy()).then(PENICILLIN)
    allergies(PENICILLIN).when(record_allergy()).then_nothing()
    allergies(PENICILLIN).when(record_allergy(substance="Amoxicillin")).then_refused(AlreadyRecorded)


def test_an_allergy_changes_as_a_whole_and_is_removed_with_a_reason() -> None:
    wish = ChangeAllergy(allergy_id=ID, substance="Penicillin", certainty="refuted", reason="tested")
    new = AllergyChanged(allergy=ID, patient=ADA, substance="Penicillin", certainty="refuted", reason="tested")
    allergies(PENICILLIN).when(wish).then(new)
    allergies(PENICILLIN, new).when(wish).then_nothing()
    removed = AllergyRemoved(allergy=ID, patient=ADA, reason="other patient")
    remove = RemoveAllergy(allergy_id=ID, reason="other patient")
    allergies(PENICILLIN).when(remove).then(removed)
    allergies(PENICILLIN, removed).when(remove).then_nothing()
    allergies(PENICILLIN, removed).when(wish).then_refused(WasEnteredInError)
    allergies().when(remove).then_refused(NoSuchRecord)


def test_no_known_allergies_is_not_said_of_somebody_who_has_one() -> None:
    wish = StateNoKnownAllergies(patient_id=ADA)
    said = NoKnownAllergiesStated(allergy=ID, patient=ADA)
    allergies().when(allergy.Stating(wish, ID, has_allergies=False)).then(said)
    allergies(said).when(allergy.Stating(wish, ID, has_allergies=False)).then_nothing()
    allergies().when(allergy.Stating(wish, ID, has_allergies=True)).then_refused(HasAllergies)


# ------------------------------------------------------------ vital signs
def measured(*events: Any) -> Scenario[Any, Any, Any]:
    return Scenario(vitals.VITALS).given(*events)


def measure(**fields: Any) -> vitals.Measuring:
    return vitals.Measuring(RecordVitals(patient_id=ADA, **fields), ID)


PRESSURE = VitalsRecorded(vitals=ID, patient=ADA, measured_at=THEN, systolic=120, diastolic=80)


def test_a_round_is_recorded_once_and_voided_with_a_reason() -> None:
    measured().when(measure(systolic=120, diastolic=80)).then(PRESSURE)
    measured(PRESSURE).when(measure(systolic=120, diastolic=80)).then_nothing()
    measured(PRESSURE).when(measure(systolic=121, diastolic=80)).then_refused(AlreadyRecorded)
    voided = VitalsVoided(vitals=ID, patient=ADA, reason="other patient")
    measured(PRESSURE).when(VoidVitals(vitals_id=ID, reason="other patient")).then(voided)
    measured(PRESSURE, voided).when(VoidVitals(vitals_id=ID, reason="other patient")).then_nothing()
    measured(PRESSURE, voided).when(measure(systolic=120, diastolic=80)).then_refused(WasEnteredInError)
    measured().when(VoidVitals(vitals_id=ID, reason="other patient")).then_refused(NoSuchRecord)


def test_what_was_entered_in_another_unit_is_kept_as_entered() -> None:
    wish = measure(weight=154, height=170, units={"weight": "[lb_av]", "height": "cm"})
    (event,) = measured().when(wish).events()
    assert (event.weight, event.height) == (69.853225, 170)
    assert event.as_entered == {"weight": Quantity(value=154, unit="[lb_av]", code="[lb_av]")}


def test_everything_implausible_is_named_at_once() -> None:
    wish = measure(systolic=12, heart_rate=700, spo2=101, temperature=370, pain=11, weight=0)
    refused = measured().when(wish).then_refused(Implausible)
    named = [error["path"] for error in refused.errors]  # type: ignore[attr-defined]
    assert named == ["systolic", "heart_rate", "temperature", "spo2", "weight", "pain"]


def test_the_diastolic_pressure_lies_below_the_systolic_one() -> None:
    refused = measured().when(measure(systolic=80, diastolic=120)).then_refused(Implausible)
    assert refused.errors[0]["code"] == "not-below-systolic"  # type: ignore[attr-defined]


def test_an_empty_round_an_unknown_unit_and_the_future_are_refused() -> None:
    measured().when(measure()).then_refused(NothingMeasured)
    measured().when(measure(on_oxygen=True)).then_refused(NothingMeasured)
    measured().when(measure(weight=11, units={"weight": "stone"})).then_refused(UnknownUnit)
    measured().when(measure(weight=70, units={"height": "m"})).then_refused(UnknownUnit)
    measured().when(measure(weight=70, measured_at=THEN + timedelta(seconds=1))).then_refused(Invalid)


LIMITS = {"systolic": (20, 350), "heart_rate": (0, 350), "temperature": (20, 46), "weight": (0.2, 650)}


@for_all(some.sampled_from(sorted(LIMITS)), some.floats(-1000, 1000, allow_nan=False))
def test_a_measurement_is_accepted_exactly_within_its_limits(kind: str, value: float) -> None:
    least, most = LIMITS[kind]
    scenario = measured().when(measure(**{kind: value}))
    if least <= value <= most:
        assert getattr(scenario.events()[0], kind) == value
    else:
        scenario.then_refused(Implausible)


# ------------------------------------------------------------ statements
SOMETHING: list[Any] = [
    RecordObservation(patient_id=ADA, code="718-7"),
    RecordHistory(patient_id=ADA, kind="family", display="Diabetes", relation="mother"),
    RecordImmunization(patient_id=ADA, code="140"),
    RecordProcedure(patient_id=ADA, code="430193006"),
    RecordReport(patient_id=ADA, code="58410-2"),
    RecordCarePlan(patient_id=ADA, display="Weight loss"),
    RecordGoal(patient_id=ADA, display="HbA1c below 7 %"),
]


@pytest.mark.parametrize("command", SOMETHING, ids=lambda command: type(command).__name__)
def test_a_statement_is_made_once_and_withdrawn_with_a_reason(command: Any) -> None:
    family = FAMILIES[type(command)]
    scenario = Scenario(STATEMENTS[family.kind])
    wish = Stating(command, ID, family)
    (stated,) = scenario.when(wish).events()
    assert (getattr(stated, family.kind), stated.patient) == (ID, ADA)
    scenario.given(stated).when(wish).then_nothing()
    withdraw = WithdrawStatement(kind=family.kind, record_id=ID, reason="other patient")
    withdrawn = StatementWithdrawn(record=ID, patient=ADA, kind=family.kind, reason="other patient")
    scenario.given(stated).when(withdraw).then(withdrawn)
    scenario.given(stated, withdrawn).when(withdraw).then_nothing()
    scenario.given(stated, withdrawn).when(wish).then_refused(WasEnteredInError)
    scenario.when(withdraw).then_refused(NoSuchRecord)


def test_a_statement_is_not_overwritten_under_its_number() -> None:
    family = FAMILIES[RecordObservation]
    stated = ObservationRecorded(observation=ID, patient=ADA, code="718-7")
    other = Stating(RecordObservation(patient_id=ADA, code="718-7", value_text="high"), ID, family)
    Scenario(STATEMENTS["observation"]).given(stated).when(other).then_refused(AlreadyRecorded)


def test_a_statement_takes_only_the_statuses_of_its_kind() -> None:
    stated = ObservationRecorded(observation=ID, patient=ADA, code="718-7", status="preliminary")
    final = ChangeStatementStatus(kind="observation", record_id=ID, status="final")
    event = StatementStatusChanged(record=ID, patient=ADA, kind="observation", status="final")
    scenario = Scenario(STATEMENTS["observation"]).given(stated)
    scenario.when(Changing(final, OF_KIND["observation"])).then(event)
    scenario.given(event).when(Changing(final, OF_KIND["observation"])).then_nothing()
    wrong = ChangeStatementStatus(kind="observation", record_id=ID, status="finished")
    refused = scenario.when(Changing(wrong, OF_KIND["observation"])).then_refused(UnknownStatus)
    assert refused.errors[0]["path"] == "status"  # type: ignore[attr-defined]


def test_a_result_does_not_come_from_the_future() -> None:
    tomorrow = RecordObservation(patient_id=ADA, code="718-7", effective_at=THEN + timedelta(days=1))
    wish = Stating(tomorrow, ID, FAMILIES[RecordObservation])
    Scenario(STATEMENTS["observation"]).when(wish).then_refused(Invalid)


def test_a_kept_resource_is_kept_again_only_when_its_wording_changed() -> None:
    def keep(content: str) -> Keeping:
        return Keeping(KeepResource(patient_id=ADA, resource_type="Claim", resource_id="1", content=content), ID)

    def kept(content: str) -> ResourceKept:
        return ResourceKept(kept_resource=ID, patient=ADA, resource_type="Claim", resource_id="1", content=content)

    Scenario(KEPT_RESOURCE).when(keep("{}")).then(kept("{}"))
    Scenario(KEPT_RESOURCE).given(kept("{}")).when(keep("{}")).then_nothing()
    Scenario(KEPT_RESOURCE).given(kept("{}")).when(keep("{ }")).then(kept("{ }"))
    assert ORIGIN.recorded_at == THEN
