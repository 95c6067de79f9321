"""One place turns a refusal into an answer: RFC 9457 for programs, a fragment for htmx, a page for people."""

import html
from collections.abc import Callable, Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct, field

from salerno.interfaces.http.asgi import ASGIApp, Scope
from salerno.kernel.errors import (
    Conflict,
    Gone,
    IntegrityError,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    TooMany,
    Unavailable,
    VersionConflict,
)
from salerno.kernel.space import DiskFull

LOG = structlog.get_logger("salerno.http")

STATUS: dict[type[Refused], int] = {
    NotFound: 404,
    NotAllowed: 403,
    NotSignedIn: 401,
    VersionConflict: 409,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
    Gone: 410,
    DiskFull: 507,
    Unavailable: 503,
    IntegrityError: 500,
    Refused: 409,
}

SENTENCES = {
    400: ("bad-request", "The request could not be read."),
    401: ("not-signed-in", "Sign in first."),
    403: ("forbidden", "This is not allowed."),
    404: ("not-found", "There is no such thing, or it is not for you to see."),
    405: ("method-not-allowed", "This address does not know that method."),
    413: ("too-large", "This is larger than the address accepts."),
    415: ("unsupported-media-type", "This content type is not accepted here."),
    500: ("internal-error", "Something went wrong on our side. The administrator can find it by the request id."),
}


LONGEST_QUERY = 200  # a page is led back to with what it was asked, if that is short
WAYS = {"locked": "/locked", "reauth-required": "/confirm-identity"}


class FieldError(Struct, frozen=True, kw_only=True):
    """One mistake in what was sent. `code` is stable; `message` is plain English."""

    path: str
    pointer: str
    code: str
    message: str


class ProblemBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that is not a success (RFC 9457)."""

    type: str
    title: str
    status: int
    instance: str
    code: str
    request_id: str
    detail: str = ""
    errors: list[FieldError] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


class Problem(Exception):
    """What a door itself refuses, before any room is asked."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        errors: list[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        details: dict[str, Any] | None = None,
        title: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence
        self.errors, self.headers, self.details = errors or [], dict(headers or {}), details or {}
        self.title = title or sentence


Page: TypeAlias = Callable[["Request[Any, Any, Any]", Problem], "Response[Any] | None"]


def problem_of(refusal: Exception, *, conditional: bool = False) -> Problem:
    """`conditional` says that the request carried If-Match, which turns a lost race into 412."""
    match refusal:
        case Problem():
            return refusal
        case Refused():
            return _refused(refusal, conditional)
        case HTTPException():
            return _routed(refusal)
        case _:
            return Problem(500, *SENTENCES[500])


def _refused(refusal: Refused, conditional: bool) -> Problem:
    status = next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
    if conditional and isinstance(refusal, VersionConflict):
        status = 412
    named = refusal.errors if isinstance(refusal, Invalid) else []
    errors = [field_error(e["path"], e["code"], e["message"]) for e in named]
    headers = _headers(status, refusal.details)
    return Problem(
        status,
        refusal.code,
        str(refusal),
        errors=errors,
        headers=headers,
        details=refusal.details,
        title=type(refusal).sentence,
    )


def _routed(error: HTTPException) -> Problem:
    """Litestar's own refusals; their detail may quote internals, so only the status is kept."""
    status = error.status_code if error.status_code in SENTENCES else (400 if error.status_code < 500 else 500)
    allow = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    return Problem(status, *SENTENCES[status], headers=allow | _headers(status, {}))


def _headers(status: int, details: Mapping[str, Any]) -> dict[str, str]:
    match status:
        case 401:
            return {"WWW-Authenticate": 'Bearer realm="salerno"'}
        case 429:
            wait, policy = _seconds(details), str(details.get("policy", ""))
            name = policy.partition(";")[0]
            limited = {"RateLimit-Policy": policy, "RateLimit": f"{name};r=0;t={wait}"} if policy else {}
            return {"Retry-After": str(wait), **limited}
        case 503 | 507:
            return {"Retry-After": str(_seconds(details))}
        case _:
            return {}


def _seconds(details: Mapping[str, Any]) -> int:
    return max(1, ceil(float(details.get("retry_after", 2))))


def field_error(path: str, code: str, message: str) -> FieldError:
    """`path` is dotted (a.0.b); the pointer says the same in RFC 6901."""
    parts = path.replace("[", ".").replace("]", "").split(".") if path else []
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
    return FieldError(path=path, pointer=pointer, code=code, message=message)


