"""Registering a patient, with whoever it may be already shown beside the form while it is being typed."""

from typing import Any
from uuid import UUID

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.patients.errors import LikelyDuplicate
from salerno.contexts.patients.queries import GROUPS, DuplicatesFound, LikelyDuplicates
from salerno.interfaces.http import (
    FieldError,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    get,
    post,
    read_form,
    submit,
)
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.patients.forms import (
    BLANK_ROWS,
    NAMELESS,
    ROWS,
    Blank,
    blank,
    errors_of,
    id_in,
    person_in,
    wish_of,
)
from salerno.interfaces.web.rights import require
from salerno.kernel.clock import uuid7
from salerno.kernel.errors import Conflict, Invalid, NotFound

HTML = "text/html"
ROOM_FOR = 5  # likely duplicates beside the form


@get("/people/new", of=RegisterPatient, media=HTML)
async def empty(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, RegisterPatient)
    return _form(request, Filled(), [], status=200)


@get("/people/rows/{kind:str}/{number:int}", of=RegisterPatient, media=HTML)
async def row(request: Request[Any, Any, Any]) -> Response[Any]:
    """One more empty row of a list of the form."""
    kind, number = request.path_params["kind"], request.path_params["number"]
    if kind not in ROWS or not 0 <= number < 100:
        raise NotFound()
    return render(request, "patients/row.html", kind=kind, number=number, values=Blank(), errors=[])


@post("/people/likely", of=LikelyDuplicates, media=HTML)
async def likely(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who on file may be the person that is being typed."""
    filled = await read_form(request)
    found = await likely_in(request, filled)
    return render(request, "patients/likely.html", likely=found, held_back=False, confirmed="confirmed" in filled)


async def likely_in(
    request: Request[Any, Any, Any], filled: Filled, except_: UUID | None = None
) -> DuplicatesFound | None:
    """None while nothing that could tell people apart can be understood."""
    person = person_in(filled)
    told = {"full_name", "given_name", "family_name", "phone", "email", "identifiers"}
    raw = {name: value for name, value in person.items() if name in told}
    if not raw:
        return None
    born = person.get("date_of_birth")
    more = {"patient_id": str(except_) if except_ else None, "gender": person.get("gender")}
    query, _ = wish_of(LikelyDuplicates, raw, **more, birth_date=born)
    if query is None:
        query, _ = wish_of(LikelyDuplicates, raw, **more)
    if query is None:
        return None
    found: DuplicatesFound = await ask(request, query)
    return DuplicatesFound(duplicates=found.duplicates[:ROOM_FOR], doubts=found.doubts)


@post("/people/new", of=RegisterPatient, media=HTML)
async def register(request: Request[Any, Any, Any]) -> Response[Any]:
    """Register, or the form again with what needs a look; sending it twice registers once."""
    filled = await read_form(request)
    new = id_in(filled.get("patient_id", ""))
    wish, mistakes = wish_of(
        RegisterPatient,
        NAMELESS | person_in(filled),
        mrn=filled.get("mrn", "").strip() or None,
        patient_id=str(new) if new else None,
        confirmed_not_duplicate=filled.get("confirmed", "false"),
    )
    if wish is None:
        return _form(request, filled, mistakes)
    try:
        receipt = await submit(request, wish)
    except LikelyDuplicate as refused:
        found = await likely_in(request, filled)
        return _form(request, filled, errors_of(refused), status=409, likely=found, held_back=True)
    except (Invalid, Conflict) as refused:
        return _form(request, filled, errors_of(refused), likely=await likely_in(request, filled))
    return go_to(request, f"/chart/{receipt.aggregate_id}")


def _form(
    request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError], *, status: int = 422, **shown: Any
) -> Response[Any]:
    given = {"likely": None, "held_back": False, "confirmed": "confirmed" in filled}
    return render(
        request,
        "patients/person_form.html" if wants_part(request) else "patients/new.html",
        status=status,
        values=blank(person_in(filled)),
        mrn=filled.get("mrn", ""),
        new_id=filled.get("patient_id") or str(uuid7(bus_of(request).clock.now())),
        errors=errors,
        **BLANK_ROWS,
        version=None,
        withheld=[one.name for one in GROUPS if one.permission not in caller_of(request).permissions],
        action="/people/new",
        **given | shown,
    )


PAGES = [empty, row, likely, register]
