"""A route says what it is: its message (so its permission), its bodies and its words in the API documents."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from salerno.interfaces.http.gates import check_lock, check_proof
from salerno.interfaces.http.limits import ROOM, SECRET, VERIFYING, Limiting
from salerno.interfaces.http.problems import answer_refusal
from salerno.interfaces.http.requests import bus_of, caller_of
from salerno.kernel.addresses import place_of
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handle: TypeAlias = Callable[["Request[Any, Any, Any]"], Awaitable["Response[Any]"]]
MessageType: TypeAlias = type[Command] | type[Query]
VERSIONED = "/api/v1"
FHIR = "/fhir/R4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    `of` is the message it asks the bus (the first, where there are several); `public` says in words why a
    route needs none. `at` names where it is mounted: under /api/v1, on the bare path, or both.
    """

    method: Method
    path: str
    handle: Handle
    of: MessageType | None = None
    public: str = ""
    takes: Any = None
    query: Any = None
    gives: Any = None
    status: int = 200
    at: Literal["both", "bare", "versioned"] = "both"
    example: Any = None
    answer_example: Any = None
    media: str = "application/json"
    max_body: int | None = None
    tags: tuple[str, ...] = ()
    summary: str = ""

    def paths(self) -> list[str]:
        versioned = f"{VERSIONED}{self.path}"
        return {"both": [versioned, self.path], "bare": [self.path], "versioned": [versioned]}[self.at]


class RouteLine(Struct, frozen=True, kw_only=True):
    """A route as `salerno routes --json` prints it."""

    method: str
    path: str
    door: str
    message: str
    permission: str
    opens: str
    public: str


def _declare(method: Method) -> Callable[..., Callable[[Handle], Route]]:
    def declare(path: str, **said: Any) -> Callable[[Handle], Route]:
        def wrap(handle: Handle) -> Route:
            words = (handle.__doc__ or handle.__name__.replace("_", " ").capitalize()).strip()
            return Route(method=method, path=path, handle=handle, **({"summary": words} | said))

        return wrap

    return declare


get, post, put, patch, delete = (_declare(m) for m in ("GET", "POST", "PUT", "PATCH", "DELETE"))


@dataclass(frozen=True, slots=True)
class Door:
    """A named set of routes. The api door mounts its routes as they say; others only on the bare path."""

    name: str
    routes: tuple[Route, ...]
    hooks: Mapping[str, Any] = field(default_factory=dict)

    def mounted(self) -> Iterable[tuple[str, Route]]:
        for route in self.routes:
            for path in route.paths() if self.name == "api" else [route.path]:
                yield path, route


def handlers_of(doors: Iterable[Door]) -> list[HTTPRouteHandler]:
    """Litestar handlers, one per path and method. A path claimed twice does not start (Litestar refuses it)."""
    return [_handler(path, route) for door in doors for path, route in door.mounted()]


def _handler(path: str, route: Route) -> HTTPRouteHandler:
    """Who asks too often, or may not use the route, is told so before anything that was sent is read."""
    handle = route.handle
    asked = None if route.public else route.of
    verifies = route.of in VERIFYING and route.method != "GET"

    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        limits: Limiting = request.app.state["limits"]
        if verifies:
            await limits.take(SECRET, place_of(request.scope["state"]["address"]))
        check_lock(request, route.of, route.path)
        if asked is not None and (bus := bus_of(request)).needs(asked).permission:
            await bus.permits.admit(asked, caller_of(request))
        check_proof(request, route.of)
        if route.of is not None:  # last: who is not admitted asks nothing of the room
            await limits.take(ROOM, bus_of(request).room_of(route.of))
        return await handle(request)

    limit: dict[str, Any] = {} if route.max_body is None else {"request_max_body_size": route.max_body}
    return HTTPRouteHandler(
        path,
        http_method=route.method,
        include_in_schema=False,
        name=f"{route.method} {path}",
        status_code=200,  # the answer says its own; the router's default for DELETE would allow no answer at all
        **limit,
    )(answer)


def listing(doors: Iterable[Door], needs: Callable[[type], Needs]) -> list[RouteLine]:
    """Every mounted route with the permission its message needs."""
    return [_line(door, path, route, needs) for door in doors for path, route in door.mounted()]


def _line(door: Door, path: str, route: Route, needs: Callable[[type], Needs]) -> RouteLine:
    need = needs(route.of) if route.of is not None else Needs("")
    return RouteLine(
        method=route.method,
        path=path,
        door=door.name,
        message=route.of.__name__ if route.of else "",
        permission=need.permission,
        opens=need.opens or "",
        public=route.public,
    )


HANDLERS: dict[int | type[Exception], Any] = {Exception: answer_refusal}
