"""What may be read of visits and notes, in which shape."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from salerno.contexts.encounters.data.icd10 import DiagnosisCode, index
from salerno.contexts.encounters.errors import NoSuchNote, NoSuchVisit
from salerno.contexts.encounters.events import NoteSigned
from salerno.contexts.encounters.projections import NOTES, SQL, VISITS, NoteView, VisitView, note_view
from salerno.kernel.documents import Held, as_of_all
from salerno.kernel.messages import Caller, Disclosure, Page, Query, Recorded
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import is_shown, only_of, reads_as_patient

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]


class FindDiagnosisCodes(Query):
    """ICD-10-CM by code, word, beginning of a word, Italian everyday word, or in spite of a slip."""

    q: Annotated[str, Meta(max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class NoteTemplates(Query):
    """Templates of a specialty, and the general ones; "" for all."""

    specialty: str = ""
    language: str = "en"


class VisitById(Query):
    """A visit with its notes."""

    visit_id: UUID


class VisitsOfPatient(Query):
    patient_id: UUID
    limit: Limit = 50
    offset: Offset = 0


class EncountersOfPatient(Query):
    """The newest visits of a chart, each with its notes."""

    patient_id: UUID
    limit: Limit = 50


class OpenVisits(Query):
    """Visits that have started and not ended: everybody's, or one practitioner's."""

    practitioner_id: UUID | None = None
    limit: Limit = 200


class LastVisits(Query):
    """The day on which each of these patients was last seen, so that namesakes are told apart. Nothing of what for."""

    patient_ids: Annotated[tuple[UUID, ...], Meta(max_length=200)]


class UnsignedNotes(Query):
    """The caller's own notes that wait for a signature."""

    limit: Limit = 200


class NoteById(Query):
    """A note; with `versions`, every save of it too."""

    note_id: UUID
    versions: bool = False


class Draft(Query):
    """The caller's own open draft of a visit, if there is one."""

    visit_id: UUID


class EncounterTimeline(Query):
    """Visits and notes of a chart or one of both, newest first, after the line at `before` whose id is `beyond`.

    With `moment`, what had been recorded by then; `by_source` follows the source's recording dates.
    """

    patient_id: UUID
    limit: Limit = 50
    before: Instant | None = None
    beyond: UUID | None = None
    kind: Literal["visit", "note"] | None = None
    moment: Instant | None = None
    by_source: bool = False


class EncountersAsOf(Query):
    """Visits and notes exactly as they stood at a moment; `by_source` follows the source's recording dates."""

    patient_id: UUID
    moment: Instant
    by_source: bool = False


class NoteTemplate(Struct, frozen=True, kw_only=True):
    key: str
    specialty: str
    language: str
    title: str
    subjective: str
    objective: str
    assessment: str
    plan: str


class NotePage(Struct, frozen=True, kw_only=True):
    """A note with its stream's version; `versions` holds earlier content, oldest first."""

    note: NoteView
    version: int
    versions: Sequence[NoteView] = ()


class VisitPage(Struct, frozen=True, kw_only=True):
    visit: VisitView
    version: int
    notes: Sequence[NotePage] = ()


class TimelineItem(Struct, frozen=True, kw_only=True):
    """One line of a chart's history. `by` is the practitioner or author."""

    at: datetime
    kind: str
    id: UUID
    visit: UUID
    title: str
    status: str
    by: UUID | None = None


async def find_diagnosis_codes(tx: Tx, query: FindDiagnosisCodes, caller: Caller) -> list[DiagnosisCode]:
    return index().find(query.q, query.limit)


async def note_templates(tx: Tx, query: NoteTemplates, caller: Caller) -> list[NoteTemplate]:
    wanted = {"", query.specialty.casefold()}
    mine = [one for one in _templates() if one.language == query.language]
    return [one for one in mine if not query.specialty or one.specialty in wanted]


async def visit_by_id(tx: Tx, query: VisitById, caller: Caller) -> Disclosure[VisitPage]:
    held = await VISITS.get(tx, query.visit_id)
    if held is None:
        raise NoSuchVisit()
    pages = await _with_notes(tx, [held], caller)
    return Disclosure(value=pages[0], subjects=[held.subject])


async def visits_of_patient(tx: Tx, query: VisitsOfPatient, caller: Caller) -> Disclosure[Page[VisitPage]]:
    charts = await _charts(tx, query.patient_id)
    rows = await tx.fetch(SQL["page_of_visits"], tx.organisation, charts, query.limit, query.offset)
    total = await tx.fetchval(SQL["count_visits"], tx.organisation, charts)
    pages = [VisitPage(visit=held.doc, version=held.version) for held in await VISITS.open(tx, rows)]
    page = Page(items=pages, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=_subjects(charts, caller))


