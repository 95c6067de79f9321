"""What people see when something is refused: a page of its own, or a toast over the page they are on."""

from typing import Any

from salerno.interfaces.http import Problem, Request, Response
from salerno.interfaces.web.pages import render

PICTURES = {401: "lock", 403: "lock", 404: "map-off", 410: "map-off", 429: "clock", 503: "plug-off"}


def error_page(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    return _with(
        problem,
        render(
            request, "error.html", status=problem.status, problem=problem, picture=_picture(problem),
            break_glass=_way_in(request),
        ),
    )  # fmt: skip


def _way_in(request: Request[Any, Any, Any]) -> str:
    """Where the glass of a restricted chart is broken: of the one that the address names, or by a number."""
    patient = request.scope.get("path_params", {}).get("patient_id")  # none yet, where the edge refused
    return f"/chart/{patient}/break-glass" if patient else "/glass"


def error_fragment(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    return _with(problem, render(request, "parts/refusal.html", status=problem.status, problem=problem))


def _with(problem: Problem, page: Response[Any]) -> Response[Any]:
    page.headers.update(problem.headers)
    return page


def _picture(problem: Problem) -> str:
    return PICTURES.get(problem.status, "alert-triangle")
