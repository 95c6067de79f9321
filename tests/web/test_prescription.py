"""Prescriptions on paper and screen: alerts beside lines, reasons for going on, and only what was shown is signed."""

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import ChangePrescription, IssuePrescription, RecordMedication
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.queries import MedicinesOfPatient, PrescriptionById
from salerno.contexts.records.commands import RecordAllergy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

CANARY = '"><img src=x onerror=alert(1)>'


@pytest.fixture
async def ada(bus: Bus, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, doctor)).aggregate_id
    await bus.handle(RecordAllergy(patient_id=patient, substance="Amoxicillin", category="medication"), doctor)
    await bus.settled()
    return patient


def line(number: int, name: str, **more: str) -> dict[str, str]:
    return {f"line.{number}.{key}": value for key, value in {"name": name, **more}.items()}


def reasons(page: str) -> list[str]:
    return re.findall(r'name="(reason\.[^"]+)"', page)


async def test_alerts_stand_beside_their_line_with_word_icon_and_source(
    sign_in: Any, doctor: Caller, ada: UUID
) -> None:
    form = line(0, "Paracetamol 500 mg") | line(1, "Amoxicillin 500 mg")
    page = (await sign_in(doctor).post(f"/chart/{ada}/prescriptions/screen", data=form)).text
    first, second = page.split('id="rx-alerts-1"')
    assert "Contraindicated" not in first
    assert "Contraindicated" in second and "#alert-octagon" in second and "Source" in second
    assert len(reasons(second)) == 1


async def test_what_the_tables_do_not_know_is_said_plainly(sign_in: Any, doctor: Caller, ada: UUID) -> None:
    page = (await sign_in(doctor).post(f"/chart/{ada}/prescriptions/screen", data=line(0, "Zxqqrst"))).text
    assert "Not checked" in page and "not in the tables, not checked" in page
    assert "Not known, so not checked: weight, kidney function." in page
    assert "No alert does not mean no danger." in page


async def test_an_interrupting_alert_needs_a_reason_and_then_is_kept_with_it(
    bus: Bus, sign_in: Any, doctor: Caller, ada: UUID
) -> None:
    client, id = sign_in(doctor), str(uuid4())
    form = {"prescription": id, "then": "sign"} | line(0, "Amoxicillin 500 mg", frequency="twice a day")
    refused = await client.post(f"/chart/{ada}/prescriptions/new", data=form)
    assert refused.status_code == 422 and "Give a reason for going on" in refused.text
    [name] = reasons(refused.text)
    blank = await client.post(f"/chart/{ada}/prescriptions/new", data=form | {name: "  "})
    assert blank.status_code == 422
    signed = await client.post(f"/chart/{ada}/prescriptions/new", data=form | {name: "tolerated last year"})
    assert (signed.status_code, signed.headers["location"]) == (303, f"/prescription/{id}")
    held = (await bus.ask(PrescriptionById(prescription_id=UUID(id)), doctor)).prescription
    assert held.status == "signed" and [one.reason for one in held.overrides] == ["tolerated last year"]
    page = (await client.get(f"/prescription/{id}")).text
    assert "tolerated last year" in page and f'href="/prescription/{id}/print"' in page


async def test_an_empty_sheet_and_a_line_without_a_name_are_refused_beside_the_field(
    sign_in: Any, doctor: Caller, ada: UUID, partial: dict[str, str]
) -> None:
    client = sign_in(doctor)
    for form in (line(0, ""), line(0, "", dosage="1 tablet")):
        answer = await client.post(f"/chart/{ada}/prescriptions/new", data=form | {"then": "sign"}, headers=partial)
        assert answer.status_code == 422 and 'id="line-0-name-error"' in answer.text


async def test_lines_come_and_go_and_keep_what_was_typed(sign_in: Any, doctor: Caller, ada: UUID) -> None:
    client, form = sign_in(doctor), line(0, "Paracetamol") | line(1, "Ibuprofen")
    more = (await client.post(f"/chart/{ada}/prescriptions/new", data=form | {"then": "line"})).text
    assert 'name="line.2.name"' in more and 'value="Ibuprofen"' in more
    less = (await client.post(f"/chart/{ada}/prescriptions/new", data=form | {"then": "without-0"})).text
    assert "Paracetamol" not in less and 'value="Ibuprofen"' in less


async def test_a_draft_that_changed_elsewhere_is_not_signed_unseen(
    bus: Bus, sign_in: Any, doctor: Caller, ada: UUID
) -> None:
    issue = IssuePrescription(patient_id=ada, medications=(Medication(name="Paracetamol"),))
    id = (await bus.handle(issue, doctor)).aggregate_id
    client = sign_in(doctor)
    page = (await client.get(f"/prescription/{id}")).text
    shown = re.search(r'name="shown" value="([0-9a-f]{64})"', page)
    assert shown
    other = ChangePrescription(prescription_id=id, medications=(Medication(name="Ibuprofen"),))
    await bus.handle(other, doctor)
    form = {"prescription": str(id), "shown": shown[1], "then": "sign"} | line(0, "Paracetamol")
    refused = await client.post(f"/chart/{ada}/prescriptions/new", data=form)
    assert refused.status_code == 409 and "Read it again before you sign." in refused.text
    assert 'value="Ibuprofen"' in refused.text
    assert (await bus.ask(PrescriptionById(prescription_id=id), doctor)).prescription.status == "draft"


