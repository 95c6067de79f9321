"""Taking a record out of lists and search, and bringing it back. Nothing is deleted."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from salerno.contexts.patients.commands import RemovePatient, RestorePatient
from salerno.contexts.patients.queries import PatientById, PatientSheet, RemovedPatients
from salerno.interfaces.http import (
    Body,
    FieldError,
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
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.patients.forms import errors_of
from salerno.interfaces.web.patients.merging import asked_again
from salerno.interfaces.web.rights import require
from salerno.kernel.errors import Conflict, Invalid

HTML = "text/html"


class Removing(Body):
    """Why, and that this very record is meant."""

    reason: Annotated[str, Meta(min_length=3, max_length=2000)]
    certain: Literal["true"]


class Restoring(Body):
    reason: Annotated[str, Meta(min_length=3, max_length=2000)]


@get("/people/{patient_id:uuid}/remove", of=RemovePatient, media=HTML)
async def before(request: Request[Any, Any, Any]) -> Response[Any]:
    """What removing does, and the question why."""
    require(request, RemovePatient)
    return await _asked(request, Filled(), [])


async def _asked(request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError]) -> Response[Any]:
    sheet: PatientSheet = await ask(request, PatientById(patient_id=request.path_params["patient_id"]))
    status = 422 if errors else 200
    return render(request, "patients/remove.html", status=status, patient=sheet.patient, values=filled, errors=errors)


@post("/people/{patient_id:uuid}/remove", of=RemovePatient, takes=Removing, media=HTML)
async def remove(request: Request[Any, Any, Any]) -> Response[Any]:
    """Out of lists and search from now on."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Removing, filled)
    if wanted is None:
        return await _asked(request, filled, asked_again(mistakes))
    try:
        await submit(request, RemovePatient(patient_id=request.path_params["patient_id"], reason=wanted.reason))
    except (Invalid, Conflict) as refused:
        return await _asked(request, filled, errors_of(refused))
    return go_to(request, "/people/removed")


@get("/people/removed", of=RemovedPatients, query=Paging, media=HTML)
async def removed(request: Request[Any, Any, Any]) -> Response[Any]:
    """What was removed, the last first."""
    return await _listed(request, Filled(), [], read_query(request, Paging))


async def _listed(
    request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError], paging: Paging, asked: str = ""
) -> Response[Any]:
    found = await ask(request, RemovedPatients(limit=paging.limit, offset=paging.offset))
    return render(
        request, "patients/removed.html", status=422 if errors else 200, removed=found, values=filled, errors=errors,
        asked=asked,
    )  # fmt: skip


@post("/people/{patient_id:uuid}/restore", of=RestorePatient, takes=Restoring, media=HTML)
async def restore(request: Request[Any, Any, Any]) -> Response[Any]:
    """Back in lists and search, the chart as it was."""
    filled, id = await read_form(request), request.path_params["patient_id"]
    wanted, mistakes = from_form(Restoring, filled)
    if wanted is None:
        return await _listed(request, filled, asked_again(mistakes), Paging(), str(id))
    try:
        await submit(request, RestorePatient(patient_id=id, reason=wanted.reason))
    except (Invalid, Conflict) as refused:
        return await _listed(request, filled, errors_of(refused), Paging(), str(id))
    return go_to(request, f"/chart/{id}")


PAGES = [before, remove, removed, restore]
