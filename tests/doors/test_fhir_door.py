"""The FHIR R4 interface: what it says it can do, a patient by id, and refusals as OperationOutcomes."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.doors.provider_world import BASE, PASSWORD, World

from salerno.contexts.patients.commands import (
    GivenAddress,
    GivenEmergencyContact,
    GivenIdentifier,
    RegisterPatient,
    UpdatePatient,
)

SCOPES = ("openid", "fhirUser", "launch/patient", "user/Patient.rs", "user/Observation.rs", "patient-api")


@pytest.fixture
async def token(world: World) -> str:
    client = await world.client(scopes=SCOPES)
    _, email = await world.account()
    await world.sign_in(email)
    return str((await world.tokens(client, scope="openid user/Patient.rs", aud=f"{BASE}/fhir/R4"))["access_token"])


async def registered(world: World) -> UUID:
    wish = RegisterPatient(
        given_name="Maria Grazia", family_name="Rossi", date_of_birth=date(1948, 3, 12), gender="female",
        phone="+39 089 123456", email="maria@example.com", language="it", marital_status="W",
        address=GivenAddress(line1="Via Roma 1", city="Salerno", state="SA", postal_code="84121", country="IT"),
        identifiers=(
            GivenIdentifier(system="codice-fiscale", value="RSSMGR48C52H703P"),
            GivenIdentifier(system="https://insurer.example/card", value="A-77"),
        ),
        emergency_contacts=(GivenEmergencyContact(name="Luca Rossi", relationship="son", phone="+39 333 1234567"),),
        confirmed_not_duplicate=True,
    )  # fmt: skip
    return (await world.bus.handle(wish, world.admin)).aggregate_id


def issue_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"].startswith("application/fhir+json")
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    issue: dict[str, Any] = body["issue"][0]
    return issue


async def test_it_says_what_it_can_do_and_where_tokens_come_from(world: World) -> None:
    said = (await world.program.get("/fhir/R4/metadata")).json()
    assert (said["resourceType"], said["fhirVersion"], said["kind"]) == ("CapabilityStatement", "4.0.1", "instance")
    assert said["implementation"]["url"] == f"{BASE}/fhir/R4"
    rest = said["rest"][0]
    assert [(one["type"], one["interaction"]) for one in rest["resource"]] == [("Patient", [{"code": "read"}])]
    uris = {one["url"]: one["valueUri"] for one in rest["security"]["extension"][0]["extension"]}
    assert uris == {
        "authorize": f"{BASE}/authorize", "token": f"{BASE}/token", "introspect": f"{BASE}/introspect",
        "revoke": f"{BASE}/revoke",
    }  # fmt: skip


async def test_a_patient_is_read_as_fhir_with_everything_that_has_a_place_there(world: World, token: str) -> None:
    chart = await registered(world)
    answer = await world.get(f"/fhir/R4/Patient/{chart}", token)
    assert answer.status_code == 200 and answer.headers["etag"] == 'W/"1"'
    body = answer.json()
    mrn = body["identifier"].pop(0)
    assert mrn["type"]["coding"][0]["code"] == "MR" and mrn["value"].startswith("MRN-")
    assert body.pop("meta")["versionId"] == "1"
    assert body == {
        "resourceType": "Patient",
        "id": str(chart),
        "identifier": [
            {"use": "official", "system": "http://hl7.it/sid/codiceFiscale", "value": "RSSMGR48C52H703P"},
            {"use": "official", "system": "https://insurer.example/card", "value": "A-77"},
        ],
        "active": True,
        "name": [{"use": "official", "text": "Maria Grazia Rossi", "family": "Rossi", "given": ["Maria", "Grazia"]}],
        "telecom": [
            {"system": "phone", "value": "+39089123456"},
            {"system": "email", "value": "maria@example.com"},
        ],
        "gender": "female",
        "birthDate": "1948-03-12",
        "address": [{"line": ["Via Roma 1"], "city": "Salerno", "state": "SA", "postalCode": "84121", "country": "IT"}],
        "maritalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "W"}]
        },
        "contact": [
            {
                "relationship": [{"text": "son"}],
                "name": {"text": "Luca Rossi"},
                "telecom": [{"system": "phone", "value": "+393331234567"}],
            }
        ],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "it"}]}, "preferred": True}],
    }


async def test_the_version_held_already_is_not_sent_again(world: World, token: str) -> None:
    chart = await registered(world)
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": 'W/"1"'}
    same = await world.program.get(f"/fhir/R4/Patient/{chart}", headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    await world.bus.handle(UpdatePatient(patient_id=chart, phone="+39 089 654321"), world.admin)
    newer = await world.program.get(f"/fhir/R4/Patient/{chart}", headers=headers)
    assert newer.status_code == 200 and newer.headers["etag"] == 'W/"2"'


async def test_refusals_are_operation_outcomes(world: World, token: str) -> None:
    chart = await registered(world)
    nobody = await world.program.get(f"/fhir/R4/Patient/{chart}")
    assert (nobody.status_code, issue_of(nobody)["code"]) == (401, "login")
    for path in (f"Patient/{uuid4()}", "Patient/17", f"Observation/{uuid4()}", "Nothing"):
        absent = await world.get(f"/fhir/R4/{path}", token)
        assert (absent.status_code, issue_of(absent)["code"]) == (404, "not-found"), path
    posted = await world.program.post(f"/fhir/R4/Patient/{chart}", headers={"Authorization": f"Bearer {token}"})
    assert (posted.status_code, issue_of(posted)["code"]) == (405, "not-supported")
    for query in ("?_format=xml", "?_format=application/fhir%2Bxml"):
        xml = await world.get(f"/fhir/R4/Patient/{chart}{query}", token)
        assert (xml.status_code, issue_of(xml)["code"]) == (406, "not-supported")


async def test_t029_a_token_for_observations_opens_no_patient(world: World) -> None:
    chart = await registered(world)
    client = await world.client(scopes=SCOPES)
    _, email = await world.account()
    await world.sign_in(email)
    told = await world.tokens(client, scope="openid user/Observation.rs", aud=f"{BASE}/fhir/R4")
    refused = await world.get(f"/fhir/R4/Patient/{chart}", told["access_token"])
    assert (refused.status_code, issue_of(refused)["code"]) == (403, "forbidden")


async def test_t017_a_token_for_the_rest_interface_opens_no_fhir_and_the_other_way_round(
    world: World,
) -> None:
    chart = await registered(world)
    client = await world.client(scopes=SCOPES)
    _, email = await world.account()
    await world.sign_in(email)
    fhir = (await world.tokens(client, scope="openid user/Patient.rs", aud=f"{BASE}/fhir/R4"))["access_token"]
    rest = (await world.tokens(client, scope="openid patient-api"))["access_token"]
    login = {"email": email, "password": PASSWORD}
    own = (await world.program.post("/auth/login", json=login)).json()["token"]
    seen = {
        (name, path): (await world.get(path.format(chart), token)).status_code
        for name, token in (("fhir", fhir), ("rest", rest), ("own", own))
        for path in ("/fhir/R4/Patient/{}", "/api/v1/patients/{}")
    }
    assert seen == {
        ("fhir", "/fhir/R4/Patient/{}"): 200, ("fhir", "/api/v1/patients/{}"): 401,
        ("rest", "/fhir/R4/Patient/{}"): 401, ("rest", "/api/v1/patients/{}"): 200,
        ("own", "/fhir/R4/Patient/{}"): 200, ("own", "/api/v1/patients/{}"): 200,
    }  # fmt: skip


async def test_a_chart_of_another_organisation_is_not_there(world: World, token: str, caller: Any) -> None:
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    wish = RegisterPatient(full_name="Carla Neri", confirmed_not_duplicate=True)
    chart = (await world.bus.handle(wish, elsewhere)).aggregate_id
    assert (await world.get(f"/fhir/R4/Patient/{chart}", token)).status_code == 404
