"""Every route of the api and the FHIR door, and every page, × role × whose data, beside the reviewed table.

    +  the request reaches the rule, whatever the rule then says      -  refused, or as if it did not exist

One sign where a route names nobody's data. Where it does, staff have two: their organisation's patient, another
organisation's; and patients three: their own chart, another patient's, another organisation's.
A difference, or a route without a line, is a failure. With REVIEW=1 the table is written anew; what differs is what
a reviewer reads. Every command is rehearsed: done in full, and not made to last.
"""

import asyncio
import csv
import io
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest
from tests.applications import build
from tests.doors.probe import CSRF, NOW
from tests.security.bodies import BODIES, QUERIES, STATUS
from tests.security.world import Chart, chart

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.records.commands import ChangeStatementStatus
from salerno.interfaces import api, fhir, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.routes import Route
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Conflict
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

TABLE = Path(__file__).with_name("matrix.csv")
ROLES = ("SUPER_ADMIN", "ADMIN", "DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST", "LAB_TECHNICIAN", "PATIENT")
PARAMETER = re.compile(r"\{(\w+):\w+\}")
REFUSED = frozenset({401, 403, 404})
CONTENT = {"content-type": "application/json", "if-match": "*", "host": "testserver"}
PAGE = {"accept": "text/html", "host": "testserver"}


class Rehearsed(Conflict):
    """Everything was done but to make it last."""

    code = "rehearsed"
    sentence = "This was a rehearsal."


