"""What the small forms of a chart share: whose it is, the entry of the address, the form again, the way back."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.patients.queries import PatientBanner
from salerno.interfaces.http import (
    Body,
    FieldError,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
)
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.patients.forms import Blank, errors_of, version_in
from salerno.interfaces.web.rights import require
from salerno.kernel.errors import Conflict, Invalid, NotFound
from salerno.kernel.messages import Command

HTML = "text/html"
CHART = "/chart/{patient_id:uuid}"
ENTRY = "{entry_id:uuid}"
Said = Annotated[str, Meta(max_length=1_000)]


class Withdrawal(Body):
    """Why something was an error."""

    reason: Annotated[str, Meta(min_length=3, max_length=2_000)]
    version: int | None = None


def patient_of(request: Request[Any, Any, Any]) -> UUID:
    id: UUID = request.path_params["patient_id"]
    return id


def one_of(request: Request[Any, Any, Any], entries: Any) -> Any:
    """The entry of the address, if it is one of this chart's."""
    wanted = request.path_params["entry_id"]
    found = next((one for one in entries if one.id == wanted), None)
    if found is None:
        raise NotFound()
    return found


async def form(
    request: Request[Any, Any, Any],
    message: type[Command],
    template: str,
    values: Mapping[str, Any],
    errors: list[FieldError],
    *,
    status: int = 422,
    entry: Any = None,
) -> Response[Any]:
    require(request, message)
    banner = await ask(request, PatientBanner(patient_id=patient_of(request)))
    return render(
        request,
        f"chart/{template}.html",
        status=status,
        banner=banner,
        values=Blank(values),
        errors=errors,
        entry=entry,
    )


async def write(
    request: Request[Any, Any, Any],
    wish: Command,
    back: str,
    template: str,
    filled: Filled,
    entry: Any = None,
) -> Response[Any]:
    """Hand it to the bus; what was read is named, so that nobody overwrites what they have not seen."""
    expected = version_in(filled) if entry is not None else None
    try:
        await bus_of(request).handle(wish, caller_of(request), expected_version=expected)
    except (Invalid, Conflict) as refused:
        return await form(request, type(wish), template, filled, errors_of(refused), entry=entry)
    return go_to(request, f"/chart/{patient_of(request)}/{back}")
