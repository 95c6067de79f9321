"""Restricting a chart, changing for whom, and lifting it: by administrators, who need not see the chart itself."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.audit.queries import NamesOfActors
from salerno.contexts.identity.queries import Users
from salerno.contexts.patients.queries import Banner, PatientBanner
from salerno.contexts.protection.commands import ChangeRestriction, LiftRestriction, RestrictChart
from salerno.contexts.protection.events import WhyRestricted
from salerno.contexts.protection.queries import RestrictedCharts, RestrictionOf, RestrictionShown
from salerno.interfaces.http import (
    Body,
    FieldError,
    Filled,
    Paging,
    Request,
    Response,
    ask,
    get,
    post,
    read_form,
    read_query,
)
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.settings.saving import FRESH, Attempt, after, attempt, page, read, wrong
from salerno.interfaces.web.whose import if_allowed

HTML = "text/html"
PATH = "/settings/restricted"
ONE = f"{PATH}/{{patient_id:uuid}}"
REASONS = ("vip", "staff", "sensitive", "own-wish")
NAMED = "account-"  # before the id of an account, in the name of its box
MOST = 200


class Restricting(Body):
    """The form, beside the boxes of the accounts."""

    reason: WhyRestricted
    note: Annotated[str, Meta(max_length=2000)] = ""
    named_only: bool = False


class Colleague(Struct, frozen=True):
    """Somebody whom the restriction may name."""

    id: UUID
    name: str
    role: str


async def _colleagues(request: Request[Any, Any, Any], named: Sequence[UUID]) -> list[Colleague]:
    """Everybody with an account who works here, and whoever is named already."""
    users = await if_allowed(request, Users(status="active", limit=MOST), None)
    found = (
        [Colleague(one.user_id, one.full_name, one.role) for one in users.items if one.role != "PATIENT"]
        if users
        else []
    )
    others = [one for one in named if one not in {each.id for each in found}]
    names = await ask(request, NamesOfActors(ids=tuple(others))) if others else {}
    return [*found, *(Colleague(one, names.get(one, ""), "") for one in others)]


def _named(filled: Filled) -> tuple[tuple[UUID, ...], list[FieldError]]:
    """The accounts whose boxes are ticked, and what is no account's box."""
    found, wrong_ones = [], []
    for name in (name for name in filled if name.startswith(NAMED) and filled[name] == "true"):
        try:
            found.append(UUID(name.removeprefix(NAMED)))
        except ValueError:
            wrong_ones.append(field_error(name, "unknown", "There is no such account in this organisation."))
    return tuple(found), wrong_ones


async def _asked(
    request: Request[Any, Any, Any], kind: type[RestrictChart] | type[ChangeRestriction], filled: Filled
) -> Attempt:
    """Ask for what the form says."""
    typed = Filled()
    for name, text in filled.items():
        if not name.startswith(NAMED):
            typed.take(name, text)
    form, errors = read(Restricting, typed)
    accounts, others = _named(filled)
    if form is None or others:
        return wrong([*errors, *others])
    patient, only = request.path_params["patient_id"], form.named_only
    wish = kind(patient_id=patient, reason=form.reason, note=form.note, accounts=accounts, named_only=only)
    return await attempt(request, wish)


def _boxes(values: dict[str, Any], accounts: Sequence[UUID], *, named_only: bool) -> Filled:
    filled = Filled()
    filled.update({**values, "named_only": "true" if named_only else ""})
    filled.update({f"{NAMED}{one}": "true" for one in accounts})
    return filled


async def _form(
    request: Request[Any, Any, Any],
    filled: Filled,
    tried: Attempt = FRESH,
    *,
    banner: Banner | None = None,
    shown: RestrictionShown | None = None,
) -> Response[Any]:
    named = shown.restriction.accounts if shown else ()
    made: Response[Any] = page(
        request, "restricted", "restriction", tried, values=filled, reasons=REASONS, shown=shown, banner=banner,
        colleagues=await _colleagues(request, named),
    )  # fmt: skip
    return made


@get(PATH, of=RestrictedCharts, query=Paging, media=HTML)
async def restricted(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every restricted chart by name, for those who set restrictions."""
    paging = read_query(request, Paging)
    found = await ask(request, RestrictedCharts(limit=paging.limit, offset=paging.offset))
    return page(request, "restricted", "restricted", found=found)  # type: ignore[no-any-return]


@get("/people/{patient_id:uuid}/restrict", of=RestrictChart, media=HTML)
async def before(request: Request[Any, Any, Any]) -> Response[Any]:
    """What restricting does, why, and for whom the chart stays open."""
    banner = await ask(request, PatientBanner(patient_id=request.path_params["patient_id"]))
    return await _form(request, Filled(), banner=banner)


@post("/people/{patient_id:uuid}/restrict", of=RestrictChart, takes=Restricting, media=HTML)
async def restrict(request: Request[Any, Any, Any]) -> Response[Any]:
    """From now on it is hidden."""
    id, filled = request.path_params["patient_id"], await read_form(request)
    tried = await _asked(request, RestrictChart, filled)
    if tried.fine:
        return after(request, PATH, "added")
    return await _form(request, filled, tried, banner=await ask(request, PatientBanner(patient_id=id)))


@get(ONE, of=RestrictionOf, media=HTML)
async def restriction(request: Request[Any, Any, Any]) -> Response[Any]:
    """One restriction, to be changed or lifted."""
    shown = await _shown(request)
    held = shown.restriction
    values = {"reason": held.reason, "note": held.note, "version": str(shown.version)}
    return await _form(request, _boxes(values, held.accounts, named_only=held.named_only), shown=shown)


async def _shown(request: Request[Any, Any, Any]) -> RestrictionShown:
    found: RestrictionShown = await ask(request, RestrictionOf(patient_id=request.path_params["patient_id"]))
    return found


@post(ONE, of=ChangeRestriction, takes=Restricting, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Another reason, other people."""
    filled = await read_form(request)
    tried = await _asked(request, ChangeRestriction, filled)
    if tried.fine:
        return after(request, PATH)
    return await _form(request, filled, tried, shown=await _shown(request))


@post(f"{ONE}/lift", of=LiftRestriction, media=HTML)
async def lift(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open again to everybody whose permissions reach it."""
    filled = await read_form(request)
    wish = LiftRestriction(patient_id=request.path_params["patient_id"], note=filled.get("lift_note", "")[:2000])
    tried = await attempt(request, wish)
    return after(request, PATH, "removed") if tried.fine else await _form(request, filled, tried)


PAGES = [restricted, before, restrict, restriction, change, lift]
