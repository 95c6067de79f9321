"""Rooms in two processes on one database: a visit crosses between them, and the death of one is not the other's."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from bench.harness import Process, answer_of
from tests.journeys.conftest import Premises

from salerno.interfaces.cli.demo.clinic import PASSWORD

FRONT = "organisations,identity,staff,patients,protection"
BACK = "scheduling,encounters,records,prescribing,audit,vigilance"


class Pair:
    def __init__(self, premises: Premises) -> None:
        self.clinic = premises.clinic
        self.front = Process(premises.data, "--rooms", FRONT, "--doors", "api").start()
        self.back = Process(premises.data, "--rooms", BACK, "--doors", "api").start()
        self.front.ready()
        self.back.ready()
        self.clients = ExitStack()

    def client(self, who: str) -> httpx.Client:
        client = self.clients.enter_context(httpx.Client(base_url=self.front.url, timeout=20))
        login = {"email": f"test.{who}@example.com", "password": PASSWORD}
        client.headers["Authorization"] = f"Bearer {answer_of(client.post('/auth/login', json=login))['token']}"
        return client


@pytest.fixture(scope="module")
def pair(premises: Premises) -> Iterator[Pair]:
    made = Pair(premises)
    yield made
    made.clients.close()
    made.back.stop()
    made.front.stop()


def order(client: httpx.Client, name: str, **payload: Any) -> Any:
    return answer_of(client.post(f"/commands/{name}", json={"payload": payload}))


def register(client: httpx.Client, given: str) -> str:
    wish = {"full_name": f"{given} Rossi", "date_of_birth": "1950-12-10", "gender": "female"}
    return str(order(client, "register-patient", **wish)["aggregate_id"])


def next_tuesday_at(hour: int) -> datetime:
    now = datetime.now(UTC)
    day = now + timedelta(days=(1 - now.weekday()) % 7 or 7)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def book(client: httpx.Client, pair: Pair, patient: str, at: datetime) -> httpx.Response:
    wish = {
        "patient_id": patient,
        "doctor_id": str(pair.clinic.staff["doctor"]),
        "appointment_datetime": at.isoformat(),
        "duration_minutes": 30,
        "reason": "cough",
        "overbook_reason": "urgent",
    }
    return client.post("/commands/schedule-appointment", json={"payload": wish})


def test_top_a_visit_is_walked_through_one_process_while_half_the_rooms_live_in_another(pair: Pair) -> None:
    desk, nurse, doctor = (pair.client(who) for who in ("receptionist", "nurse", "doctor"))
    ada = register(desk, "Ada")
    now = datetime.now(UTC) + timedelta(minutes=1)
    appointment = answer_of(book(desk, pair, ada, now))["aggregate_id"]
    order(desk, "check-in", appointment_id=appointment)
    visit = order(doctor, "start-visit", patient_id=ada, appointment_id=appointment, reason="cough")["aggregate_id"]
    order(nurse, "record-vitals", patient_id=ada, visit_id=visit, heart_rate=72, systolic=128, diastolic=82)
    note = order(doctor, "save-draft", visit_id=visit, subjective="Cough", plan="Rest")["aggregate_id"]
    page = answer_of(doctor.get(f"/notes/{note}"))
    order(doctor, "sign-note", note_id=note, content_hash=page["note"]["content_hash"])
    medicine = {
        "name": "Paracetamol 500 mg tablets",
        "dosage": "1 tablet",
        "frequency": "twice a day",
        "duration": "3 days",
    }
    prescribed = answer_of(
        doctor.post("/prescriptions", json={"patient_id": ada, "visit_id": visit, "medications": [medicine]})
    )
    signed = answer_of(doctor.post(f"/prescriptions/{prescribed['prescription']['prescription']}/sign", json={}))
    assert signed["prescription"]["status"] == "signed"
    assert answer_of(doctor.get(f"/notes/{note}"))["note"]["status"] == "signed"
    rounds = answer_of(doctor.get(f"/patients/{ada}/vitals"))
    assert "128" in str(rounds)
    day = answer_of(
        desk.get("/appointments", params={"date": now.astimezone(ZoneInfo("Europe/Rome")).date().isoformat()})
    )
    assert [item["status"] for item in day["appointments"] if item["id"] == appointment] == ["checked-in"]


def test_a_refusal_in_the_other_process_keeps_its_code_and_its_fields(pair: Pair) -> None:
    desk, doctor = pair.client("receptionist"), pair.client("doctor")
    ada, bice = register(desk, "Anna"), register(desk, "Bice")
    assert book(desk, pair, ada, next_tuesday_at(11)).is_success
    taken = book(desk, pair, bice, next_tuesday_at(11))
    assert taken.status_code == 409
    assert taken.json()["code"] == "slot-taken"
    wrong = doctor.post(
        "/commands/record-vitals", json={"payload": {"patient_id": ada, "systolic": 60, "diastolic": 120}}
    )
    assert wrong.status_code == 422
    assert {error["path"] for error in wrong.json()["errors"]} & {"systolic", "diastolic"}
    visit = order(doctor, "start-visit", patient_id=ada, reason="cough")["aggregate_id"]
    order(doctor, "record-diagnosis", visit_id=visit, code="j209")
    late = doctor.post("/commands/complete-visit", json={"payload": {"visit_id": visit}}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "version-conflict")
    assert late.json()["details"]["current_version"] == 2
    refused = desk.get(f"/patients/{ada}/vitals")
    assert refused.status_code == 403


def test_t043_a_chart_that_one_process_restricts_is_hidden_by_the_rooms_of_the_other(pair: Pair) -> None:
    desk, doctor, admin = pair.client("receptionist"), pair.client("doctor"), pair.client("admin")
    ada = register(desk, "Fiammetta")
    assert doctor.get(f"/patients/{ada}/allergies").status_code == 200
    order(admin, "restrict-chart", patient_id=ada, reason="staff")
    until = time.monotonic() + 5
    while (got := doctor.get(f"/patients/{ada}/allergies")).status_code == 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert (got.status_code, got.json()["code"]) == (403, "restricted")
    order(doctor, "break-glass", patient_id=ada, reason="care", explanation="Asked for advice by the ward")
    until = time.monotonic() + 5
    while (got := doctor.get(f"/patients/{ada}/allergies")).status_code != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert got.status_code == 200


def test_the_same_key_is_one_wish_across_processes(pair: Pair) -> None:
    desk = pair.client("receptionist")
    ada = register(desk, "Carla")
    wish = {"payload": {"patient_id": ada, "reason": "cough"}}
    doctor = pair.client("doctor")
    answers = [
        answer_of(doctor.post("/commands/start-visit", json=wish, headers={"Idempotency-Key": "one-visit"}))
        for _ in range(3)
    ]
    assert len({answer["aggregate_id"] for answer in answers}) == 1


def test_tkill_one_process_is_killed_the_other_says_so_and_goes_on_when_it_is_back(pair: Pair) -> None:
    desk = pair.client("receptionist")
    ada = register(desk, "Dora")
    pair.back.kill()
    try:
        started = time.monotonic()
        refused = book(desk, pair, ada, next_tuesday_at(15))
        assert time.monotonic() - started < 10
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert desk.get(f"/patients/{ada}").status_code == 200  # its own rooms go on
        assert register(desk, "Elsa")
    finally:
        pair.back.start().ready()
    until = time.monotonic() + 15
    while (booked := book(desk, pair, ada, next_tuesday_at(15))).status_code == 503 and time.monotonic() < until:
        time.sleep(0.2)
    assert booked.is_success, booked.text


def test_a_worker_does_not_outlive_its_server_process(pair: Pair) -> None:
    assert pair.back.process is not None
    pair.back.process.kill()  # the parent alone: its worker is left behind
    pair.back.process.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(f"{pair.back.url}/livez", timeout=2)
        except httpx.HTTPError:
            break
        time.sleep(0.2)
    else:
        raise AssertionError("the worker still serves")
    pair.back.start().ready()