async def test_a_draft_is_signed_as_it_was_changed(bus: Bus, sign_in: Any, doctor: Caller, ada: UUID) -> None:
    issue = IssuePrescription(patient_id=ada, medications=(Medication(name="Paracetamol"),))
    id = (await bus.handle(issue, doctor)).aggregate_id
    client = sign_in(doctor)
    shown = re.search(r'name="shown" value="([0-9a-f]{64})"', (await client.get(f"/prescription/{id}")).text)
    assert shown
    form = {"prescription": str(id), "shown": shown[1], "then": "sign"} | line(0, "Paracetamol", dosage="1 g")
    assert (await client.post(f"/chart/{ada}/prescriptions/new", data=form)).status_code == 303
    held = (await bus.ask(PrescriptionById(prescription_id=id), doctor)).prescription
    assert (held.status, held.medications[0].medication.dosage) == ("signed", "1 g")


async def test_cancelling_needs_a_reason_and_only_what_is_signed_is_printed(
    bus: Bus, sign_in: Any, doctor: Caller, ada: UUID
) -> None:
    issue = IssuePrescription(patient_id=ada, medications=(Medication(name="Paracetamol 1 g"),), sign=True)
    id = (await bus.handle(issue, doctor)).aggregate_id
    client = sign_in(doctor)
    paper = await client.get(f"/prescription/{id}/print")
    assert paper.status_code == 200 and "Paracetamol 1 g" in paper.text and "Ada Byron" in paper.text
    short = await client.post(f"/prescription/{id}/cancel", data={"because": "x"})
    assert short.status_code == 422 and 'id="because-error"' in short.text
    assert (await client.post(f"/prescription/{id}/cancel", data={"because": "lost"})).status_code == 303
    assert (await client.get(f"/prescription/{id}/print")).status_code == 404


async def test_who_may_not_prescribe_gets_no_sheet_and_cannot_sign(
    sign_in: Any, nurse: Caller, receptionist: Caller, ada: UUID
) -> None:
    form = line(0, "Paracetamol") | {"then": "sign"}
    for caller in (nurse, receptionist):
        client = sign_in(caller)
        assert (await client.get(f"/chart/{ada}/prescriptions/new")).status_code == 403
        assert (await client.post(f"/chart/{ada}/prescriptions/new", data=form)).status_code == 403


async def test_medicines_are_offered_with_their_usual_strengths(sign_in: Any, doctor: Caller) -> None:
    page = (await sign_in(doctor).get("/codes/medicines?q=amoxici")).text
    assert re.search(r'data-value="amoxicillin \d+ ?m?g"', page, re.IGNORECASE)


async def test_a_medicine_named_like_markup_is_text(sign_in: Any, doctor: Caller, ada: UUID) -> None:
    page = (
        await sign_in(doctor).post(f"/chart/{ada}/prescriptions/new", data=line(0, CANARY) | {"then": "check"})
    ).text
    assert CANARY not in page and "&lt;img src=x onerror=alert(1)&gt;" in page


async def test_one_medicine_of_a_prescription_is_stopped_and_the_other_goes_on(
    bus: Bus, sign_in: Any, doctor: Caller, nurse: Caller, ada: UUID
) -> None:
    both = (Medication(name="Paracetamol 500 mg"), Medication(name="Furosemide 25 mg"))
    id = (await bus.handle(IssuePrescription(patient_id=ada, medications=both, sign=True), doctor)).aggregate_id
    client, where = sign_in(doctor), f"/chart/{ada}/prescriptions/{id}/1/stop"
    assert f'href="{where}"' in (await client.get(f"/prescription/{id}")).text
    assert f'href="{where}"' in (await client.get(f"/chart/{ada}/medicines")).text
    assert f'href="{where}"' not in (await sign_in(nurse).get(f"/chart/{ada}/medicines")).text
    assert "Stop Furosemide 25 mg" in (await client.get(where)).text
    asked = await client.post(where, data={"reason": " "})
    assert asked.status_code == 422 and "Say why, in a few words." in asked.text
    assert (await sign_in(nurse).post(where, data={"reason": "cramps"})).status_code == 403
    assert (await client.post(where, data={"reason": "cramps"})).headers["location"] == f"/chart/{ada}/medicines"
    left = await bus.ask(MedicinesOfPatient(patient_id=ada), doctor)
    assert [one.medication.name for one in left] == ["Paracetamol 500 mg"]
    assert (await client.get(where)).status_code == 404
    assert "cramps" in (await client.get(f"/chart/{ada}/medicines")).text


async def test_a_medicine_taken_from_elsewhere_is_stopped_by_whoever_may_record_it(
    bus: Bus, sign_in: Any, nurse: Caller, ada: UUID
) -> None:
    wish = RecordMedication(patient_id=ada, medication=Medication(name="Omeprazole 20 mg"))
    id = (await bus.handle(wish, nurse)).aggregate_id
    client, where = sign_in(nurse), f"/chart/{ada}/medicines/{id}/stop"
    assert f'href="{where}"' in (await client.get(f"/chart/{ada}/medicines")).text
    assert (await client.post(where, data={"reason": "no longer needed"})).status_code == 303
    assert await bus.ask(MedicinesOfPatient(patient_id=ada), nurse) == []
