"""Visits, notes, diagnoses and ICD-10 search over REST (ENC-01 … ENC-06, ENC-10, INT-03)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from salerno.contexts.encounters.commands import (
    ICD_10_CM,
    AddAddendum,
    CancelVisit,
    CompleteVisit,
    Hash,
    Instant,
    Reason,
    RecordDiagnosis,
    RemoveDiagnosis,
    SaveDraft,
    SetTreatmentPlan,
    SignNote,
    StartVisit,
    Text,
    VoidNote,
    Words,
)
from salerno.contexts.encounters.events import Certainty, DiagnosisRole, PlanItem, TextFormat
from salerno.contexts.encounters.queries import (
    DiagnosisCode,
    Draft,
    EncountersAsOf,
    EncountersOfPatient,
    EncounterTimeline,
    FindDiagnosisCodes,
    NoteById,
    NotePage,
    NoteTemplate,
    NoteTemplates,
    OpenVisits,
    TimelineItem,
    UnsignedNotes,
    VisitById,
    VisitPage,
    VisitsOfPatient,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    get,
    no_content,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Command, Page, Receipt

VISIT, NOTE, PATIENT = "{visit_id:uuid}", "{note_id:uuid}", "{patient_id:uuid}"
VISITS, NOTES = ("visits",), ("notes",)


class VisitList(Struct, frozen=True, kw_only=True):
    visits: Sequence[VisitPage]


class NoteList(Struct, frozen=True, kw_only=True):
    notes: Sequence[NotePage]


class CodeList(Struct, frozen=True, kw_only=True):
    codes: Sequence[DiagnosisCode]


class TemplateList(Struct, frozen=True, kw_only=True):
    templates: Sequence[NoteTemplate]


class VisitTimeline(Struct, frozen=True, kw_only=True):
    items: Sequence[TimelineItem]


class OpenVisitsWanted(Body):
    practitioner_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class NoteWanted(Body):
    versions: bool = False


class CodesWanted(Body):
    q: Annotated[str, Meta(max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class TemplatesWanted(Body):
    specialty: Annotated[str, Meta(max_length=60)] = ""
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] = "en"


class TimelineWanted(Body):
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    before: Instant | None = None


class MomentWanted(Body):
    """`as_of` shows what had been recorded by then; `by_source` goes by the source's recording dates."""

    as_of: Instant | None = None
    by_source: bool = False
    limit: Annotated[int, Meta(ge=1, le=500)] = 50


class Ending(Body):
    ended_at: Instant | None = None


class Because(Body):
    reason: Reason


