"""The organisation over HTTP: registration, settings, locations, onboarding."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from tests.applications import build
from tests.doors.test_patients_api import Known, by

from salerno.interfaces import api
from salerno.interfaces.http.application import Setup
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


@pytest.fixture
async def http(
    bus: Bus, caller: Callable[..., Caller], admin: Caller, nurse: Caller
) -> AsyncIterator[httpx.AsyncClient]:
    known = Known(founder=caller("SUPER_ADMIN"), admin=admin, nurse=nurse)
    app: Any = build(bus, [api.door(bus)], Setup(sessions=known, stop=False))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://clinic.test", headers=by("admin")) as client:
        yield client


async def test_registered_described_and_set_up(http: httpx.AsyncClient) -> None:
    wish = {"payload": {"name": "Ospedale San Matteo", "address": {"city": "Salerno"}}}
    made = await http.post("/commands/register-hospital", json=wish, headers=by("founder"))
    assert (made.status_code, made.json()["success"], made.json()["version"]) == (200, True, 1)
    read = await http.get("/api/v1/organisation")
    assert (read.json()["id"], read.json()["kind"], read.headers["ETag"]) == (
        made.json()["aggregate_id"], "hospital", '"1"',
    )  # fmt: skip
    told = await http.patch("/organisation", json={"phone": "089 123456"}, headers={"If-Match": '"1"'})
    assert told.json()["phone"] == "+39089123456"
    chosen = await http.patch("/organisation/settings", json={"visit_minutes": 20})
    assert (chosen.json()["visit_minutes"], chosen.json()["timezone"]) == (20, "Europe/Rome")
    assert (await http.get("/organisation/settings")).json() == chosen.json()
    done = await http.post("/organisation/onboarding")
    assert (done.json()["onboarded"], done.json()["version"]) == (True, 4)


async def test_locations_come_and_go(http: httpx.AsyncClient) -> None:
    await http.post("/organisations", json={"name": "Clinica", "kind": "clinic"}, headers=by("founder"))
    week = [{"day": "mon", "opens": "08:30", "closes": "13:00"}]
    made = await http.post("/api/v1/locations", json={"name": "Centro", "opening": week})
    path = made.headers["Location"]
    assert (made.status_code, made.json()["opening"]) == (201, week)
    changed = await http.patch(path, json={"name": "Mare"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.headers["ETag"]) == ("Mare", '"2"')
    assert (await http.post("/locations", json={"name": "mare"})).status_code == 409
    assert (await http.delete(path)).status_code == 204
    assert (await http.get("/locations")).json()["total"] == 0
    assert (await http.get("/locations?closed_too=true")).json()["locations"][0]["closed"] is True
    assert (await http.post(f"{path}/reopen")).json()["closed"] is False


async def test_the_questions_and_presets_need_no_account(http: httpx.AsyncClient) -> None:
    for kind in ("independent", "clinic", "hospital"):
        flow = (await http.get(f"/onboarding/{kind}", headers=by("nobody"))).json()
        assert flow["kind"] == kind
        assert all(step["questions"] for step in flow["steps"])
    assert (await http.get("/onboarding/palace", headers=by("nobody"))).status_code == 404
    presets = (await http.get("/api/v1/specialties", headers=by("nobody"))).json()["specialties"]
    assert "acupuncture" in {one["code"] for one in presets}


async def test_t034_only_administrators_change_it(http: httpx.AsyncClient) -> None:
    await http.post("/organisations", json={"name": "Clinica", "kind": "clinic"}, headers=by("founder"))
    assert (await http.get("/organisation", headers=by("nurse"))).status_code == 200
    for attempt in (
        http.patch("/organisation", json={"name": "Mia"}, headers=by("nurse")),
        http.patch("/organisation/settings", json={"second_factor_roles": []}, headers=by("nurse")),
        http.post("/locations", json={"name": "Mia"}, headers=by("nurse")),
        http.post("/organisations", json={"name": "Mia", "kind": "clinic"}, headers=by("admin")),
    ):
        assert (await attempt).status_code == 403
    unknown = await http.patch("/organisation/settings", json={"onboarded": True})
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown-field")
