"""Consents: given and withdrawn, with their dates; none is ever overwritten."""

from datetime import date
from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.patients.commands import GiveConsent, WithdrawConsent
from salerno.contexts.patients.queries import ConsentsOf, PatientBanner
from salerno.interfaces.http import (
    Body,
    FieldError,
    Filled,
    Request,
    Response,
    ask,
    from_form,
    get,
    post,
    read_form,
    submit,
)
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.patients.forms import errors_of
from salerno.kernel.errors import Conflict, Invalid, NotFound
from salerno.kernel.messages import Command

HTML = "text/html"
USUAL = ("treatment", "data-sharing", "reminders", "portal", "research")


class Given(Body):
    """A consent as typed."""

    scope: Annotated[str, Meta(min_length=2, max_length=60)]
    version: Annotated[str, Meta(max_length=40)] = "1"
    given_on: date | None = None
    expires_on: date | None = None
    note: Annotated[str, Meta(max_length=2000)] = ""


class Withdrawn(Body):
    """A withdrawal as typed."""

    scope: Annotated[str, Meta(min_length=2, max_length=60)]
    withdrawn_on: date | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""


@get("/people/{patient_id:uuid}/consents", of=ConsentsOf, media=HTML)
async def consents(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the patient has agreed to, since when, and what no longer holds."""
    return await _page(request, Filled(), [], status=200)


@post("/people/{patient_id:uuid}/consents", of=GiveConsent, media=HTML)
async def give(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record a consent."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Given, filled)
    if wanted is None:
        return await _page(request, filled, mistakes)
    wish = GiveConsent(
        patient_id=request.path_params["patient_id"],
        scope=wanted.scope,
        version=wanted.version,
        given_on=wanted.given_on,
        expires_on=wanted.expires_on,
        note=wanted.note,
    )
    return await _after(request, wish, filled)


@post("/people/{patient_id:uuid}/consents/withdraw", of=WithdrawConsent, media=HTML)
async def withdraw(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record that a consent was withdrawn."""
    filled = await read_form(request)
    wanted, mistakes = from_form(Withdrawn, filled)
    if wanted is None:
        return await _page(request, filled, mistakes)
    wish = WithdrawConsent(
        patient_id=request.path_params["patient_id"],
        scope=wanted.scope,
        withdrawn_on=wanted.withdrawn_on,
        reason=wanted.reason,
    )
    return await _after(request, wish, filled)


async def _after(request: Request[Any, Any, Any], wish: Command, filled: Filled) -> Response[Any]:
    try:
        await submit(request, wish)
    except (Invalid, Conflict, NotFound) as refused:
        return await _page(request, filled, errors_of(refused))
    return go_to(request, f"/people/{request.path_params['patient_id']}/consents")


async def _page(
    request: Request[Any, Any, Any], filled: Filled, errors: list[FieldError], *, status: int = 422
) -> Response[Any]:
    patient_id = request.path_params["patient_id"]
    held = await ask(request, ConsentsOf(patient_id=patient_id))
    banner = await ask(request, PatientBanner(patient_id=patient_id))
    return render(
        request,
        "patients/consents_part.html" if wants_part(request) else "patients/consents.html",
        status=status,
        patient=banner,
        consents=sorted(held, key=lambda one: (one.withdrawn_on is not None, -one.given_on.toordinal())),
        values=filled,
        errors=errors,
        usual=USUAL,
    )


PAGES = [consents, give, withdraw]
