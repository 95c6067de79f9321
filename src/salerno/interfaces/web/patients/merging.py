"""Two records of one person: find the second, see both side by side with what follows, merge; and take it back."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from salerno.contexts.patients.commands import MergePatients, UnmergePatients
from salerno.contexts.patients.queries import (
    DuplicatesFound,
    LikelyDuplicates,
    PatientById,
    PatientNames,
    PatientSheet,
)
from salerno.interfaces.http import (
    Body,
    FieldError,
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
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.patients.forms import blank, differing, errors_of, person_of
from salerno.interfaces.web.patients.listing import find
from salerno.interfaces.web.rights import require
from salerno.kernel.errors import Conflict, Invalid, NotFound

HTML = "text/html"


class Sought(Body):
    """What was typed to find the other record."""

    q: Annotated[str, Meta(max_length=200)] = ""


class Certain(Body):
    """Why two records are one, and that both were compared."""

    reason: Annotated[str, Meta(min_length=3, max_length=2000)]
    compared: Literal["true"]


class Reason(Body):
    """Why two records are not one after all."""

    reason: Annotated[str, Meta(min_length=3, max_length=2000)]


@get("/people/{patient_id:uuid}/merge", of=MergePatients, media=HTML)
async def choose(request: Request[Any, Any, Any]) -> Response[Any]:
    """Which record is the duplicate: the likely ones first, or whoever is looked for."""
    require(request, MergePatients)
    sheet = await _sheet(request, "patient_id")
    return render(
        request, "patients/merge.html", patient=sheet.patient, likely=await _alike(request, sheet), q="", found=None
    )


@post("/people/{patient_id:uuid}/merge/search", of=MergePatients, media=HTML)
async def search(request: Request[Any, Any, Any]) -> Response[Any]:
    """Find the other record by whatever is known of it."""
    wanted, mistakes = from_form(Sought, await read_form(request))
    if wanted is None:
        raise invalid(mistakes)
    sheet = await _sheet(request, "patient_id")
    part = wants_part(request)
    return render(
        request,
        "patients/merge_found.html" if part else "patients/merge.html",
        patient=sheet.patient,
        likely=None if part else await _alike(request, sheet),
        q=wanted.q,
        found=await find(request, wanted.q),
    )


@get("/people/{patient_id:uuid}/merge/{duplicate_id:uuid}", of=MergePatients, media=HTML)
async def compare(request: Request[Any, Any, Any]) -> Response[Any]:
    """Both records side by side, and what merging them does."""
    require(request, MergePatients)
    return await _compared(request, Filled(), [])


@post("/people/{patient_id:uuid}/merge/{duplicate_id:uuid}", of=MergePatients, media=HTML)
async def merge(request: Request[Any, Any, Any]) -> Response[Any]:
    """From now on one chart shows both."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Certain, filled)
    if wanted is None:
        return await _compared(request, filled, asked_again(mistakes))
    keep, other = request.path_params["patient_id"], request.path_params["duplicate_id"]
    try:
        await submit(request, MergePatients(patient_id=keep, duplicate_id=other, reason=wanted.reason))
    except (Invalid, Conflict) as refused:
        return await _compared(request, filled, errors_of(refused))
    return go_to(request, f"/chart/{keep}")


@get("/people/{patient_id:uuid}/unmerge/{duplicate_id:uuid}", of=UnmergePatients, media=HTML)
async def apart(request: Request[Any, Any, Any]) -> Response[Any]:
    """What un-merging does, and the question why."""
    require(request, UnmergePatients)
    return await _apart(request, Filled(), [])


@post("/people/{patient_id:uuid}/unmerge/{duplicate_id:uuid}", of=UnmergePatients, media=HTML)
async def unmerge(request: Request[Any, Any, Any]) -> Response[Any]:
    """Both charts stand on their own again."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Reason, filled)
    if wanted is None:
        return await _apart(request, filled, asked_again(mistakes))
    keep, other = request.path_params["patient_id"], request.path_params["duplicate_id"]
    try:
        await submit(request, UnmergePatients(patient_id=keep, duplicate_id=other, reason=wanted.reason))
    except (Invalid, Conflict) as refused:
        return await _apart(request, filled, errors_of(refused))
    return go_to(request, f"/chart/{other}")


async def _apart(request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError]) -> Response[Any]:
    sheet = await _sheet(request, "patient_id")
    other = request.path_params["duplicate_id"]
    if other not in sheet.linked:
        raise NotFound()
    names = await ask(request, PatientNames(patient_ids=(other,)))
    return render(
        request, "patients/unmerge.html", status=422 if errors else 200, patient=sheet.patient, other=names[0],
        values=filled, errors=errors,
    )  # fmt: skip


def asked_again(mistakes: list[FieldError]) -> list[FieldError]:
    """What is missing, in the words of what was asked."""
    codes = {"reason": "say-why", "compared": "compare-first", "certain": "say-certain"}
    return [field_error(one.path, codes.get(one.path, one.code), one.message) for one in mistakes]


async def _compared(request: Request[Any, Any, Any], filled: Filled, errors: list[Any]) -> Response[Any]:
    kept, other = await _sheet(request, "patient_id"), await _sheet(request, "duplicate_id")
    one, two = person_of(kept.patient), person_of(other.patient)
    return render(
        request,
        "patients/merge_compare.html",
        status=422 if errors else 200,
        kept=kept.patient,
        other=other.patient,
        one=blank(one),
        two=blank(two),
        differ=differing(one, two),
        values=filled,
        errors=errors,
        layout="page.html",
    )


async def _sheet(request: Request[Any, Any, Any], name: str) -> PatientSheet:
    sheet: PatientSheet = await ask(request, PatientById(patient_id=request.path_params[name]))
    return sheet


async def _alike(request: Request[Any, Any, Any], sheet: PatientSheet) -> DuplicatesFound:
    one = sheet.patient
    query = LikelyDuplicates(
        given_name=one.given_name,
        family_name=one.family_name,
        birth_date=one.birth_date,
        gender=one.gender,
        phone=one.phone,
        email=one.email,
        patient_id=one.id,
    )
    found: DuplicatesFound = await ask(request, query)
    return found


PAGES = [choose, search, compare, merge, apart, unmerge]