def body_of(problem: Problem, request_id: str) -> ProblemBody:
    return ProblemBody(
        type=f"urn:salerno:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        instance=f"urn:salerno:request:{request_id}",
        code=problem.code,
        request_id=request_id,
        detail=problem.sentence if problem.sentence != problem.title else "",
        errors=problem.errors,
        details=_plain(problem.details),
    )


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details reach the client as JSON; what JSON does not know is left out rather than guessed."""
    plain: dict[str, Any] = {}
    for name, value in details.items():
        try:
            plain[name] = msgspec.to_builtins(value, str_keys=True)
        except (TypeError, ValueError):
            continue
    return plain


def answer_refusal(request: "Request[Any, Any, Any]", refusal: Exception) -> "Response[Any]":
    """The exception handler of every door."""
    state = request.scope["state"]
    rid = str(state.get("request_id", ""))
    if not isinstance(refusal, (Problem, Refused, HTTPException)) or isinstance(refusal, IntegrityError):
        _report(rid, refusal, aloud=request.app.state["setup"].development)
    problem = problem_of(refusal, conditional="if-match" in request.headers)
    state["problem"] = problem.code
    if request.headers.get("hx-request") == "true":
        return _fragment(request, problem, rid)
    outcome: Page | None = request.app.state.get("outcome")
    if outcome is not None and (made := outcome(request, problem)):
        return made
    return _page(request, problem) or _document(problem, rid)


def problem_answer(scope: Scope, refusal: Exception) -> ASGIApp:
    """The same answer, for the edge: before any route is known."""
    request: Request[Any, Any, Any] = Request(cast("Any", scope))
    return cast("ASGIApp", answer_refusal(request, refusal).to_asgi_response(None, request))


def _document(problem: Problem, rid: str) -> Response[bytes]:
    return Response(
        msgspec.json.encode(body_of(problem, rid)),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def _page(request: "Request[Any, Any, Any]", problem: Problem) -> "Response[Any] | None":
    if not wants_html(request):
        return None
    if problem.status == 401 and request.method in ("GET", "HEAD"):
        return Response(b"", status_code=303, headers={"Location": sign_in_path(request)}, media_type="text/html")
    if way := _way_through(request, problem):
        return Response(b"", status_code=303, headers={"Location": way}, media_type="text/html")
    page: Page | None = request.app.state.get("error_page")
    return page(request, problem) if page else None


def _fragment(request: "Request[Any, Any, Any]", problem: Problem, rid: str) -> "Response[Any]":
    """htmx swaps 4xx bodies, so it must get HTML, aimed at the toast unless a page has something better."""
    if problem.status == 401:
        headers = problem.headers | {"HX-Redirect": sign_in_path(request)}
        return Response(b"", status_code=401, media_type="text/html", headers=headers)
    if way := _way_through(request, problem):
        return Response(b"", status_code=problem.status, media_type="text/html", headers={"HX-Redirect": way})
    fragment: Page | None = request.app.state.get("error_fragment")
    made = fragment(request, problem) if fragment else None
    if made is None:
        words = [problem.sentence, *(f"{e.path}: {e.message}" for e in problem.errors)]
        text = "".join(f"<p>{html.escape(word)}</p>" for word in words) + f"<p><small>{html.escape(rid)}</small></p>"
        made = Response(text.encode(), status_code=problem.status, media_type="text/html")
    made.headers.update(problem.headers | {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    return made


def _way_through(request: "Request[Any, Any, Any]", problem: Problem) -> str:
    """The page that opens what was closed to this session, and leads back here; "" where nothing was."""
    if problem.code not in WAYS:
        return ""
    here: str = request.scope["path"]
    if request.method not in ("GET", "HEAD") and not here.endswith(("/sign", "/remove")):
        here = "/account" if here.startswith("/account") else here.rpartition("/")[0]
    elif 0 < len(query := request.scope["query_string"].decode("latin-1")) <= LONGEST_QUERY:
        here = f"{here}?{query}"
    return f"{WAYS[problem.code]}?next={quote(here)}"


def wants_html(request: "Request[Any, Any, Any]") -> bool:
    """Browsers name text/html first; programs name JSON, anything, or nothing."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not accepted.startswith("application/")


def sign_in_path(request: "Request[Any, Any, Any]") -> str:
    path: str = request.scope["path"]
    if request.headers.get("hx-request") == "true" or path == "/":
        return "/sign-in"
    return f"/sign-in?next={quote(path)}"


def _report(rid: str, error: Exception, *, aloud: bool) -> None:
    """Type and frames only: the text of an exception may hold a name. In development nobody is real: also the text."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    said = {"text": str(error)} if aloud else {}
    LOG.error("failed", request_id=rid, kind=type(error).__qualname__, frames=frames[-12:], **said)


def reason(status: int) -> str:
    return HTTPStatus(status).phrase
