"""Patients: the newest, and whoever is looked for. What is typed travels in a body: no name stands in an address."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.encounters.queries import LastVisits
from salerno.contexts.patients.queries import FindPatients, ListPatients, PatientsFound
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    ask,
    from_form,
    get,
    invalid,
    post,
    read_form,
    read_query,
)
from salerno.interfaces.web.pages import render, wants_part
from salerno.interfaces.web.rights import may, require
from salerno.kernel.messages import Page

HTML = "text/html"
SHORTEST = 3  # letters; a shorter word finds half the town


class Search(Body):
    """What was typed, and from which result on."""

    q: Annotated[str, Meta(max_length=200)] = ""
    offset: Annotated[int, Meta(ge=0, le=280)] = 0


@get("/people", of=FindPatients, query=Paging, media=HTML)
async def people(request: Request[Any, Any, Any]) -> Response[Any]:
    """The newest patients, and the field in which anybody is found."""
    require(request, FindPatients)
    newest = await _newest(request)
    shown = await _seen(request, newest.items if newest else ())
    return render(request, "patients/people.html", q="", found=None, newest=newest, seen=shown)


@post("/people/search", of=FindPatients, takes=Search, media=HTML)
async def search(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whoever fits what was typed, from the third letter on."""
    wanted, mistakes = from_form(Search, await read_form(request))
    if wanted is None:
        raise invalid(mistakes)
    found = await find(request, wanted.q, wanted.offset)
    newest = None if found else await _newest(request)
    template = "patients/results.html" if wants_part(request) else "patients/people.html"
    shown = await _seen(request, found.results if found else newest.items if newest else ())
    return render(request, template, q=wanted.q, found=found, newest=newest, seen=shown)


async def find(request: Request[Any, Any, Any], q: str, offset: int = 0) -> PatientsFound | None:
    """None while too little was typed."""
    if len(q.strip()) < SHORTEST:
        return None
    found: PatientsFound = await ask(request, FindPatients(q=q.strip(), limit=20, offset=offset))
    return found


async def _seen(request: Request[Any, Any, Any], people: Sequence[Any]) -> dict[UUID, datetime]:
    """When each of them was here last."""
    if not people or not may(request, LastVisits):
        return {}
    seen: dict[UUID, datetime] = await ask(request, LastVisits(patient_ids=tuple(one.id for one in people)))
    return seen


async def _newest(request: Request[Any, Any, Any]) -> Page[Any] | None:
    """Absent for those who may look for a patient but not leaf through them."""
    if not may(request, ListPatients):
        return None
    paging = read_query(request, Paging) if request.method == "GET" else Paging()
    page: Page[Any] = await ask(request, ListPatients(limit=paging.limit, offset=paging.offset))
    return page


PAGES = [people, search]
