"""The life of a visit, told as examples."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from salerno.contexts.encounters.commands import (
    ICD_10_CM,
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SetTreatmentPlan,
    StartVisit,
)
from salerno.contexts.encounters.errors import (
    AlreadyDiagnosed,
    NoSuchDiagnosis,
    NoSuchVisit,
    OnePrimaryDiagnosis,
    VisitExists,
    VisitHasSignedNotes,
    VisitIsOver,
)
from salerno.contexts.encounters.events import (
    DiagnosisRecorded,
    DiagnosisRemoved,
    PlanItem,
    TreatmentPlanSet,
    VisitCancelled,
    VisitCompleted,
    VisitStarted,
)
from salerno.contexts.encounters.policies import start_the_visit
from salerno.contexts.encounters.rules.visit import VISIT, Cancelling, Diagnosing, Starting
from salerno.contexts.scheduling.events import PatientCheckedIn
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Recorded
from salerno.kernel.testing import ORIGIN, SOMEBODY, THEN, Scenario

ID, ADA, BELL, SLOT = uuid4(), uuid4(), uuid4(), uuid4()
STARTED = VisitStarted(visit=ID, patient=ADA, practitioner=BELL, appointment=SLOT, started_at=THEN)
COMPLETED = VisitCompleted(visit=ID, patient=ADA, practitioner=BELL, appointment=SLOT, ended_at=THEN)
FLU = uuid4()


def given(*events: Any) -> Scenario[Any, Any, Any]:
    return Scenario(VISIT).given(*events)


def start(**fields: Any) -> Starting:
    asked = {"patient_id": ADA, "practitioner_id": BELL, "appointment_id": SLOT} | fields
    return Starting(StartVisit(**asked), ID)


def diagnose(code: str = "J11.1", diagnosis: UUID = FLU, **fields: Any) -> Diagnosing:
    return Diagnosing(RecordDiagnosis(visit_id=ID, code=code, **fields), diagnosis, code, f"words for {code}")


def diagnosed(code: str = "J11.1", diagnosis: UUID = FLU, role: Any = "primary", **fields: Any) -> DiagnosisRecorded:
    asked = {"certainty": "confirmed"} | fields
    return DiagnosisRecorded(
        visit=ID, patient=ADA, diagnosis=diagnosis, code=code, system=ICD_10_CM, display=f"words for {code}", role=role,
        **asked,
    )  # fmt: skip


def test_a_visit_starts_when_it_happened() -> None:
    given().when(start()).then(STARTED)


def test_the_check_in_and_the_doctor_may_both_start_the_visit_of_one_appointment() -> None:
    given(STARTED).when(start(practitioner_id=None, reason="cough")).then_nothing()


def test_another_patient_never_gets_a_visit_that_is_taken() -> None:
    given(STARTED).when(start(patient_id=uuid4())).then_refused(VisitExists)


def test_a_past_visit_is_started_and_completed_at_once() -> None:
    began, ended = THEN - timedelta(days=400), THEN - timedelta(days=400, hours=-1)
    given().when(start(appointment_id=None, started_at=began, ended_at=ended)).then(
        VisitStarted(visit=ID, patient=ADA, practitioner=BELL, started_at=began),
        VisitCompleted(visit=ID, patient=ADA, practitioner=BELL, ended_at=ended),
    )


def test_importing_the_same_visit_again_changes_nothing() -> None:
    began, ended = THEN - timedelta(days=400), THEN - timedelta(days=400, hours=-1)
    asked = start(appointment_id=None, started_at=began, ended_at=ended)
    past = given().when(asked).events()
    given(*past).when(asked).then_nothing()
    given(*past).when(start(appointment_id=None, started_at=began, ended_at=THEN)).then_refused(VisitExists)


def test_a_visit_starts_neither_in_the_future_nor_after_its_end() -> None:
    given().when(start(started_at=THEN + timedelta(seconds=1))).then_refused(Invalid)
    refused = given().when(start(started_at=THEN, ended_at=THEN - timedelta(seconds=1))).then_refused(Invalid)
    assert refused.errors[0]["path"] == "ended_at"  # type: ignore[attr-defined]


def test_a_visit_is_completed_once() -> None:
    given(STARTED).when(CompleteVisit(visit_id=ID)).then(COMPLETED)
    given(STARTED, COMPLETED).when(CompleteVisit(visit_id=ID)).then_nothing()
    given(STARTED, COMPLETED).when(CompleteVisit(visit_id=ID, ended_at=THEN - timedelta(minutes=1))).then_refused(
        VisitIsOver
    )
    given().when(CompleteVisit(visit_id=ID)).then_refused(NoSuchVisit)


def test_a_cancelled_visit_takes_nothing_more() -> None:
    cancelled = VisitCancelled(visit=ID, patient=ADA, appointment=SLOT, reason="wrong person")
    given(STARTED).when(Cancelling(CancelVisit(visit_id=ID, reason="wrong person"), False)).then(cancelled)
    over = given(STARTED, cancelled)
    over.when(Cancelling(CancelVisit(visit_id=ID, reason="wrong person"), False)).then_nothing()
    over.when(CompleteVisit(visit_id=ID)).then_refused(VisitIsOver)
    over.when(diagnose()).then_refused(VisitIsOver)
    over.when(SetTreatmentPlan(visit_id=ID, items=())).then_refused(VisitIsOver)


def test_a_visit_with_signed_notes_is_not_cancelled() -> None:
    given(STARTED).when(Cancelling(CancelVisit(visit_id=ID, reason="no show"), True)).then_refused(VisitHasSignedNotes)


def test_the_first_diagnosis_is_the_primary_one_and_there_is_only_one() -> None:
    given(STARTED).when(diagnose()).then(diagnosed())
    other = uuid4()
    given(STARTED, diagnosed()).when(diagnose("I10", other)).then(diagnosed("I10", other, "secondary"))
    given(STARTED, diagnosed()).when(diagnose("I10", other, role="primary")).then_refused(OnePrimaryDiagnosis)


def test_the_same_diagnosis_again_changes_nothing_and_a_different_one_under_its_code_is_refused() -> None:
    given(STARTED, diagnosed()).when(diagnose()).then_nothing()
    refused = given(STARTED, diagnosed()).when(diagnose(certainty="provisional")).then_refused(AlreadyDiagnosed)
    assert refused.details == {"diagnosis_id": str(FLU)}


def test_a_diagnosis_is_still_coded_after_the_visit() -> None:
    given(STARTED, COMPLETED).when(diagnose()).then(diagnosed())


def test_after_the_primary_diagnosis_is_removed_the_next_may_be_primary() -> None:
    removed = DiagnosisRemoved(visit=ID, patient=ADA, diagnosis=FLU, code="J11.1", system=ICD_10_CM, reason="no fever")
    given(STARTED, diagnosed()).when(RemoveDiagnosis(visit_id=ID, diagnosis_id=FLU, reason="no fever")).then(removed)
    given(STARTED, diagnosed(), removed).when(diagnose("I10", FLU)).then(diagnosed("I10", FLU, "primary"))
    given(STARTED).when(RemoveDiagnosis(visit_id=ID, diagnosis_id=FLU, reason="no fever")).then_refused(NoSuchDiagnosis)


def test_a_plan_is_set_and_setting_the_same_changes_nothing() -> None:
    items = (PlanItem(kind="test", text="Chest X-ray", due_on=date(2026, 3, 9)),)
    planned = TreatmentPlanSet(visit=ID, patient=ADA, items=items)
    given(STARTED).when(SetTreatmentPlan(visit_id=ID, items=items)).then(planned)
    given(STARTED, planned).when(SetTreatmentPlan(visit_id=ID, items=items)).then_nothing()


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_plan_item_is_named(text: str) -> None:
    items = (PlanItem(kind="test", text="ECG"), PlanItem(kind="test", text=text))
    refused = given(STARTED).when(SetTreatmentPlan(visit_id=ID, items=items)).then_refused(Invalid)
    assert refused.errors[0]["path"] == "items[1].text"  # type: ignore[attr-defined]


def test_a_check_in_asks_for_the_visit_of_its_appointment() -> None:
    arrived = PatientCheckedIn(appointment=SLOT, patient=ADA, practitioner=BELL)
    item = Recorded(
        position=1, id=uuid4(), kind="scheduling.appointment", stream=SLOT, version=2, subject=ADA, origin=ORIGIN,
        event=arrived,
    )  # fmt: skip
    visit = uuid5(SLOT, "visit")
    assert start_the_visit(item) == start_the_visit(item)
    assert list(start_the_visit(item)) == [
        StartVisit(visit_id=visit, patient_id=ADA, practitioner_id=BELL, appointment_id=SLOT, started_at=THEN)
    ]
    assert SOMEBODY != BELL
