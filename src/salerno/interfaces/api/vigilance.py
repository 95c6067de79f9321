"""Alerts on unusual access: for whoever reviews them, and for everybody those about themselves (SEC-21)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.events import Kind, Outcome
from salerno.contexts.vigilance.queries import AlertById, AlertLine, Alerts, MyAlerts
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    get,
    post,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Page

TAGS = ("vigilance",)


class AlertsAsked(Paging):
    """What narrows the list down."""

    status: Literal["open", "reviewed"] | None = None
    kind: Kind | None = None
    account_id: UUID | None = None


class Review(Body):
    """What the alert was; `followed-up` needs a note of what was done."""

    outcome: Outcome
    note: Annotated[str, Meta(max_length=2000)] = ""


class AlertPage(Struct, frozen=True, kw_only=True):
    alerts: Sequence[AlertLine]
    total: int
    limit: int
    offset: int


class OwnAlerts(Struct, frozen=True, kw_only=True):
    alerts: Sequence[AlertLine]


@get("/alerts", of=Alerts, query=AlertsAsked, gives=AlertPage, tags=TAGS)
async def alerts(request: Request[Any, Any, Any]) -> Response[Any]:
    """Alerts on unusual access, newest first."""
    wanted = read_query(request, AlertsAsked)
    query = Alerts(**{name: getattr(wanted, name) for name in AlertsAsked.__struct_fields__})
    page: Page[AlertLine] = await ask(request, query)
    return answer(request, AlertPage(alerts=page.items, total=page.total, limit=page.limit, offset=page.offset))


async def _shown(request: Request[Any, Any, Any]) -> Response[Any]:
    line: AlertLine = await ask(request, AlertById(alert_id=request.path_params["alert_id"]))
    return answer(request, line, etag=line.version)


@get("/alerts/{alert_id:uuid}", of=AlertById, gives=AlertLine, tags=TAGS)
async def alert(request: Request[Any, Any, Any]) -> Response[Any]:
    """One alert, with its cause and what came of it."""
    return await _shown(request)


@post("/alerts/{alert_id:uuid}/review", of=ReviewAlert, takes=Review, gives=AlertLine, tags=TAGS)
async def review(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say what it was. Nobody reviews an alert about themselves."""
    body = await read_body(request, Review)
    wish = ReviewAlert(alert_id=request.path_params["alert_id"], outcome=body.outcome, note=body.note)
    await submit(request, wish)
    return await _shown(request)


@get("/users/me/alerts", of=MyAlerts, gives=OwnAlerts, tags=TAGS)
async def my_alerts(request: Request[Any, Any, Any]) -> Response[Any]:
    """The alerts about oneself, newest first."""
    return answer(request, OwnAlerts(alerts=await ask(request, MyAlerts())))


ROUTES = [alerts, alert, review, my_alerts]
