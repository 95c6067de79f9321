"""Restricted charts and break-glass over REST."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from salerno.contexts.protection.commands import (
    Accounts,
    BreakGlass,
    ChangeRestriction,
    EndBreakGlass,
    LiftRestriction,
    Note,
    RestrictChart,
    ReviewBreakGlass,
)
from salerno.contexts.protection.events import Outcome, WhyRestricted
from salerno.contexts.protection.queries import (
    BreakGlassById,
    BreakGlassList,
    GlassShown,
    MyBreakGlass,
    OpenGlass,
    RestrictedCharts,
    RestrictionOf,
    RestrictionShown,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    patch,
    post,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Receipt

PATIENT, GLASS = "{patient_id:uuid}", "{glass_id:uuid}"
TAGS = ("protection",)
WHO = "019a7f3c-5b00-7000-8000-000000000002"


class Restricting(Body):
    """Why a chart is restricted and to whom it stays open; `named_only` leaves out who has the patient in care."""

    reason: WhyRestricted
    note: Note = ""
    accounts: Accounts = ()
    named_only: bool = False


class Changing(Body):
    """What is not named stays."""

    reason: WhyRestricted | None = None
    note: Note | None = None
    accounts: Accounts | None = None
    named_only: bool | None = None


class Reviewing(Body):
    outcome: Outcome
    note: Note = ""


class Listing(Paging):
    status: Annotated[Literal["waiting", "reviewed"] | None, Meta(description="All of them where it is absent.")] = None


class RestrictionList(Struct, frozen=True, kw_only=True):
    restrictions: Sequence[RestrictionShown]
    total: int
    limit: int
    offset: int


class GlassList(Struct, frozen=True, kw_only=True):
    break_glass: Sequence[GlassShown]
    total: int
    limit: int
    offset: int


class OpenGlasses(Struct, frozen=True, kw_only=True):
    open: Sequence[OpenGlass]


def _patient(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["patient_id"]))


def _glass(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["glass_id"]))


@get("/restricted-charts", of=RestrictedCharts, query=Paging, gives=RestrictionList, tags=TAGS)
async def restricted(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every restricted chart, the newest first."""
    wanted = read_query(request, Paging)
    page = await ask(request, RestrictedCharts(limit=wanted.limit, offset=wanted.offset))
    found = RestrictionList(restrictions=page.items, total=page.total, limit=page.limit, offset=page.offset)
    return answer(request, found)


@get(f"/patients/{PATIENT}/restriction", of=RestrictionOf, gives=RestrictionShown, tags=TAGS)
async def restriction(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why this chart is restricted, and to whom it is open."""
    shown = await ask(request, RestrictionOf(patient_id=_patient(request)))
    return answer(request, shown, etag=shown.version)


@post(
    f"/patients/{PATIENT}/restriction",
    of=RestrictChart,
    takes=Restricting,
    gives=Receipt,
    status=201,
    tags=TAGS,
    example={"reason": "staff", "note": "Works on the second floor", "accounts": [WHO]},
)
async def restrict(request: Request[Any, Any, Any]) -> Response[Any]:
    """Hide this chart from everybody but whom it is left open to."""
    body = await read_body(request, Restricting)
    return answer(request, await submit(request, RestrictChart(patient_id=_patient(request), **asdict(body))), 201)


@patch(
    f"/patients/{PATIENT}/restriction",
    of=ChangeRestriction,
    takes=Changing,
    gives=Receipt,
    tags=TAGS,
    example={"accounts": [WHO], "named_only": True},
)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Another reason, other people."""
    body = await read_body(request, Changing)
    return answer(request, await submit(request, ChangeRestriction(patient_id=_patient(request), **asdict(body))))


@delete(f"/patients/{PATIENT}/restriction", of=LiftRestriction, gives=Receipt, tags=TAGS)
async def lift(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open the chart again to everybody whose permissions reach it."""
    return answer(request, await submit(request, LiftRestriction(patient_id=_patient(request))))


@get("/break-glass", of=BreakGlassList, query=Listing, gives=GlassList, tags=TAGS)
async def glasses(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every breaking of the glass, the newest first, for the privacy officer."""
    wanted = read_query(request, Listing)
    page = await ask(request, BreakGlassList(status=wanted.status, limit=wanted.limit, offset=wanted.offset))
    found = GlassList(break_glass=page.items, total=page.total, limit=page.limit, offset=page.offset)
    return answer(request, found)


@post(
    "/break-glass",
    of=BreakGlass,
    takes=BreakGlass,
    gives=Receipt,
    status=201,
    tags=TAGS,
    example={
        "identifier": "MRN-2026-000017",
        "reason": "emergency",
        "explanation": "Unconscious on arrival, allergies needed.",
        "minutes": 60,
    },
)
async def break_glass(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open one chart to oneself for some minutes. GET /break-glass/mine tells which chart that is."""
    return answer(request, await submit(request, await read_body(request, BreakGlass)), 201)


@get("/break-glass/mine", of=MyBreakGlass, gives=OpenGlasses, tags=TAGS)
async def mine(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the caller has open by break-glass just now."""
    return answer(request, OpenGlasses(open=await ask(request, MyBreakGlass())))


@get(f"/break-glass/{GLASS}", of=BreakGlassById, gives=GlassShown, tags=TAGS)
async def glass(request: Request[Any, Any, Any]) -> Response[Any]:
    """One breaking of the glass."""
    shown = await ask(request, BreakGlassById(glass_id=_glass(request)))
    return answer(request, shown, etag=shown.version)


@post(f"/break-glass/{GLASS}/end", of=EndBreakGlass, gives=Receipt, tags=TAGS)
async def end(request: Request[Any, Any, Any]) -> Response[Any]:
    """Close it again before its time. Once closed, asking again changes nothing."""
    return answer(request, await submit(request, EndBreakGlass(glass_id=_glass(request))))


@post(
    f"/break-glass/{GLASS}/review",
    of=ReviewBreakGlass,
    takes=Reviewing,
    gives=Receipt,
    tags=TAGS,
    example={"outcome": "justified", "note": "Seen with the ward's chief"},
)
async def review(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say whether it was justified. Nobody reviews their own."""
    body = await read_body(request, Reviewing)
    wish = ReviewBreakGlass(glass_id=_glass(request), outcome=body.outcome, note=body.note)
    return answer(request, await submit(request, wish))


ROUTES = [restricted, restriction, restrict, change, lift, glasses, break_glass, mine, glass, end, review]
