"""What is said in a record, without who it is about: shared by a command and its event.

Limits may only ever be widened: what was recorded must stay readable.
"""

from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

ClinicalStatus: TypeAlias = Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"]
Verification: TypeAlias = Literal["unconfirmed", "provisional", "differential", "confirmed", "refuted"]
Severity: TypeAlias = Literal["", "mild", "moderate", "severe"]
AllergyCategory: TypeAlias = Literal["", "medication", "food", "environment", "biologic"]
AllergyType: TypeAlias = Literal["", "allergy", "intolerance"]
Criticality: TypeAlias = Literal["", "low", "high", "unable-to-assess"]
Certainty: TypeAlias = Literal["unconfirmed", "suspected", "likely", "confirmed", "refuted"]
Consciousness: TypeAlias = Literal["A", "C", "V", "P", "U"]
HistoryKind: TypeAlias = Literal["medical", "surgical", "family", "social", "obstetric", "lifestyle", "medication"]
ObservationStatus: TypeAlias = Literal[
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"
]
ReportStatus: TypeAlias = Literal[
    "registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "unknown"
]
ProcedureStatus: TypeAlias = Literal[
    "preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown"
]
ImmunizationStatus: TypeAlias = Literal["completed", "not-done"]
CarePlanStatus: TypeAlias = Literal["draft", "active", "on-hold", "revoked", "completed", "unknown"]
GoalStatus: TypeAlias = Literal[
    "proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "rejected"
]
HistoryStatus: TypeAlias = Literal["active", "past"]
StatementKind: TypeAlias = Literal["observation", "history", "immunization", "procedure", "report", "care_plan", "goal"]
TIME = r"T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})"
PARTIAL_DATE = rf"^$|^[12]\d{{3}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])({TIME})?)?)?$"
PartialDate: TypeAlias = Annotated[str, Meta(pattern=PARTIAL_DATE)]  # a year, a month, a day or an instant
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
Words: TypeAlias = Annotated[str, Meta(max_length=1_000)]
Text: TypeAlias = Annotated[str, Meta(max_length=100_000)]
Code: TypeAlias = Annotated[str, Meta(max_length=100)]


class Coded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A concept: its code, the system that defines the code, and the words a person reads."""

    display: Words
    code: Code = ""
    system: Words = ""


class Quantity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number with its unit: as written, and as a UCUM code."""

    value: float
    unit: Words = ""
    code: Code = ""
    comparator: Literal["", "<", "<=", ">=", ">"] = ""


class Range(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reference interval as the laboratory sent it."""

    low: float | None = None
    high: float | None = None
    text: Words = ""


class Component(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of an observation that has several, such as the two numbers of a blood pressure."""

    code: Code
    system: Words = ""
    display: Words = ""
    quantity: Quantity | None = None
    value_code: Coded | None = None
    value_text: Text = ""


class Reaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened on contact with a substance."""

    manifestation: Coded
    severity: Severity = ""
    onset: PartialDate = ""


class Activity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a care plan asks for."""

    code: Coded
    status: Code = ""
    comment: Words = ""


class ProblemContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code = ""
    system: Words = ""
    display: Annotated[str, Meta(min_length=1, max_length=1_000)]
    clinical_status: ClinicalStatus = "active"
    verification: Verification = "confirmed"
    severity: Severity = ""
    onset: PartialDate = ""
    abated: PartialDate = ""
    comment: Text = ""


class AllergyContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`class_` is the class of substances it belongs to, such as "penicillins"."""

    substance: Annotated[str, Meta(min_length=1, max_length=1_000)]
    code: Code = ""
    system: Words = ""
    class_: Words = ""
    category: AllergyCategory = ""
    allergy_type: AllergyType = ""
    criticality: Criticality = ""
    certainty: Certainty = "confirmed"
    clinical_status: Literal["active", "inactive", "resolved"] = "active"
    reactions: Annotated[tuple[Reaction, ...], Meta(max_length=50)] = ()
    onset: PartialDate = ""
    comment: Text = ""


class Measures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One round of measurements in the room's own units: mmHg, /min, Cel, %, kg, cm, mg/dL."""

    systolic: float | None = None
    diastolic: float | None = None
    heart_rate: float | None = None
    respiratory_rate: float | None = None
    temperature: float | None = None
    spo2: float | None = None
    on_oxygen: bool | None = None
    spo2_scale2: bool = False
    consciousness: Consciousness | None = None
    weight: float | None = None
    height: float | None = None
    head_circumference: float | None = None
    pain: float | None = None
    glucose: float | None = None


class ObservationContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code
    system: Words = ""
    display: Words = ""
    category: Annotated[tuple[Code, ...], Meta(max_length=10)] = ()
    status: ObservationStatus = "final"
    effective_at: Instant | None = None
    effective_until: Instant | None = None
    issued_at: Instant | None = None
    quantity: Quantity | None = None
    value_code: Coded | None = None
    value_text: Text = ""
    components: Annotated[tuple[Component, ...], Meta(max_length=200)] = ()
    reference_range: Annotated[tuple[Range, ...], Meta(max_length=10)] = ()
    interpretation: Annotated[tuple[Code, ...], Meta(max_length=10)] = ()
    method: Words = ""
    specimen: Words = ""
    performer: UUID | None = None
    comment: Text = ""


class HistoryContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`relation` is who had it, in a family history."""

    kind: HistoryKind
    display: Annotated[str, Meta(min_length=1, max_length=10_000)]
    code: Code = ""
    system: Words = ""
    status: HistoryStatus = "active"
    relation: Words = ""
    onset: PartialDate = ""
    ended: PartialDate = ""
    comment: Text = ""


class ImmunizationContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code
    system: Words = ""
    display: Words = ""
    status: ImmunizationStatus = "completed"
    given_at: Instant | None = None
    lot: Words = ""
    manufacturer: Words = ""
    expires_on: date | None = None
    site: Words = ""
    route: Words = ""
    dose: Quantity | None = None
    dose_number: int | None = None
    primary_source: bool = True
    performer: UUID | None = None
    comment: Text = ""


class ProcedureContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code
    system: Words = ""
    display: Words = ""
    status: ProcedureStatus = "completed"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    reasons: tuple[Coded, ...] = ()
    body_site: Words = ""
    outcome: Words = ""
    performer: UUID | None = None
    comment: Text = ""


class ReportContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code
    system: Words = ""
    display: Words = ""
    category: Annotated[tuple[Code, ...], Meta(max_length=10)] = ()
    status: ReportStatus = "final"
    effective_at: Instant | None = None
    issued_at: Instant | None = None
    results: Annotated[tuple[UUID, ...], Meta(max_length=1_000)] = ()
    conclusion: Text = ""
    performer: UUID | None = None


class CarePlanContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code = ""
    system: Words = ""
    display: Annotated[str, Meta(min_length=1, max_length=1_000)]
    status: CarePlanStatus = "active"
    intent: Code = "plan"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    activities: Annotated[tuple[Activity, ...], Meta(max_length=200)] = ()
    addresses: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()
    goals: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()
    comment: Text = ""


class GoalContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: Code = ""
    system: Words = ""
    display: Annotated[str, Meta(min_length=1, max_length=1_000)]
    status: GoalStatus = "active"
    achievement: Code = ""
    started_on: PartialDate = ""
    due_on: PartialDate = ""
    target: Words = ""
    addresses: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()
    comment: Text = ""
