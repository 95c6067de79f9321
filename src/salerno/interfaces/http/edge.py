"""The layer around the router: it sees every request, also those that match no route."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from salerno.interfaces.http.answering import Answering
from salerno.interfaces.http.asgi import ASGIApp, Message, Receive, Scope, Send
from salerno.interfaces.http.forwarded import Proxies
from salerno.interfaces.http.limits import ANONYMOUS, PROBE, SIGNED_IN, Limiting
from salerno.interfaces.http.observing import AccessLog, Latencies, Line
from salerno.interfaces.http.origin import SAFE, from_elsewhere, is_form, token_in_form, token_in_header
from salerno.interfaces.http.problems import Problem, problem_answer
from salerno.interfaces.http.routes import FHIR
from salerno.interfaces.http.sessions import COOKIE, Found, Sessions
from salerno.kernel.addresses import place_of
from salerno.kernel.clock import Clock, stopwatch
from salerno.kernel.errors import Refused

NEEDED = frozenset(
    {
        b"accept-encoding", b"authorization", b"content-length", b"content-type", b"cookie", b"host", b"origin",
        b"sec-fetch-site", b"x-background", b"x-csrf-token", b"x-request-id",
    }
)  # fmt: skip
REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LIVE = "/live"  # EventSource cannot send a header, and a stream is no sign of a person
PROGRAMS = frozenset(  # no cookie counts there
    {"/token", "/par", "/introspect", "/revoke", "/device_authorization", "/register"}
)
SIGN_OUTS = "/sign-in/out/"  # where other providers say that somebody has signed out there
WAY_IN = "/authorize"  # by POST it comes from other sites' forms: it is nobody's until the browser comes by GET
PROBES = frozenset({"/livez", "/readyz", "/health", "/health/live", "/health/ready"})
USERINFO = "/userinfo"
COOKIE_NAME = COOKIE.encode() + b"="
CORS_HEADERS = b"authorization, content-type, if-match, if-none-match, idempotency-key, x-request-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this installation's edge behaves."""

    max_form: int = 131_072
    proxies: Proxies = Proxies()
    hosts: frozenset[str] = frozenset()
    cross_origins: frozenset[str] = frozenset()
    development: str = ""


