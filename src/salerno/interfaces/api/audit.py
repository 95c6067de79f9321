"""Who has looked: the access log, line by line (AUD-05, AUD-06)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.audit.queries import AccessEvent, AccessEventById, AccessEvents
from salerno.interfaces.http import Paging, Request, Response, answer, ask, get, read_query
from salerno.kernel.messages import Page


class AccessEventsAsked(Paging):
    """What narrows the list down."""

    user_id: UUID | None = None
    patient_id: UUID | None = None
    category: Annotated[str, Meta(max_length=40)] | None = None
    outcome: Literal["disclosed", "nothing", "denied"] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None


class AccessEventPage(Struct, frozen=True, kw_only=True):
    events: list[AccessEvent]
    total: int
    limit: int
    offset: int


@get("/audit/events", of=AccessEvents, query=AccessEventsAsked, gives=AccessEventPage, tags=("audit",))
async def events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who has looked at what, newest first; refusals too."""
    wanted = read_query(request, AccessEventsAsked)
    query = AccessEvents(**{name: getattr(wanted, name) for name in AccessEventsAsked.__struct_fields__})
    page: Page[AccessEvent] = await ask(request, query)
    found = AccessEventPage(events=list(page.items), total=page.total, limit=page.limit, offset=page.offset)
    return answer(request, found)


@get("/audit/events/{event_id:int}", of=AccessEventById, gives=AccessEvent, tags=("audit",))
async def event(request: Request[Any, Any, Any]) -> Response[Any]:
    """One line of the access log."""
    return answer(request, await ask(request, AccessEventById(event_id=request.path_params["event_id"])))


ROUTES = [events, event]
