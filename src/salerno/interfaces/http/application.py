"""From a bus and a list of doors to one ASGI application: router inside, edge around it, static files in front."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from salerno.interfaces.http.asgi import ASGIApp
from salerno.interfaces.http.assets import Assets
from salerno.interfaces.http.edge import Edge, Rules
from salerno.interfaces.http.limits import Limiting, Limits
from salerno.interfaces.http.live import Live
from salerno.interfaces.http.observing import AccessLog
from salerno.interfaces.http.routes import HANDLERS, Door, handlers_of, listing
from salerno.interfaces.http.sessions import Nobody, Sessions
from salerno.kernel.clock import Clock, SystemClock

STATIC = Path(__file__).parents[1] / "web" / "static"
MAX_BODY = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What `build` needs beside the bus and the doors. `stop` is False in tests: signals belong to the server."""

    rules: Rules = field(default_factory=Rules)
    sessions: Sessions = field(default_factory=Nobody)
    limits: Limiting = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    version: str = "0"
    development: bool = False
    metrics_folder: Path | None = None
    stop: bool = True
    log: AccessLog = field(default_factory=AccessLog)
    state: Mapping[str, Any] = field(default_factory=dict)


def build(
    bus: Any,
    doors: Iterable[Door],
    setup: Setup,
    opened: Callable[[], Any] | None = None,
    ready: Sequence[HTTPRoute] = (),
) -> Litestar:
    """`opened` is an async context manager entered for the life of the server: the database, the bus's work.

    `ready` are the routes of another application with the same doors, where many are built in one process.
    """
    mounted = tuple(doors)
    assets, live = Assets(STATIC, setup.rules.development), Live()
    needs = bus.needs if bus is not None else {}.__getitem__
    known = {
        "bus": bus,
        "setup": setup,
        "sessions": setup.sessions,
        "limits": setup.limits,
        "live": live,
        "assets": assets,
        "doors": mounted,
        "routes": lambda: listing(mounted, needs),
        "started": setup.clock.now(),
    }
    app = Litestar(
        lifespan=[lambda _: _life(setup, live, opened)],
        exception_handlers=HANDLERS,
        logging_config=None,
        debug=False,
        openapi_config=None,
        request_max_body_size=MAX_BODY,
        state=State({**known, **setup.state, **_hooks(mounted)}),
    )
    app.routes.extend(ready or _routes_of(app, handlers_of(mounted)))
    app.asgi_router.construct_routing_trie()
    router = cast("ASGIApp", app.asgi_handler)
    edge = Edge(router, setup.sessions, setup.limits, setup.clock, setup.log, setup.rules)
    app.asgi_handler = cast("Any", assets.around(edge))
    return app


def _routes_of(app: Litestar, handlers: Iterable[HTTPRouteHandler]) -> list[HTTPRoute]:
    """All at once: Litestar's own way looks through every route for each new one, which for a thousand is a second."""
    by_path: dict[str, list[HTTPRouteHandler]] = {}
    routes: list[HTTPRoute] = []
    for handler in handlers:
        handler.owner = app
        for path in handler.paths:
            by_path.setdefault(path, []).append(handler)
    for path, group in by_path.items():
        route = HTTPRoute(path=path, route_handlers=group)
        for each in route.route_handlers:
            each.on_registration(app)
        route.create_handler_map()
        routes.append(route)
    return routes


def _hooks(doors: Iterable[Door]) -> dict[str, Any]:
    """What doors lend the whole application: the web door lends its error pages."""
    return {name: value for door in doors for name, value in door.hooks.items()}


@asynccontextmanager
async def _life(setup: Setup, live: Live, opened: Callable[[], Any] | None) -> AsyncIterator[None]:
    if setup.stop:
        _tell_on_stop(live)
    try:
        if opened is None:
            yield
        else:
            async with opened():
                yield
    finally:
        live.close()
        setup.log.flush()
        await setup.limits.close()


def _tell_on_stop(live: Live) -> None:
    """Open streams end at SIGTERM: the server waits for open answers before it ends the lifespan."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number, lambda: loop.call_soon_threadsafe(live.close))


def _chain(number: int, tell: Callable[[], Any]) -> None:
    previous = signal.getsignal(number)

    def told(signum: int, frame: Any) -> None:
        tell()
        if callable(previous):
            previous(signum, frame)

    signal.signal(number, told)
