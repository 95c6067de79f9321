"""What may be asked of a visit and of its notes."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.contexts.encounters.events import (
    Certainty,
    Coded,
    DiagnosisRole,
    PlanItem,
    TextFormat,
    VisitClass,
)
from salerno.kernel.messages import Command

Words: TypeAlias = Annotated[str, Meta(max_length=2_000)]
Reason: TypeAlias = Annotated[str, Meta(min_length=3, max_length=2_000)]
Text: TypeAlias = Annotated[str, Meta(max_length=100_000)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
Hash: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"


class StartVisit(Command):
    """Begin a visit. With `ended_at` it is one that was over when it reached Salerno."""

    patient_id: UUID
    visit_id: UUID | None = None
    practitioner_id: UUID | None = None
    appointment_id: UUID | None = None
    location_id: UUID | None = None
    visit_class: VisitClass = "AMB"
    visit_type: Coded | None = None
    reason: Words = ""
    reason_code: Coded | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None


class CompleteVisit(Command):
    """The meeting is over. Its notes may still wait for their signature."""

    visit_id: UUID
    ended_at: Instant | None = None


class CancelVisit(Command):
    """The visit did not take place, or was opened for the wrong person."""

    visit_id: UUID
    reason: Reason


class RecordDiagnosis(Command):
    """Add a coded diagnosis. Without a role, the first becomes the primary one."""

    visit_id: UUID
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    diagnosis_id: UUID | None = None
    system: Annotated[str, Meta(min_length=1, max_length=200)] = ICD_10_CM
    display: Annotated[str, Meta(max_length=400)] = ""
    certainty: Certainty = "confirmed"
    role: DiagnosisRole | None = None
    onset: date | None = None
    comment: Words = ""


class RemoveDiagnosis(Command):
    """Take a diagnosis back, and say why."""

    visit_id: UUID
    diagnosis_id: UUID
    reason: Reason


class SetTreatmentPlan(Command):
    """Replace the list of what is to be done."""

    visit_id: UUID
    items: Annotated[tuple[PlanItem, ...], Meta(max_length=100)]


class SaveDraft(Command):
    """Autosave. A part that is left out stays as it is.

    `base_revision` is the revision that the writer was looking at; a part that somebody changed
    since then is not overwritten but refused, with the revision that stands now.
    """

    visit_id: UUID
    note_id: UUID | None = None
    base_revision: int | None = None
    title: Annotated[str, Meta(max_length=200)] = ""
    template: Annotated[str, Meta(max_length=60)] = ""
    text_format: TextFormat = "plain"
    subjective: Text | None = None
    objective: Text | None = None
    assessment: Text | None = None
    plan: Text | None = None


class SignNote(Command):
    """Sign exactly the content whose hash was shown."""

    note_id: UUID
    content_hash: Hash


class AddAddendum(Command):
    """Add to a signed note, with a reason."""

    note_id: UUID
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    reason: Reason
    addendum_id: UUID | None = None


class VoidNote(Command):
    """Declare a note void. It stays readable in the history."""

    note_id: UUID
    reason: Reason


VisitCommand: TypeAlias = (
    StartVisit | CompleteVisit | CancelVisit | RecordDiagnosis | RemoveDiagnosis | SetTreatmentPlan
)
NoteCommand: TypeAlias = SaveDraft | SignNote | AddAddendum | VoidNote
