"""What can have happened to a visit and to its notes."""

from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Event

VisitClass: TypeAlias = Literal["AMB", "EMER", "IMP", "HH", "VR"]
Certainty: TypeAlias = Literal["confirmed", "provisional", "differential"]
DiagnosisRole: TypeAlias = Literal["primary", "secondary"]
TextFormat: TypeAlias = Literal["plain", "html"]
PlanKind: TypeAlias = Literal["medicine", "test", "therapy", "referral", "education", "follow-up", "other"]


class Coded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A concept: its code, the system that defines the code, and the words a person reads."""

    display: str
    code: str = ""
    system: str = ""


class PlanItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to be done."""

    kind: PlanKind
    text: str
    due_on: date | None = None
    code: Coded | None = None


class Sections(Struct, frozen=True, kw_only=True):
    """The four parts of a note."""

    subjective: str = ""
    objective: str = ""
    assessment: str = ""
    plan: str = ""


class VisitStarted(Event, tag="encounters.visit_started.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    practitioner: UUID | None = None
    appointment: UUID | None = None
    location: UUID | None = None
    class_: VisitClass = "AMB"
    visit_type: Coded | None = None
    reason: str = ""
    reason_code: Coded | None = None
    started_at: datetime


class VisitCompleted(Event, tag="encounters.visit_completed.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    practitioner: UUID | None = None
    appointment: UUID | None = None
    ended_at: datetime


class VisitCancelled(Event, tag="encounters.visit_cancelled.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    appointment: UUID | None = None
    reason: str


class DiagnosisRecorded(Event, tag="encounters.diagnosis_recorded.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    diagnosis: UUID
    code: str
    system: str
    display: str
    certainty: Certainty
    role: DiagnosisRole
    onset: date | None = None
    comment: str = ""


class DiagnosisRemoved(Event, tag="encounters.diagnosis_removed.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    diagnosis: UUID
    code: str
    system: str
    reason: str


class TreatmentPlanSet(Event, tag="encounters.treatment_plan_set.v1", omit_defaults=True):
    visit: UUID
    patient: UUID
    items: tuple[PlanItem, ...]


class NoteStarted(Event, tag="encounters.note_started.v1", omit_defaults=True):
    note: UUID
    visit: UUID
    patient: UUID
    author: UUID
    title: str = ""
    template: str = ""


class DraftSaved(Event, tag="encounters.draft_saved.v1", omit_defaults=True):
    """One autosave. A part that is None was left as it was, so that a save is as small as the change."""

    note: UUID
    visit: UUID
    patient: UUID
    revision: int
    text_format: TextFormat
    content_hash: str
    subjective: str | None = None
    objective: str | None = None
    assessment: str | None = None
    plan: str | None = None


class NoteSigned(Event, tag="encounters.note_signed.v1", omit_defaults=True):
    """The signed text itself, so that the signature can be checked from this event alone."""

    note: UUID
    visit: UUID
    patient: UUID
    signer: UUID
    signed_at: datetime
    text_format: TextFormat
    content: Sections
    content_hash: str
    signature: str


class NoteAddended(Event, tag="encounters.note_addended.v1", omit_defaults=True):
    note: UUID
    visit: UUID
    patient: UUID
    addendum: UUID
    author: UUID
    text: str
    reason: str
    signed_at: datetime
    signature: str


class NoteVoided(Event, tag="encounters.note_voided.v1", omit_defaults=True):
    note: UUID
    visit: UUID
    patient: UUID
    reason: str


VisitEvent: TypeAlias = (
    VisitStarted | VisitCompleted | VisitCancelled | DiagnosisRecorded | DiagnosisRemoved | TreatmentPlanSet
)
NoteEvent: TypeAlias = NoteStarted | DraftSaved | NoteSigned | NoteAddended | NoteVoided
EncountersEvent: TypeAlias = VisitEvent | NoteEvent

EVENTS = (
    VisitStarted,
    VisitCompleted,
    VisitCancelled,
    DiagnosisRecorded,
    DiagnosisRemoved,
    TreatmentPlanSet,
    NoteStarted,
    DraftSaved,
    NoteSigned,
    NoteAddended,
    NoteVoided,
)