class Edge:
    """Request id, address, host, origin, session, token, limits; then the router; then headers, metrics, one line."""

    def __init__(
        self, inner: ASGIApp, sessions: Sessions, limits: Limiting, clock: Clock, log: AccessLog, rules: Rules
    ) -> None:
        self.inner, self.sessions, self.limits = inner, sessions, limits
        self.clock, self.log, self.rules = clock, log, rules
        self.latencies = Latencies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": None})
            return
        started, method = stopwatch(), scope["method"]
        headers = {name: value for name, value in scope["headers"] if name in NEEDED}
        scope["state"] = {"request_id": _request_id(headers), "address": self._address(scope)}
        answer = Answering(
            send, scope, headers.get(b"accept-encoding", b""), self._cors(scope, headers), self.rules.development
        )
        try:
            await self._pass(scope, headers, receive, answer)
        finally:
            self._observe(scope, method, answer.status, stopwatch() - started)

    def _observe(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = str(scope.get("path_template") or "unmatched")
        shown = method if method in METHODS else "other"
        self.latencies.observe(route, shown, status, seconds)
        state = scope["state"]
        at, ms = self.clock.now().isoformat(), round(seconds * 1000, 3)
        self.log.write(Line(at, state["request_id"], shown, route, status, ms, state.get("problem", "")))

    async def _pass(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, answer: Answering) -> None:
        if self._is_preflight(scope, headers):
            await _nothing(answer)
            return
        try:
            self._check_shape(scope, headers)
            await self._recognise(scope, headers)
            await self._limit(scope)
            receive = await self._check_origin(scope, headers, receive)
        except (Problem, Refused) as refusal:
            await problem_answer(scope, refusal)(scope, receive, answer)
            return
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
            answer.without_body()
        await self.inner(scope, receive, answer)

    def _check_shape(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            raise Problem(400, "bad-host", "The Host header is missing or malformed.")
        name = hosts[0].decode().rpartition(":")[0] if hosts[0].rpartition(b":")[2].isdigit() else hosts[0].decode()
        if self.rules.hosts and name not in self.rules.hosts:
            raise Problem(421, "misdirected", "This installation does not answer under that name.")
        if scope["method"] not in METHODS:
            raise Problem(405, "method-not-allowed", "This address does not know that method.")
        if not headers.get(b"content-length", b"0").isdigit():
            raise Problem(400, "bad-length", "The Content-Length header is malformed.")

    async def _recognise(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        found: Found | None = None
        if bearer := _bearer(headers):
            found = _if_meant_for(scope["path"], await self.sessions.caller_by_bearer(bearer))
        elif not _is_nobodys(scope) and (token := _cookie(headers)):
            background = b"x-background" in headers or scope["path"] == LIVE
            found = await self.sessions.caller_by_cookie(token, user_initiated=not background)
            scope["state"]["cookie"] = token
        if found is None:
            return
        state = scope["state"]
        caller = msgspec.structs.replace(found.caller, address=state["address"], request=state["request_id"])
        state["session"] = msgspec.structs.replace(found, caller=caller)

    async def _limit(self, scope: Scope) -> None:
        state = scope["state"]
        found: Found | None = state.get("session")
        if scope["path"] in PROBES:
            await self.limits.take(PROBE, place_of(state["address"]))
        elif found is not None:
            await self.limits.take(SIGNED_IN, found.caller.actor.hex)
        else:
            await self.limits.take(ANONYMOUS, place_of(state["address"]))

    async def _check_origin(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """A browser's change must come from our own pages; one with a session must also carry its token."""
        if scope["method"] in SAFE or b"authorization" in headers or _is_nobodys(scope):
            return receive
        if from_elsewhere(headers):
            raise Problem(403, "cross-origin", "This request came from another site.")
        found: Found | None = scope["state"].get("session")
        if found is None:
            return receive
        in_header = token_in_header(headers, found)
        if in_header is None and is_form(headers):
            body = await _whole_body(receive, self.rules.max_form)
            in_header, receive = token_in_form(body, found), _replay(body, receive)
        if not in_header:
            raise Problem(403, "csrf", "This page is too old or was not ours. Reload it and try again.")
        return receive

    def _address(self, scope: Scope) -> str:
        client = scope.get("client")
        return self.rules.proxies.client_of(client[0] if client else "", scope["headers"])

    def _cors(self, scope: Scope, headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Named origins may call the API with a bearer token; cookies never cross."""
        if not self.rules.cross_origins or scope["path"].startswith("/authorize"):
            return []
        vary = [(b"vary", b"Origin")]
        if headers.get(b"origin", b"").decode("latin-1") not in self.rules.cross_origins:
            return vary
        exposed = (
            b"access-control-expose-headers",
            b"etag, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
        )
        return [*vary, (b"access-control-allow-origin", headers[b"origin"]), exposed]

    def _is_preflight(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        return scope["method"] == "OPTIONS" and bool(self.rules.cross_origins) and b"origin" in headers


def _is_nobodys(scope: Scope) -> bool:
    """Whether no cookie counts for this request, so that no other site can use somebody's."""
    path: str = scope["path"]
    return path in PROGRAMS or path.startswith(SIGN_OUTS) or (path == WAY_IN and scope["method"] == "POST")


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def _bearer(headers: Mapping[bytes, bytes]) -> str:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" and len(token) <= 8192 else ""


def _if_meant_for(path: str, found: Found | None) -> Found | None:
    """A program's token opens the one interface that it was made for, and its owner's claims; nothing else.

    The token of somebody who signed in with a password has no scopes: it is theirs for both interfaces.
    """
    if found is None or path == USERINFO:
        return found
    here = path == FHIR or path.startswith(f"{FHIR}/")
    meant = found.audience.endswith(FHIR)
    return found if here == meant or (here and not found.scopes) else None


def _cookie(headers: Mapping[bytes, bytes]) -> str:
    for part in headers.get(b"cookie", b"").split(b";"):
        if (part := part.strip()).startswith(COOKIE_NAME):
            token = part[len(COOKIE_NAME) :]
            return token.decode("ascii") if len(token) <= 128 and token.isascii() else ""
    return ""


async def _whole_body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "incomplete", "The request ended early.")
        body += message["body"]
        if len(body) > limit:
            raise Problem(413, "too-large", "This is larger than the address accepts.")
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _nothing(answer: Answering) -> None:
    allowed = [
        (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
        (b"access-control-allow-headers", CORS_HEADERS),
        (b"access-control-max-age", b"600"),
    ]
    await answer({"type": "http.response.start", "status": 204, "headers": allowed})
    await answer({"type": "http.response.body", "body": b"", "more_body": False})
