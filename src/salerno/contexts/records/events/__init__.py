"""What can have happened to a person's record."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import field

from salerno.contexts.records.events.content import (
    Activity,
    AllergyCategory,
    AllergyContent,
    AllergyType,
    CarePlanContent,
    CarePlanStatus,
    Certainty,
    ClinicalStatus,
    Code,
    Coded,
    Component,
    Consciousness,
    Criticality,
    GoalContent,
    GoalStatus,
    HistoryContent,
    HistoryKind,
    HistoryStatus,
    ImmunizationContent,
    ImmunizationStatus,
    Instant,
    Measures,
    ObservationContent,
    ObservationStatus,
    PartialDate,
    ProblemContent,
    ProcedureContent,
    ProcedureStatus,
    Quantity,
    Range,
    Reaction,
    ReportContent,
    ReportStatus,
    Severity,
    StatementKind,
    Text,
    Verification,
    Words,
)
from salerno.kernel.messages import Event


class ProblemRecorded(ProblemContent, Event, tag="records.problem_recorded.v1"):
    """`diagnosis` is the diagnosis of a visit that it came from, if it did."""

    problem: UUID
    patient: UUID
    visit: UUID | None = None
    diagnosis: UUID | None = None


class ProblemChanged(Event, tag="records.problem_changed.v1", omit_defaults=True):
    problem: UUID
    patient: UUID
    clinical_status: ClinicalStatus
    verification: Verification | Literal["entered-in-error"]
    abated: PartialDate = ""
    reason: str = ""


class ProblemBacked(Event, tag="records.problem_backed.v1"):
    """Another diagnosis says the same."""

    problem: UUID
    patient: UUID
    diagnosis: UUID


class ProblemUnbacked(Event, tag="records.problem_unbacked.v1"):
    """A diagnosis that said so was taken back."""

    problem: UUID
    patient: UUID
    diagnosis: UUID


class AllergyRecorded(AllergyContent, Event, tag="records.allergy_recorded.v1"):
    """`reaction` and `severity` sum the reactions up: all manifestations, the worst severity."""

    allergy: UUID
    patient: UUID
    visit: UUID | None = None
    reaction: str = ""
    severity: Severity = ""


class AllergyChanged(AllergyContent, Event, tag="records.allergy_changed.v1"):
    """The whole allergy as it is from now on."""

    allergy: UUID
    patient: UUID
    reaction: str = ""
    severity: Severity = ""
    reason: str = ""


class AllergyRemoved(Event, tag="records.allergy_removed.v1"):
    """It was entered in error."""

    allergy: UUID
    patient: UUID
    reason: str


class NoKnownAllergiesStated(Event, tag="records.no_known_allergies_stated.v1"):
    """The person was asked and knows of none. It holds until an allergy is recorded."""

    allergy: UUID
    patient: UUID


class VitalsRecorded(Measures, Event, tag="records.vitals_recorded.v1"):
    """`as_entered` keeps what was typed in another unit."""

    vitals: UUID
    patient: UUID
    visit: UUID | None = None
    measured_at: datetime
    as_entered: dict[str, Quantity] = field(default_factory=dict)
    comment: str = ""


class VitalsVoided(Event, tag="records.vitals_voided.v1"):
    vitals: UUID
    patient: UUID
    reason: str


class ObservationRecorded(ObservationContent, Event, tag="records.observation_recorded.v1"):
    observation: UUID
    patient: UUID
    visit: UUID | None = None


class HistoryRecorded(HistoryContent, Event, tag="records.history_recorded.v1"):
    history: UUID
    patient: UUID
    visit: UUID | None = None


class ImmunizationRecorded(ImmunizationContent, Event, tag="records.immunization_recorded.v1"):
    immunization: UUID
    patient: UUID
    visit: UUID | None = None


class ProcedureRecorded(ProcedureContent, Event, tag="records.procedure_recorded.v1"):
    procedure: UUID
    patient: UUID
    visit: UUID | None = None


class ReportRecorded(ReportContent, Event, tag="records.report_recorded.v1"):
    report: UUID
    patient: UUID
    visit: UUID | None = None


class CarePlanRecorded(CarePlanContent, Event, tag="records.care_plan_recorded.v1"):
    care_plan: UUID
    patient: UUID
    visit: UUID | None = None


class GoalRecorded(GoalContent, Event, tag="records.goal_recorded.v1"):
    goal: UUID
    patient: UUID
    visit: UUID | None = None


class StatementStatusChanged(Event, tag="records.statement_status_changed.v1", omit_defaults=True):
    record: UUID
    patient: UUID
    kind: StatementKind
    status: str
    reason: str = ""


class StatementWithdrawn(Event, tag="records.statement_withdrawn.v1"):
    """It was entered in error."""

    record: UUID
    patient: UUID
    kind: StatementKind
    reason: str


class ResourceKept(Event, tag="records.resource_kept.v1", omit_defaults=True):
    """Word for word as it came."""

    kept_resource: UUID
    patient: UUID | None = None
    resource_type: str
    resource_id: str
    content: str


ProblemEvent: TypeAlias = ProblemRecorded | ProblemChanged | ProblemBacked | ProblemUnbacked
AllergyEvent: TypeAlias = AllergyRecorded | AllergyChanged | AllergyRemoved | NoKnownAllergiesStated
VitalsEvent: TypeAlias = VitalsRecorded | VitalsVoided
Stated: TypeAlias = (
    ObservationRecorded
    | HistoryRecorded
    | ImmunizationRecorded
    | ProcedureRecorded
    | ReportRecorded
    | CarePlanRecorded
    | GoalRecorded
)
StatementEvent: TypeAlias = Stated | StatementStatusChanged | StatementWithdrawn
RecordsEvent: TypeAlias = ProblemEvent | AllergyEvent | VitalsEvent | StatementEvent | ResourceKept

EVENTS = (
    ProblemRecorded,
    ProblemChanged,
    ProblemBacked,
    ProblemUnbacked,
    AllergyRecorded,
    AllergyChanged,
    AllergyRemoved,
    NoKnownAllergiesStated,
    VitalsRecorded,
    VitalsVoided,
    ObservationRecorded,
    HistoryRecorded,
    ImmunizationRecorded,
    ProcedureRecorded,
    ReportRecorded,
    CarePlanRecorded,
    GoalRecorded,
    StatementStatusChanged,
    StatementWithdrawn,
    ResourceKept,
)

__all__ = [
    "EVENTS",
    "Activity",
    "AllergyCategory",
    "AllergyChanged",
    "AllergyContent",
    "AllergyEvent",
    "AllergyRecorded",
    "AllergyRemoved",
    "AllergyType",
    "CarePlanContent",
    "CarePlanRecorded",
    "CarePlanStatus",
    "Certainty",
    "ClinicalStatus",
    "Code",
    "Coded",
    "Component",
    "Consciousness",
    "Criticality",
    "GoalContent",
    "GoalRecorded",
    "GoalStatus",
    "HistoryContent",
    "HistoryKind",
    "HistoryRecorded",
    "HistoryStatus",
    "ImmunizationContent",
    "ImmunizationRecorded",
    "ImmunizationStatus",
    "Instant",
    "Measures",
    "NoKnownAllergiesStated",
    "ObservationContent",
    "ObservationRecorded",
    "ObservationStatus",
    "PartialDate",
    "ProblemBacked",
    "ProblemChanged",
    "ProblemContent",
    "ProblemEvent",
    "ProblemRecorded",
    "ProblemUnbacked",
    "ProcedureContent",
    "ProcedureRecorded",
    "ProcedureStatus",
    "Quantity",
    "Range",
    "Reaction",
    "RecordsEvent",
    "ReportContent",
    "ReportRecorded",
    "ReportStatus",
    "ResourceKept",
    "Severity",
    "Stated",
    "StatementEvent",
    "StatementKind",
    "StatementStatusChanged",
    "StatementWithdrawn",
    "Text",
    "Verification",
    "VitalsEvent",
    "VitalsRecorded",
    "VitalsVoided",
    "Words",
]
