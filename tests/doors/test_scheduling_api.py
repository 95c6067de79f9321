"""Appointments over REST: shapes as the requirements name them, and what each refusal looks like."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.doors.probe import client_of
from tests.doors.test_api import application

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.staff.commands import AddStaffMember
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

KEY = {"Authorization": "Bearer known"}
AT = "2026-03-02T09:00:00Z"


@pytest.fixture
async def desk(bus: Bus, receptionist: Caller) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(bus, receptionist), headers=KEY) as client:
        yield client


@pytest.fixture
async def office(bus: Bus, admin: Caller) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(bus, admin), headers=KEY) as client:
        yield client


@pytest.fixture
def patient(bus: Bus, receptionist: Caller) -> Callable[[str], Awaitable[UUID]]:
    async def make(name: str) -> UUID:
        wish = RegisterPatient(full_name=name, date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


@pytest.fixture
async def body(bus: Bus, admin: Caller, patient: Callable[[str], Awaitable[UUID]]) -> dict[str, Any]:
    wish = AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR")
    return {
        "patient_id": str(await patient("Ada Byron")),
        "doctor_id": str((await bus.handle(wish, admin)).aggregate_id),
        "appointment_datetime": AT,
        "duration_minutes": 30,
        "visit_type": "consultation",
        "reason": "cough",
    }


async def book(desk: httpx.AsyncClient, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await desk.post("/api/v1/appointments", json=body | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_command_takes_and_answers_what_sch_02_names(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await desk.post("/commands/schedule-appointment", json={"payload": body})
    assert answer.status_code == 200
    granted = answer.json()
    assert set(granted) == {"success", "aggregate_id", "version"}
    assert (granted["success"], granted["version"]) == (True, 1)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_day_lists_what_sch_03_names(desk: httpx.AsyncClient, body: dict[str, Any], prefix: str) -> None:
    made = await book(desk, body)
    answer = (await desk.get(f"{prefix}/appointments", params={"date": "2026-03-02"})).json()
    [item] = answer["appointments"]
    assert {key: item[key] for key in (
        "id", "patient_id", "patient_name", "doctor_id", "doctor_name", "appointment_datetime", "duration_minutes",
        "visit_type", "status",
    )} == {
        "id": made["id"], "patient_id": body["patient_id"], "patient_name": "Ada Byron",
        "doctor_id": body["doctor_id"], "doctor_name": "Joseph Bell", "appointment_datetime": AT,
        "duration_minutes": 30, "visit_type": "consultation", "status": "scheduled",
    }  # fmt: skip
    assert (answer["total"], answer["limit"], answer["offset"]) == (1, 50, 0)
    assert (await desk.get(f"{prefix}/appointments", params={"date": "2026-03-03"})).json()["appointments"] == []


async def test_an_appointment_is_made_read_changed_and_carries_its_version(
    desk: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await desk.post("/appointments", json=body)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    path = answer.headers["location"]
    assert (await desk.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    changed = await desk.put(path, json={"reason": "fever", "duration_minutes": 45}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["reason"], changed.json()["duration_minutes"]) == (200, "fever", 45)
    stale = await desk.put(path, json={"reason": "flu"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["details"]["current_version"]) == (412, 2)


async def test_delete_cancels_and_the_row_stays(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    made = await book(desk, body)
    assert (await desk.delete(f"/api/v1/appointments/{made['id']}")).status_code == 204
    item = (await desk.get(f"/api/v1/appointments/{made['id']}")).json()
    assert (item["status"], item["cancel_reason"]) == ("cancelled", "")


@pytest.mark.parametrize(("sent", "kept"), [({"json": {"reason": "snow"}}, "snow"), ({}, "")])
async def test_post_cancel_takes_a_reason_or_none(
    desk: httpx.AsyncClient, body: dict[str, Any], sent: dict[str, Any], kept: str
) -> None:
    made = await book(desk, body)
    answer = await desk.post(f"/api/v1/appointments/{made['id']}/cancel", **sent)
    assert (answer.status_code, answer.json()["status"], answer.json()["cancel_reason"]) == (200, "cancelled", kept)


async def test_reschedule_moves_it(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    made = await book(desk, body)
    later = {"appointment_datetime": "2026-03-02T10:00:00Z"}
    answer = await desk.post(f"/api/v1/appointments/{made['id']}/reschedule", json=later)
    assert (answer.status_code, answer.json()["appointment_datetime"]) == (200, "2026-03-02T10:00:00Z")


async def test_a_taken_time_is_409_with_conflicts_and_alternatives(
    desk: httpx.AsyncClient, body: dict[str, Any], patient: Callable[[str], Awaitable[UUID]]
) -> None:
    made = await book(desk, body)
    answer = await desk.post("/appointments", json=body | {"patient_id": str(await patient("Bo Rossi"))})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "slot-taken")
    assert [conflict["appointment_id"] for conflict in problem["details"]["conflicts"]] == [made["id"]]
    assert len(problem["details"]["alternatives"]) == 3


async def test_t123_clients_of_rest_and_commands_race_for_one_slot(
    desk: httpx.AsyncClient, body: dict[str, Any], patient: Callable[[str], Awaitable[UUID]]
) -> None:
    wishes = [body | {"patient_id": str(await patient(f"Ada {letter}rossi"))} for letter in "abcdefgh"]
    posts = [desk.post("/api/v1/appointments", json=wish) for wish in wishes[::2]]
    posts += [desk.post("/commands/schedule-appointment", json={"payload": wish}) for wish in wishes[1::2]]
    answers = await asyncio.gather(*posts)
    lost = [answer for answer in answers if answer.status_code == 409]
    assert len(lost) == 7 and all(len(answer.json()["details"]["alternatives"]) == 3 for answer in lost)
    assert (await desk.get("/appointments", params={"date": "2026-03-02"})).json()["total"] == 1


async def test_an_idempotency_key_books_once(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    first, second = [await desk.post("/appointments", json=body, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("duration_minutes", 0, "out-of-range"),
        ("duration_minutes", "30", "wrong-type"),
        ("appointment_datetime", "tomorrow", "malformed"),
        ("patient_id", "x", "malformed"),
        ("surprise", 1, "unknown-field"),
        ("appointment_datetime", "0001-01-01T00:00:00Z", "out-of-range"),
        ("appointment_datetime", "2026-03-29T02:30:00", "no-such-time"),
        ("visit_type", "nonsense", "unknown"),
        ("room_id", "00000000-0000-7000-8000-00000000dead", "unknown"),
    ],
)
async def test_what_makes_no_sense_is_named_field_by_field(
    desk: httpx.AsyncClient, body: dict[str, Any], field: str, value: Any, code: str
) -> None:
    answer = await desk.post("/appointments", json=body | {field: value})
    assert answer.status_code == 422, answer.text
    assert [(each["path"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]


async def test_each_step_of_a_visit_has_its_address(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    made = await book(desk, body | {"appointment_datetime": "2026-03-02T08:00:00Z"})
    steps = [("confirm", "confirmed"), ("check-in", "checked-in"), ("reinstate", "scheduled"), ("no-show", "no-show")]
    for verb, status in steps:
        answer = await desk.post(f"/appointments/{made['id']}/{verb}")
        assert (answer.status_code, answer.json()["status"]) == (200, status)


@pytest.mark.parametrize(
    "path",
    ["/appointments/{id}", "/appointments/{id}/cancel", "/appointments/{id}/reschedule", "/appointments/{id}/confirm"],
)
async def test_an_unknown_appointment_is_404_for_everybody(desk: httpx.AsyncClient, path: str) -> None:
    url = path.format(id=uuid4())
    move = {"appointment_datetime": AT}
    answer = await (desk.get(url) if url.count("/") == 2 else desk.post(url, json=move if "resch" in url else {}))
    assert (answer.status_code, answer.json()["code"].startswith("no")) == (404, True)


async def test_free_times_the_waiting_room_and_the_schedule_answer(
    desk: httpx.AsyncClient, body: dict[str, Any], bus: Bus
) -> None:
    await bus.settled()
    slots = (await desk.get("/free-slots", params={"doctor_id": body["doctor_id"], "limit": 2})).json()["slots"]
    assert [slot["doctor_name"] for slot in slots] == ["Joseph Bell"] * 2
    assert (await desk.get("/waiting-room")).json() == {"waiting": []}
    await book(desk, body)
    day = (await desk.get("/schedule", params={"first": "2026-03-02"})).json()
    assert [item["patient_name"] for item in day["appointments"]] == ["Ada Byron"]
    week = (await desk.get("/schedule", params={"first": "2026-03-02", "last": "2026-03-08"})).json()
    assert len(week["appointments"]) == 1
    assert (await desk.get("/schedule", params={"first": "2026-03-02", "last": "2027-03-08"})).status_code == 422
    history = (await desk.get(f"/patients/{body['patient_id']}/appointments")).json()
    assert history["total"] == 1


async def test_rooms_and_visit_types_are_managed_by_the_office_only(
    desk: httpx.AsyncClient, office: httpx.AsyncClient
) -> None:
    made = await office.post("/rooms", json={"name": "Blue"})
    assert made.status_code == 201
    room = made.json()["id"]
    assert (await office.put(f"/rooms/{room}", json={"name": "Green"})).status_code == 200
    assert [each["name"] for each in (await desk.get("/rooms")).json()["rooms"]] == ["Green"]
    assert (await desk.post("/rooms", json={"name": "Red"})).status_code == 403
    assert (await office.delete(f"/rooms/{room}")).status_code == 204
    echo = {"code": "echo", "name_it": "Eco", "name_en": "Echo", "minutes": 40}
    assert (await office.post("/visit-types", json=echo)).status_code == 201
    codes = [each["code"] for each in (await desk.get("/visit-types")).json()["visit_types"]]
    assert "echo" in codes and "follow-up" in codes
    assert (await office.delete("/visit-types/echo")).status_code == 204
    assert (await office.delete("/visit-types/nonsense")).status_code == 404


async def test_practitioners_are_those_who_see_patients(
    bus: Bus, desk: httpx.AsyncClient, admin: Caller, body: dict[str, Any]
) -> None:
    for name, role in (("Abella", "RECEPTIONIST"), ("Rebecca", "NURSE"), ("Costanza", "ADMIN")):
        await bus.handle(AddStaffMember(given_name=name, family_name="Salerno", role=role), admin)
    await bus.settled()
    listed = (await desk.get("/practitioners")).json()["practitioners"]
    assert [(one["name"], one["role"]) for one in listed] == [("Joseph Bell", "DOCTOR"), ("Rebecca Salerno", "NURSE")]
