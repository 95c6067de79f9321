"""What belongs to no room: the front page, language and colours, live updates, the browser's small files."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal
from uuid import UUID

from litestar.response import Stream

from salerno.contexts.identity.commands import ChangePreferences
from salerno.contexts.patients.queries import PatientBanner
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    bus_of,
    caller_of,
    from_form,
    get,
    invalid,
    post,
    read_form,
    read_query,
    safe_path,
    session_of,
)
from salerno.interfaces.http.live import ABOUT_OWNER, Live, account_topic
from salerno.interfaces.http.sessions import Sessions
from salerno.interfaces.web.looks import Look, cookie_of, look_of
from salerno.kernel.errors import Refused

LOOK_AGAIN = 4.0  # seconds: a stream whose session was ended is closed by then


@get("/", public="sends on", media="text/html")
async def front(request: Request[Any, Any, Any]) -> Response[Any]:
    """The front page: today for those who are signed in, else the door."""
    path = "/today" if session_of(request) else "/sign-in"
    return Response(b"", status_code=303, headers={"Location": path}, media_type="text/html")


class Preferences(Body):
    """What a person chooses about the look; absent means as it was."""

    language: Literal["it", "en"] | None = None
    theme: Literal["auto", "light", "dark"] | None = None
    back: str = "/"


@post("/preferences", public="before sign-in they stay in a cookie", media="text/html", takes=Preferences)
async def prefer(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change language or colours at once, for this browser and, when signed in, for the account."""
    wanted, mistakes = from_form(Preferences, await read_form(request))
    if wanted is None:
        raise invalid(mistakes)
    if session_of(request):
        await _keep(request, wanted)
    now = look_of(request)
    look = Look(wanted.language or now.language, wanted.theme or now.theme)
    return _look_again(request, look, _back(wanted.back))


async def _keep(request: Request[Any, Any, Any], wanted: Preferences) -> None:
    command = ChangePreferences(language=wanted.language, theme="" if wanted.theme == "auto" else wanted.theme)
    await bus_of(request).handle(command, caller_of(request))
    sessions: Sessions = request.app.state["sessions"]
    sessions.forget(request.scope["state"].get("cookie", ""))


def _back(path: str) -> str:
    return path if path in ("/sign-in", "/sign-up", "/style") else safe_path(path)


def _look_again(request: Request[Any, Any, Any], look: Look, path: str) -> Response[Any]:
    """The page again in its new look: htmx morphs it in place, so that nothing typed is lost."""
    headers = {"Location": path}
    if request.headers.get("hx-request") == "true":
        headers = {"HX-Location": f'{{"path":"{path}","target":"body","swap":"outerMorph","select":"body"}}'}
    status = 200 if "HX-Location" in headers else 303
    return Response(b"", status_code=status, headers=headers, cookies=[cookie_of(look)], media_type="text/html")


class Listening(Body):
    """`chart` is the patient whose chart is open in this browser."""

    chart: UUID | None = None


@get(
    "/live",
    public="tells only the caller's own organisation, and only that something changed",
    query=Listening,
    media="text/event-stream",
)
async def live(request: Request[Any, Any, Any]) -> Response[Any]:
    """A stream of what changes: the names of events, no ids and nothing of their content; and when a chart does."""
    caller, wanted = caller_of(request), read_query(request, Listening)
    hub: Live = request.app.state["live"]
    topics = [str(caller.organisation), account_topic(caller.actor)]
    if wanted.chart:
        await _permit(request, wanted.chart)
        topics.append(f"{caller.organisation}/{wanted.chart}")
    frames = _while_permitted(request, hub.stream(topics, LOOK_AGAIN), wanted.chart)
    return Stream(frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _permit(request: Request[Any, Any, Any], chart: UUID) -> None:
    """Raises where the reader may not see who that is; nobody is shown anything, so nothing is in the access log."""
    await bus_of(request).permits.permit(PatientBanner(patient_id=chart), caller_of(request))


async def _while_permitted(
    request: Request[Any, Any, Any], frames: AsyncGenerator[bytes, None], chart: UUID | None
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    due = loop.time() + LOOK_AGAIN
    async with aclosing(frames):
        async for frame in frames:
            if loop.time() >= due or ABOUT_OWNER in frame:
                if not await _still_signed_in(request) or not await _still_open(request, chart):
                    return
                due = loop.time() + LOOK_AGAIN
            yield frame


async def _still_open(request: Request[Any, Any, Any], chart: UUID | None) -> bool:
    """Whether the chart was neither restricted meanwhile, nor its broken glass has ended."""
    if chart is None:
        return True
    try:
        await _permit(request, chart)
    except Refused:
        return False
    return True


async def _still_signed_in(request: Request[Any, Any, Any]) -> bool:
    sessions: Sessions = request.app.state["sessions"]
    token = request.scope["state"].get("cookie", "")
    if not token:
        return False
    sessions.forget(token)
    try:
        found = await sessions.caller_by_cookie(token, user_initiated=False)
    except Refused:  # nobody can say whether the session still lives: then it does not
        return False
    return found is not None and not found.locked


@get("/robots.txt", public="nothing here is for crawlers", media="text/plain")
async def robots(request: Request[Any, Any, Any]) -> Response[Any]:
    """No page of this product belongs in a search engine."""
    return Response(b"User-agent: *\nDisallow: /\n", media_type="text/plain")


@get("/favicon.ico", public="a picture", media="image/svg+xml")
async def favicon(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where browsers look first; the picture itself is a built file."""
    url = request.app.state["assets"].url("src/favicon.svg")
    return Response(b"", status_code=303 if url else 204, headers={"Location": url} if url else {})


PAGES = [front, prefer, live, robots, favicon]