class Everybody:
    """A bearer token is a role's name."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self.callers = callers

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return await self.caller_by_bearer(token)

    async def caller_by_bearer(self, token: str) -> Found | None:
        who = self.callers.get(token)
        return Found(caller=who, csrf=CSRF, expires_at=NOW) if who else None

    def forget(self, token: str = "") -> None:
        return None

    def forget_account(self, account: UUID) -> None:
        return None

    def forget_organisation(self, organisation: UUID) -> None:
        return None


Answered: TypeAlias = tuple[int, bytes]
Ask: TypeAlias = Callable[..., Awaitable[Answered]]


@pytest.fixture
def callers(caller: Callable[..., Caller]) -> dict[str, Caller]:
    return {role: caller(role) for role in ROLES[:-1]}


@pytest.fixture
async def charts(bus: Bus, caller: Callable[..., Caller], callers: dict[str, Caller]) -> dict[str, Chart]:
    """One's own, another patient's in the organisation, one in another organisation."""
    elsewhere = uuid4()
    there = {role: caller(role, organisation_id=elsewhere) for role in ROLES}
    for admin in (callers["SUPER_ADMIN"], there["SUPER_ADMIN"]):
        wish = RegisterOrganisation(organisation_id=admin.organisation, kind="clinic", name="Poliambulatorio")
        await bus.handle(wish, admin)
    return {
        "own": await chart(bus, callers, "Ada Rossi", 0),
        "other": await chart(bus, callers, "Bea Verdi", 1),
        "foreign": await chart(bus, there, "Carla Neri", 2),
    }


@pytest.fixture
async def ask(
    bus: Bus,
    caller: Callable[..., Caller],
    callers: dict[str, Caller],
    charts: dict[str, Chart],
    monkeypatch: pytest.MonkeyPatch,
) -> Ask:
    patient = caller("PATIENT", subject=charts["own"]["patient_id"])
    sessions = Everybody(callers | {"PATIENT": patient})
    application = build(bus, [api.door(bus), web.door(bus), fhir.door(bus)], Setup(sessions=sessions, stop=False))

    async def rehearse(tx: Tx) -> None:
        await tx.flush()
        raise Rehearsed()

    await bus.settled()
    monkeypatch.setattr(Tx, "end", rehearse)

    async def ask(method: str, path: str, query: str, role: str, body: Any, *, page: bool) -> Answered:
        return await answer_to(application, method, path, query, role, json.dumps(body).encode(), page=page)

    return ask


async def answer_to(
    application: Any, method: str, path: str, query: str, role: str, body: bytes, *, page: bool
) -> Answered:
    """Status and the first of the content: a stream would never end."""
    as_program, as_browser = {"authorization": f"Bearer {role}"}, {"cookie": f"__Host-sid={role}"}
    headers = (PAGE if page else CONTENT) | ((as_browser if page else as_program) if role else {})
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("testserver", 443),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()]
        + [(b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    told: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            if any(name.lower() == b"location" and b"/sign-in" in to for name, to in message["headers"]):
                status = 401
        elif not told.done():
            told.set_result((status, message.get("body", b"")))

    running = asyncio.create_task(application(scope, receive, send))
    await asyncio.wait({told, running}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return told.result()


def routes_of(bus: Bus) -> list[tuple[str, Route, bool]]:
    """Each route of the doors for programs once, under its version where it has one; and every page."""
    programs = (*api.door(bus).routes, *fhir.door(bus).routes)
    routes = [(route.paths()[0], route, False) for route in programs]
    pages = [(route.path, route, True) for route in web.door(bus).routes if route.method == "GET"]
    return [*sorted(routes, key=_place), *sorted(pages, key=_place)]


def _place(line: tuple[str, Route, bool]) -> tuple[str, str]:
    return line[0], line[1].method


def filled(path: str, of: Chart) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "record_id":
            name = path.split("/")[3]
        return str(of.get(name) or {"line": 0, "number": 1, "event_id": 1, "kind": "clinic"}.get(name) or uuid4())

    return PARAMETER.sub(value, path)


def _body(route: Route, path: str, of: Chart) -> Any:
    told = BODIES.get(route.of.__name__ if route.of else "", {})
    if route.of is ChangeStatementStatus:
        told = told | {"status": STATUS.get(path.split("/")[3], "completed")}
    return {name: str(of[value[1:]]) if str(value).startswith("$") else value for name, value in told.items()}


def _names_somebody(path: str, of: Chart) -> bool:
    names = set(PARAMETER.findall(path))
    return bool(names & of.keys()) or "record_id" in names


async def _sign(
    ask: Ask, path: str, route: Route, role: str, whose: str, charts: dict[str, Chart], *, page: bool
) -> str:
    chart = charts[whose]
    named = _names_somebody(path, chart)
    request = (QUERIES.get(path, ""), role, _body(route, path, chart))
    status, content = await ask(route.method, filled(path, chart), *request, page=page)
    assert status < 500 or status == 503, f"{route.method} {path} as {role}: {status} {content!r}"
    if status in (REFUSED if named else {401, 403}):
        return "-"
    if named and role and status in (400, 415, 422):
        return "?"  # what was sent was not understood, so nothing is known of who may
    if whose == "foreign":
        nobody = {name: uuid4() for name in chart}
        nowhere = await ask(route.method, filled(path, nobody), *request, page=page)
        if (status, _plain(content)) == (nowhere[0], _plain(nowhere[1])):
            return "-"
    return "+"


def _plain(content: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{24}", b"", content)


async def _line(ask: Ask, path: str, route: Route, page: bool, charts: dict[str, Chart]) -> dict[str, str]:
    line = {"method": route.method, "path": path}
    about = ["own", "other", "foreign"] if _names_somebody(path, charts["own"]) else ["own"]
    for role in ("", *ROLES):
        asked = about[-2:] if role not in ("", "PATIENT") else about
        signs = [await _sign(ask, path, route, role, whose, charts, page=page) for whose in asked]
        line[role or "anonymous"] = "".join(signs) if role or len(set(signs)) > 1 else signs[0]
    return line


async def test_every_route_answers_each_role_as_the_reviewed_table_says(
    bus: Bus, ask: Ask, charts: dict[str, Chart]
) -> None:
    lines = [await _line(ask, path, route, page, charts) for path, route, page in routes_of(bus)]
    table = io.StringIO()
    writer = csv.DictWriter(table, ["method", "path", "anonymous", *ROLES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    if "REVIEW" in os.environ:
        TABLE.write_text(table.getvalue(), "utf-8")
    assert not [line for line in lines if "?" in "".join(line.values())], "a body for these is missing in bodies.py"
    assert table.getvalue() == TABLE.read_text("utf-8"), "Run with REVIEW=1, and read the difference"
