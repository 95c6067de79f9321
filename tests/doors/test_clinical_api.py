"""Visits, notes, diagnoses and the record over REST, on the real bus."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.applications import build
from tests.doors.probe import CSRF, NOW, client_of

from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.api import door
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock


class ByToken:
    """Each token stands for one caller."""

    def __init__(self, **callers: Caller) -> None:
        self.found = {token: Found(caller=who, csrf=CSRF, expires_at=NOW) for token, who in callers.items()}

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return None

    async def caller_by_bearer(self, token: str) -> Found | None:
        return self.found.get(token)

    def forget(self, token: str = "") -> None:
        return None


NOBODY = "00000000-0000-7000-8000-00000000dead"


@pytest.fixture
async def api(bus: Bus, doctor: Caller, nurse: Caller, pharmacist: Caller) -> AsyncIterator[httpx.AsyncClient]:
    sessions = ByToken(doctor=doctor, nurse=nurse, pharmacist=pharmacist)
    application = build(bus, [door(bus)], Setup(sessions=sessions, version="1.2.3", stop=False))
    async with client_of(application, headers={"Authorization": "Bearer doctor"}) as client:
        yield client


NURSE = {"Authorization": "Bearer nurse"}
PHARMACIST = {"Authorization": "Bearer pharmacist"}


@pytest.fixture
async def ada(bus: Bus, receptionist: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Lovelace", date_of_birth=date(1950, 12, 10), gender="female")
    return (await bus.handle(wish, receptionist)).aggregate_id


@pytest.fixture
async def visit(api: httpx.AsyncClient, ada: UUID) -> str:
    answer = await api.post("/visits", json={"patient_id": str(ada), "reason": "cough"})
    assert answer.status_code == 201
    started = answer.json()["visit"]
    assert (started["patient"], started["status"], started["reason"]) == (str(ada), "open", "cough")
    assert answer.headers["location"] == f"/api/v1/visits/{started['visit']}"
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return str(started["visit"])


async def test_a_visit_from_start_to_signature_over_rest(api: httpx.AsyncClient, visit: str, ada: UUID) -> None:
    diagnosis = await api.post(f"/api/v1/visits/{visit}/diagnoses", json={"code": "j209"})
    assert diagnosis.status_code == 200
    plan = await api.put(f"/visits/{visit}/plan", json={"items": [{"kind": "therapy", "text": "Rest"}]})
    assert plan.is_success
    saved = await api.post(f"/visits/{visit}/notes", json={"subjective": "Cough for a week", "base_revision": 0})
    assert saved.status_code == 201
    note = saved.json()["aggregate_id"]
    draft = (await api.get(f"/visits/{visit}/draft")).json()
    assert draft["note"]["content"] == {"subjective": "Cough for a week", "objective": "", "assessment": "", "plan": ""}
    assert [n["note"]["note"] for n in (await api.get("/notes/unsigned")).json()["notes"]] == [note]
    unseen = await api.post(f"/notes/{note}/sign", json={"content_hash": "0" * 64})
    assert (unseen.status_code, unseen.json()["code"]) == (409, "not-what-you-saw")
    signed = await api.post(f"/notes/{note}/sign", json={"content_hash": draft["note"]["content_hash"]})
    assert signed.is_success
    late = await api.post(f"/visits/{visit}/notes", json={"note_id": note, "plan": "more"})
    assert (late.status_code, late.json()["code"]) == (409, "note-is-signed")
    added = await api.post(f"/notes/{note}/addenda", json={"text": "X-ray clear", "reason": "came"}, headers=NURSE)
    assert added.is_success
    assert (await api.post(f"/visits/{visit}/complete", json={})).is_success
    page = await api.get(f"/visits/{visit}")
    assert page.headers["etag"] == '"4"'
    body = page.json()
    assert (body["visit"]["status"], body["visit"]["diagnoses"][0]["code"]) == ("completed", "J20.9")
    assert [n["note"]["addenda"][0]["text"] for n in body["notes"]] == ["X-ray clear"]
    assert (await api.get(f"/visits/{visit}/draft")).status_code == 204
    assert (await api.get(f"/patients/{ada}/visits")).json()["total"] == 1
    versions = (await api.get(f"/notes/{note}?versions=true")).json()["versions"]
    assert len(versions) == 3


async def test_a_stale_window_gets_409_with_what_changed(api: httpx.AsyncClient, visit: str) -> None:
    await api.post(f"/visits/{visit}/notes", json={"subjective": "first", "base_revision": 0})
    stale = await api.post(f"/visits/{visit}/notes", json={"subjective": "second", "base_revision": 0})
    told = stale.json()
    assert (stale.status_code, told["code"], told["details"]["parts"]) == (409, "draft-moved-on", ["subjective"])
    matched = await api.post(f"/visits/{visit}/notes", json={"plan": "x"}, headers={"If-Match": '"1"'})
    assert matched.status_code == 412


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/visits", {}, 422),
        ("POST", "/visits", {"patient_id": str(NOBODY)}, 404),
        ("POST", "/visits", {"patient_id": str(NOBODY), "status": "completed"}, 422),
        ("GET", f"/visits/{NOBODY}", None, 404),
        ("GET", "/visits/not-a-uuid", None, 404),
        ("GET", f"/notes/{NOBODY}", None, 404),
        ("POST", f"/notes/{NOBODY}/sign", {"content_hash": "short"}, 422),
        ("POST", f"/visits/{NOBODY}/diagnoses", {"code": "I10"}, 404),
        ("POST", f"/patients/{NOBODY}/vitals", {"systolic": 120}, 404),
        ("POST", f"/vitals/{NOBODY}/void", {"reason": "slip"}, 404),
        ("PATCH", f"/problems/{NOBODY}", {"clinical_status": "cured"}, 422),
        ("POST", f"/goals/{NOBODY}/withdraw", {"reason": "slip"}, 404),
        ("GET", "/diagnoses/search", None, 422),
        ("GET", f"/patients/{NOBODY}/vitals/series?kinds=colour", None, 422),
        ("GET", f"/patients/{NOBODY}/chart?as_of=yesterday", None, 422),
        ("GET", f"/patients/{NOBODY}/observations?limit=100000", None, 422),
    ],
)
async def test_bad_input_gets_its_own_answer(
    api: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = await api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_implausible_measurement_names_every_field(api: httpx.AsyncClient, ada: UUID) -> None:
    answer = await api.post(f"/patients/{ada}/vitals", json={"systolic": 12, "heart_rate": 900, "weight": 70})
    assert (answer.status_code, answer.json()["code"]) == (422, "implausible")
    assert [error["path"] for error in answer.json()["errors"]] == ["systolic", "heart_rate"]


async def test_diagnoses_are_searched_in_two_languages(api: httpx.AsyncClient) -> None:
    codes = (await api.get("/diagnoses/search", params={"q": "polmonite", "limit": 1})).json()["codes"]
    assert codes == [
        {"code": "J18.9", "display": "Pneumonia, unspecified organism", "italian": "polmonite", "billable": True}
    ]
    assert (await api.get("/note-templates?specialty=cardiology&language=it")).json()["templates"][-1]["title"] == (
        "Visita cardiologica"
    )
    assert (await api.get("/laboratory-tests?q=hba1c")).json()["tests"][0]["loinc"] == "4548-4"


async def test_everything_of_a_record_is_written_and_read_over_rest(
    api: httpx.AsyncClient, ada: UUID, visit: str, bus: Bus
) -> None:
    at = f"/patients/{ada}"
    written = {
        "problems": {"code": "I10", "display": "Hypertension", "visit_id": visit},
        "allergies": {"substance": "Latex", "reactions": [{"manifestation": {"display": "Rash"}, "severity": "mild"}]},
        "vitals": {"systolic": 120, "diastolic": 80, "weight": 154, "units": {"weight": "[lb_av]"}},
        "observations": {"code": "718-7", "quantity": {"value": 9, "unit": "g/dL"}, "category": ["laboratory"]},
        "history": {"kind": "family", "display": "Diabetes", "relation": "mother"},
        "immunizations": {"code": "140", "display": "Influenza"},
        "procedures": {"code": "430193006", "display": "Reconciliation"},
        "reports": {"code": "58410-2", "display": "Blood count"},
        "care-plans": {"display": "Weight loss"},
        "goals": {"display": "Below 80 kg"},
    }
    ids = {}
    for path, body in written.items():
        answer = await api.post(f"{at}/{path}", json=body)
        assert answer.status_code == 201, (path, answer.text)
        ids[path] = answer.json()["aggregate_id"]
    await bus.settled()
    assert (await api.get(f"{at}/problems")).json()["problems"][0]["content"]["code"] == "I10"
    assert (await api.get(f"{at}/allergies")).json()["allergies"][0]["content"]["reaction"] == "Rash"
    vitals = (await api.get(f"{at}/vitals")).json()["vitals"][0]
    assert (vitals["entry"]["content"]["weight"], round(vitals["mean_pressure"], 2)) == (69.853225, 93.33)
    series = (await api.get(f"{at}/vitals/series?kinds=systolic,weight")).json()["series"]
    assert [(one["kind"], one["points"][0]["value"]) for one in series] == [("systolic", 120), ("weight", 69.853225)]
    page = (await api.get(f"{at}/observations?category=laboratory")).json()
    assert (page["total"], page["items"][0]["flag"]) == (1, "L")
    for path in ("history", "immunizations", "procedures", "reports", "care-plans", "goals"):
        assert (await api.get(f"{at}/{path}")).json()["total"] == 1, path
        change = await api.post(f"/{path}/{ids[path]}/withdraw", json={"reason": "other patient"})
        assert change.is_success, change.text
        assert (await api.get(f"{at}/{path}")).json()["total"] == 0, path
    assert (await api.put(f"/observations/{ids['observations']}/status", json={"status": "amended"})).is_success
    assert (await api.patch(f"/problems/{ids['problems']}", json={"clinical_status": "resolved"})).is_success
    changed = {"substance": "Latex", "criticality": "high"}
    assert (await api.put(f"/allergies/{ids['allergies']}", json=changed)).is_success
    assert (await api.post(f"/allergies/{ids['allergies']}/remove", json={"reason": "slip"})).is_success
    assert (await api.post(f"{at}/allergies/none-known", json={})).status_code == 201
    assert (await api.post(f"/vitals/{ids['vitals']}/void", json={"reason": "slip"})).is_success
    kinds = [line["kind"] for line in (await api.get(f"{at}/timeline?limit=50")).json()["items"]]
    assert sorted(kinds) == ["observation", "problem", "visit"]


async def test_the_chart_over_rest_is_the_one_of_the_moment(
    api: httpx.AsyncClient, ada: UUID, clock: MovableClock
) -> None:
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    clock.set(monday)
    await api.post("/visits", json={"patient_id": str(ada)})
    await api.post(f"/patients/{ada}/allergies", json={"substance": "Latex"})
    clock.set(monday + timedelta(days=2))
    await api.post(f"/patients/{ada}/allergies", json={"substance": "Pollen"})

    async def seen(**params: str) -> tuple[int, int]:
        body = (await api.get(f"/patients/{ada}/chart", params=params)).json()
        return len(body["records"]["allergies"]["allergies"]), len(body["visits"])

    assert await seen() == (2, 1)
    assert await seen(as_of="2026-03-03T00:00:00Z") == (1, 1)
    assert await seen(as_of="2026-03-01T00:00:00Z") == (0, 0)
    encounters = await api.get(f"/patients/{ada}/encounters", params={"as_of": "2026-03-01T00:00:00Z"})
    assert encounters.json() == {"visits": []}


async def test_each_role_reaches_its_own_routes(api: httpx.AsyncClient, ada: UUID, visit: str) -> None:
    paths = (f"/patients/{ada}/chart", f"/patients/{ada}/allergies", f"/visits/{visit}")
    statuses = [(await api.get(path, headers=PHARMACIST)).status_code for path in paths]
    assert statuses == [403, 200, 403]
    refused = await api.post(f"/visits/{visit}/diagnoses", json={"code": "I10"}, headers=NURSE)
    assert refused.status_code == 403
    assert (await api.get(f"/visits/{visit}", headers={"Authorization": "Bearer nobody"})).status_code == 401
