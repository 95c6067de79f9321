"""The staff over HTTP (STF-01 to STF-08)."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.applications import build

from salerno.interfaces import api
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.clock import SystemClock
from salerno.kernel.messages import Caller

BELL = {"given_name": "Joseph", "family_name": "Bell", "role": "DOCTOR", "specialty": "geriatrics",
        "doctor": {"licence_number": "NA-1", "specialties": ["geriatrics", "acupuncture"]}}  # fmt: skip


class Known:
    """Whoever carries the name of a caller as a bearer token."""

    def __init__(self, **callers: Caller) -> None:
        self.callers = callers

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return None

    async def caller_by_bearer(self, token: str) -> Found | None:
        caller = self.callers.get(token)
        return Found(caller=caller, csrf="", expires_at=SystemClock().now()) if caller else None

    def forget(self, token: str = "") -> None:
        return None


@pytest.fixture
async def http(bus: Bus, admin: Caller, nurse: Caller) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [api.door(bus)], Setup(sessions=Known(admin=admin, nurse=nurse), stop=False))
    transport, headers = httpx.ASGITransport(app), {"Authorization": "Bearer admin"}
    async with httpx.AsyncClient(transport=transport, base_url="https://clinic.test", headers=headers) as client:
        yield client


async def test_added_read_changed_and_removed(http: httpx.AsyncClient) -> None:
    made = await http.post("/api/v1/staff", json=BELL)
    assert made.status_code == 201
    path = made.headers["Location"]
    assert made.json()["doctor"]["specialties"] == ["geriatrics", "acupuncture"]
    read = await http.get(path)
    assert (read.json()["full_name"], read.headers["ETag"]) == ("Joseph Bell", '"2"')
    changed = await http.put(path, json={"specialty": "acupuncture"}, headers={"If-Match": '"2"'})
    assert (changed.json()["specialty"], changed.json()["given_name"]) == ("acupuncture", "Joseph")
    assert (await http.put(path, json={"title": "Dr"}, headers={"If-Match": '"2"'})).status_code == 412
    listed = (await http.get("/staff?q=bell")).json()
    assert (listed["total"], listed["staff"][0]["full_name"]) == (1, "Joseph Bell")
    assert (await http.delete(path)).status_code == 204
    assert (await http.get("/staff?q=bell")).json()["total"] == 0
    assert (await http.put(path, json={"title": "Dr"})).status_code == 410


async def test_hours_exceptions_and_time_off_make_the_availability(http: httpx.AsyncClient) -> None:
    staff, place = (await http.post("/staff", json=BELL)).json()["staff_id"], str(uuid4())
    week = {"location_id": place, "timezone": "Europe/Rome", "valid_from": "2026-03-01",
            "hours": [{"weekday": 0, "start": "09:00", "end": "13:00"}]}  # fmt: skip
    assert (await http.put(f"/staff/{staff}/hours", json=week)).status_code == 200
    away = {"starts_at": "2026-03-02T10:00:00+01:00", "ends_at": "2026-03-02T11:00:00+01:00"}
    assert (await http.post(f"/staff/{staff}/time-off", json=away)).status_code == 201
    day = {"day": "2026-03-09", "location_id": place, "timezone": "Europe/Rome"}
    assert (await http.post(f"/staff/{staff}/exceptions", json=day)).status_code == 201
    span = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-15T00:00:00Z"}
    got = (await http.get(f"/api/v1/staff/{staff}/availability", params=span)).json()
    assert [(one["starts_at"], one["ends_at"]) for one in got["intervals"]] == [
        ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"),
    ]
    assigned = (await http.get(f"/staff/{staff}/assignments")).json()["assignments"]
    assert [(one["location_id"], one["valid_from"]) for one in assigned] == [(place, "2026-03-01")]


async def test_mistakes_are_named(http: httpx.AsyncClient) -> None:
    staff = (await http.post("/staff", json=BELL)).json()["staff_id"]
    assert (await http.get(f"/staff/{uuid4()}")).status_code == 404
    assert (await http.post("/staff", json={**BELL, "role": "KING"})).json()["errors"][0]["path"] == "role"
    week = {"location_id": str(uuid4()), "hours": [{"weekday": 7, "start": "9", "end": "25:00"}]}
    got = (await http.put(f"/staff/{staff}/hours", json=week)).json()
    assert [error["path"] for error in got["errors"]] == ["hours.0.weekday", "hours.0.start", "hours.0.end"]
    bad = await http.put(f"/staff/{staff}/hours", json={**week, "hours": [], "timezone": "Mars/Base"})
    assert bad.json()["errors"][0]["code"] == "unknown-timezone"
    got = await http.get(f"/staff/{staff}/availability", params={"from": "2026-03-01", "to": "x"})
    assert got.status_code == 422


async def test_a_nurse_reads_and_does_not_change(http: httpx.AsyncClient) -> None:
    made = (await http.post("/staff", json=BELL)).json()
    http.headers["Authorization"] = "Bearer nurse"
    assert (await http.get(f"/staff/{made['staff_id']}")).status_code == 200
    assert (await http.post("/staff", json=BELL)).status_code == 403
    http.headers.pop("Authorization")
    assert (await http.get("/staff")).status_code == 401
