"""What operators ask: is it alive, is it ready, how is it, what does it measure; and where browsers report."""

import asyncio
import ipaddress
from datetime import datetime
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from salerno.interfaces.http import Problem, Request, Response, answer, bus_of, get, post
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.limits import REPORT
from salerno.interfaces.http.observing import exposition
from salerno.interfaces.http.problems import SENTENCES
from salerno.kernel.addresses import place_of

LOG = structlog.get_logger("salerno.http")
REPORT_TYPES = {"application/csp-report", "application/reports+json"}


class Health(Struct, frozen=True, kw_only=True):
    """How this process is (OBS-01). `ledger` is sealing, stopped (see the log and `salerno ledger verify`), or
    elsewhere where another process seals it.
    """

    status: str
    timestamp: datetime
    uptime: float
    database: str
    version: str
    ledger: str


class FullHealth(Health, frozen=True, kw_only=True):
    """The same with what it is made of."""

    rooms: list[str]
    routes: int


class Alive(Struct, frozen=True, kw_only=True):
    status: str


async def _health(request: Request[Any, Any, Any]) -> Health:
    setup: Setup = request.app.state["setup"]
    now, connected = setup.clock.now(), await _database_answers(request)
    return Health(
        status="ok" if connected else "unavailable",
        timestamp=now,
        uptime=round((now - request.app.state["started"]).total_seconds(), 3),
        database="connected" if connected else "unreachable",
        version=setup.version,
        ledger=_sealing(request),
    )


def _sealing(request: Request[Any, Any, Any]) -> str:
    sealer = request.app.state.get("sealer")
    if sealer is None:
        return "elsewhere"
    return "stopped" if sealer.alarm else "sealing"


async def _database_answers(request: Request[Any, Any, Any]) -> bool:
    try:
        await bus_of(request).database.ping()
    except Exception:  # noqa: BLE001 - whatever it is, the answer is no
        return False
    return True


def _by_health(request: Request[Any, Any, Any], health: Health) -> Response[Any]:
    return answer(request, health, 200 if health.status == "ok" else 503)


@get("/health", public="for load balancers", at="bare", gives=Health, tags=("system",))
async def health(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whether the product works, since when, and in which version."""
    return _by_health(request, await _health(request))


@get("/api/health", public="for operators", at="bare", gives=FullHealth, tags=("system",))
async def full_health(request: Request[Any, Any, Any]) -> Response[Any]:
    """The full report."""
    made_of: dict[str, Any] = {"rooms": sorted(bus_of(request).here), "routes": len(request.app.state["routes"]())}
    return _by_health(request, FullHealth(**msgspec.structs.asdict(await _health(request)), **made_of))


async def _live(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whether the process itself is alive; it asks nothing else."""
    return answer(request, Alive(status="ok"))


async def _ready(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whether it can serve: 503 while the database does not answer."""
    ready = await _database_answers(request)
    return answer(request, Alive(status="ok" if ready else "unavailable"), 200 if ready else 503)


@get("/metrics", public="for this machine's scraper only", at="bare", media="text/plain", tags=("system",))
async def metrics(request: Request[Any, Any, Any]) -> Response[Any]:
    """Prometheus metrics. Only a scraper on this machine sees them; others get 404."""
    if not _from_this_machine(request):
        raise Problem(404, *SENTENCES[404])
    setup: Setup = request.app.state["setup"]
    text = await asyncio.to_thread(exposition, setup.metrics_folder)  # thousands of lines: requests go on meanwhile
    return Response(text, media_type="text/plain; version=0.0.4")


def _from_this_machine(request: Request[Any, Any, Any]) -> bool:
    """A forwarded request came through a proxy, however near that proxy is."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


@post(
    "/reports/csp", public="browsers report without a session", at="bare", status=204, max_body=16_384, tags=("system",)
)
async def csp_report(request: Request[Any, Any, Any]) -> Response[Any]:
    """A browser's report of a breach of the content security policy; rate-limited, kept without addresses."""
    if request.headers.get("content-type", "").partition(";")[0] not in REPORT_TYPES:
        raise Problem(415, *SENTENCES[415])
    await request.app.state["limits"].take(REPORT, place_of(request.scope["state"]["address"]))
    for directive in _directives(await request.body()):
        LOG.warning("policy breached", directive=directive)
    return Response(b"", status_code=204)


def _directives(body: bytes) -> list[str]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(400, "malformed-json", "The body is not JSON in UTF-8.") from None
    reports = told if isinstance(told, list) else [told]
    named = [_directive(report) for report in reports[:10] if isinstance(report, dict)]
    return [name for name in named if name]


def _directive(report: dict[str, Any]) -> str:
    inner = report.get("csp-report") or report.get("body") or {}
    if not isinstance(inner, dict):
        return ""
    name = inner.get("effective-directive") or inner.get("effectiveDirective") or inner.get("violated-directive")
    return "".join(c for c in str(name or "")[:40] if c.isalnum() or c == "-")


_alive = {"public": "for probes", "at": "bare", "gives": Alive, "tags": ("system",)}
ROUTES = [
    health,
    full_health,
    *(get(path, **_alive)(_live) for path in ("/livez", "/health/live")),
    *(get(path, **_alive)(_ready) for path in ("/readyz", "/health/ready")),
    metrics,
    csp_report,
]
