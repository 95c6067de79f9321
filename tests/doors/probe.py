"""A small application with the real edge: routes that show what the edge, the readers and the answers do."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import httpx
from msgspec import Meta, Struct

from salerno.interfaces.http import (
    Body,
    Door,
    Paging,
    Request,
    Response,
    answer,
    caller_of,
    delete,
    expected_version,
    from_form,
    get,
    invalid,
    no_content,
    nonce_of,
    post,
    put,
    read_body,
    read_form,
    read_query,
    required_version,
)
from salerno.interfaces.http.application import Setup, build
from salerno.interfaces.http.edge import Rules
from salerno.interfaces.http.limits import Limiting, Limits
from salerno.interfaces.http.observing import AccessLog
from salerno.interfaces.http.sessions import Found
from salerno.kernel.clock import SettableClock
from salerno.kernel.errors import (
    Conflict,
    Gone,
    IntegrityError,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
    VersionConflict,
)
from salerno.kernel.messages import Caller

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TOKEN, CSRF = "t" * 43, "c" * 43
ORGANISATION, ACTOR = UUID(int=7), UUID(int=8)
ORIGIN = "https://clinic.test"
REFUSALS = {
    "not-found": NotFound(),
    "not-allowed": NotAllowed(),
    "not-signed-in": NotSignedIn(),
    "conflict": Conflict(free=["09:30"]),
    "version": VersionConflict(7),
    "invalid": Invalid.field("address.line1", "too-long", "At most 200 characters"),
    "too-many": TooMany(retry_after=12.4),
    "gone": Gone(),
    "unavailable": Unavailable(),
    "integrity": IntegrityError(),
    "bug": RuntimeError("Rossi, Maria is in the text of this bug at /srv/salerno/app.py"),
}


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str
    amount: Decimal = Decimal(0)


class Wish(Body):
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    count: Annotated[int, Meta(ge=1, le=10)]
    consent: bool = False
    weight: float | None = None
    dose: Decimal | None = None
    born: datetime | None = None
    lines: tuple[Line, ...] = ()
    first: Line | None = None


@post("/wishes", public="a test")
async def wish(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, await read_body(request, Wish), 201)


@post("/forms", public="a test", at="bare")
async def form(request: Request[Any, Any, Any]) -> Response[Any]:
    value, mistakes = from_form(Wish, await read_form(request))
    if value is None:
        raise invalid(mistakes)
    return answer(request, value)


@post("/sign-out", public="a test that reads no body", at="bare")
async def sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, {"done": True})


@get("/wishes", public="a test", query=Paging)
async def wishes(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, read_query(request, Paging))


@get("/wishes/{wish_id:uuid}", public="a test")
async def one_wish(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, {"id": request.path_params["wish_id"]}, etag=3)


@put("/wishes/{wish_id:uuid}", public="a test")
async def change_wish(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, {"expected": required_version(request)})


@delete("/wishes/{wish_id:uuid}", public="a test", status=204)
async def forget_wish(request: Request[Any, Any, Any]) -> Response[Any]:
    return no_content()


@post("/wishes/{wish_id:uuid}/race", public="a test")
async def race(request: Request[Any, Any, Any]) -> Response[Any]:
    expected_version(request)
    raise VersionConflict(7)


@get("/refused/{kind:str}", public="a test")
async def refused(request: Request[Any, Any, Any]) -> Response[Any]:
    raise REFUSALS[request.path_params["kind"]]


@get("/me", public="a test")
async def me(request: Request[Any, Any, Any]) -> Response[Any]:
    caller = caller_of(request)
    return answer(request, {"actor": caller.actor, "address": caller.address, "request": caller.request})


@get("/large", public="a test")
async def large(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, {"text": "salus " * 2000})


@get("/page", public="a test", at="bare")
async def page(request: Request[Any, Any, Any]) -> Response[Any]:
    text = f"<!doctype html><title>{nonce_of(request)}</title>" + "x" * 5000
    return Response(text.encode(), media_type="text/html")


class TwoSessions:
    """One cookie and one bearer token that are known."""

    found = Found(
        caller=Caller(actor=ACTOR, organisation=ORGANISATION, permissions=frozenset({"patients.read"})),
        csrf=CSRF,
        expires_at=NOW,
    )

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return self.found if token == TOKEN else None

    async def caller_by_bearer(self, token: str) -> Found | None:
        return self.found if token == "b" * 20 else None

    def forget(self, token: str = "") -> None:
        return None


ROUTES = (wish, form, sign_out, wishes, one_wish, change_wish, forget_wish, race, refused, me, large, page)


def application(out: io.BytesIO | None = None, limits: Limiting | None = None, **rules: Any) -> Any:
    setup = Setup(
        rules=Rules(**rules),
        sessions=TwoSessions(),
        limits=limits or Limits(),
        clock=SettableClock(NOW),
        stop=False,
        log=AccessLog(out or io.BytesIO()),
    )
    return build(None, [Door("api", ROUTES)], setup)


def client_of(app: Any, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, **options)
