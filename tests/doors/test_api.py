"""The door for programs, over the real bus with every room."""

import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from tests.applications import build
from tests.doors.probe import CSRF, NOW, client_of

from salerno.interfaces.api import door, routes_of_rooms, system
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.limits import REPORT, Limits, Policy
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


class OneCaller:
    """Whoever shows the token is the caller that the test names."""

    def __init__(self, caller: Caller) -> None:
        self.found = Found(caller=caller, csrf=CSRF, expires_at=NOW)

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return None

    async def caller_by_bearer(self, token: str) -> Found | None:
        return self.found if token == "known" else None

    def forget(self, token: str = "") -> None:
        return None


def application(bus: Bus, caller: Caller) -> Any:
    limits = Limits([Policy(REPORT, 60)])
    return build(bus, [door(bus)], Setup(sessions=OneCaller(caller), limits=limits, version="1.2.3", stop=False))


@pytest.fixture
async def api(bus: Bus, admin: Caller) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(bus, admin), headers={"Authorization": "Bearer known"}) as client:
        yield client


@pytest.fixture
async def anonymous(bus: Bus, admin: Caller) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(bus, admin)) as client:
        yield client


async def test_health_says_what_obs_01_names(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"status", "timestamp", "uptime", "database", "version", "ledger"}
    assert (body["status"], body["database"], body["version"]) == ("ok", "connected", "1.2.3")
    assert body["uptime"] >= 0 and body["ledger"] == "elsewhere"


@pytest.mark.parametrize(("alarm", "said"), [(None, "sealing"), ("WitnessDiffers: another history", "stopped")])
async def test_health_says_whether_the_ledger_is_sealed_and_not_why(
    bus: Bus, admin: Caller, alarm: str | None, said: str
) -> None:
    app = application(bus, admin)
    app.state["sealer"] = SimpleNamespace(alarm=alarm)
    async with client_of(app) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["ledger"]) == (200, said)
    assert "history" not in answer.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health/live", "/health/ready"])
async def test_probes_answer(anonymous: httpx.AsyncClient, path: str) -> None:
    assert (await anonymous.get(path)).json() == {"status": "ok"}


async def test_the_full_report_lists_the_rooms(anonymous: httpx.AsyncClient, bus: Bus) -> None:
    assert (await anonymous.get("/api/health")).json()["rooms"] == sorted(bus.rooms)