async def encounters_of_patient(tx: Tx, query: EncountersOfPatient, caller: Caller) -> Disclosure[list[VisitPage]]:
    charts = await _charts(tx, query.patient_id)
    rows = await tx.fetch(SQL["page_of_visits"], tx.organisation, charts, query.limit, 0)
    pages = await _with_notes(tx, await VISITS.open(tx, rows), caller)
    return Disclosure(value=pages, subjects=_subjects(charts, caller))


async def open_visits(tx: Tx, query: OpenVisits, caller: Caller) -> Disclosure[list[VisitPage]]:
    narrowed = (query.practitioner_id, query.limit, list(tx.hidden), only_of(tx))
    rows = await tx.fetch(SQL["open_visits"], tx.organisation, *narrowed)
    held = await VISITS.open(tx, rows)
    pages = [VisitPage(visit=one.doc, version=one.version) for one in held]
    return Disclosure(value=pages, subjects=_of(held))


def said_in(language: str, code: str, display: str) -> str:
    """A diagnosis that ICD-10-CM worded, by its Italian name where it has one; one's own words stay."""
    known = index().lookup(code) if language == "it" and code else None
    if not known or not known.italian or known.display != display:
        return display
    return known.italian[0].upper() + known.italian[1:]


async def last_visits(tx: Tx, query: LastVisits, caller: Caller) -> Disclosure[dict[UUID, datetime]]:
    rows = await tx.fetch(
        SQL["last_visits"], tx.organisation, [id for id in query.patient_ids if is_shown(tx, id)], tx.now
    )
    seen = {UUID(bytes=row["patient"].bytes): row["last"] for row in rows}
    return Disclosure(value=seen, subjects=list(seen))


async def unsigned_notes(tx: Tx, query: UnsignedNotes, caller: Caller) -> Disclosure[list[NotePage]]:
    narrowed = (caller.actor, query.limit, list(tx.hidden), only_of(tx))
    rows = await tx.fetch(SQL["unsigned_notes"], tx.organisation, *narrowed)
    held = await NOTES.open(tx, rows)
    return Disclosure(value=[_page(one) for one in held], subjects=_of(held))


async def note_by_id(tx: Tx, query: NoteById, caller: Caller) -> Disclosure[NotePage]:
    held = await NOTES.get(tx, query.note_id)
    if held is None or not _may_see(held.doc, caller):
        raise NoSuchNote()
    versions = _versions(await tx.history(NOTES.kind, held.id)) if query.versions else ()
    page = NotePage(note=held.doc, version=held.version, versions=versions)
    return Disclosure(value=page, subjects=[held.subject])


async def draft(tx: Tx, query: Draft, caller: Caller) -> Disclosure[NotePage | None]:
    rows = await tx.fetch(SQL["notes_of_visits"], tx.organisation, [query.visit_id])
    mine = [one for one in await NOTES.open(tx, rows) if _is_own_draft(one.doc, caller)]
    return Disclosure(value=_page(mine[0]) if mine else None, subjects=_of(mine[:1]))


async def encounter_timeline(tx: Tx, query: EncounterTimeline, caller: Caller) -> Disclosure[list[TimelineItem]]:
    charts = await _charts(tx, query.patient_id)
    if query.moment is None:
        wanted = (query.before, query.limit, query.beyond, query.kind)
        rows = await tx.fetch(SQL["timeline"], tx.organisation, charts, *wanted)
        visits = await VISITS.open(tx, [row for row in rows if row["kind"] == "visit"])
        notes = await NOTES.open(tx, [row for row in rows if row["kind"] == "note"])
    else:
        visits, notes = await as_of_all(tx, [VISITS, NOTES], charts, query.moment, by_source=query.by_source)
    lines = [_visit_line(one.doc) for one in visits if query.kind != "note"]
    lines += [_note_line(one.doc) for one in notes if query.kind != "visit" and _may_see(one.doc, caller)]
    return Disclosure(value=_turn(lines, query), subjects=_subjects(charts, caller))


def _turn(lines: list[TimelineItem], query: EncounterTimeline) -> list[TimelineItem]:
    """This page of the lines: the order is time backwards, then id."""
    before = (-query.before.timestamp(), query.beyond or UUID(int=2**128 - 1)) if query.before else None
    rest = [line for line in lines if before is None or (-line.at.timestamp(), line.id) > before]
    return sorted(rest, key=lambda line: (-line.at.timestamp(), line.id))[: query.limit]


