"""Roles, rights and explanations over HTTP."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.applications import build
from tests.doors.test_patients_api import Known, by

from salerno.contexts.identity.commands import CreateUser
from salerno.interfaces import api
from salerno.interfaces.http.application import Setup
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

CELLS = {"patients.read": "yes", "records.read_vitals": "care"}


@pytest.fixture
async def http(bus: Bus, admin: Caller, doctor: Caller) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [api.door(bus)], Setup(sessions=Known(admin=admin, doctor=doctor), stop=False))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://clinic.test", headers=by("admin")
    ) as client:
        yield client


async def nurse(bus: Bus, admin: Caller) -> UUID:
    email = f"{uuid4().hex[:10]}@example.com"
    wish = CreateUser(email=email, password="quiet lantern over Salerno", full_name="Rosa Gallo", role="LAB_TECHNICIAN")
    return (await bus.handle(wish, admin)).aggregate_id


async def test_a_role_is_made_given_explained_and_retired(http: httpx.AsyncClient, bus: Bus, admin: Caller) -> None:
    made = await http.post("/api/v1/roles", json={"title": "Triage nurse", "permissions": CELLS})
    assert made.status_code == 201
    role = made.json()
    assert (role["name"], role["permissions"], role["status"], role["version"]) == ("TRIAGE_NURSE", CELLS, "active", 1)
    assert made.headers["etag"] == '"1"'
    changed = await http.patch(
        f"/api/v1/roles/{role['role_id']}", json={"permissions": {"records.read_vitals": "care+location"}}
    )
    assert changed.json()["permissions"] == {"records.read_vitals": "care+location"}
    who = await nurse(bus, admin)
    given = await http.post(f"/api/v1/users/{who}/roles", json={"role": "TRIAGE_NURSE", "instead": True})
    assert (given.json()["also"], given.json()["instead"]) == (["TRIAGE_NURSE"], ["TRIAGE_NURSE"])
    rights = (await http.get(f"/api/v1/users/{who}/rights")).json()["rights"]
    assert {"permission": "records.read_vitals", "cell": "care+location", "by": ["TRIAGE_NURSE"]} in rights
    assert not any(right["permission"] == "patients.find" for right in rights)
    asked = {"message": "vitals-of-patient", "patient_id": str(uuid4())}
    told = (await http.post(f"/api/v1/users/{who}/explain", json=asked)).json()
    assert (told["allowed"], told["permission"]) == (False, "records.read_vitals")
    assert {"name": "reach", "code": "beyond", "passed": False, "about": []} in told["steps"]
    assert (await http.delete(f"/api/v1/roles/{role['role_id']}")).status_code == 204
    assert (await http.get("/api/v1/roles", params={"status": "active"})).json() == {"roles": []}
    (over,) = (await http.get("/api/v1/roles")).json()["roles"]
    assert (over["status"], over["holders"]) == ("retired", 1)
    assert (await http.delete(f"/api/v1/users/{who}/roles/TRIAGE_NURSE")).status_code == 204


async def test_what_is_wrong_is_named_beside_its_permission(http: httpx.AsyncClient) -> None:
    wrong = await http.post(
        "/api/v1/roles", json={"title": "X y", "permissions": {"no.such": "yes", "records.read": "own"}}
    )
    assert wrong.status_code == 422
    assert [(error["path"], error["code"]) for error in wrong.json()["errors"]] == [
        ("permissions.no.such", "unknown-permission"), ("permissions.records.read", "unknown-cell"),
    ]  # fmt: skip
    first = await http.post("/commands/define-role", json={"payload": {"title": "Same", "permissions": CELLS}})
    again = await http.post("/commands/define-role", json={"payload": {"title": "Same", "permissions": CELLS}})
    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 409, "role-name-taken")
    for method, path, body in (
        ("PATCH", f"/api/v1/roles/{uuid4()}", {"title": "Other"}),
        ("GET", f"/api/v1/roles/{uuid4()}", None),
        ("POST", f"/api/v1/users/{uuid4()}/explain", {"permission": "records.read"}),
    ):
        assert (await http.request(method, path, json=body)).status_code == 404


async def test_the_list_of_permissions_says_who_holds_what_and_what_may_be_given(http: httpx.AsyncClient) -> None:
    lines = {one["permission"]: one for one in (await http.get("/api/v1/permissions")).json()["permissions"]}
    assert lines["patients.read_insurance"]["cells"] == {
        "SUPER_ADMIN": "yes", "ADMIN": "yes", "DOCTOR": "yes", "RECEPTIONIST": "yes", "PATIENT": "own",
    }  # fmt: skip
    assert lines["identity.manage_users"]["offered"] == []


async def test_these_addresses_are_for_administrators(http: httpx.AsyncClient) -> None:
    for method, path, body in (
        ("GET", "/api/v1/roles", None), ("GET", "/api/v1/permissions", None),
        ("POST", "/api/v1/roles", {"title": "X y", "permissions": CELLS}),
        ("POST", f"/api/v1/users/{uuid4()}/explain", {"permission": "records.read"}),
    ):  # fmt: skip
        assert (await http.request(method, path, json=body, headers=by("doctor"))).status_code == 403
