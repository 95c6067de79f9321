"""That the chart of a page is open by break-glass: what every page about a patient says above it."""

import dataclasses
from typing import Any
from uuid import UUID

from salerno.contexts.protection.queries import MyBreakGlass, OpenGlass
from salerno.interfaces.http import Request, Response, Route, ask, bus_of, session_of

OF_A_PATIENT = "{patient_id:uuid}"


async def show_glass(request: Request[Any, Any, Any], patient: UUID) -> None:
    """Have the page say that this chart is open by break-glass, where it is. A look into memory where it is not."""
    found = session_of(request)
    if found is None or patient not in await bus_of(request).permits.wards.opened_by(found.caller):
        return
    mine: list[OpenGlass] = await ask(request, MyBreakGlass(patient_id=patient))
    request.scope["state"]["glass"] = mine[0] if mine else None


def with_glass(page: Route) -> Route:
    """A page whose address names a patient says so by itself; others say it where they find out whose they are."""
    if page.method != "GET" or OF_A_PATIENT not in page.path:
        return page

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        await show_glass(request, request.path_params["patient_id"])
        return await page.handle(request)

    return dataclasses.replace(page, handle=handle)
