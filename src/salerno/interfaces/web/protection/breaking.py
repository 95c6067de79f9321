"""Breaking the glass: a form that says nothing before it is complete, and the end of it."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.protection.commands import BreakGlass, EndBreakGlass
from salerno.contexts.protection.events import WhyBroken
from salerno.contexts.protection.queries import MyBreakGlass, OpenGlass
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
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.patients.forms import errors_of
from salerno.interfaces.web.rights import require
from salerno.kernel.errors import Conflict, Invalid, NotFound

HTML = "text/html"
REASONS = ("emergency", "care", "legal", "other")
LENGTHS = (15, 30, 60, 120, 240)  # minutes
ASKED = {("explanation", "too-short"): "explain-longer", ("identifier", "missing"): "name-the-chart"}


class Breaking(Body):
    """The form. `identifier` where the chart is not the one of the address."""

    reason: WhyBroken
    explanation: Annotated[str, Meta(max_length=2000)] = ""
    minutes: Annotated[int, Meta(ge=5, le=240)] = 60
    identifier: Annotated[str, Meta(max_length=120)] = ""


@get("/glass", of=BreakGlass, media=HTML)
async def by_number(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form for a chart of which one has the number."""
    require(request, BreakGlass)
    return _form(request, Filled(), ())


@get("/chart/{patient_id:uuid}/break-glass", of=BreakGlass, media=HTML)
async def by_chart(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form for the chart of this address, whether there is one or not."""
    require(request, BreakGlass)
    return _form(request, Filled(), (), request.path_params["patient_id"])


def _form(
    request: Request[Any, Any, Any], filled: Filled, errors: Sequence[FieldError], chart: UUID | None = None
) -> Response[Any]:
    return render(
        request, "protection/break.html", status=422 if errors else 200, values=filled, errors=list(errors),
        chart=chart, reasons=REASONS, lengths=LENGTHS,
    )  # fmt: skip


@post("/glass", of=BreakGlass, takes=Breaking, media=HTML)
async def break_by_number(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open the chart with this number, and go there."""
    return await _break(request, None)


@post("/chart/{patient_id:uuid}/break-glass", of=BreakGlass, takes=Breaking, media=HTML)
async def break_by_chart(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open the chart, and go there."""
    return await _break(request, request.path_params["patient_id"])


async def _break(request: Request[Any, Any, Any], chart: UUID | None) -> Response[Any]:
    filled = await read_form(request)
    wanted, mistakes = from_form(Breaking, filled)
    if wanted is None:
        return _form(request, filled, mistakes, chart)
    wish = BreakGlass(
        reason=wanted.reason,
        explanation=wanted.explanation,
        minutes=wanted.minutes,
        patient_id=chart,
        identifier="" if chart else wanted.identifier,
    )
    try:
        receipt = await submit(request, wish)
    except NotFound as refused:
        return _form(request, filled, [field_error("identifier", refused.code, str(refused))], chart)
    except (Invalid, Conflict) as refused:
        told = errors_of(refused)
        return _form(
            request, filled, [field_error(e.path, ASKED.get((e.path, e.code), e.code), e.message) for e in told], chart
        )
    mine: list[OpenGlass] = await ask(request, MyBreakGlass())
    opened = chart or next(one.patient_id for one in mine if one.glass == receipt.aggregate_id)
    return go_to(request, f"/chart/{opened}")


@post("/glass/{glass_id:uuid}/end", of=EndBreakGlass, media=HTML)
async def end(request: Request[Any, Any, Any]) -> Response[Any]:
    """Close it again, before its time."""
    await submit(request, EndBreakGlass(glass_id=request.path_params["glass_id"]))
    return go_to(request, "/people")


PAGES = [by_number, by_chart, break_by_number, break_by_chart, end]
