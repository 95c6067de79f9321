"""The privacy officer's queue: who broke the glass, why, and whether that was right."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from salerno.contexts.protection.commands import ReviewBreakGlass
from salerno.contexts.protection.events import Outcome
from salerno.contexts.protection.queries import (
    BreakGlassById,
    BreakGlassList,
    BreakGlassToReview,
    GlassShown,
)
from salerno.interfaces.http import (
    Filled,
    Paging,
    Request,
    Response,
    ask,
    from_form,
    get,
    post,
    read_form,
    read_query,
    submit,
)
from salerno.interfaces.http.bodies import Body
from salerno.interfaces.http.problems import FieldError, field_error
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.patients.forms import errors_of
from salerno.interfaces.web.whose import names_of
from salerno.kernel.errors import Conflict, Invalid, NotAllowed
from salerno.kernel.messages import Page

HTML = "text/html"
OUTCOMES = ("justified", "unjustified", "follow-up")


class Queue(Paging):
    """Which of them."""

    status: Literal["waiting", "reviewed"] = "waiting"


class Reviewing(Body):
    outcome: Outcome
    note: Annotated[str, Meta(max_length=2000)] = ""


@get("/privacy", of=BreakGlassList, query=Queue, media=HTML)
async def queue(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every breaking of the glass that waits for a review, or was reviewed."""
    wanted = read_query(request, Queue)
    found: Page[GlassShown] = await ask(
        request, BreakGlassList(status=wanted.status, limit=wanted.limit, offset=wanted.offset)
    )
    names = await names_of(request, (one.glass.account for one in found.items))
    return render(request, "protection/queue.html", found=found, status_=wanted.status, names=names)


@get("/privacy/waiting", of=BreakGlassToReview, media=HTML)
async def waiting(request: Request[Any, Any, Any]) -> Response[Any]:
    """How many wait, for the mark in the navigation."""
    return render(request, "protection/waiting.html", waiting=await ask(request, BreakGlassToReview()))


@get("/privacy/{glass_id:uuid}", of=BreakGlassById, media=HTML)
async def one(request: Request[Any, Any, Any]) -> Response[Any]:
    """One of them, with the form for its review."""
    return await _page(request, Filled(), [])


async def _page(request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError]) -> Response[Any]:
    shown: GlassShown = await ask(request, BreakGlassById(glass_id=request.path_params["glass_id"]))
    names = await names_of(request, (shown.glass.account, shown.glass.reviewed_by))
    return render(
        request, "protection/review.html", status=422 if errors else 200, shown=shown, names=names, values=filled,
        errors=errors, outcomes=OUTCOMES,
    )  # fmt: skip


@post("/privacy/{glass_id:uuid}", of=ReviewBreakGlass, takes=Reviewing, media=HTML)
async def review(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say whether it was justified."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Reviewing, filled)
    if wanted is None:
        return await _page(request, filled, mistakes)
    glass = request.path_params["glass_id"]
    try:
        wish = ReviewBreakGlass(glass_id=glass, outcome=wanted.outcome, note=wanted.note)
        await submit(request, wish)
    except (Invalid, Conflict, NotAllowed) as refused:
        told = [
            field_error(e.path, "say-what-is-to-be-done" if e.path == "note" else e.code, e.message)
            for e in errors_of(refused)
        ]
        return await _page(request, filled, told)
    return go_to(request, "/privacy")


PAGES = [queue, waiting, one, review]
