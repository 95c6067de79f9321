"""A refusal as an OperationOutcome (https://hl7.org/fhir/R4/operationoutcome.html)."""

from typing import Any

import msgspec

from salerno.interfaces.fhir.served.resources import MEDIA, Json, without_empty
from salerno.interfaces.http import Problem, Request, Response
from salerno.interfaces.http.routes import FHIR

KINDS = {
    400: "structure", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    409: "conflict", 410: "deleted", 412: "conflict", 413: "too-long", 415: "not-supported", 422: "invalid",
    429: "throttled", 503: "transient", 507: "no-store",
}  # fmt: skip
OURS = "urn:salerno:problem"


def outcome(request: "Request[Any, Any, Any]", problem: Problem) -> "Response[Any] | None":
    """The answer to a refused FHIR request; None where the request was none."""
    if not request.scope["path"].startswith(f"{FHIR}/"):
        return None
    made = {"resourceType": "OperationOutcome", "issue": _issues(problem)}
    return Response(
        msgspec.json.encode(made), status_code=problem.status, headers=dict(problem.headers), media_type=MEDIA
    )


def _issues(problem: Problem) -> list[Json]:
    kind = KINDS.get(problem.status, "exception")
    coded = {"coding": [{"system": OURS, "code": problem.code}], "text": problem.sentence}
    first: Json = {"severity": "error", "code": kind, "details": coded}
    named = [
        {"severity": "error", "code": "value", "diagnostics": error.message, "expression": [error.path]}
        for error in problem.errors
    ]
    issues: list[Json] = without_empty([first, *named])
    return issues
