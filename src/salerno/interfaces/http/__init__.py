"""What the doors share: the edge, strict reading, problem answers, routes. A door's module imports from here."""

from litestar import Request, Response

from salerno.interfaces.http.bodies import Body, Filled, Paging, from_form, invalid, read_body, read_form, read_query
from salerno.interfaces.http.headers import CLEAR, nonce_of
from salerno.interfaces.http.problems import FieldError, Problem, ProblemBody
from salerno.interfaces.http.redirects import safe_path
from salerno.interfaces.http.requests import (
    answer,
    ask,
    bus_of,
    caller_of,
    caller_or_nobody,
    etag_of,
    expected_version,
    idempotency_key,
    no_content,
    required_version,
    session_of,
    submit,
    submit_and_ask,
)
from salerno.interfaces.http.routes import Door, Route, delete, get, patch, post, put
from salerno.interfaces.http.sessions import COOKIE, Found, Sessions
from salerno.kernel.bus import Bus

__all__ = [
    "CLEAR",
    "COOKIE",
    "Body",
    "Bus",
    "Door",
    "FieldError",
    "Filled",
    "Found",
    "Paging",
    "Problem",
    "ProblemBody",
    "Request",
    "Response",
    "Route",
    "Sessions",
    "answer",
    "ask",
    "bus_of",
    "caller_of",
    "caller_or_nobody",
    "delete",
    "etag_of",
    "expected_version",
    "from_form",
    "get",
    "idempotency_key",
    "invalid",
    "no_content",
    "nonce_of",
    "patch",
    "post",
    "put",
    "read_body",
    "read_form",
    "read_query",
    "required_version",
    "safe_path",
    "session_of",
    "submit",
    "submit_and_ask",
]
