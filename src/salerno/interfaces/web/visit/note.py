"""The note while it is written: saved by itself, by a button, filled from a template; and what is added to it later."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.encounters.commands import AddAddendum, SaveDraft, Text, VoidNote
from salerno.contexts.encounters.errors import DraftMovedOn
from salerno.contexts.encounters.events import TextFormat
from salerno.contexts.encounters.queries import NoteById, NotePage, NoteTemplates, VisitById, VisitPage
from salerno.interfaces.http import (
    Body,
    Filled,
    Problem,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_of,
    from_form,
    post,
    put,
    read_body,
    read_form,
    required_version,
    submit,
)
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to
from salerno.interfaces.web.visit.page import (
    HTML,
    PARTS,
    VISIT,
    Trouble,
    own_draft,
    say_why,
    screen,
    trouble_of,
    visit_id,
)
from salerno.kernel.errors import Conflict, Invalid

LONG = 2_000_000  # bytes: four long parts


class Typed(Body):
    """What autosave sends: the note where it is known, and the parts that changed."""

    note: str = ""
    text_format: TextFormat = "plain"
    subjective: Text | None = None
    objective: Text | None = None
    assessment: Text | None = None
    plan: Text | None = None


class Written(Body):
    """The form of the note: all four parts, and the revision they were begun from."""

    note: UUID | None = None
    revision: Annotated[int, Meta(ge=0)] = 0
    text_format: TextFormat = "plain"
    subjective: Text = ""
    objective: Text = ""
    assessment: Text = ""
    plan: Text = ""
    then: str = ""
    template: Annotated[str, Meta(max_length=60)] = ""


class Mistake(Body):
    """Why a note should not be there."""

    void_reason: Annotated[str, Meta(min_length=3, max_length=2_000)]


class Addendum(Body):
    addendum: Annotated[str, Meta(min_length=1, max_length=100_000)]
    addendum_reason: Annotated[str, Meta(min_length=3, max_length=2_000)]


@put(f"{VISIT}/draft", of=SaveDraft, takes=Typed, max_body=LONG)
async def autosave(request: Request[Any, Any, Any]) -> Response[Any]:
    """Keep what was typed. A part that somebody else changed is answered with their text, and nothing is lost."""
    typed, base = await read_body(request, Typed), required_version(request)
    command = SaveDraft(
        visit_id=visit_id(request),
        note_id=_note_id(typed.note),
        base_revision=base,
        text_format=typed.text_format,
        **{part: getattr(typed, part) for part in PARTS},
    )
    try:
        receipt = await bus_of(request).handle(command, caller_of(request))
    except DraftMovedOn as moved:
        raise await _moved_on(request, moved) from None
    return answer(request, _kept(await ask(request, NoteById(note_id=receipt.aggregate_id))))


def _note_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Problem(422, "invalid", "This is not the id of a note.") from None


async def _moved_on(request: Request[Any, Any, Any], moved: DraftMovedOn) -> Problem:
    theirs = await _theirs(request, moved)
    details = {"version": moved.details["revision"], "fields": theirs}
    return Problem(412, moved.code, str(moved), details=details)


async def _theirs(request: Request[Any, Any, Any], moved: DraftMovedOn) -> dict[str, str]:
    """The parts as they stand now."""
    page: VisitPage = await ask(request, VisitById(visit_id=visit_id(request)))
    draft = own_draft(request, page)
    return {part: getattr(draft.note.content, part) for part in moved.details["parts"]} if draft else {}


def _kept(page: NotePage) -> dict[str, Any]:
    texts = {part: getattr(page.note.content, part) for part in PARTS}
    return {"version": page.note.revision, "fields": {"note": str(page.note.note), **texts}}


@post(f"{VISIT}/note", of=SaveDraft, takes=Written, media=HTML, max_body=LONG)
async def write(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save the note as the form has it; then stay, fill its empty parts from a template, or go to sign it."""
    filled = _with_newlines(await read_form(request))
    written, errors = from_form(Written, filled)
    if written is None:
        return await screen(request, visit_id(request), trouble=Trouble(part="note", filled=filled, errors=errors))
    parts = {part: filled.get(part, "") for part in PARTS}
    command = SaveDraft(
        visit_id=visit_id(request), note_id=written.note, base_revision=written.revision,
        text_format=written.text_format, template=written.template,
        **await _from_template(request, written.template, parts),
    )  # fmt: skip
    try:
        await submit(request, command)
    except DraftMovedOn as moved:
        theirs = await _theirs(request, moved)
        trouble = trouble_of("note", filled, moved, theirs=theirs)
        filled["revision"] = str(moved.details["revision"])
        return await screen(request, visit_id(request), trouble=trouble)
    except (Conflict, Invalid) as refusal:
        return await screen(request, visit_id(request), trouble=trouble_of("note", filled, refusal))
    return go_to(request, f"/visit/{visit_id(request)}{'/sign' if written.then == 'sign' else '#note'}")


def _with_newlines(filled: Filled) -> Filled:
    """Forms send their own line ends; the note keeps the ones that scripts and programs write."""
    plain = Filled()
    for name, values in filled.many.items():
        for value in values:
            plain.take(name, value.replace("\r\n", "\n"))
    return plain


async def _from_template(request: Request[Any, Any, Any], key: str, parts: dict[str, str]) -> dict[str, str]:
    """A template fills only what is still empty."""
    if not key:
        return parts
    known = await ask(request, NoteTemplates(language=look_of(request).language))
    chosen = next((one for one in known if one.key == key), None)
    return {part: text if text.strip() or not chosen else getattr(chosen, part) for part, text in parts.items()}


@post(f"{VISIT}/notes/{{note_id:uuid}}/addenda", of=AddAddendum, takes=Addendum, media=HTML, max_body=LONG)
async def add(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add to a signed note, with a reason."""
    filled = _with_newlines(await read_form(request))
    wanted, errors = from_form(Addendum, filled)
    note_id = UUID(str(request.path_params["note_id"]))
    filled.take("note_id", str(note_id))
    if wanted is None:
        trouble = Trouble(part="addendum", filled=filled, errors=say_why(errors))
        return await screen(request, visit_id(request), trouble=trouble)
    try:
        await submit(request, AddAddendum(note_id=note_id, text=wanted.addendum, reason=wanted.addendum_reason))
    except (Conflict, Invalid) as refusal:
        return await screen(request, visit_id(request), trouble=trouble_of("addendum", filled, refusal))
    return go_to(request, f"/visit/{visit_id(request)}#note-{note_id}")


@post(f"{VISIT}/notes/{{note_id:uuid}}/void", of=VoidNote, takes=Mistake, media=HTML)
async def void(request: Request[Any, Any, Any]) -> Response[Any]:
    """Declare one's own note void, with the reason. It stays readable, crossed out."""
    filled = await read_form(request)
    wanted, errors = from_form(Mistake, filled)
    note_id = UUID(str(request.path_params["note_id"]))
    filled.take("note_id", str(note_id))
    if wanted is None:
        trouble = Trouble(part="void", filled=filled, errors=say_why(errors))
        return await screen(request, visit_id(request), trouble=trouble)
    try:
        await submit(request, VoidNote(note_id=note_id, reason=wanted.void_reason))
    except (Conflict, Invalid) as refusal:
        return await screen(request, visit_id(request), trouble=trouble_of("void", filled, refusal))
    return go_to(request, f"/visit/{visit_id(request)}#note-{note_id}")


PAGES = [autosave, write, add, void]
