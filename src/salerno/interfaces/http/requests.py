"""What a route asks of its request, and how it answers: caller, bus, versions, receipts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response

from salerno.interfaces.http.problems import Problem
from salerno.interfaces.http.sessions import NOBODY, Found
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import Caller, Command, Options, Query, Receipt

KEY = re.compile(r"[\x21-\x7e]{1,200}")
TAG = re.compile(r'"(\d{1,18})"')
ENCODER = msgspec.json.Encoder(decimal_format="number")  # a number keeps its digits: 0.10 stays 0.10


def bus_of(request: "Request[Any, Any, Any]") -> Bus:
    bus: Bus = request.app.state["bus"]
    return bus


def session_of(request: "Request[Any, Any, Any]") -> Found | None:
    found: Found | None = request.scope["state"].get("session")
    return found


def caller_of(request: "Request[Any, Any, Any]") -> Caller:
    """Who asks. Raises NotSignedIn where nobody is."""
    found = session_of(request)
    if found is None:
        raise NotSignedIn
    return found.caller


def caller_or_nobody(request: "Request[Any, Any, Any]") -> Caller:
    """Who asks, or an anonymous caller without permissions: for sign-in, sign-up and the like."""
    found = session_of(request)
    if found is not None:
        return found.caller
    state = request.scope["state"]
    return msgspec.structs.replace(NOBODY, address=state.get("address", ""), request=state.get("request_id", ""))


async def ask(request: "Request[Any, Any, Any]", query: Query) -> Any:
    return await bus_of(request).ask(query, caller_of(request))


async def submit(request: "Request[Any, Any, Any]", command: Command, *, conditional: bool = False) -> Receipt:
    """Hand a command to the bus with the request's If-Match and Idempotency-Key.

    `conditional` demands If-Match (428 without it): for changes to one thing that a person has looked at.
    """
    expected = required_version(request) if conditional else expected_version(request)
    return await bus_of(request).handle(
        command, caller_of(request), expected_version=expected, idempotency_key=idempotency_key(request)
    )


async def submit_and_ask(
    request: "Request[Any, Any, Any]", command: Command, show: Callable[[Receipt], Query]
) -> tuple[Receipt, Any]:
    """Hand a command to the bus, and ask at once for what came of it."""
    options = Options(expected_version=expected_version(request), idempotency_key=idempotency_key(request))
    return await bus_of(request).handle_and_show(command, caller_of(request), options, show)


def idempotency_key(request: "Request[Any, Any, Any]") -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        raise Problem(400, "bad-idempotency-key", "Idempotency-Key is 1 to 200 visible ASCII characters.")
    return key


def etag_of(version: int) -> str:
    return f'"{version}"'


def expected_version(request: "Request[Any, Any, Any]") -> int | None:
    """The version in If-Match; None when it is absent or `*`. Weak or foreign tags never match (412)."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = TAG.fullmatch(given.strip())
    if found is None:
        raise Problem(412, "precondition-failed", "If-Match does not name a version of this resource.")
    return int(found[1])


def required_version(request: "Request[Any, Any, Any]") -> int | None:
    if "if-match" not in request.headers:
        raise Problem(428, "precondition-required", "Send If-Match with the ETag of what you have read.")
    return expected_version(request)


def answer(
    request: "Request[Any, Any, Any]",
    value: Any,
    status: int = 200,
    etag: int | None = None,
    location: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> "Response[Any]":
    """A value as JSON. With `etag` (a version) the answer carries it and honours If-None-Match."""
    extra = dict(headers or {})
    if etag is not None:
        extra["ETag"] = etag_of(etag)
        if request.method in ("GET", "HEAD") and _unchanged(request, extra["ETag"]):
            return Response(b"", status_code=304, headers=extra, media_type="application/json")
    if location is not None:
        extra["Location"] = location
    return Response(ENCODER.encode(value), status_code=status, headers=extra, media_type="application/json")


def no_content() -> "Response[Any]":
    return Response(b"", status_code=204)


def _unchanged(request: "Request[Any, Any, Any]", tag: str) -> bool:
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in given.split(",")}
