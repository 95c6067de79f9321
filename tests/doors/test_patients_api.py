"""Patients over HTTP: PAT-02 to PAT-11 and PAT-13, in both spellings, on both paths."""

import asyncio
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

MARIA = {
    "full_name": "Maria Rossi",
    "date_of_birth": "1948-03-12",
    "gender": "female",
    "phone": "333 1234567",
    "email": "maria@rossi.it",
    "address": {"line1": "Via dei Mercanti 1", "city": "Salerno", "state": "SA", "postal_code": "84121"},
}


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
def known(admin: Caller, doctor: Caller, receptionist: Caller, pharmacist: Caller) -> Known:
    return Known(admin=admin, doctor=doctor, receptionist=receptionist, pharmacist=pharmacist)


@pytest.fixture
async def http(bus: Bus, known: Known) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [api.door(bus)], Setup(sessions=known, stop=False))
    transport, headers = httpx.ASGITransport(app), {"Authorization": "Bearer receptionist"}
    async with httpx.AsyncClient(transport=transport, base_url="https://clinic.test", headers=headers) as client:
        yield client


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def test_the_command_takes_the_payload_and_answers_as_pat_02_says(http: httpx.AsyncClient) -> None:
    made = await http.post("/commands/register-patient", json={"payload": MARIA})
    assert made.status_code == 200
    body = made.json()
    assert body == {"success": True, "aggregate_id": body["aggregate_id"], "version": 1}
    with_number = {**MARIA, "full_name": "Anna Verdi", "date_of_birth": "1970-01-01", "mrn": "MRN-2025-000123"}
    second = await http.post("/commands/register-patient", json={"payload": {**with_number, "phone": "334 7654321",
                                                                            "email": "anna@verdi.it"}})  # fmt: skip
    read = await http.get(f"/patients/{second.json()['aggregate_id']}")
    assert read.json()["mrn"] == "MRN-2025-000123"


async def test_the_bare_list_answers_as_pat_04_says(http: httpx.AsyncClient) -> None:
    await http.post("/patients", json=MARIA)
    listed = (await http.get("/patients?limit=20&offset=0")).json()
    (line,) = listed.pop("patients")
    assert listed == {"total": 1, "limit": 20, "offset": 0}
    assert set(line) == {"id", "mrn", "full_name", "date_of_birth", "gender", "phone", "email", "created_at"}
    assert (line["full_name"], line["date_of_birth"], line["phone"]) == ("Maria Rossi", "1948-03-12", "+393331234567")
    assert (await http.get("/api/v1/patients")).json()["total"] == 1


async def test_the_bare_search_answers_as_pat_05_says(http: httpx.AsyncClient) -> None:
    made = (await http.post("/patients", json=MARIA)).json()
    for asked in ("q=rosi", "q=maria", "q=12/03/1948", "name=maria&date_of_birth=1948-03-12", "phone=333+1234567",
                  "email=maria@rossi.it", f"mrn={made['mrn']}", "first_name=Maria&last_name=Rossi"):  # fmt: skip
        found = await http.get(f"/patients/search?{asked}")
        assert found.json() == {
            "results": [{"id": made["id"], "mrn": made["mrn"], "full_name": "Maria Rossi", "phone": "+393331234567"}]
        }, asked
    assert (await http.get("/patients/search?q=verdi")).json() == {"results": []}
    scored = (await http.get("/api/v1/patients/search?q=maria+rosi&limit=5")).json()
    assert (scored["results"][0]["reasons"], scored["limit"], scored["more"]) == (["name", "name_similar"], 5, False)
    nothing = await http.get("/api/v1/patients/search")
    assert (nothing.status_code, nothing.json()["errors"][0]["path"]) == (422, "q")
    assert (await http.get("/patients/search?q=a&color=red")).status_code == 422


