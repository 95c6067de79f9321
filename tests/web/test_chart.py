"""The chart through its pages: sections by role, entries, the past."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.web.conftest import SiteClient

from salerno.contexts.encounters.commands import SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import Draft
from salerno.contexts.patients.commands import MergePatients, RegisterPatient, UpdatePatient
from salerno.contexts.prescribing.commands import RecordMedication
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.records.commands import RecordAllergy, RecordObservation, RecordProblem, RecordVitals
from salerno.contexts.records.events import Coded, Quantity, Reaction
from salerno.contexts.records.queries import Allergies, Problems, VitalsOfPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Register = Callable[..., Awaitable[UUID]]
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECTIONS = ("timeline", "problems", "allergies", "medicines", "vitals", "results", "notes", "prescriptions", "visits",
            "appointments", "person")  # fmt: skip
CANARY = '<script>alert(1)</script>{{1337*1337}}"><img src=x>'


@pytest.fixture
def register(bus: Bus, receptionist: Caller) -> Register:
    async def make(name: str = "Maria Rossi", **more: Any) -> UUID:
        born = more.pop("born", date(1948, 3, 12))
        wish = RegisterPatient(
            full_name=name, date_of_birth=born, gender="female", confirmed_not_duplicate=True, **more
        )
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


@pytest.fixture
async def rossi(bus: Bus, register: Register, doctor: Caller) -> UUID:
    """A chart with a little of everything."""
    id = await register()
    await bus.handle(
        RecordProblem(patient_id=id, code="I10", display="Essential hypertension", onset="2019-05"), doctor
    )
    hives = Reaction(manifestation=Coded(display="Hives"), severity="severe")
    await bus.handle(RecordAllergy(patient_id=id, substance="Penicillin", reactions=(hives,)), doctor)
    taken = RecordMedication(patient_id=id, medication=Medication(name="Ramipril 5 mg", frequency="1-0-0"))
    await bus.handle(taken, doctor)
    await bus.handle(RecordVitals(patient_id=id, systolic=152, diastolic=88, heart_rate=72, weight=61.5), doctor)
    glucose = RecordObservation(
        patient_id=id, code="2345-7", display="Glucose", quantity=Quantity(value=101, unit="mg/dL")
    )
    await bus.handle(glucose, doctor)
    visit = (await bus.handle(StartVisit(patient_id=id, reason="Check of pressure"), doctor)).aggregate_id
    await bus.handle(SaveDraft(visit_id=visit, subjective="Tired", assessment="Pressure not yet controlled"), doctor)
    draft = await bus.ask(Draft(visit_id=visit), doctor)
    await bus.handle(SignNote(note_id=draft.note.note, content_hash=draft.note.content_hash), doctor)
    return id


def tabs(text: str) -> list[str]:
    return re.findall(r'<a href="/chart/[^"]+"(?: aria-current="page")?>([^<]+)</a></li>', text)


async def test_the_summary_shows_the_whole_chart_at_once(sign_in: SiteClient, doctor: Caller, rossi: UUID) -> None:
    page = await sign_in(doctor).get(f"/chart/{rossi}")
    assert page.status_code == 200
    for said in (
        "Maria Rossi", "12 Mar 1948", "MRN-", "Penicillin", "Essential hypertension", "Ramipril 5 mg", "152", "Hives",
        "Pressure not yet controlled", "None booked",
    ):  # fmt: skip
        assert said in page.text, said
    assert "<title>Chart · Salerno</title>" in page.text
    assert re.search(r'chip danger"[^>]*>.*?Penicillin', page.text)


@pytest.mark.parametrize("section", SECTIONS)
async def test_every_section_answers_in_both_languages(
    sign_in: SiteClient, doctor: Caller, rossi: UUID, section: str
) -> None:
    for language in ("en", "it"):
        page = await sign_in(doctor, language).get(f"/chart/{rossi}/{section}")
        assert page.status_code == 200 and "Undefined" not in page.text
        assert f'<html lang="{language}"' in page.text


async def test_who_may_see_less_is_not_shown_more(
    bus: Bus, sign_in: SiteClient, receptionist: Caller, pharmacist: Caller, admin: Caller, doctor: Caller, rossi: UUID,
    caller: Any, patient_caller: Any,
) -> None:  # fmt: skip
    page = (await sign_in(receptionist).get(f"/chart/{rossi}")).text
    assert tabs(page) == ["Summary", "Appointments", "Details"]
    for hidden in ("Penicillin", "hypertension", "Ramipril", "152", "Allergies not asked"):
        assert not re.search(rf"\b{hidden}\b", page), hidden  # as a word: any digits may stand in an id
    assert "Personal details" in page and "MRN-" in page
    for section in ("problems", "allergies", "vitals", "notes", "access", "timeline"):
        assert (await sign_in(receptionist).get(f"/chart/{rossi}/{section}")).status_code == 403, section
    drugs = (await sign_in(pharmacist).get(f"/chart/{rossi}")).text
    assert "Penicillin" in drugs and "Ramipril" in drugs and "hypertension" not in drugs
    assert "Access" in tabs((await sign_in(admin).get(f"/chart/{rossi}")).text)
    assert "Access" not in tabs((await sign_in(doctor).get(f"/chart/{rossi}")).text)
    laboratory = (await sign_in(caller("LAB_TECHNICIAN")).get(f"/chart/{rossi}")).text
    assert tabs(laboratory) == ["Summary", "Results"] and "Penicillin" not in laboratory
    own = (await sign_in(patient_caller(rossi)).get(f"/chart/{rossi}")).text
    assert "Penicillin" in own and "Access" in tabs(own) and "problems/new" not in own


async def test_t001_a_chart_of_another_organisation_is_not_there(
    sign_in: SiteClient, rossi: UUID, caller: Any, patient_caller: Any, register: Register
) -> None:
    stranger = caller("DOCTOR", organisation_id=uuid4())
    for section in ("", "/problems", "/timeline", "/person", "?as_of=2026-01-01T00:00:00Z"):
        assert (await sign_in(stranger).get(f"/chart/{rossi}{section}")).status_code == 404, section
    other = await register("Charles Babbage")
    assert (await sign_in(patient_caller(other)).get(f"/chart/{rossi}")).status_code == 404
    assert (await sign_in(stranger).get(f"/chart/{uuid4()}")).status_code == 404


async def test_nobody_asked_is_not_the_same_as_none_known(
    sign_in: SiteClient, nurse: Caller, register: Register
) -> None:
    id = await register()
    client = sign_in(nurse)
    assert "Allergies not asked yet" in (await client.get(f"/chart/{id}")).text
    await client.post(f"/chart/{id}/allergies/none", data={"x": ""})
    assert "No known allergies" in (await client.get(f"/chart/{id}")).text


async def test_a_merged_chart_leads_to_the_survivor(
    bus: Bus, sign_in: SiteClient, doctor: Caller, rossi: UUID, register: Register
) -> None:
    twin = await register("Maria Rosi")
    await bus.handle(MergePatients(patient_id=rossi, duplicate_id=twin), doctor)
    answer = await sign_in(doctor).get(f"/chart/{twin}/problems")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/chart/{rossi}/problems")
    assert f"/people/{rossi}/unmerge/{twin}" in (await sign_in(doctor).get(f"/chart/{rossi}/person")).text


# ------------------------------------------------------------------ writing
async def test_a_problem_is_added_and_changed_from_the_chart(
    bus: Bus, sign_in: SiteClient, doctor: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register()
    client = sign_in(doctor)
    assert 'role="option"' in (await client.get("/chart/codes?q=I10", headers=partial)).text
    assert "<html" not in (await client.get(f"/chart/{id}/problems/new", headers=partial)).text
    empty = await client.post(f"/chart/{id}/problems/new", data={"words": ""}, headers=partial)
    assert empty.status_code == 422 and "This is needed." in empty.text
    wrong = await client.post(f"/chart/{id}/problems/new", data={"code": "I10", "onset": "2019-13"}, headers=partial)
    assert wrong.status_code == 422 and 'id="onset-error"' in wrong.text
    done = await client.post(f"/chart/{id}/problems/new", data={"code": "I10", "onset": "2019-05"}, headers=partial)
    assert done.headers["hx-redirect"] == f"/chart/{id}/problems"
    entry = (await bus.ask(Problems(patient_id=id), doctor))[0]
    assert (entry.content.code, entry.content.display[:9], entry.content.onset) == ("I10", "Essential", "2019-05")
    again = await client.post(f"/chart/{id}/problems/new", data={"code": "I10"}, headers=partial)
    assert again.status_code == 422 and "already on the list" in again.text
    change = {"clinical_status": "resolved", "abated": "2026", "version": "1"}
    assert (await client.post(f"/chart/{id}/problems/{entry.id}", data=change)).status_code == 303
    stale = await client.post(f"/chart/{id}/problems/{entry.id}", data=change | {"clinical_status": "active"})
    assert (
        stale.status_code == 422
        and "changed by somebody else" in stale.text
        and 'name="version" value="2"' in stale.text
    )
    error = {"clinical_status": "resolved", "in_error": "true", "reason": "wrong person", "version": "2"}
    assert (await client.post(f"/chart/{id}/problems/{entry.id}", data=error)).status_code == 303
    assert await bus.ask(Problems(patient_id=id, all=True), doctor) == []
    assert (await client.get(f"/chart/{id}/problems/{entry.id}")).status_code == 404


async def test_an_allergy_is_added_changed_and_withdrawn_from_the_chart(
    bus: Bus, sign_in: SiteClient, nurse: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register()
    client = sign_in(nurse)
    form = {
        "substance": "Penicillin", "category": "medication", "reaction_0": "Hives", "severity_0": "severe",
        "reaction_1": "Fever", "certainty": "likely", "onset": "1999",
    }  # fmt: skip
    assert (await client.post(f"/chart/{id}/allergies/new", data=form)).status_code == 303
    entry = (await bus.ask(Allergies(patient_id=id), nurse)).allergies[0]
    assert (entry.content.reaction, entry.content.severity, entry.content.certainty) == (
        "Hives, Fever",
        "severe",
        "likely",
    )
    shown = (await client.get(f"/chart/{id}/allergies/{entry.id}", headers=partial)).text
    assert 'value="Hives"' in shown and 'name="version" value="1"' in shown
    await client.post(f"/chart/{id}/allergies/{entry.id}", data=form | {"certainty": "confirmed", "version": "1"})
    assert (await bus.ask(Allergies(patient_id=id), nurse)).allergies[0].content.certainty == "confirmed"
    short = await client.post(f"/chart/{id}/allergies/{entry.id}/withdraw", data={"reason": "x"}, headers=partial)
    assert short.status_code == 422 and 'id="reason-error"' in short.text
    await client.post(f"/chart/{id}/allergies/{entry.id}/withdraw", data={"reason": "wrong person"})
    assert (await bus.ask(Allergies(patient_id=id), nurse)).allergies == []
    assert (await client.post(f"/chart/{id}/allergies/new", data={"substance": ""})).status_code == 422


async def test_vital_signs_are_added_with_a_comma_and_refused_where_impossible(
    bus: Bus, sign_in: SiteClient, nurse: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register()
    client = sign_in(nurse, "it")
    form = {
        "systolic": "131", "diastolic": "79", "heart_rate": "72", "respiratory_rate": "16", "temperature": "36,6",
        "spo2": "97", "on_oxygen": "false", "consciousness": "A",
    }  # fmt: skip
    assert (await client.post(f"/chart/{id}/vitals/new", data=form)).status_code == 303
    line = (await bus.ask(VitalsOfPatient(patient_id=id), nurse))[0]
    assert (line.entry.content.temperature, line.news2.total) == (36.6, 0)
    page = (await client.get(f"/chart/{id}/vitals")).text
    assert "36,6" in page and "NEWS2 0" in page and 'data-island="plot"' in page
    wrong = await client.post(f"/chart/{id}/vitals/new", data={"systolic": "80", "diastolic": "999", "pain": "x"},
                              headers=partial)  # fmt: skip
    assert wrong.status_code == 422 and 'id="pain-error"' in wrong.text
    wrong = await client.post(f"/chart/{id}/vitals/new", data={"systolic": "80", "diastolic": "999"}, headers=partial)
    assert wrong.status_code == 422 and 'id="diastolic-error"' in wrong.text
    nothing = await client.post(f"/chart/{id}/vitals/new", data={"comment": "?"}, headers=partial)
    assert "Inserisci almeno una misura." in nothing.text
    await client.post(f"/chart/{id}/vitals/{line.entry.id}/withdraw", data={"reason": "wrong person"})
    assert await bus.ask(VitalsOfPatient(patient_id=id), nurse) == []


async def test_entries_are_refused_to_those_who_may_not_write_them(
    sign_in: SiteClient, receptionist: Caller, pharmacist: Caller, rossi: UUID, patient_caller: Any
) -> None:
    for who in (receptionist, pharmacist, patient_caller(rossi)):
        for what in ("problems/new", "vitals/new"):
            assert (await sign_in(who).get(f"/chart/{rossi}/{what}")).status_code == 403
            assert (await sign_in(who).post(f"/chart/{rossi}/{what}", data={"words": "x"})).status_code in (403, 422)


# ------------------------------------------------------------------ the past
async def test_the_chart_as_of_a_moment_shows_exactly_what_had_been_recorded_by_then(
    bus: Bus, sign_in: SiteClient, doctor: Caller, receptionist: Caller, register: Register, clock: MovableClock
) -> None:
    days = [NOW - timedelta(days=30 - n) for n in range(6)]
    clock.set(days[0])
    id = await register("Maria Rossi", phone="+39061111111")
    clock.set(days[1])
    await bus.handle(RecordProblem(patient_id=id, display="Cough"), doctor)
    clock.set(days[2])
    await bus.handle(RecordAllergy(patient_id=id, substance="Latex"), doctor)
    clock.set(days[3])
    await bus.handle(RecordVitals(patient_id=id, systolic=152, diastolic=88), doctor)
    clock.set(days[4])
    await bus.handle(UpdatePatient(patient_id=id, full_name="Maria Bianchi", phone="+39062222222"), receptionist)
    taken = RecordMedication(patient_id=id, medication=Medication(name="Ramipril"))
    await bus.handle(taken, doctor, source_recorded_at=days[0] - timedelta(days=400))
    clock.set(NOW)
    client = sign_in(doctor)

    async def seen(moment: datetime, by: str = "") -> set[str]:
        at = moment.isoformat().replace("+00:00", "Z")
        found = set()
        for section in ("", "/problems", "/allergies", "/medicines", "/vitals", "/person", "/timeline"):
            page = await client.get(f"/chart/{id}{section}?as_of={at}{by}")
            assert page.status_code == 200, section
            found |= {word for word in KNOWN if word in page.text}
            assert "Nothing can be changed here." in page.text and "problems/new" not in page.text
            assert not re.search(r'<form[^>]+method="post"(?![^>]+action="/(preferences|sign-out|lock)")', page.text), (
                section
            )
        return found

    first = {"Maria Rossi", "061111111"}
    assert await seen(days[0]) == first
    assert await seen(days[1] - timedelta(seconds=1)) == first
    assert await seen(days[1]) == first | {"Cough"}
    assert await seen(days[2]) == first | {"Cough", "Latex"}
    assert await seen(days[3]) == first | {"Cough", "Latex", "152"}
    assert await seen(days[4]) == {"Maria Bianchi", "062222222", "Cough", "Latex", "152", "Ramipril"}
    assert await seen(days[1], "&by=source") == first | {"Cough", "Ramipril"}
    before = await client.get(f"/chart/{id}?as_of={(days[0] - timedelta(days=1)).date()}")
    assert before.status_code == 200 and "nobody was registered under this number" in before.text


KNOWN = ("Maria Rossi", "Maria Bianchi", "061111111", "062222222", "Cough", "Latex", "152", "Ramipril")


async def test_the_slider_marks_what_was_recorded_and_says_who_wrote(
    bus: Bus, sign_in: SiteClient, doctor: Caller, register: Register, clock: MovableClock
) -> None:
    clock.set(NOW - timedelta(days=3))
    id = await register()
    clock.set(NOW - timedelta(days=2, microseconds=-137))
    await bus.handle(RecordAllergy(patient_id=id, substance="Latex"), doctor)
    clock.set(NOW)
    page = (await sign_in(doctor).get(f"/chart/{id}")).text
    stops = re.search(r"data-stops='([^']+)'", page)[1]
    assert len(re.findall(r"2026-11-1\d", stops)) == 2
    assert len(re.findall(r'<path d="M\d+ 0V8"/>', page)) == 2
    earlier = re.search(r'href="(/chart/[^"]+as_of[^"]+)"[^>]*title="Previous recording', page)[1].replace("&amp;", "&")
    then = (await sign_in(doctor).get(earlier)).text
    assert "Latex" in then and "Last recorded before" in then and "allergy" in then and "Doctor" in then
    back = re.search(r'href="(/chart/[^"]+as_of[^"]+)"[^>]*title="Previous recording', then)[1].replace("&amp;", "&")
    assert "Latex" not in (await sign_in(doctor).get(back)).text


async def test_a_moment_that_cannot_be_read_is_refused_and_one_to_come_is_now(
    sign_in: SiteClient, doctor: Caller, rossi: UUID
) -> None:
    client = sign_in(doctor)
    for wrong in ("yesterday", "2026-02-30", "0001-01-01T00:00", "2026-01-01T00:00:00%2B99:00"):
        assert (await client.get(f"/chart/{rossi}?as_of={wrong}")).status_code == 422, wrong
    assert "Nothing can be changed" not in (await client.get(f"/chart/{rossi}?as_of=2999-01-01")).text
    assert (await client.get(f"/chart/{rossi}?by=nobody")).status_code == 422
    assert (await client.get(f"/chart/{rossi}?what=x")).status_code == 422


async def test_the_timeline_goes_on_by_kind_without_losing_a_line(
    bus: Bus, sign_in: SiteClient, doctor: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register()
    for n in range(60):
        finding = RecordObservation(patient_id=id, code=f"c{n}", display=f"Finding-{n:02d}.", effective_at=NOW)
        await bus.handle(finding, doctor)
    await bus.handle(StartVisit(patient_id=id, reason="Cough"), doctor)
    client = sign_in(doctor)
    first = (await client.get(f"/chart/{id}/timeline")).text
    assert "Cough" in first
    rest = re.search(r'hx-get="([^"]+timeline/more[^"]+)"', first)[1].replace("&amp;", "&")
    second = (await client.get(rest, headers=partial)).text
    assert "<html" not in second
    seen = re.findall(r"Finding-(\d\d)\.", first) + re.findall(r"Finding-(\d\d)\.", second)
    assert sorted(set(seen)) == [f"{n:02d}" for n in range(60)] and len(set(seen)) == 60
    only = (await client.get(f"/chart/{id}/timeline?kind=visit")).text
    assert "Cough" in only and "Finding" not in only


async def test_t053_t067_what_a_record_says_is_shown_literally(
    bus: Bus, sign_in: SiteClient, doctor: Caller, register: Register
) -> None:
    id = await register("Canary Rossi", address=None)
    await bus.handle(RecordProblem(patient_id=id, display=CANARY, comment=CANARY), doctor)
    bad = Reaction(manifestation=Coded(display=CANARY), severity="mild")
    await bus.handle(RecordAllergy(patient_id=id, substance=CANARY, reactions=(bad,), comment=CANARY), doctor)
    await bus.handle(RecordVitals(patient_id=id, systolic=120, diastolic=70, comment=CANARY), doctor)
    await bus.handle(RecordObservation(patient_id=id, code="x", display=CANARY, value_text=CANARY), doctor)
    visit = (await bus.handle(StartVisit(patient_id=id, reason=CANARY), doctor)).aggregate_id
    await bus.handle(SaveDraft(visit_id=visit, subjective=CANARY, plan=CANARY), doctor)
    client = sign_in(doctor)
    for section in ("", *(f"/{name}" for name in SECTIONS)):
        page = (await client.get(f"/chart/{id}{section}")).text
        assert "<script>alert" not in page and "<img" not in page and "1787569" not in page, section
