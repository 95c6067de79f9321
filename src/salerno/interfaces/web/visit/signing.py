"""Signing a note: a page that shows exactly what is signed, with its fingerprint, and nothing else is."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.encounters.commands import SignNote
from salerno.contexts.encounters.errors import NoteIsSigned, NothingToSign, NotWhatYouSaw
from salerno.contexts.encounters.queries import VisitById, VisitPage
from salerno.interfaces.http import (
    Body,
    Filled,
    Request,
    Response,
    ask,
    from_form,
    get,
    invalid,
    post,
    read_form,
    submit,
)
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.visit.page import HTML, VISIT, own_draft, rich, screen, trouble_of, visit_id
from salerno.interfaces.web.whose import whose


class Signature(Body):
    """Which note, and the hash of what was shown."""

    note: UUID
    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


@get(f"{VISIT}/sign", of=SignNote, media=HTML)
async def before(request: Request[Any, Any, Any]) -> Response[Any]:
    """The note as it will stand, to be read once more."""
    require(request, SignNote)
    return await _shown(request)


async def _shown(request: Request[Any, Any, Any], *, moved: bool = False) -> Response[Any]:
    page: VisitPage = await ask(request, VisitById(visit_id=visit_id(request)))
    draft = own_draft(request, page)
    if draft is None:
        return go_to(request, f"/visit/{visit_id(request)}")
    person = await whose(request, page.visit.patient)
    return render(
        request, "visit/sign.html", status=409 if moved else 200, visit=page.visit, note=draft.note, person=person,
        moved=moved, rich=rich,
    )  # fmt: skip


@post(f"{VISIT}/sign", of=SignNote, takes=Signature, media=HTML)
async def sign(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign what was shown. Anything that was written since is shown first."""
    wanted, errors = from_form(Signature, await read_form(request))
    if wanted is None:
        raise invalid(errors)
    try:
        await submit(request, SignNote(note_id=wanted.note, content_hash=wanted.content_hash))
    except NotWhatYouSaw:
        return await _shown(request, moved=True)
    except (NothingToSign, NoteIsSigned) as refusal:
        return await screen(request, visit_id(request), trouble=trouble_of("note", Filled(), refusal))
    return go_to(request, f"/visit/{visit_id(request)}#note-{wanted.note}")


PAGES = [before, sign]
