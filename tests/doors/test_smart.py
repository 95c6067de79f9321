"""SMART launches: from a chart and alone, with the patient in the token and scopes that narrow what is reached."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.doors.provider_world import BASE, World, back, csrf_in
from tests.security.bodies import QUERIES
from tests.security.test_matrix import answer_to, filled, routes_of
from tests.security.world import Chart

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.identity.commands import IssueChartCode
from salerno.contexts.patients.commands import RegisterPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

SCOPES = (
    "openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access", "patient/*.rs",
    "user/*.cruds", "patient-api",
)  # fmt: skip
LAUNCH = "https://app.example/launch"
UNSERVED = frozenset({  # some of what FHIR knows and this interface does not serve
    "AllergyIntolerance", "AuditEvent", "Binary", "CarePlan", "CareTeam", "Condition", "Consent", "DocumentReference",
    "Encounter", "Group", "List", "MedicationRequest", "Observation", "Organization", "Person", "Practitioner",
    "Provenance", "RelatedPerson",
})  # fmt: skip


async def patient(world: World, name: str = "Bruna Neri") -> UUID:
    wish = RegisterPatient(full_name=name, date_of_birth=date(1951, 2, 3), gender="female")
    id = (await world.bus.handle(wish, world.admin)).aggregate_id
    await world.bus.settled()
    return id


async def launched(world: World, client: str, at: str) -> dict[str, str]:
    """Open the application from a chart or a visit: what it is told at its launch address."""
    page = await world.browser.get(f"{at}/applications")
    assert "Cardio" in page.text, page.text[:500]
    opened = await world.browser.post(f"{at}/applications/{client}", data={"csrf": csrf_in(page)})
    url = httpx.URL(opened.text.partition('content="0; url=')[2].partition('"')[0].replace("&amp;", "&"))
    assert str(url).startswith(LAUNCH)
    return dict(url.params)


async def test_an_application_opened_from_a_chart_gets_that_patient_alone(world: World) -> None:
    client = await world.client(scopes=SCOPES, launch_uri=LAUNCH)
    chart, other = await patient(world), await patient(world, "Carla Blu")
    _, email = await world.account(staff_id=uuid4())
    await world.sign_in(email)
    told = await launched(world, client, f"/chart/{chart}")
    assert told["iss"] == f"{BASE}/fhir/R4"
    said = {"scope": "openid fhirUser launch patient/*.rs", "launch": told["launch"], "aud": f"{BASE}/fhir/R4"}
    body = await world.tokens(client, **said)
    assert (body["patient"], body["need_patient_banner"]) == (str(chart), True)
    about = (await world.get("/userinfo", body["access_token"])).json()
    assert about["fhirUser"].startswith(f"{BASE}/fhir/R4/Practitioner/")
    assert (await world.get(f"/api/v1/patients/{chart}", body["access_token"])).status_code == 401
    for_rest = await world.tokens(client, **said | {"aud": "salerno"})
    assert (await world.get(f"/api/v1/patients/{chart}", for_rest["access_token"])).status_code == 200
    assert (await world.get(f"/api/v1/patients/{other}", for_rest["access_token"])).status_code == 404
    assert (await world.get("/api/v1/patients?search=Neri", for_rest["access_token"])).status_code >= 400


async def visit_of(world: World, chart: UUID, doctor: Caller) -> UUID:
    wish = StartVisit(patient_id=chart)
    return (await world.bus.handle(wish, doctor)).aggregate_id


async def test_t022_an_application_opened_from_a_visit_is_told_of_the_visit_and_of_its_patient(
    world: World, doctor: Caller
) -> None:
    client = await world.client(scopes=SCOPES, launch_uri=LAUNCH)
    chart = await patient(world)
    visit = await visit_of(world, chart, doctor)
    _, email = await world.account(staff_id=uuid4())
    await world.sign_in(email)
    assert f'href="/visit/{visit}/applications"' in (await world.browser.get(f"/visit/{visit}")).text
    told = await launched(world, client, f"/visit/{visit}")
    said = {"scope": "openid launch launch/encounter offline_access patient/*.rs", "aud": f"{BASE}/fhir/R4"}
    body = await world.tokens(client, **said, launch=told["launch"])
    assert (body["patient"], body["encounter"]) == (str(chart), str(visit))
    assert "launch/encounter" in body["scope"].split()
    renewed = (await world.refresh(client, body["refresh_token"])).json()
    assert (renewed["patient"], renewed["encounter"]) == (str(chart), str(visit))
    form = {"client_id": client, "client_secret": world.secrets[client], "token": renewed["access_token"]}
    seen = (await world.program.post("/introspect", data=form)).json()
    assert (seen["patient"], seen["encounter"]) == (str(chart), str(visit))
    from_chart = await launched(world, client, f"/chart/{chart}")
    other = await world.tokens(client, **said, launch=from_chart["launch"])
    assert "encounter" not in other and "launch/encounter" not in other["scope"].split()
    stranger = await world.browser.get(f"/visit/{uuid4()}/applications")
    assert stranger.status_code == 404


async def test_t022_standing_alone_no_visit_is_given_and_none_is_said_to_be(world: World) -> None:
    client = await world.client(scopes=SCOPES)
    chart = await patient(world, "Ida Grigio")
    _, email = await world.account()
    await world.sign_in(email)
    scope = "openid launch/patient launch/encounter patient/*.rs"
    asked = await world.authorize(client, scope=scope, aud=f"{BASE}/fhir/R4")
    found = await world.browser.get(asked.headers["location"] + "?q=grigio")
    assert "launch/encounter" not in found.text
    told = back(await world.allow(found, patient=str(chart)))
    body = (await world.redeem(client, told["code"])).json()
    assert body["scope"] == "openid launch/patient patient/*.rs" and "encounter" not in body
    alone = await world.authorize(client, scope="launch/encounter", aud=f"{BASE}/fhir/R4")
    assert back(alone)["error"] == "invalid_scope"


async def test_a_launch_is_its_clients_and_its_persons(world: World) -> None:
    client = await world.client(scopes=SCOPES, launch_uri=LAUNCH)
    other = await world.client(scopes=SCOPES, launch_uri=LAUNCH, name="Other")
    chart = await patient(world)
    _, first = await world.account()
    _, second = await world.account()
    await world.sign_in(first)
    launch = (await launched(world, client, f"/chart/{chart}"))["launch"]
    said: dict[str, Any] = {"scope": "launch patient/*.rs", "aud": f"{BASE}/fhir/R4"}
    assert back(await world.authorize(other, launch=launch, **said))["error"] == "invalid_request"
    assert back(await world.authorize(client, launch="guess", **said))["error"] == "invalid_request"
    world.browser.cookies.clear()
    await world.sign_in(second)
    assert back(await world.authorize(client, launch=launch, **said))["error"] == "invalid_request"


async def test_standing_alone_the_person_chooses_a_patient_that_they_may_see(world: World) -> None:
    client = await world.client(scopes=SCOPES)
    chart = await patient(world, "Dora Zafferano")
    _, email = await world.account()
    await world.sign_in(email)
    asked = await world.authorize(client, scope="openid launch/patient patient/*.rs", aud=f"{BASE}/fhir/R4")
    page = await world.browser.get(asked.headers["location"])
    assert 'value="allow"' not in page.text
    found = await world.browser.get(asked.headers["location"] + "?q=zafferano")
    assert str(chart) in found.text
    refused = await world.allow(found, patient=str(uuid4()))
    assert refused.status_code == 422 and "Choose a patient" in refused.text
    told = back(await world.allow(found, patient=str(chart)))
    assert (await world.redeem(client, told["code"])).json()["patient"] == str(chart)


async def test_a_patients_application_reaches_their_own_chart(world: World, bus: Bus) -> None:
    client = await world.client(scopes=SCOPES)
    chart, other = await patient(world, "Elsa Viola"), await patient(world, "Franca Rosa")
    _, email = await world.account("PATIENT")
    await world.sign_in(email)
    code = (await bus.ask(IssueChartCode(patient_id=chart), world.admin)).code
    page = await world.browser.get("/account")
    assert (await world.browser.post("/account/chart", data={"csrf": csrf_in(page), "code": code})).status_code == 303
    said = {"scope": "openid launch/patient patient/*.rs user/*.cruds", "aud": "salerno"}
    body = await world.tokens(client, **said)
    assert body["patient"] == str(chart)
    assert (await world.get(f"/api/v1/patients/{chart}", body["access_token"])).status_code == 200
    assert (await world.get(f"/api/v1/patients/{other}", body["access_token"])).status_code == 404


async def test_t036_a_patients_application_reaches_its_own_chart_alone_in_every_type_and_at_every_address(
    world: World, bus: Bus, doctor: Caller
) -> None:
    client = await world.client(scopes=SCOPES)
    chart, other = await patient(world, "Gaia Celeste"), await patient(world, "Fiordaliso Quintavalle")
    visit = await visit_of(world, other, doctor)
    staff, email = await world.account("PATIENT")
    await world.sign_in(email)
    code = (await bus.ask(IssueChartCode(patient_id=chart), world.admin)).code
    page = await world.browser.get("/account")
    assert (await world.browser.post("/account/chart", data={"csrf": csrf_in(page), "code": code})).status_code == 303
    wanted = "openid launch/patient patient/*.cruds user/*.cruds"
    fhir = (await world.tokens(client, scope=wanted, aud=f"{BASE}/fhir/R4"))["access_token"]
    stated = (await world.get("/fhir/R4/metadata", fhir)).json()["rest"][0]["resource"]
    served = {one["type"] for one in stated}
    assert served
    for type in served | UNSERVED:
        own, others = f"/fhir/R4/{type}/{chart}", [other, visit, staff, uuid4()]
        assert (await world.get(own, fhir)).status_code == (200 if type == "Patient" else 404), type
        paths = [f"/fhir/R4/{type}/{id}" for id in others]
        paths += [f"/fhir/R4/{type}", f"/fhir/R4/{type}?patient={other}", f"/fhir/R4/{type}?family=Quintavalle"]
        paths += [f"/fhir/R4/{type}/{other}/$everything", f"/fhir/R4/Patient/{other}/{type}"]
        for path in paths:
            refused = await world.get(path, fhir)
            assert refused.status_code in (403, 404, 405), path
            assert "Fiordaliso" not in refused.text and "Quintavalle" not in refused.text, path
    rest = (await world.tokens(client, scope=wanted, aud="salerno"))["access_token"]
    about: Chart = {"patient_id": other, "visit_id": visit}
    for path, route, page_of in routes_of(bus):
        if route.method == "GET" and not page_of:
            query = QUERIES.get(path, "")
            answered = await answer_to(world.app, "GET", filled(path, about), query, rest, b"", page=False)
            assert b"Quintavalle" not in answered[1], path


async def test_t029_a_wrong_audience_yields_no_code(world: World) -> None:
    client = await world.client(scopes=SCOPES)
    _, email = await world.account()
    await world.sign_in(email)
    for aud in ("https://evil.example/fhir/R4", f"{BASE}/fhir/R4/", "", None):
        told = back(await world.authorize(client, scope="openid user/*.rs", aud=aud))
        assert told["error"] == "invalid_target" and "code" not in told
    both = back(await world.authorize(client, scope="openid user/*.rs", aud=f"{BASE}/fhir/R4", resource="salerno"))
    assert both["error"] == "invalid_target"


async def test_t029_a_category_is_one_kind_of_observation(world: World) -> None:
    client = await world.client(scopes=SCOPES)
    chart = await patient(world, "Gina Bruno")
    _, email = await world.account()
    await world.sign_in(email)
    scope = "user/Observation.rs?category=laboratory"
    wide = await world.client(scopes=("openid", "user/*.rs"), name="Wide")
    token = (await world.tokens(wide, scope=f"openid {scope}", aud="salerno"))["access_token"]
    allowed = await world.get(f"/api/v1/patients/{chart}/observations", token)
    refused = await world.get(f"/api/v1/patients/{chart}/vitals", token)
    assert (allowed.status_code, refused.status_code) == (200, 403)
    assert back(await world.authorize(client, scope="user/Observation.rs?code=1", aud="salerno"))["error"] == (
        "invalid_scope"
    )


async def test_the_smart_document_says_what_applications_rely_on(world: World) -> None:
    for path in ("/.well-known/smart-configuration", "/fhir/R4/.well-known/smart-configuration"):
        told = (await world.program.get(path)).json()
        assert {"launch-ehr", "launch-standalone", "permission-v2", "sso-openid-connect"} <= set(told["capabilities"])
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert {"authorization_endpoint", "token_endpoint", "introspection_endpoint"} <= told.keys()
