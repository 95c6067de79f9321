"""Which rule answers which command, and which facts it needs first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec
import nh3

from salerno.contexts.encounters.commands import (
    ICD_10_CM,
    AddAddendum,
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SaveDraft,
    SetTreatmentPlan,
    SignNote,
    StartVisit,
    VoidNote,
)
from salerno.contexts.encounters.data.icd10 import index
from salerno.contexts.encounters.errors import NoSuchNote, NoSuchVisit, UnknownDiagnosisCode, UnknownPatient
from salerno.contexts.encounters.events import Sections
from salerno.contexts.encounters.projections import SQL, VISITS
from salerno.contexts.encounters.rules.note import NOTE, Adding, Drafting
from salerno.contexts.encounters.rules.visit import VISIT, Cancelling, Diagnosing, Starting
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx

RICH_TEXT = {
    "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "ul", "ol", "li", "h3", "h4", "blockquote",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


async def on_start(tx: Tx, command: StartVisit, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    visit = command.visit_id or _visit_of(command) or tx.new_id()
    return await tx.execute(VISIT, visit, Starting(command, visit), subject=command.patient_id)


def _visit_of(command: StartVisit) -> UUID | None:
    """One appointment has one visit, whoever opens it first."""
    return uuid5(command.appointment_id, "visit") if command.appointment_id else None


async def _refuse_strangers(tx: Tx, patient: UUID) -> None:
    try:
        await tx.subject_of("patients.patient", patient)
    except NotFound:
        raise UnknownPatient() from None


async def on_visit(
    tx: Tx, command: CompleteVisit | RemoveDiagnosis | SetTreatmentPlan, origin: Origin
) -> Sequence[Recorded[Any]]:
    return await _decide_visit(tx, command.visit_id, command)


async def on_cancel(tx: Tx, command: CancelVisit, origin: Origin) -> Sequence[Recorded[Any]]:
    signed = await tx.fetchval(SQL["has_signed_notes"], tx.organisation, command.visit_id)
    return await _decide_visit(tx, command.visit_id, Cancelling(command, signed))


async def on_diagnosis(tx: Tx, command: RecordDiagnosis, origin: Origin) -> Sequence[Recorded[Any]]:
    code, display = _coded(command)
    diagnosis = command.diagnosis_id or uuid5(command.visit_id, f"{command.system}|{code}")
    return await _decide_visit(tx, command.visit_id, Diagnosing(command, diagnosis, code, display))


def _coded(command: RecordDiagnosis) -> tuple[str, str]:
    """The code and words as ICD-10-CM writes them; other systems' are taken as they come."""
    if command.system != ICD_10_CM:
        if not command.display.strip():
            raise Invalid.field("display", "missing", "Say in words what the code means.")
        return command.code.strip(), command.display
    known = index().lookup(command.code)
    if known is None:
        raise UnknownDiagnosisCode(
            errors=[{"path": "code", "code": "unknown-code", "message": "ICD-10-CM has no such code."}]
        )
    return known.code, known.display


async def _decide_visit(tx: Tx, visit: UUID, wish: Any) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(VISIT, visit, wish)
    except NotFound as error:
        raise NoSuchVisit() if type(error) is NotFound else error from None


async def on_draft(tx: Tx, command: SaveDraft, origin: Origin) -> Sequence[Recorded[Any]]:
    visit = await VISITS.get(tx, command.visit_id)
    if visit is None:
        raise NoSuchVisit()
    note = command.note_id or await _own_draft(tx, command.visit_id, origin.actor)
    return await tx.execute(NOTE, note, Drafting(_clean(command), note, visit.subject), subject=visit.subject)


async def _own_draft(tx: Tx, visit: UUID, author: UUID) -> UUID:
    """The author's open draft, or the id that every window of this author would give to the next one."""
    mine = await tx.fetch(SQL["own_notes_of_visit"], tx.organisation, visit, author)
    for row in mine:
        if row["status"] == "draft":
            return UUID(bytes=row["id"].bytes)
    return uuid5(visit, f"{author}|{len(mine)}")


def _clean(command: SaveDraft) -> SaveDraft:
    """Nothing that could run in a browser is ever stored, so that what is signed is what is shown."""
    if command.text_format == "plain":
        return command
    parts = {part: getattr(command, part) for part in Sections.__struct_fields__}
    cleaned = {part: without_what_runs(text) for part, text in parts.items() if text is not None}
    return msgspec.structs.replace(command, **cleaned)


def without_what_runs(text: str) -> str:
    """Only these elements, and none of their attributes: of itself, nh3 lets `lang` and `title` stay everywhere."""
    return nh3.clean(text, tags=RICH_TEXT, attributes={"*": set()})


async def on_note(tx: Tx, command: SignNote | VoidNote, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide_note(tx, command.note_id, command)


async def on_addendum(tx: Tx, command: AddAddendum, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide_note(tx, command.note_id, Adding(command, command.addendum_id or tx.new_id()))


async def _decide_note(tx: Tx, note: UUID, wish: Any) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(NOTE, note, wish)
    except NotFound as error:
        raise NoSuchNote() if type(error) is NotFound else error from None


HANDLERS: dict[type[Command], Handler] = {
    StartVisit: on_start,
    CompleteVisit: on_visit,
    CancelVisit: on_cancel,
    RecordDiagnosis: on_diagnosis,
    RemoveDiagnosis: on_visit,
    SetTreatmentPlan: on_visit,
    SaveDraft: on_draft,
    SignNote: on_note,
    AddAddendum: on_addendum,
    VoidNote: on_note,
}
