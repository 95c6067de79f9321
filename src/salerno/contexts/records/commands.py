"""What may be asked of a person's record. An id that is left out is made by the server."""

from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta, field

from salerno.contexts.records.events import (
    AllergyContent,
    CarePlanContent,
    ClinicalStatus,
    GoalContent,
    HistoryContent,
    ImmunizationContent,
    Instant,
    Measures,
    ObservationContent,
    PartialDate,
    ProblemContent,
    ProcedureContent,
    ReportContent,
    StatementKind,
    Verification,
    Words,
)
from salerno.kernel.messages import Command

Reason: TypeAlias = Annotated[str, Meta(min_length=3, max_length=2_000)]


class RecordProblem(ProblemContent, Command):
    """Put a problem on the list. Without an id, one code stands on the list once."""

    problem_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class ChangeProblem(Command):
    """Say how a problem stands now; `entered_in_error` takes it off the list, with a reason."""

    problem_id: UUID
    clinical_status: ClinicalStatus | None = None
    verification: Verification | None = None
    abated: PartialDate = ""
    entered_in_error: bool = False
    reason: Words = ""


class ListDiagnosis(Command):
    """A visit's diagnosis belongs on the problem list. Asked by the room itself."""

    patient_id: UUID
    visit_id: UUID
    diagnosis_id: UUID
    code: Annotated[str, Meta(min_length=1)]
    system: str
    display: str
    verification: Verification = "confirmed"
    onset: PartialDate = ""


class UnlistDiagnosis(Command):
    """A visit's diagnosis was taken back. Asked by the room itself."""

    patient_id: UUID
    diagnosis_id: UUID
    code: str
    system: str
    reason: str


class RecordAllergy(AllergyContent, Command):
    """Record an allergy or intolerance."""

    allergy_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class ChangeAllergy(AllergyContent, Command):
    """Replace an allergy by what is known now."""

    allergy_id: UUID
    reason: Words = ""


class RemoveAllergy(Command):
    """It was entered in error. It stays in the history."""

    allergy_id: UUID
    reason: Reason


class StateNoKnownAllergies(Command):
    """The person was asked and knows of none."""

    patient_id: UUID
    allergy_id: UUID | None = None


class RecordVitals(Measures, Command):
    """Record a round of measurements.

    `units` names a UCUM unit for what was measured in another one than the room's own:
    {"weight": "[lb_av]", "temperature": "[degF]", "height": "[in_i]", "glucose": "mmol/L"}.
    """

    vitals_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None
    measured_at: Instant | None = None
    units: dict[str, str] = field(default_factory=dict)
    comment: Words = ""


class VoidVitals(Command):
    """This round was entered in error. It stays in the history."""

    vitals_id: UUID
    reason: Reason


class RecordObservation(ObservationContent, Command):
    """Record one result or finding, coded with LOINC where there is a code."""

    observation_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordHistory(HistoryContent, Command):
    """Add an entry to the medical, surgical, family or social history."""

    history_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordImmunization(ImmunizationContent, Command):
    """Record a vaccination given, or not given."""

    immunization_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordProcedure(ProcedureContent, Command):
    """Record what was done to the person."""

    procedure_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordReport(ReportContent, Command):
    """Record a diagnostic report with its results."""

    report_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordCarePlan(CarePlanContent, Command):
    """Record a plan of care."""

    care_plan_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class RecordGoal(GoalContent, Command):
    """Record what is to be reached."""

    goal_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None


class ChangeStatementStatus(Command):
    """Say how an observation, procedure, report, plan, goal … stands now."""

    kind: StatementKind
    record_id: UUID
    status: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Words = ""


class WithdrawStatement(Command):
    """It was entered in error. It stays in the history."""

    kind: StatementKind
    record_id: UUID
    reason: Reason


class KeepResource(Command):
    """Keep a FHIR resource that has no home yet, word for word. Without a patient, the organisation's."""

    kept_resource_id: UUID | None = None
    patient_id: UUID | None = None
    resource_type: Annotated[str, Meta(pattern="^[A-Za-z]{1,80}$")]
    resource_id: Annotated[str, Meta(min_length=1, max_length=200)]
    content: Annotated[str, Meta(min_length=2, max_length=4_000_000)]


ProblemCommand: TypeAlias = RecordProblem | ChangeProblem | ListDiagnosis | UnlistDiagnosis
AllergyCommand: TypeAlias = RecordAllergy | ChangeAllergy | RemoveAllergy | StateNoKnownAllergies
VitalsCommand: TypeAlias = RecordVitals | VoidVitals
RecordStatement: TypeAlias = (
    RecordObservation
    | RecordHistory
    | RecordImmunization
    | RecordProcedure
    | RecordReport
    | RecordCarePlan
    | RecordGoal
)
