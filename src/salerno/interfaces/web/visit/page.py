"""The screen of a visit: left what was, middle what is, right what follows."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from markupsafe import Markup
from msgspec import Meta, Struct, field

from salerno.contexts.encounters.events import Sections
from salerno.contexts.encounters.queries import (
    EncountersOfPatient,
    FindDiagnosisCodes,
    NotePage,
    NoteTemplates,
    NoteView,
    VisitById,
    VisitPage,
)
from salerno.contexts.prescribing.queries import MedicinesOfPatient, PrescriptionsOfPatient
from salerno.contexts.records.queries import Problems, VitalsOfPatient
from salerno.interfaces.http import Body, FieldError, Filled, Request, Response, ask, caller_of, get, read_query
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web import clinical_words, visit_words
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import render, wants_part
from salerno.interfaces.web.prescriptions.sheet import new_sheet
from salerno.interfaces.web.whose import if_allowed, names_of, now_of, whose
from salerno.kernel.errors import Invalid, Refused
from salerno.kernel.messages import Page

VISIT = "/visit/{visit_id:uuid}"
HTML = "text/html"
PARTS = Sections.__struct_fields__
NOTHING: Page[Any] = Page(items=(), total=0, limit=0, offset=0)

__all__ = [
    "HTML",
    "PAGES",
    "PARTS",
    "VISIT",
    "Trouble",
    "clinical_words",
    "say_why",
    "screen",
    "trouble_of",
    "visit_words",
]


class Trouble(Struct, frozen=True, kw_only=True):
    """What went wrong in one part of the screen: the form as it was filled in, and why it was refused."""

    part: str
    status: int = 422
    filled: Filled = field(default_factory=Filled)
    errors: Sequence[FieldError] = ()
    refused: str = ""
    code: str = ""
    choices: Sequence[Any] = ()
    theirs: dict[str, str] = field(default_factory=dict)


def say_why(errors: Sequence[FieldError]) -> list[FieldError]:
    """A reason that is missing or too short is asked for in words."""
    asked = [field_error(each.path, "say-why", "Say why, in a few words.") for each in errors]
    return [
        why if "because" in why.path or "reason" in why.path else each for why, each in zip(asked, errors, strict=True)
    ]


def trouble_of(part: str, filled: Filled, refusal: Refused, **more: Any) -> Trouble:
    """A room's refusal beside the form that it answers."""
    if isinstance(refusal, Invalid) and refusal.errors:
        errors = [field_error(each["path"], each["code"], each["message"]) for each in refusal.errors]
        return Trouble(part=part, filled=filled, errors=errors, **more)
    return Trouble(part=part, status=409, filled=filled, refused=str(refusal), code=refusal.code, **more)


class Opened(Body):
    """`new` opens an empty note beside those that are signed; `ordered` names what was just prescribed."""

    new: bool = False
    ordered: UUID | None = None


@get(VISIT, of=VisitById, query=Opened, media=HTML)
async def visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """One visit from vital signs to signature."""
    return await screen(request, visit_id(request), another=read_query(request, Opened).new)


def visit_id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["visit_id"]))


async def screen(
    request: Request[Any, Any, Any], id: UUID, *, part: str = "", trouble: Trouble | None = None, another: bool = False
) -> Response[Any]:
    """The whole screen, or of it the part that htmx asked for."""
    page: VisitPage = await ask(request, VisitById(visit_id=id))
    context = await _shown(request, page, another)
    template = f"visit/{part}.html" if part and wants_part(request) else "visit/visit.html"
    return render(request, template, status=trouble.status if trouble else 200, trouble=trouble, **context)


async def _shown(request: Request[Any, Any, Any], page: VisitPage, another: bool) -> dict[str, Any]:
    patient, language = page.visit.patient, look_of(request).language
    person, before, problems, medicines, rounds, ordered, templates = await asyncio.gather(
        whose(request, patient),
        ask(request, EncountersOfPatient(patient_id=patient, limit=8)),
        if_allowed(request, Problems(patient_id=patient), ()),
        if_allowed(request, MedicinesOfPatient(patient_id=patient), ()),
        if_allowed(request, VitalsOfPatient(patient_id=patient, limit=8), ()),
        if_allowed(request, PrescriptionsOfPatient(patient_id=patient), NOTHING),
        if_allowed(request, NoteTemplates(language=language), ()),
    )
    draft = own_draft(request, page)
    notes = [one.note for one in page.notes if one is not draft]
    orders = [one.prescription for one in ordered.items if one.prescription.visit == page.visit.visit]
    return {
        "visit": page.visit, "version": page.version, "person": person, "draft": draft.note if draft else None,
        "notes": notes, "writing": draft is not None or another or not notes, "last": _last(page, before),
        "problems": problems, "medicines": medicines, "templates": templates, "orders": orders,
        "rounds": [one for one in rounds if one.entry.visit == page.visit.visit],
        "earlier": [one for one in rounds if one.entry.visit != page.visit.visit][:2],
        "names": await names_of(request, _people(page, notes)), "rich": rich,
        "sheet": new_sheet(now_of(request), page.visit.visit),
        "me": caller_of(request).actor, "patient_id": patient, "after": lambda days: _working_day(request, days),
    }  # fmt: skip


def _working_day(request: Request[Any, Any, Any], days: int) -> str:
    """So many days from today, by the clocks of the clinic; a weekend gives way to its Monday."""
    day = now_of(request).date() + timedelta(days=days)
    return (day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)).isoformat()


def own_draft(request: Request[Any, Any, Any], page: VisitPage) -> NotePage | None:
    me = caller_of(request).actor
    return next((one for one in page.notes if one.note.status == "draft" and one.note.author == me), None)


def _last(page: VisitPage, before: Sequence[VisitPage]) -> VisitPage | None:
    """The visit before this one, with what was signed about it."""
    earlier = [
        one
        for one in before
        if one.visit.visit != page.visit.visit
        and one.visit.status != "cancelled"
        and one.visit.started_at <= page.visit.started_at
    ]
    return max(earlier, key=lambda one: one.visit.started_at, default=None)


def _people(page: VisitPage, notes: Sequence[NoteView]) -> list[UUID | None]:
    writers = [one.author for one in notes] + [added.author for one in notes for added in one.addenda]
    return [page.visit.practitioner, *writers]


def rich(note: NoteView, part: str) -> str | Markup:
    """A part of a note: plain as it was typed; the marked-up kind was cleaned when it was written."""
    text: str = getattr(note.content, part)
    return Markup(text) if note.text_format == "html" else text  # noqa: S704 - the room keeps no other markup


class Sought(Body):
    q: Annotated[str, Meta(max_length=200)] = ""


@get("/codes/diagnoses", of=FindDiagnosisCodes, query=Sought, media=HTML)
async def diagnosis_codes(request: Request[Any, Any, Any]) -> Response[Any]:
    """Diagnoses for a field, found as they are typed. A code names no person."""
    wanted = read_query(request, Sought)
    found = await ask(request, FindDiagnosisCodes(q=wanted.q, limit=12)) if wanted.q.strip() else ()
    return render(request, "visit/codes.html", found=found)


PAGES = [visit, diagnosis_codes]