async def test_one_record_from_creation_to_removal(http: httpx.AsyncClient) -> None:
    made = await http.post("/api/v1/patients", json=MARIA)
    path = made.headers["Location"]
    assert (made.status_code, made.headers["ETag"], path) == (201, '"1"', f"/api/v1/patients/{made.json()['id']}")
    read = await http.get(path)
    assert read.json() == made.json()
    assert (read.json()["firstName"], read.json()["last_name"], read.json()["dateOfBirth"]) == (
        "Maria", "Rossi", "1948-03-12",
    )  # fmt: skip
    assert (await http.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    put = await http.put(path, json={**MARIA, "phone": None}, headers={"If-Match": '"1"'})
    assert (put.status_code, put.json()["phone"], put.headers["ETag"]) == (200, "", '"2"')
    patched = await http.patch(path, json={"marital_status": "married"}, headers={"If-Match": '"2"'})
    assert (patched.json()["marital_status"], patched.json()["email"]) == ("married", "maria@rossi.it")
    stale = await http.put(path, json=MARIA, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["details"]["current_version"]) == (412, 3)
    assert (await http.delete(path)).status_code == 403
    assert (await http.delete(path, headers=by("admin"))).status_code == 204
    assert (await http.get(path)).status_code == 404
    assert (await http.get("/patients/removed", headers=by("admin"))).json()["total"] == 1
    back = await http.post(f"{path}/restore", json={"reason": "by mistake"}, headers=by("admin"))
    assert (back.status_code, back.json()["status"]) == (200, "active")


async def test_a_complete_change_empties_what_it_leaves_out(http: httpx.AsyncClient) -> None:
    path = (await http.post("/patients", json=MARIA)).headers["Location"]
    put = (await http.put(path, json={"full_name": "Maria Rossi"})).json()
    assert (put["date_of_birth"], put["phone"], put["gender"]) == (None, "", "unknown")
    assert put["address"] == {
        "line1": "", "line2": "", "city": "", "state": "", "postal_code": "", "country": "",
    }  # fmt: skip


async def test_c06_both_spellings_are_understood_and_must_not_contradict(http: httpx.AsyncClient) -> None:
    other = {"firstName": "Ada", "lastName": "King", "dateOfBirth": "1990-12-10", "address": {"postalCode": "84100"}}
    made = (await http.post("/api/v1/patients", json=other)).json()
    assert (made["full_name"], made["date_of_birth"], made["address"]["postal_code"]) == (
        "Ada King", "1990-12-10", "84100",
    )  # fmt: skip
    both = await http.post("/patients", json={"full_name": "Ada King", "fullName": "Eva King"})
    assert (both.status_code, both.json()["errors"][0]["path"]) == (422, "fullName")


async def test_every_field_that_needs_a_look_is_named(http: httpx.AsyncClient) -> None:
    bad = await http.post("/patients", json={"full_name": "", "phone": "12", "date_of_birth": "2999-01-01"})
    assert bad.status_code == 422
    assert [error["path"] for error in bad.json()["errors"]] == ["full_name", "date_of_birth", "phone"]
    kinds = await http.post("/patients", json={"full_name": 7, "date_of_birth": "12 March", "address": "here"})
    assert sorted(error["path"] for error in kinds.json()["errors"]) == ["address", "date_of_birth", "full_name"]


async def test_a_likely_duplicate_is_a_conflict_with_reasons(http: httpx.AsyncClient) -> None:
    first = (await http.post("/patients", json=MARIA)).json()
    again = await http.post("/api/v1/patients", json={**MARIA, "full_name": "Maria Rosi"})
    assert (again.status_code, again.json()["code"]) == (409, "likely-duplicate")
    (told,) = again.json()["details"]["duplicates"]
    assert told["patient_id"] == first["id"]
    assert "family-name-nearly" in told["reasons"]
    sure = await http.post("/patients", json={**MARIA, "full_name": "Maria Rosi", "confirmed_not_duplicate": True})
    assert sure.status_code == 201
    typed = await http.post("/patients/duplicates", json={"full_name": "Maria Rossi", "date_of_birth": "1948-03-12"})
    assert [one["full_name"] for one in typed.json()["duplicates"]] == ["Maria Rossi", "Maria Rosi"]


async def test_merging_answers_where_the_record_went_until_it_is_undone(http: httpx.AsyncClient) -> None:
    survivor = (await http.post("/patients", json=MARIA)).json()["id"]
    other = {"full_name": "Marietta Rossi", "date_of_birth": "1948-03-21"}
    duplicate = (await http.post("/patients", json=other)).json()["id"]
    before = [(await http.get(f"/patients/{id}")).json() for id in (survivor, duplicate)]
    wish = {"duplicate_id": duplicate}
    assert (await http.post(f"/patients/{survivor}/merge", json=wish)).status_code == 403
    merged = await http.post(f"/patients/{survivor}/merge", json=wish, headers=by("doctor"))
    assert merged.json()["linked"] == [duplicate]
    gone = await http.get(f"/patients/{duplicate}")
    assert (gone.status_code, gone.json()["details"]) == (410, {"merged_into": survivor})
    assert "Marietta" not in gone.text
    linked = await http.get(f"/patients/{survivor}/linked")
    assert linked.json() == {"patient_ids": [survivor, duplicate]}
    undone = await http.post(f"/patients/{survivor}/unmerge", json=wish, headers=by("doctor"))
    assert undone.status_code == 200
    after = [(await http.get(f"/patients/{id}")).json() for id in (survivor, duplicate)]
    assert [{**one, "version": 0} for one in after] == [{**one, "version": 0} for one in before]


async def test_consents_contacts_insurance_and_the_past(http: httpx.AsyncClient) -> None:
    path = (await http.post("/patients", json=MARIA)).headers["Location"]
    given = await http.post(f"{path}/consents", json={"scope": "data-sharing", "version": "2"})
    assert (given.status_code, given.json()["consents"][0]["withdrawn_on"]) == (201, None)
    ended = await http.post(f"{path}/consents/data-sharing/withdraw", json={"reason": "enough"})
    assert ended.json()["consents"][0]["reason"] == "enough"
    assert (await http.post(f"{path}/consents/data-sharing/withdraw", json={})).status_code == 404
    call = {"emergency_contacts": [{"name": "Anna", "phone": "333 7654321", "relationship": "daughter"}]}
    assert (await http.put(f"{path}/emergency-contacts", json=call)).json()["emergency_contacts"][0]["phone"] == (
        "+393337654321"
    )
    paid = await http.put(f"{path}/insurance", json={"insurance": [{"payer": "ASL Salerno", "member_number": "1"}]})
    assert paid.json()["insurance"][0]["payer"] == "ASL Salerno"
    assert (await http.get(f"{path}/banner")).json()["full_name"] == "Maria Rossi"
    now = SystemClock().now().isoformat().replace("+00:00", "Z")
    then = await http.get(f"{path}/as-of", params={"moment": now})
    assert then.json()["insurance"][0]["payer"] == "ASL Salerno"
    assert (await http.get(f"{path}/as-of", params={"moment": "2020-01-01T00:00:00Z"})).status_code == 404
    assert (await http.get(f"{path}/as-of", params={"moment": "2020-01-01T00:00:00"})).status_code == 422


@pytest.mark.parametrize("name", ["id", "patient_id", "mrn", "status", "version", "hospital_id", "organisation",
                                  "created_at", "merged_into", "consents", "complete", "role", "subject"])  # fmt: skip
async def test_t035_t048_no_body_names_another_or_sets_what_only_the_server_says(
    http: httpx.AsyncClient, name: str
) -> None:
    path = (await http.post("/patients", json=MARIA)).headers["Location"]
    victim = (await http.post("/patients", json={"full_name": "Ada King"})).json()
    before = (await http.get(path)).json()
    for attempt in (
        http.put(path, json={**MARIA, name: victim["id"]}),
        http.patch(path, json={name: victim["id"]}),
        http.patch(path, json={"address": {"city": "Roma", name: victim["id"]}}),
        http.put(f"{path}/insurance", json={"insurance": [], name: victim["id"]}),
    ):
        refused = await attempt
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown-field")
    assert (await http.get(path)).json() == before
    assert (await http.get(f"/patients/{victim['id']}")).json() == victim


async def test_t034_each_role_reaches_what_its_work_needs(http: httpx.AsyncClient) -> None:
    path = (await http.post("/patients", json=MARIA)).headers["Location"]
    for target in ("/patients", path, f"{path}/consents"):
        assert (await http.get(target, headers=by("pharmacist"))).status_code == 403
        assert (await http.get(target, headers=by("nobody"))).status_code == 401
    found = await http.get("/patients/search?q=rossi", headers=by("pharmacist"))
    assert found.json()["results"][0]["phone"] == ""
    assert (await http.post("/patients", json=MARIA, headers=by("pharmacist"))).status_code == 403


async def test_t125_a_registration_with_one_key_happens_once(http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    made = [await http.post("/commands/register-patient", json={"payload": MARIA}, headers=headers) for _ in range(3)]
    assert len({one.text for one in made}) == 1
    together = {"Idempotency-Key": str(uuid4())}
    other = {"payload": {"full_name": "Ada King"}}
    await asyncio.gather(*(http.post("/commands/register-patient", json=other, headers=together) for _ in range(10)))
    assert (await http.get("/patients")).json()["total"] == 2
