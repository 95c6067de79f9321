"""One way to save a form: refusals become words beside the fields, and somebody else's change is explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.interfaces.http import (
    FieldError,
    Filled,
    Request,
    Response,
    bus_of,
    caller_of,
    from_form,
)
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.navigation import sections_of
from salerno.interfaces.web.pages import go_to, reader_of, render
from salerno.kernel.errors import Conflict, Invalid, NotAllowed, Refused, VersionConflict
from salerno.kernel.messages import Command

Version = Annotated[int, Meta(ge=0)]
EXPECTED = (Conflict, Invalid)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How saving went. `theirs` are the fields that somebody else changed meanwhile, with what they say now."""

    said: str = ""
    errors: Sequence[FieldError] = ()
    status: int = 200
    clash: bool = False
    id: UUID | None = None
    theirs: Mapping[str, str] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        return self.status == 200


FRESH = Attempt()


async def attempt(request: Request[Any, Any, Any], command: Command, version: int | None = None) -> Attempt:
    """Ask the bus; what a person can mend comes back as words, anything else is answered by its own page."""
    try:
        receipt = await bus_of(request).handle(command, caller_of(request), expected_version=version)
    except VersionConflict:
        return Attempt(status=409, clash=True)
    except (*EXPECTED, NotAllowed) as refusal:
        return _refused(refusal)
    return Attempt(id=receipt.aggregate_id)


def _refused(refusal: Refused) -> Attempt:
    problem = problem_of(refusal)
    return Attempt(said="" if problem.errors else problem.code, errors=problem.errors, status=problem.status)


def wrong(errors: Sequence[FieldError]) -> Attempt:
    """The form itself could not be read."""
    return Attempt(errors=errors, status=422)


def flat(value: Any, before: str = "") -> dict[str, str]:
    """A struct or mapping as a form shows it: `address.city` is a field of a field."""
    shown: dict[str, str] = {}
    items = value.items() if isinstance(value, dict) else ((n, getattr(value, n)) for n in value.__struct_fields__)
    for name, inner in items:
        path = f"{before}{name}"
        if isinstance(inner, dict) or hasattr(inner, "__struct_fields__"):
            shown |= flat(inner, f"{path}.")
        elif not isinstance(inner, (tuple, list)):
            shown[path] = "" if inner is None else str(inner)
    return shown


def clash(filled: Mapping[str, str], now: Mapping[str, str]) -> Attempt:
    """Somebody else saved first: which fields say something else now than what was typed here."""
    theirs = {name: now[name] for name, typed in filled.items() if name in now and now[name] != typed}
    return Attempt(status=409, clash=True, theirs=theirs)


def page(request: Request[Any, Any, Any], tab: str, template: str, tried: Attempt = FRESH, **context: Any) -> Any:
    """A page of the settings, beside the list of all of them."""
    done = request.query_params.get("done", "") if request.method == "GET" else ""
    shown = {"done": done, "tried": tried, "errors": tried.errors, "tab": f"/settings/{tab}", **context}
    sections = sections_of(reader_of(request))
    return render(request, f"settings/{template}.html", status=tried.status, sections=sections, **shown)


def after(request: Request[Any, Any, Any], path: str, done: str = "saved") -> Response[Any]:
    return go_to(request, f"{path}?done={done}")


def read(shape: Any, filled: Filled) -> tuple[Any, Sequence[FieldError]]:
    """A form without its version, which travels beside what was typed."""
    return from_form(shape, filled)


def id_in(request: Request[Any, Any, Any], name: str) -> UUID:
    return UUID(str(request.path_params[name]))
