"""The room's views: the visit and the note as screens need them, and which charts are one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.contexts.encounters.events import (
    Certainty,
    Coded,
    DiagnosisRecorded,
    DiagnosisRemoved,
    DiagnosisRole,
    DraftSaved,
    NoteAddended,
    NoteSigned,
    NoteStarted,
    NoteVoided,
    PlanItem,
    Sections,
    TextFormat,
    TreatmentPlanSet,
    VisitCancelled,
    VisitClass,
    VisitCompleted,
    VisitStarted,
)
from salerno.contexts.patients.events import PatientsMerged, PatientsUnmerged
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)


class DiagnosisView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    diagnosis: UUID
    code: str
    system: str
    display: str
    certainty: Certainty
    role: DiagnosisRole
    onset: str = ""
    comment: str = ""
    recorded_by: UUID
    recorded_at: datetime


class VisitView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    visit: UUID
    patient: UUID
    practitioner: UUID | None = None
    appointment: UUID | None = None
    location: UUID | None = None
    class_: VisitClass = "AMB"
    visit_type: Coded | None = None
    reason: str = ""
    reason_code: Coded | None = None
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    cancelled_because: str = ""
    diagnoses: tuple[DiagnosisView, ...] = ()
    plan: tuple[PlanItem, ...] = ()


class AddendumView(Struct, frozen=True, kw_only=True):
    addendum: UUID
    author: UUID
    text: str
    reason: str
    signed_at: datetime
    signature: str


class NoteView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`content_hash` is what a signer hands back: the hash of the content beside it."""

    note: UUID
    visit: UUID
    patient: UUID
    author: UUID
    title: str = ""
    template: str = ""
    status: str
    text_format: TextFormat = "plain"
    content: Sections = Sections()
    revision: int = 0
    content_hash: str = ""
    started_at: datetime
    saved_at: datetime
    signer: UUID | None = None
    signed_at: datetime | None = None
    signature: str = ""
    addenda: tuple[AddendumView, ...] = ()
    voided_because: str = ""


def visit_view(before: VisitView | None, item: Recorded[Any]) -> VisitView | None:
    event = item.event
    if isinstance(event, VisitStarted):
        return _opened(event)
    if before is None:
        return None
    match event:
        case VisitCompleted():
            return msgspec.structs.replace(before, status="completed", ended_at=event.ended_at)
        case VisitCancelled():
            return msgspec.structs.replace(before, status="cancelled", cancelled_because=event.reason)
        case DiagnosisRecorded():
            return msgspec.structs.replace(before, diagnoses=(*before.diagnoses, _diagnosed(event, item)))
        case DiagnosisRemoved():
            kept = tuple(d for d in before.diagnoses if d.diagnosis != event.diagnosis)
            return msgspec.structs.replace(before, diagnoses=kept)
        case TreatmentPlanSet():
            return msgspec.structs.replace(before, plan=event.items)
        case _:
            return before


def _opened(event: VisitStarted) -> VisitView:
    return VisitView(
        visit=event.visit,
        patient=event.patient,
        practitioner=event.practitioner,
        appointment=event.appointment,
        location=event.location,
        class_=event.class_,
        visit_type=event.visit_type,
        reason=event.reason,
        reason_code=event.reason_code,
        status="open",
        started_at=event.started_at,
    )


def _diagnosed(event: DiagnosisRecorded, item: Recorded[Any]) -> DiagnosisView:
    return DiagnosisView(
        diagnosis=event.diagnosis,
        code=event.code,
        system=event.system,
        display=event.display,
        certainty=event.certainty,
        role=event.role,
        onset=event.onset.isoformat() if event.onset else "",
        comment=event.comment,
        recorded_by=item.origin.actor,
        recorded_at=item.origin.recorded_at,
    )


def note_view(before: NoteView | None, item: Recorded[Any]) -> NoteView | None:
    event = item.event
    if isinstance(event, NoteStarted):
        return _begun(event, item)
    if before is None:
        return None
    match event:
        case DraftSaved():
            return _written(before, event, item)
        case NoteSigned():
            return msgspec.structs.replace(
                before, status="signed", signer=event.signer, signed_at=event.signed_at, signature=event.signature
            )
        case NoteAddended():
            return msgspec.structs.replace(before, addenda=(*before.addenda, _added(event)))
        case NoteVoided():
            return msgspec.structs.replace(before, status="void", voided_because=event.reason)
        case _:
            return before


def _begun(event: NoteStarted, item: Recorded[Any]) -> NoteView:
    return NoteView(
        note=event.note,
        visit=event.visit,
        patient=event.patient,
        author=event.author,
        title=event.title,
        template=event.template,
        status="draft",
        started_at=item.origin.happened_at,
        saved_at=item.origin.recorded_at,
    )


def _written(before: NoteView, event: DraftSaved, item: Recorded[Any]) -> NoteView:
    parts = {part: getattr(event, part) for part in Sections.__struct_fields__}
    changes = {part: text for part, text in parts.items() if text is not None}
    return msgspec.structs.replace(
        before,
        text_format=event.text_format,
        content=msgspec.structs.replace(before.content, **changes),
        revision=event.revision,
        content_hash=event.content_hash,
        saved_at=item.origin.recorded_at,
    )


def _added(event: NoteAddended) -> AddendumView:
    return AddendumView(
        addendum=event.addendum,
        author=event.author,
        text=event.text,
        reason=event.reason,
        signed_at=event.signed_at,
        signature=event.signature,
    )


VISITS = Documents(
    table="visits",
    kind="encounters.visit",
    shape=VisitView,
    evolve=visit_view,
    columns=lambda v: {
        "practitioner": v.practitioner,
        "appointment": v.appointment,
        "status": v.status,
        "started_at": v.started_at,
    },
)
NOTES = Documents(
    table="notes",
    kind="encounters.note",
    shape=NoteView,
    evolve=note_view,
    columns=lambda n: {"visit": n.visit, "author": n.author, "status": n.status, "started_at": n.started_at},
)


async def keep_merges(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """After a merge, one chart shows both; after an un-merge, each its own again."""
    for item in items:
        match item.event:
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["remember_merge"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["forget_merge"], tx.organisation, patient)
            case _:
                pass


MERGED_CHARTS = Projection(
    name="merged_charts", tables=("merged_charts",), events=(PatientsMerged, PatientsUnmerged), apply=keep_merges
)
