"""Whether a message would be granted, so that a page leaves out what its reader could not use. The bus decides."""

from typing import Any
from uuid import UUID

from salerno.interfaces.http import Request, bus_of, caller_of
from salerno.kernel.errors import NotAllowed
from salerno.kernel.messages import Command, Query
from salerno.kernel.wards import reach_of


def may(request: Request[Any, Any, Any], message: type[Command] | type[Query], patient: UUID | None = None) -> bool:
    """Whether this reader may send such a message; about this patient, where the right reaches the own chart only."""
    caller, needs = caller_of(request), bus_of(request).needs(message)
    reach = reach_of(needs.permission, caller, own=needs.own)
    if reach is None or reach.everybody or reach.conditions:
        return reach is not None
    return patient is not None and patient == caller.subject


def require(request: Request[Any, Any, Any], message: type[Command] | type[Query], patient: UUID | None = None) -> None:
    """For pages that ask nothing themselves, such as an empty form."""
    if not may(request, message, patient):
        raise NotAllowed()