class DiagnosisBody(Body):
    """Without a role, the first diagnosis becomes the primary one."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    diagnosis_id: UUID | None = None
    system: Annotated[str, Meta(min_length=1, max_length=200)] = ICD_10_CM
    display: Annotated[str, Meta(max_length=400)] = ""
    certainty: Certainty = "confirmed"
    role: DiagnosisRole | None = None
    onset: date | None = None
    comment: Words = ""


class PlanBody(Body):
    items: Annotated[tuple[PlanItem, ...], Meta(max_length=100)]


class DraftBody(Body):
    """An autosave. A part that is left out stays as it is; `base_revision` is the one that was looked at."""

    note_id: UUID | None = None
    base_revision: int | None = None
    title: Annotated[str, Meta(max_length=200)] = ""
    template: Annotated[str, Meta(max_length=60)] = ""
    text_format: TextFormat = "plain"
    subjective: Text | None = None
    objective: Text | None = None
    assessment: Text | None = None
    plan: Text | None = None


class Signing(Body):
    """The hash of the content that was shown."""

    content_hash: Hash


class AddendumBody(Body):
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    reason: Reason
    addendum_id: UUID | None = None


def _id(request: Request[Any, Any, Any], name: str) -> UUID:
    found: UUID = request.path_params[name]
    return found


async def _done(request: Request[Any, Any, Any], command: Command, *, created: str = "") -> Response[Any]:
    receipt = await submit(request, command)
    location = f"/api/v1/{created}/{receipt.aggregate_id}" if created else None
    return answer(request, receipt, 201 if created else 200, etag=receipt.version, location=location)


@post("/visits", of=StartVisit, takes=StartVisit, gives=VisitPage, status=201, tags=VISITS)
async def start_visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """Start a visit; with `ended_at`, one that is over."""
    receipt = await submit(request, await read_body(request, StartVisit))
    page: VisitPage = await ask(request, VisitById(visit_id=receipt.aggregate_id))
    return answer(request, page, 201, etag=page.version, location=f"/api/v1/visits/{receipt.aggregate_id}")


@get("/visits", of=OpenVisits, query=OpenVisitsWanted, gives=VisitList, tags=VISITS)
async def open_visits(request: Request[Any, Any, Any]) -> Response[Any]:
    """Visits that are going on: everybody's, or one practitioner's."""
    wanted = read_query(request, OpenVisitsWanted)
    return answer(request, VisitList(visits=await ask(request, OpenVisits(**asdict(wanted)))))


@get(f"/visits/{VISIT}", of=VisitById, gives=VisitPage, tags=VISITS)
async def visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """A visit with its diagnoses, plan and notes."""
    page: VisitPage = await ask(request, VisitById(visit_id=_id(request, "visit_id")))
    return answer(request, page, headers={"ETag": f'"{page.version}"'})


@post(f"/visits/{VISIT}/complete", of=CompleteVisit, takes=Ending, gives=Receipt, tags=VISITS)
async def complete_visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """The meeting is over."""
    body = await read_body(request, Ending)
    return await _done(request, CompleteVisit(visit_id=_id(request, "visit_id"), ended_at=body.ended_at))


@post(f"/visits/{VISIT}/cancel", of=CancelVisit, takes=Because, gives=Receipt, tags=VISITS)
async def cancel_visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """It did not take place, or was opened for the wrong person."""
    body = await read_body(request, Because)
    return await _done(request, CancelVisit(visit_id=_id(request, "visit_id"), reason=body.reason))


@get(f"/patients/{PATIENT}/visits", of=VisitsOfPatient, query=Paging, gives=Page[VisitPage], tags=VISITS)
async def visits_of_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """A patient's visits, newest first."""
    wanted = read_query(request, Paging)
    query = VisitsOfPatient(patient_id=_id(request, "patient_id"), limit=wanted.limit, offset=wanted.offset)
    return answer(request, await ask(request, query))


@get(f"/patients/{PATIENT}/encounters", of=EncountersOfPatient, query=MomentWanted, gives=VisitList, tags=VISITS)
async def encounters_of_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """A patient's visits with their notes: now, or `as_of` a moment."""
    wanted, patient = read_query(request, MomentWanted), _id(request, "patient_id")
    if wanted.as_of is None:
        visits = await ask(request, EncountersOfPatient(patient_id=patient, limit=wanted.limit))
    else:
        past = EncountersAsOf(patient_id=patient, moment=wanted.as_of, by_source=wanted.by_source)
        visits = await ask(request, past)
    return answer(request, VisitList(visits=visits))


@get(
    f"/patients/{PATIENT}/encounters/timeline",
    of=EncounterTimeline,
    query=TimelineWanted,
    gives=VisitTimeline,
    tags=VISITS,
)
async def encounter_timeline(request: Request[Any, Any, Any]) -> Response[Any]:
    """Visits and notes, newest first, older than `before`."""
    wanted = read_query(request, TimelineWanted)
    query = EncounterTimeline(patient_id=_id(request, "patient_id"), **asdict(wanted))
    return answer(request, VisitTimeline(items=await ask(request, query)))


