"""Restricted charts and break-glass as people meet them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.protection.conftest import WHY, Ward

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.patients.queries import PatientBanner
from salerno.kernel.bus import Bus
from salerno.kernel.clock import SystemClock
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

SiteClient = Callable[..., httpx.AsyncClient]
FORM = {"reason": "emergency", "explanation": WHY, "minutes": "30"}


@pytest.fixture
async def ward(bus: Bus, caller: Callable[..., Caller]) -> Ward:
    return await Ward(bus, caller).founded()


async def mrn_of(bus: Bus, patient: UUID, who: Caller) -> str:
    return str((await bus.ask(PatientBanner(patient_id=patient), who)).mrn)


async def test_a_direct_link_says_that_break_glass_helps_to_those_whom_it_can_help(
    ward: Ward, sign_in: SiteClient, doctor: Caller, receptionist: Caller, admin: Caller
) -> None:
    patient = await ward.patient("Olga Verdi")
    await ward.restrict(patient)
    shown = await sign_in(doctor).get(f"/chart/{patient}")
    assert shown.status_code == 403
    assert f'href="/chart/{patient}/break-glass"' in shown.text
    assert "This chart is restricted." in shown.text
    assert "Olga" not in shown.text
    for who in (receptionist, admin):
        nothing = await sign_in(who).get(f"/chart/{patient}")
        assert nothing.status_code == 404
        assert "restricted" not in nothing.text.casefold().replace("/settings/restricted", "").replace(
            "restricted charts", ""
        )


async def test_an_incomplete_form_says_the_same_of_a_chart_that_is_there_and_of_one_that_is_not(
    bus: Bus, ward: Ward, sign_in: SiteClient, doctor: Caller
) -> None:
    patient = await ward.patient()
    mrn = await mrn_of(bus, patient, ward.chief)
    await ward.restrict(patient)
    client = sign_in(doctor)
    said = []
    for number in (mrn, "MRN-1999-999999"):
        answer = await client.post("/glass", data={"reason": "care", "explanation": "short", "identifier": number})
        assert answer.status_code == 422
        assert "Say in at least ten characters why you need this chart." in answer.text
        said.append(re.sub(r'nonce="[^"]+"|[0-9a-f]{24}|MRN-\d{4}-\d{6}', "", answer.text))
    assert said[0] == said[1]
    unknown = await client.post("/glass", data={**FORM, "identifier": "MRN-1999-999999"})
    assert (unknown.status_code, "There is no chart with this number." in unknown.text) == (422, True)


async def test_t043_the_glass_is_broken_by_number_the_banner_stands_on_every_page_and_ends_it(
    bus: Bus, ward: Ward, sign_in: SiteClient, doctor: Caller, clock: MovableClock
) -> None:
    patient = await ward.patient("Olga Verdi")
    mrn = await mrn_of(bus, patient, ward.chief)
    visit = (await bus.handle(StartVisit(patient_id=patient), ward.make("DOCTOR"))).aggregate_id
    await ward.restrict(patient)
    client = sign_in(doctor)
    broken = await client.post("/glass", data={**FORM, "identifier": mrn})
    assert (broken.status_code, broken.headers["location"]) == (303, f"/chart/{patient}")
    for path in (f"/chart/{patient}", f"/chart/{patient}/timeline", f"/people/{patient}/edit", f"/visit/{visit}"):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert "You have broken the glass of this chart" in page.text, path
    other = await ward.patient()
    assert "You have broken the glass" not in (await client.get(f"/chart/{other}")).text
    (end,) = set(re.findall(r'action="(/glass/[0-9a-f-]+/end)"', page.text))
    ended = await client.post(end)
    assert (ended.status_code, ended.headers["location"]) == (303, "/people")
    assert (await client.get(f"/chart/{patient}")).status_code == 403
    again = await client.post(f"/chart/{patient}/break-glass", data=FORM)
    assert again.headers["location"] == f"/chart/{patient}"
    twice = await client.post(f"/chart/{patient}/break-glass", data=FORM)
    assert (twice.status_code, "open under break-glass already" in twice.text) == (422, True)
    clock.set(SystemClock().now() + timedelta(minutes=31))
    assert (await client.get(f"/chart/{patient}")).status_code == 403


async def test_t043_who_has_not_shown_lately_who_they_are_is_asked_for_it_first(
    ward: Ward, sign_in: SiteClient, seats: Any, doctor: Caller, admin: Caller
) -> None:
    patient = await ward.patient()
    await ward.restrict(patient)
    paths = {
        f"/chart/{patient}/break-glass": doctor, "/glass": doctor, f"/people/{patient}/restrict": admin,
        f"/settings/restricted/{patient}": admin, f"/settings/restricted/{patient}/lift": admin,
    }  # fmt: skip
    for path, who in paths.items():
        client = sign_in(who)
        token = client.headers["Cookie"].partition("=")[2]
        seats.stale(token)
        answer = await client.post(path, data=FORM)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/confirm-identity"), path
    program = sign_in(doctor)
    seats.stale(program.headers["Cookie"].partition("=")[2])
    wish = {**FORM, "minutes": 30, "patient_id": str(patient)}
    refused = await program.post("/api/v1/break-glass", json=wish, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (403, "reauth-required")


async def test_the_privacy_officer_finds_it_in_the_queue_and_reviews_it_once(
    ward: Ward, sign_in: SiteClient, admin: Caller
) -> None:
    patient, doctor = await ward.patient("Olga Verdi"), await ward.colleague()
    await ward.restrict(patient)
    officer = sign_in(admin)
    assert "Nothing to review" in (await officer.get("/privacy")).text
    assert (await officer.get("/privacy/waiting")).text.strip() == ""
    glass = await ward.break_glass(patient, doctor)
    assert ">1<" in (await officer.get("/privacy/waiting")).text
    queue = (await officer.get("/privacy")).text
    assert "Olga Verdi" in queue
    assert "open until" in queue
    page = (await officer.get(f"/privacy/{glass}")).text
    assert WHY in page
    assert "You have broken the glass" not in page
    wanting = await officer.post(f"/privacy/{glass}", data={"outcome": "unjustified", "note": " "})
    assert (wanting.status_code, "Say why, and what is to be done." in wanting.text) == (422, True)
    nothing = await officer.post(f"/privacy/{glass}", data={"note": "x"})
    assert (nothing.status_code, "outcome-error" in nothing.text) == (422, True)
    done = await officer.post(f"/privacy/{glass}", data={"outcome": "follow-up", "note": "Talk on Monday"})
    assert (done.status_code, done.headers["location"]) == (303, "/privacy")
    assert "Olga Verdi" not in (await officer.get("/privacy")).text
    assert "Needs follow-up" in (await officer.get("/privacy?status=reviewed")).text
    twice = await officer.post(f"/privacy/{glass}", data={"outcome": "justified"})
    assert (twice.status_code, "This has been reviewed already." in twice.text) == (422, True)
    assert (await sign_in(doctor).get("/privacy")).status_code == 403


async def test_a_chart_is_restricted_changed_and_lifted_by_who_may(
    ward: Ward, sign_in: SiteClient, admin: Caller, doctor: Caller
) -> None:
    patient, nurse = await ward.patient("Olga Verdi"), await ward.colleague("NURSE")
    officer, path = sign_in(admin), "/settings/restricted"
    assert "No chart is restricted" in (await officer.get(path)).text
    assert f'href="/people/{patient}/restrict"' in (await officer.get(f"/chart/{patient}/person")).text
    assert "/restrict" not in (await sign_in(doctor).get(f"/chart/{patient}/person")).text
    form = (await officer.get(f"/people/{patient}/restrict")).text
    assert f'name="account-{nurse.actor}"' in form
    missing = await officer.post(f"/people/{patient}/restrict", data={"note": "x"})
    assert (missing.status_code, "reason-error" in missing.text) == (422, True)
    data = {"reason": "sensitive", "note": "Court", f"account-{nurse.actor}": "true", "named_only": "true"}
    done = await officer.post(f"/people/{patient}/restrict", data=data)
    assert done.headers["location"] == f"{path}?done=added"
    assert (await officer.get(f"/chart/{patient}")).status_code == 404
    listed = (await officer.get(path)).text
    assert "Olga Verdi" in listed
    assert "1 named account" in listed
    assert (await sign_in(nurse).get(f"/chart/{patient}")).status_code == 200
    one = (await officer.get(f"{path}/{patient}")).text
    assert re.search(rf'name="account-{nurse.actor}" value="true" checked', one)
    strange = await officer.post(f"{path}/{patient}", data={"reason": "vip", f"account-{uuid4()}": "true"})
    assert strange.status_code == 422
    bad = await officer.post(f"{path}/{patient}", data={"reason": "vip", "account-nobody": "true"})
    assert bad.status_code == 422
    changed = await officer.post(f"{path}/{patient}", data={"reason": "vip"})
    assert changed.headers["location"] == f"{path}?done=saved"
    assert (await sign_in(nurse).get(f"/chart/{patient}")).status_code == 403
    lifted = await officer.post(f"{path}/{patient}/lift", data={"lift_note": "moved away"})
    assert lifted.headers["location"] == f"{path}?done=removed"
    assert (await officer.get(f"/chart/{patient}")).status_code == 200
    assert (await officer.get(f"{path}/{patient}")).status_code == 404
    assert (await officer.post(f"{path}/{patient}/lift", data={"lift_note": ""})).status_code == 409


async def test_t043_search_palette_calendar_and_streams_show_no_trace(
    bus: Bus, ward: Ward, sign_in: SiteClient, receptionist: Caller, partial: dict[str, str]
) -> None:
    patient, practitioner = await ward.patient("Fiordaliso Quintavalle"), await ward.colleague()
    appointment = await ward.book(patient, practitioner)
    await bus.settled()
    mrn = await mrn_of(bus, patient, ward.chief)
    client = sign_in(receptionist)
    day = (SystemClock().now() + timedelta(days=1)).date()
    span = f"from={day}&to={day + timedelta(days=1)}"

    async def everything() -> str:
        typed = [await client.get(f"/palette?q={words}") for words in ("fiordaliso", mrn)]
        typed += [await client.get(f"/calendar/patients?q={words}") for words in ("fiordaliso", mrn)]
        typed += [await client.post("/people/search", data={"q": words}, headers=partial) for words in ("quintavalle",)]
        pages = [await client.get(path) for path in ("/people", "/today", f"/calendar?day={day}&view=list")]
        return "".join(one.text for one in (*typed, *pages, await client.get(f"/calendar/events?{span}")))

    traces = {str(patient), mrn, "Quintavalle", str(appointment)}
    assert {trace for trace in traces if trace in await everything()} == traces
    await ward.restrict(patient)
    after = await everything()
    assert {trace for trace in traces if trace in after} == set()
    assert after.count("Restricted") >= 2
    assert (await client.get(f"/live?chart={patient}")).status_code == 404


async def test_a_drop_on_a_time_that_somebody_hidden_has_taken_is_refused_without_a_name(
    bus: Bus, ward: Ward, sign_in: SiteClient, receptionist: Caller
) -> None:
    hidden, other, practitioner = await ward.patient("Olga Verdi"), await ward.patient(), await ward.colleague()
    await ward.book(hidden, practitioner)
    moved = await ward.book(other, practitioner)
    await bus.settled()
    await ward.restrict(hidden)
    client = sign_in(receptionist)
    day = (SystemClock().now() + timedelta(days=1)).date()
    events = (await client.get(f"/calendar/events?from={day}&to={day + timedelta(days=1)}")).json()
    (taken,) = [one for one in events if one.get("status") == "taken"]
    drop = {"starts_at": taken["start"], "minutes": 30}
    refused = await client.post(
        f"/calendar/appointments/{moved}/move", json=drop, headers={"Accept": "application/json"}
    )
    assert refused.status_code == 409
    assert [one["message"] for one in refused.json()["details"]["conflicts"]] == ["Restricted"]
    assert "Verdi" not in refused.text
