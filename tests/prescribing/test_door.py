"""Prescriptions over REST and by the published command, on the real bus."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID, uuid4

import httpx
import pytest
from tests.applications import build
from tests.doors.probe import client_of
from tests.doors.test_clinical_api import ByToken

from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.api import door
from salerno.interfaces.http.application import Setup
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

NURSE = {"Authorization": "Bearer nurse"}
LINE = {
    "name": "Amoxicillina 1 g", "dosage": "1 compressa", "frequency": "2 volte al giorno", "duration": "7 giorni",
    "quantity": "14", "instructions": "a stomaco pieno",
}  # fmt: skip
WARFARIN = {"name": "Coumadin 5 mg", "dosage": "1", "frequency": "daily"}
IBUPROFEN = {"name": "Brufen 400 mg", "dosage": "1 cp", "frequency": "tid", "duration": "3 days"}


@pytest.fixture
async def api(bus: Bus, doctor: Caller, nurse: Caller) -> AsyncIterator[httpx.AsyncClient]:
    application = build(
        bus, [door(bus)], Setup(sessions=ByToken(doctor=doctor, nurse=nurse), version="1.2.3", stop=False)
    )
    async with client_of(application, headers={"Authorization": "Bearer doctor"}) as client:
        yield client


@pytest.fixture
async def ada(bus: Bus, receptionist: Caller) -> str:
    wish = RegisterPatient(full_name="Ada Lovelace", date_of_birth=date(1950, 12, 10), gender="female")
    return str((await bus.handle(wish, receptionist)).aggregate_id)


async def test_the_published_command_issues_a_prescription(api: httpx.AsyncClient, ada: str) -> None:
    payload = {"patient_id": ada, "visit_id": str(uuid4()), "medications": [LINE], "diagnosis": "Otitis"}
    answer = await api.post("/commands/issue-prescription", json={"payload": payload})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["version"]) == (True, 1)
    shown = (await api.get(f"/api/v1/prescriptions/{body['aggregate_id']}")).json()
    assert shown["prescription"]["medications"][0]["medication"] == LINE


async def test_rest_creates_lists_and_returns_a_prescription(api: httpx.AsyncClient, ada: str) -> None:
    created = await api.post("/prescriptions", json={"patient_id": ada, "medications": [LINE]})
    assert created.status_code == 201
    id = created.json()["prescription"]["prescription"]
    assert created.headers["location"] == f"/api/v1/prescriptions/{id}"
    assert created.json()["prescription"]["status"] == "draft"
    listed = (await api.get("/api/v1/prescriptions", params={"patient_id": ada, "status": "draft"})).json()
    assert (listed["total"], listed["items"][0]["prescription"]["prescription"]) == (1, id)
    assert (await api.get(f"/patients/{ada}/prescriptions")).json()["total"] == 1
    assert (await api.get(f"/prescriptions/{id}")).headers["etag"]


async def test_alerts_are_answered_over_rest(api: httpx.AsyncClient, ada: str) -> None:
    first = await api.post("/prescriptions", json={"patient_id": ada, "medications": [WARFARIN], "sign": True})
    assert first.json()["prescription"]["status"] == "signed"
    screened = await api.post("/prescriptions/screen", json={"patient_id": ada, "medications": [IBUPROFEN]})
    (alert,) = (one for one in screened.json()["alerts"] if one["interrupts"])
    assert alert["title"] == {"en": "Ibuprofen + warfarin: bleeding", "it": "Ibuprofene + warfarin: sanguinamento"}

    draft = (await api.post("/prescriptions", json={"patient_id": ada, "medications": [IBUPROFEN]})).json()
    id = draft["prescription"]["prescription"]
    refused = await api.post(f"/prescriptions/{id}/sign", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "unanswered-alerts")
    assert [one["key"] for one in refused.json()["details"]["alerts"]] == [alert["key"]]
    overrides = [{"alert": alert["key"], "reason": "three days, INR on Monday"}]
    signed = await api.post(f"/prescriptions/{id}/sign", json={"overrides": overrides})
    assert signed.status_code == 200
    assert signed.json()["prescription"]["overrides"][0]["reason"] == "three days, INR on Monday"
    taken = (await api.get(f"/patients/{ada}/medicines")).json()["medicines"]
    assert {name for one in taken for name in one["ingredients"]} == {"ibuprofen", "warfarin"}

    stopped = await api.post(f"/prescriptions/{id}/stop", json={"reason": "bruises"})
    assert stopped.status_code == 200
    cancelled = await api.post(f"/prescriptions/{id}/cancel", json={"reason": "wrong medicine"})
    assert cancelled.json()["prescription"]["status"] == "cancelled"


async def test_a_draft_is_changed_with_if_match(api: httpx.AsyncClient, ada: str) -> None:
    draft = (await api.post("/prescriptions", json={"patient_id": ada, "medications": [LINE]})).json()
    id = draft["prescription"]["prescription"]
    changed = await api.put(f"/prescriptions/{id}", json={"medications": [WARFARIN]}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200
    late = await api.put(f"/prescriptions/{id}", json={"medications": [LINE]}, headers={"If-Match": '"1"'})
    assert late.json()["code"] == "version-conflict"


async def test_a_recorded_medicine_is_listed_and_stopped(api: httpx.AsyncClient, ada: str) -> None:
    made = await api.post(f"/patients/{ada}/medicines", json={"medication": {"name": "Lasix 40mg"}}, headers=NURSE)
    assert made.status_code == 201
    id = made.json()["aggregate_id"]
    (taken,) = (await api.get(f"/patients/{ada}/medicines")).json()["medicines"]
    assert (taken["id"], taken["ingredients"]) == (id, ["furosemide"])
    assert (await api.post(f"/medicines/{id}/stop", json={"reason": "dizzy"})).status_code == 200
    assert (await api.get(f"/patients/{ada}/medicines")).json()["medicines"] == []


async def test_medicines_are_searched_over_rest(api: httpx.AsyncClient) -> None:
    found = (await api.get("/medicines/search", params={"q": "couma"})).json()["medicines"]
    assert [(one["name"], one["ingredients"], one["atc"]) for one in found] == [("coumadin", ["warfarin"], ["B01AA03"])]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"medications": []}, "medications"),
        ({"medications": [{"name": ""}]}, "medications"),
        ({"medications": [{"name": "x", "dose": {"amount": -1, "unit": "mg"}}]}, "medications"),
        ({"medications": [{"name": "x", "colour": "red"}]}, "medications"),
    ],
)
async def test_bad_input_is_refused_with_the_field(
    api: httpx.AsyncClient, ada: str, body: dict[str, object], path: str
) -> None:
    answer = await api.post("/prescriptions", json={"patient_id": ada, **body})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith(path)


async def test_a_nurse_may_look_and_not_prescribe(api: httpx.AsyncClient, ada: str) -> None:
    refused = await api.post("/prescriptions", json={"patient_id": ada, "medications": [LINE]}, headers=NURSE)
    assert refused.status_code == 403
    assert (await api.get(f"/patients/{ada}/prescriptions", headers=NURSE)).status_code == 200


async def test_what_does_not_exist_is_not_found(api: httpx.AsyncClient) -> None:
    for method, path in (("GET", ""), ("POST", "/sign"), ("POST", "/cancel")):
        body = {"reason": "because"} if path == "/cancel" else {}
        answer = await api.request(
            method, f"/prescriptions/{UUID(int=7)}{path}", json=body if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-prescription")