async def encounters_as_of(tx: Tx, query: EncountersAsOf, caller: Caller) -> Disclosure[list[VisitPage]]:
    charts = await _charts(tx, query.patient_id)
    visits, notes = await as_of_all(tx, [VISITS, NOTES], charts, query.moment, by_source=query.by_source)
    visits.sort(key=lambda held: held.doc.started_at, reverse=True)
    return Disclosure(value=_joined(visits, notes, caller), subjects=_subjects(charts, caller))


async def _with_notes(tx: Tx, visits: Sequence[Held[VisitView]], caller: Caller) -> list[VisitPage]:
    rows = await tx.fetch(SQL["notes_of_visits"], tx.organisation, [held.id for held in visits])
    return _joined(visits, await NOTES.open(tx, rows), caller)


def _joined(visits: Sequence[Held[VisitView]], notes: Sequence[Held[NoteView]], caller: Caller) -> list[VisitPage]:
    seen = [_page(held) for held in notes if _may_see(held.doc, caller)]
    return [
        VisitPage(
            visit=held.doc, version=held.version, notes=[page for page in seen if page.note.visit == held.doc.visit]
        )
        for held in visits
    ]


def _page(held: Held[NoteView]) -> NotePage:
    return NotePage(note=held.doc, version=held.version)


def _versions(items: Sequence[Recorded[Any]]) -> list[NoteView]:
    """What the note was after each event; the signature itself changed no content."""
    views: list[NoteView] = []
    now: NoteView | None = None
    for item in items:
        now = note_view(now, item)
        if now is not None and not isinstance(item.event, NoteSigned):
            views.append(now)
    return views


def _may_see(note: NoteView, caller: Caller) -> bool:
    """A draft is its author's alone. A patient reads what was signed and not declared void."""
    if _is_patient(caller):
        return note.status == "signed"
    return note.status != "draft" or note.author == caller.actor


def _is_own_draft(note: NoteView, caller: Caller) -> bool:
    return note.status == "draft" and note.author == caller.actor


def _is_patient(caller: Caller) -> bool:
    return reads_as_patient(caller, "encounters.read", "encounters.write")


async def _charts(tx: Tx, patient: UUID) -> list[UUID]:
    rows = await tx.fetch(SQL["charts_of"], tx.organisation, patient)
    found = {UUID(bytes=row["patient"].bytes) for row in rows}
    return [patient, *(found - {patient})]


def _subjects(charts: Sequence[UUID], caller: Caller) -> Sequence[UUID]:
    """Charts that were merged into one's own are one's own."""
    return charts[:1] if _is_patient(caller) else charts


def _of(held: Sequence[Held[Any]]) -> list[UUID]:
    return list(dict.fromkeys(one.subject for one in held))


def _visit_line(visit: VisitView) -> TimelineItem:
    title = visit.reason or (visit.visit_type.display if visit.visit_type else "")
    return TimelineItem(
        at=visit.started_at,
        kind="visit",
        id=visit.visit,
        visit=visit.visit,
        title=title,
        status=visit.status,
        by=visit.practitioner,
    )


def _note_line(note: NoteView) -> TimelineItem:
    return TimelineItem(
        at=note.started_at,
        kind="note",
        id=note.note,
        visit=note.visit,
        title=note.title,
        status=note.status,
        by=note.author,
    )


@cache
def _templates() -> tuple[NoteTemplate, ...]:
    text = (resources.files(__package__) / "data" / "note_templates.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[NoteTemplate, ...])


ANSWERS: dict[type[Query], Answer] = {
    FindDiagnosisCodes: find_diagnosis_codes,
    NoteTemplates: note_templates,
    VisitById: visit_by_id,
    VisitsOfPatient: visits_of_patient,
    EncountersOfPatient: encounters_of_patient,
    OpenVisits: open_visits,
    LastVisits: last_visits,
    UnsignedNotes: unsigned_notes,
    NoteById: note_by_id,
    Draft: draft,
    EncounterTimeline: encounter_timeline,
    EncountersAsOf: encounters_as_of,
}

__all__ = [
    "ANSWERS",
    "DiagnosisCode",
    "Draft",
    "EncounterTimeline",
    "EncountersAsOf",
    "EncountersOfPatient",
    "FindDiagnosisCodes",
    "LastVisits",
    "NoteById",
    "NotePage",
    "NoteTemplate",
    "NoteTemplates",
    "NoteView",
    "OpenVisits",
    "TimelineItem",
    "UnsignedNotes",
    "VisitById",
    "VisitPage",
    "VisitView",
    "VisitsOfPatient",
    "said_in",
]
