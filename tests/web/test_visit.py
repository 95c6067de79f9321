"""The visit's page: one screen, by whom it may be used, what is saved, what is signed, what is refused and where."""

import html
import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from salerno.contexts.encounters.commands import SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import NoteById, VisitById
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import StateNoKnownAllergies
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

CANARY = '"><img src=x onerror=alert(1)>'
SHOWN = html.escape(CANARY, quote=False).replace('"', "&#34;")


@pytest.fixture
async def ada(bus: Bus, receptionist: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    return (await bus.handle(wish, receptionist)).aggregate_id


@pytest.fixture
async def visit(bus: Bus, doctor: Caller, ada: UUID) -> UUID:
    return (await bus.handle(StartVisit(patient_id=ada, reason="cough"), doctor)).aggregate_id


@pytest.fixture
def write(bus: Bus, doctor: Caller, visit: UUID) -> Callable[..., Awaitable[UUID]]:
    async def make(**parts: str) -> UUID:
        return (await bus.handle(SaveDraft(visit_id=visit, **parts), doctor)).aggregate_id  # type: ignore[arg-type]

    return make


async def test_a_doctor_sees_the_patient_the_reason_and_a_note_to_write(
    sign_in: Any, doctor: Caller, visit: UUID
) -> None:
    page = (await sign_in(doctor).get(f"/visit/{visit}")).text
    assert "Ada Byron" in page and "cough" in page
    assert f'data-autosave="/visit/{visit}/draft"' in page and 'data-version="0"' in page
    assert 'name="then" value="sign"' in page and "Sign the prescription" in page


async def test_a_nurse_measures_and_writes_but_neither_diagnoses_nor_prescribes(
    sign_in: Any, nurse: Caller, visit: UUID
) -> None:
    page = (await sign_in(nurse).get(f"/visit/{visit}")).text
    assert f'action="/visit/{visit}/vitals"' in page and 'id="subjective"' in page
    assert "Add a diagnosis" not in page and "Sign the prescription" not in page


async def test_the_desk_and_strangers_see_no_visit(
    sign_in: Any, receptionist: Caller, caller: Any, visit: UUID
) -> None:
    assert (await sign_in(receptionist).get(f"/visit/{visit}")).status_code == 403
    stranger = caller("DOCTOR", organisation_id=UUID(int=7))
    assert (await sign_in(stranger).get(f"/visit/{visit}")).status_code == 404


async def test_a_visit_is_begun_from_the_chart(sign_in: Any, doctor: Caller, ada: UUID) -> None:
    client = sign_in(doctor)
    answer = await client.post(f"/chart/{ada}/visits", data={"visit_reason": "fall at home"})
    assert answer.status_code == 303
    assert "fall at home" in (await client.get(answer.headers["location"])).text


async def test_autosave_keeps_the_parts_that_changed_and_says_the_revision(
    bus: Bus, sign_in: Any, doctor: Caller, visit: UUID
) -> None:
    client = sign_in(doctor)
    first = await client.put(
        f"/visit/{visit}/draft", json={"note": "", "subjective": "tired"}, headers={"If-Match": '"0"'}
    )
    assert (first.status_code, first.json()["version"], first.json()["fields"]["subjective"]) == (200, 1, "tired")
    note = first.json()["fields"]["note"]
    again = await client.put(f"/visit/{visit}/draft", json={"note": note, "plan": "rest"}, headers={"If-Match": '"1"'})
    assert again.json()["version"] == 2
    kept = await bus.ask(NoteById(note_id=UUID(note)), doctor)
    assert (kept.note.content.subjective, kept.note.content.plan) == ("tired", "rest")


async def test_autosave_without_the_version_it_was_begun_from_is_refused(
    sign_in: Any, doctor: Caller, visit: UUID
) -> None:
    answer = await sign_in(doctor).put(f"/visit/{visit}/draft", json={"subjective": "tired"})
    assert answer.status_code == 428


async def test_two_windows_that_change_the_same_part_lose_neither_text(
    sign_in: Any, doctor: Caller, visit: UUID, write: Any
) -> None:
    note = await write(subjective="as both saw it", plan="rest")
    client = sign_in(doctor)
    body = {"note": str(note), "subjective": "first window"}
    await client.put(f"/visit/{visit}/draft", json=body, headers={"If-Match": '"1"'})
    body = {"note": str(note), "subjective": "second window"}
    lost = await client.put(
        f"/visit/{visit}/draft", json=body, headers={"If-Match": '"1"', "Accept": "application/json"}
    )
    assert (lost.status_code, lost.json()["code"]) == (412, "draft-moved-on")
    assert lost.json()["details"] == {"version": 2, "fields": {"subjective": "first window"}}
    plain = {"note": str(note), "revision": "1", "subjective": "second window", "plan": "rest", "then": "sign"}
    page = await client.post(f"/visit/{visit}/note", data=plain)
    assert page.status_code == 409 and "first window" in page.text and "second window" in page.text
    assert 'data-version="2"' in page.text


async def test_a_form_without_script_saves_fills_a_template_and_goes_to_sign(
    bus: Bus, sign_in: Any, doctor: Caller, visit: UUID
) -> None:
    client = sign_in(doctor)
    form = {"note": "", "revision": "0", "subjective": "one\r\ntwo", "template": "soap"}
    answer = await client.post(f"/visit/{visit}/note", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/visit/{visit}#note")
    page = await bus.ask(VisitById(visit_id=visit), doctor)
    [draft] = page.notes
    assert draft.note.content.subjective == "one\ntwo"
    assert draft.note.content.assessment == "Impression:"
    form = {"note": str(draft.note.note), "revision": "1", "then": "sign", "subjective": "one\ntwo"}
    answer = await client.post(f"/visit/{visit}/note", data=form)
    assert answer.headers["location"] == f"/visit/{visit}/sign"


async def test_what_is_signed_is_what_was_shown(
    bus: Bus, sign_in: Any, doctor: Caller, visit: UUID, write: Any
) -> None:
    note = await write(subjective="chest pain", plan="ECG")
    client = sign_in(doctor)
    page = (await client.get(f"/visit/{visit}/sign")).text
    shown = re.search(r'name="content_hash" value="([0-9a-f]{64})"', page)
    assert shown and page.count(shown[1]) == 2 and "chest pain" in page
    await write(plan="ECG and blood tests")
    refused = await client.post(f"/visit/{visit}/sign", data={"note": str(note), "content_hash": shown[1]})
    assert refused.status_code == 409 and "Read it again before you sign." in refused.text
    assert "ECG and blood tests" in refused.text and shown[1] not in refused.text
    now = re.search(r'name="content_hash" value="([0-9a-f]{64})"', refused.text)
    assert now
    signed = await client.post(f"/visit/{visit}/sign", data={"note": str(note), "content_hash": now[1]})
    assert signed.status_code == 303
    assert (await bus.ask(NoteById(note_id=note), doctor)).note.status == "signed"


async def test_an_addendum_needs_a_reason_and_then_stands_below_the_note(
    bus: Bus, sign_in: Any, doctor: Caller, visit: UUID, write: Any
) -> None:
    note = await write(subjective="chest pain")
    held = await bus.ask(NoteById(note_id=note), doctor)
    await bus.handle(SignNote(note_id=note, content_hash=held.note.content_hash), doctor)
    client = sign_in(doctor)
    wrong = await client.post(f"/visit/{visit}/notes/{note}/addenda", data={"addendum": "left side"})
    assert wrong.status_code == 422 and f'id="why-{note}-error"' in wrong.text and "left side" in wrong.text
    right = {"addendum": "left side", "addendum_reason": "forgotten"}
    assert (await client.post(f"/visit/{visit}/notes/{note}/addenda", data=right)).status_code == 303
    page = (await client.get(f"/visit/{visit}")).text
    assert "left side" in page and "forgotten" in page


async def test_vital_signs_are_refused_beside_their_fields_and_read_with_a_comma(
    sign_in: Any, nurse: Caller, visit: UUID, partial: dict[str, str]
) -> None:
    client = sign_in(nurse)
    wrong = await client.post(f"/visit/{visit}/vitals", data={"temperature": "warm", "weight": "61,5"}, headers=partial)
    assert wrong.status_code == 422 and 'id="temperature-error"' in wrong.text and 'value="61,5"' in wrong.text
    assert "<html" not in wrong.text
    absurd = await client.post(f"/visit/{visit}/vitals", data={"systolic": "900"}, headers=partial)
    assert absurd.status_code == 422 and 'id="systolic-error"' in absurd.text
    right = await client.post(
        f"/visit/{visit}/vitals", data={"temperature": "38,4", "systolic": "120", "diastolic": "80"}, headers=partial
    )
    assert right.status_code == 200 and "38.4" in right.text and "↑" in right.text


async def test_a_diagnosis_is_taken_by_code_or_chosen_among_those_that_fit(
    sign_in: Any, doctor: Caller, visit: UUID, partial: dict[str, str]
) -> None:
    client = sign_in(doctor)
    unclear = await client.post(f"/visit/{visit}/diagnoses", data={"diagnosis": "hypertension"}, headers=partial)
    assert unclear.status_code == 422 and 'name="code" value="I10"' in unclear.text
    by_code = await client.post(f"/visit/{visit}/diagnoses", data={"diagnosis": "i10"}, headers=partial)
    assert by_code.status_code == 200 and "Essential (primary) hypertension" in by_code.text
    twice = {"code": "I10", "certainty": "provisional"}
    again = await client.post(f"/visit/{visit}/diagnoses", data=twice, headers=partial)
    assert again.status_code == 409 and "already on the visit" in again.text
    removal = re.search(rf'action="(/visit/{visit}/diagnoses/[0-9a-f-]+/remove)"', by_code.text)
    assert removal
    why = await client.post(removal[1], data={"because": ""}, headers=partial)
    assert why.status_code == 422 and "Say why, in a few words." in why.text
    gone = await client.post(removal[1], data={"because": "wrong chart"}, headers=partial)
    assert gone.status_code == 200 and "Essential (primary) hypertension" not in gone.text


async def test_the_plan_grows_and_shrinks_item_by_item(
    bus: Bus, sign_in: Any, doctor: Caller, visit: UUID, partial: dict[str, str]
) -> None:
    client = sign_in(doctor)
    for item in ("ECG", "Diary of pressures"):
        form = {"kind": "test", "item": item, "due_on": "2026-12-01"}
        assert (await client.post(f"/visit/{visit}/plan", data=form, headers=partial)).status_code == 200
    moved = await client.post(f"/visit/{visit}/plan/0/remove", data={"text": "Something else"}, headers=partial)
    assert moved.status_code == 409
    await client.post(f"/visit/{visit}/plan/0/remove", data={"text": "ECG"}, headers=partial)
    plan = (await bus.ask(VisitById(visit_id=visit), doctor)).visit.plan
    assert [(item.text, item.due_on) for item in plan] == [("Diary of pressures", date(2026, 12, 1))]


async def test_a_visit_is_completed(bus: Bus, sign_in: Any, doctor: Caller, visit: UUID) -> None:
    assert (await sign_in(doctor).post(f"/visit/{visit}/complete", data={"x": ""})).status_code == 303
    assert (await bus.ask(VisitById(visit_id=visit), doctor)).visit.status == "completed"


async def test_a_visit_is_cancelled_with_a_reason_and_then_over(sign_in: Any, doctor: Caller, visit: UUID) -> None:
    client = sign_in(doctor)
    blank = await client.post(f"/visit/{visit}/cancel", data={"because": ""})
    assert blank.status_code == 422 and "Say why, in a few words." in blank.text
    assert (await client.post(f"/visit/{visit}/cancel", data={"because": "wrong person"})).status_code == 303
    late = await client.post(f"/visit/{visit}/complete", data={"x": ""})
    assert late.status_code == 409 and "completed or cancelled" in late.text
    assert 'id="subjective"' not in late.text


async def test_what_people_type_is_never_markup(sign_in: Any, doctor: Caller, visit: UUID, write: Any) -> None:
    await write(subjective=CANARY, plan=CANARY)
    client = sign_in(doctor)
    await client.post(f"/visit/{visit}/plan", data={"kind": "other", "item": CANARY})
    for path in (f"/visit/{visit}", f"/visit/{visit}/sign"):
        page = (await client.get(path)).text
        assert CANARY not in page and SHOWN in page


async def test_the_page_speaks_italian(sign_in: Any, doctor: Caller, visit: UUID) -> None:
    page = (await sign_in(doctor, "it").get(f"/visit/{visit}")).text
    assert "Soggettivo" in page and "Firma la ricetta" in page and "Concludi la visita" in page


async def test_a_note_entered_in_error_is_declared_void_by_its_author_with_a_reason(
    bus: Bus, sign_in: Any, doctor: Caller, nurse: Caller, visit: UUID, write: Callable[..., Awaitable[UUID]]
) -> None:
    note = await write(subjective="of another patient")
    page = await bus.ask(NoteById(note_id=note), doctor)
    await bus.handle(SignNote(note_id=note, content_hash=page.note.content_hash), doctor)
    client, where = sign_in(doctor), f"/visit/{visit}/notes/{note}/void"
    assert f'action="{where}"' in (await client.get(f"/visit/{visit}")).text
    assert f'action="{where}"' not in (await sign_in(nurse).get(f"/visit/{visit}")).text
    asked = await client.post(where, data={"void_reason": ""})
    assert asked.status_code == 422 and "Say why, in a few words." in asked.text
    assert (await sign_in(nurse).post(where, data={"void_reason": "not mine"})).status_code == 403
    done = await client.post(where, data={"void_reason": "written in the wrong chart"})
    assert done.headers["location"] == f"/visit/{visit}#note-{note}"
    shown = (await client.get(f"/visit/{visit}")).text
    assert "Declared void" in shown and "written in the wrong chart" in shown and "of another patient" in shown
    assert f'action="{where}"' not in shown


async def test_the_banner_of_a_visit_says_that_allergies_were_asked_for(
    bus: Bus, sign_in: Any, doctor: Caller, ada: UUID, visit: UUID
) -> None:
    client = sign_in(doctor)
    assert "Allergies not asked yet" in (await client.get(f"/visit/{visit}")).text
    await bus.handle(StateNoKnownAllergies(patient_id=ada), doctor)
    page = (await client.get(f"/visit/{visit}")).text
    assert "No known allergies" in page and "Allergies not asked yet" not in page