async def test_metrics_are_for_this_machine_only(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/livez")).is_success
    text = (await anonymous.get("/metrics")).text
    assert 'salerno_request_seconds_count{method="GET",route="/livez",status="200"}' in text
    assert (await anonymous.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"})).status_code == 404


async def test_every_command_has_its_route_and_wants_its_caller(anonymous: httpx.AsyncClient, bus: Bus) -> None:
    assert bus.commands()
    for name, command in bus.commands().items():
        for prefix in ("", "/api/v1"):
            answer = await anonymous.post(f"{prefix}/commands/{name}", json={"payload": {"no_such_field": 1}})
            expected = 401 if bus.needs(command).permission else 422
            assert answer.status_code == expected, name


async def test_t048_a_command_refuses_fields_it_does_not_have(bus: Bus, admin: Caller) -> None:
    anybody = replace(admin, permissions=frozenset(bus.permissions()))
    async with client_of(application(bus, anybody), headers={"Authorization": "Bearer known"}) as client:
        for name in bus.commands():
            answer = await client.post(f"/commands/{name}", json={"payload": {"no_such_field": 1}, "role": "ADMIN"})
            assert answer.status_code == 422, name
            named = {(e["path"], e["code"]) for e in answer.json()["errors"]}
            assert {("payload.no_such_field", "unknown-field"), ("role", "unknown-field")} <= named


async def test_who_may_not_use_a_route_learns_nothing_of_how_it_reads(bus: Bus, receptionist: Caller) -> None:
    async with client_of(application(bus, receptionist), headers={"Authorization": "Bearer known"}) as client:
        answer = await client.post("/commands/sign-prescription", json={"payload": {"no_such_field": 1}})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


async def test_every_route_has_a_permission_or_says_why_not(bus: Bus) -> None:
    for path, route in door(bus).mounted():
        needed = bus.needs(route.of).permission if route.of else ""
        assert needed or route.of or route.public, path
        assert not (needed and route.public), path


async def test_routes_are_listed_with_their_permission(bus: Bus, admin: Caller) -> None:
    lines = application(bus, admin).state["routes"]()
    by_path = {(line.method, line.path): line for line in lines}
    assert by_path["GET", "/health"].public == "for load balancers"
    for name, command in bus.commands().items():
        line = by_path["POST", f"/commands/{name}"]
        assert (line.message, line.permission) == (command.__name__, bus.needs(command).permission)
    assert msgspec.json.decode(msgspec.json.encode(lines))[0]["door"] == "api"


async def test_rest_routes_answer_versioned_and_bare(bus: Bus) -> None:
    both = [route for route in routes_of_rooms() if route.at == "both"]
    for route in both:
        assert route.paths() == [f"/api/v1{route.path}", route.path]


def references(value: Any) -> list[str]:
    match value:
        case dict():
            here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return here + [r for inner in value.values() for r in references(inner)]
        case list():
            return [r for inner in value for r in references(inner)]
        case _:
            return []


async def test_the_document_describes_every_versioned_route_and_closes_every_body(
    anonymous: httpx.AsyncClient, bus: Bus
) -> None:
    document = (await anonymous.get("/api/docs/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for name in bus.commands():
        operation = document["paths"][f"/api/v1/commands/{name}"]["post"]
        ref = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][ref.rpartition("/")[2]]
        assert schema["additionalProperties"] is False
        assert operation["responses"]["422"]["content"]["application/problem+json"]["schema"]["$ref"]
    missing = {r for r in references(document) if r.rpartition("/")[2] not in document["components"]["schemas"]}
    assert missing == set()
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


async def test_every_body_has_an_example_that_its_route_accepts(anonymous: httpx.AsyncClient, bus: Bus) -> None:
    document = (await anonymous.get("/api/docs/openapi.json")).json()
    refused = {}
    for path, route in door(bus).mounted():
        if route.takes is None or not (route.at != "both" or path.startswith("/api/v1")):
            continue
        operation = document["paths"][re.sub(r"{(\w+):(\w+)}", r"{\1}", path)][route.method.lower()]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        try:
            msgspec.convert(example, route.takes)
        except msgspec.ValidationError as wrong:
            refused[path] = str(wrong)
    assert refused == {}


async def test_the_documents_page_brings_its_own_script(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/api/docs")
    assert page.status_code == 200 and "://" not in page.text
    assert "script-src 'self' 'nonce-" in page.headers["content-security-policy"]


async def test_t054_a_policy_report_is_kept_without_addresses(
    anonymous: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, dict[str, str]]] = []
    log = SimpleNamespace(warning=lambda event, **fields: said.append((event, fields)))
    monkeypatch.setattr(system, "LOG", log)
    told = {"csp-report": {"effective-directive": "script-src\nforged", "document-uri": "https://x/chart/Rossi"}}
    headers = {"Content-Type": "application/csp-report"}
    answer = await anonymous.post("/reports/csp", content=msgspec.json.encode(told), headers=headers)
    assert answer.status_code == 204
    assert said == [("policy breached", {"directive": "script-srcforged"})]
    assert (await anonymous.post("/reports/csp", content=b"{", headers=headers)).status_code == 400
    assert (await anonymous.post("/reports/csp", json={})).status_code == 415
    statuses = [(await anonymous.post("/reports/csp", content=b"{}", headers=headers)).status_code for _ in range(70)]
    assert statuses[-1] == 429