@post(f"/visits/{VISIT}/diagnoses", of=RecordDiagnosis, takes=DiagnosisBody, gives=Receipt, tags=VISITS)
async def record_diagnosis(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a coded diagnosis."""
    body = await read_body(request, DiagnosisBody)
    return await _done(request, RecordDiagnosis(visit_id=_id(request, "visit_id"), **asdict(body)))


@post(
    f"/visits/{VISIT}/diagnoses/{{diagnosis_id:uuid}}/remove",
    of=RemoveDiagnosis,
    takes=Because,
    gives=Receipt,
    tags=VISITS,
)
async def remove_diagnosis(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take a diagnosis back, and say why."""
    body = await read_body(request, Because)
    visit_id, diagnosis_id = _id(request, "visit_id"), _id(request, "diagnosis_id")
    return await _done(request, RemoveDiagnosis(visit_id=visit_id, diagnosis_id=diagnosis_id, reason=body.reason))


@put(f"/visits/{VISIT}/plan", of=SetTreatmentPlan, takes=PlanBody, gives=Receipt, tags=VISITS)
async def set_plan(request: Request[Any, Any, Any]) -> Response[Any]:
    """Replace the treatment plan."""
    body = await read_body(request, PlanBody)
    return await _done(request, SetTreatmentPlan(visit_id=_id(request, "visit_id"), items=body.items))


@get(f"/visits/{VISIT}/notes", of=VisitById, gives=NoteList, tags=NOTES)
async def notes_of_visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """The notes of a visit that the caller may see."""
    page: VisitPage = await ask(request, VisitById(visit_id=_id(request, "visit_id")))
    return answer(request, NoteList(notes=page.notes))


@post(f"/visits/{VISIT}/notes", of=SaveDraft, takes=DraftBody, gives=Receipt, status=201, tags=NOTES)
async def save_draft(request: Request[Any, Any, Any]) -> Response[Any]:
    """Autosave the caller's note of a visit; the first save starts it."""
    body = await read_body(request, DraftBody)
    return await _done(request, SaveDraft(visit_id=_id(request, "visit_id"), **asdict(body)), created="notes")


@get(f"/visits/{VISIT}/draft", of=Draft, gives=NotePage, tags=NOTES)
async def draft(request: Request[Any, Any, Any]) -> Response[Any]:
    """The caller's open draft of a visit; 204 where there is none."""
    page: NotePage | None = await ask(request, Draft(visit_id=_id(request, "visit_id")))
    if page is None:
        return no_content()
    return answer(request, page, etag=page.version)


@get("/notes/unsigned", of=UnsignedNotes, gives=NoteList, tags=NOTES)
async def unsigned_notes(request: Request[Any, Any, Any]) -> Response[Any]:
    """The caller's notes that wait for a signature."""
    return answer(request, NoteList(notes=await ask(request, UnsignedNotes())))


@get(f"/notes/{NOTE}", of=NoteById, query=NoteWanted, gives=NotePage, tags=NOTES)
async def note(request: Request[Any, Any, Any]) -> Response[Any]:
    """A note with its addenda; with `versions`, every save of it."""
    wanted = read_query(request, NoteWanted)
    page: NotePage = await ask(request, NoteById(note_id=_id(request, "note_id"), versions=wanted.versions))
    return answer(request, page, etag=page.version)


@post(f"/notes/{NOTE}/sign", of=SignNote, takes=Signing, gives=Receipt, tags=NOTES)
async def sign_note(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign exactly the content that was shown."""
    body = await read_body(request, Signing)
    return await _done(request, SignNote(note_id=_id(request, "note_id"), content_hash=body.content_hash))


@post(f"/notes/{NOTE}/addenda", of=AddAddendum, takes=AddendumBody, gives=Receipt, tags=NOTES)
async def add_addendum(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add to a signed note, with a reason."""
    body = await read_body(request, AddendumBody)
    return await _done(request, AddAddendum(note_id=_id(request, "note_id"), **asdict(body)))


@post(f"/notes/{NOTE}/void", of=VoidNote, takes=Because, gives=Receipt, tags=NOTES)
async def void_note(request: Request[Any, Any, Any]) -> Response[Any]:
    """Declare a note void; it stays readable."""
    body = await read_body(request, Because)
    return await _done(request, VoidNote(note_id=_id(request, "note_id"), reason=body.reason))


@get("/diagnoses/search", of=FindDiagnosisCodes, query=CodesWanted, gives=CodeList, tags=VISITS)
async def find_codes(request: Request[Any, Any, Any]) -> Response[Any]:
    """ICD-10-CM by code, English or Italian words, beginnings of words, or in spite of a slip."""
    wanted = read_query(request, CodesWanted)
    return answer(request, CodeList(codes=await ask(request, FindDiagnosisCodes(q=wanted.q, limit=wanted.limit))))


@get("/note-templates", of=NoteTemplates, query=TemplatesWanted, gives=TemplateList, tags=NOTES)
async def note_templates(request: Request[Any, Any, Any]) -> Response[Any]:
    """Templates of a specialty, and the general ones."""
    wanted = read_query(request, TemplatesWanted)
    return answer(request, TemplateList(templates=await ask(request, NoteTemplates(**asdict(wanted)))))


ROUTES = [
    start_visit,
    open_visits,
    visit,
    complete_visit,
    cancel_visit,
    visits_of_patient,
    encounters_of_patient,
    encounter_timeline,
    record_diagnosis,
    remove_diagnosis,
    set_plan,
    notes_of_visit,
    save_draft,
    draft,
    unsigned_notes,
    note,
    sign_note,
    add_addendum,
    void_note,
    find_codes,
    note_templates,
]
