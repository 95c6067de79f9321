"""The room on a real database: what is ordered, screened, signed, listed, and remembered."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    IssuePrescription,
    RecordMedication,
    SignPrescription,
    StopMedication,
    StopRecordedMedication,
)
from salerno.contexts.prescribing.data.tables import tables
from salerno.contexts.prescribing.errors import (
    MedicineExists,
    NoSuchLine,
    NoSuchPrescription,
    NotADraft,
    NotSigned,
    NotWhatYouSaw,
    PrescriptionExists,
    PrescriptionIsCancelled,
    UnansweredAlerts,
    UnknownPatient,
)
from salerno.contexts.prescribing.events import Medication, Override
from salerno.contexts.prescribing.queries import (
    FindMedicines,
    MedicinesAsOf,
    MedicinesOfPatient,
    PrescriptionById,
    Prescriptions,
    PrescriptionsOfPatient,
    ScreenPrescription,
)
from salerno.contexts.records.commands import (
    RecordAllergy,
    RecordObservation,
    RecordProblem,
    RecordVitals,
    VoidVitals,
)
from salerno.contexts.records.events import Coded, Quantity, Reaction
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
AMOXICILLIN = Medication(name="Amoxicillin 1 g tablets", dosage="1 tablet", frequency="twice a day", duration="7 days")
WARFARIN = Medication(name="Coumadin 5 mg", dosage="1 tablet", frequency="once a day")
IBUPROFEN = Medication(name="ibuprofene 400 mg", dosage="1 cp", frequency="3 volte al giorno", duration="5 giorni")


@pytest.fixture
async def patient(bus: Bus, doctor: Caller, clock: MovableClock) -> UUID:
    clock.set(NOW)
    receipt = await bus.handle(
        RegisterPatient(given_name="Ada", family_name="Neri", date_of_birth=date(1951, 3, 4), gender="female"), doctor
    )
    return receipt.aggregate_id


async def drafted(bus: Bus, doctor: Caller, patient: UUID, *medications: Medication) -> UUID:
    wish = IssuePrescription(patient_id=patient, medications=medications, diagnosis="J06.9")
    return (await bus.handle(wish, doctor)).aggregate_id


async def signed(bus: Bus, doctor: Caller, patient: UUID, *medications: Medication) -> UUID:
    wish = IssuePrescription(patient_id=patient, medications=medications, sign=True)
    return (await bus.handle(wish, doctor)).aggregate_id


async def alerts_for(bus: Bus, doctor: Caller, patient: UUID, *medications: Medication) -> dict[str, str]:
    await bus.settled()
    screened = await bus.ask(ScreenPrescription(patient_id=patient, medications=medications), doctor)
    return {alert.code: alert.severity for alert in reversed(screened.alerts)}


async def test_a_prescription_is_drafted_with_the_fields_of_the_published_command(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    visit = uuid4()
    line = Medication(
        name="Amoxicillin", dosage="500 mg", frequency="3 times a day", duration="7 days", quantity="21",
        instructions="with food",
    )  # fmt: skip
    wish = IssuePrescription(patient_id=patient, visit_id=visit, medications=(line,), diagnosis="Otitis")
    receipt = await bus.handle(wish, doctor)
    page = await bus.ask(PrescriptionById(prescription_id=receipt.aggregate_id), doctor)
    assert (page.version, page.prescription.status, page.prescription.prescriber) == (1, "draft", doctor.actor)
    assert page.prescription.medications[0].medication == line
    assert (page.prescription.visit, page.prescription.diagnosis) == (visit, "Otitis")
    assert page.screened.tables == tables().version


async def test_a_stranger_gets_no_prescription(bus: Bus, doctor: Caller, patient: UUID) -> None:
    with pytest.raises(UnknownPatient):
        await drafted(bus, doctor, uuid4(), AMOXICILLIN)
    with pytest.raises(UnknownPatient):
        await bus.handle(RecordMedication(patient_id=uuid4(), medication=AMOXICILLIN), doctor)


async def test_a_harmless_prescription_is_issued_and_signed_in_one_wish(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    prescription = await signed(bus, doctor, patient, AMOXICILLIN)
    page = await bus.ask(PrescriptionById(prescription_id=prescription), doctor)
    assert (page.version, page.prescription.status, page.prescription.signer) == (2, "signed", doctor.actor)
    assert page.prescription.signed_at == NOW
    assert page.prescription.tables == tables().version
    assert len(page.prescription.signature) == 64


async def test_an_interrupting_alert_needs_a_reason_and_the_reason_is_kept(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    await signed(bus, doctor, patient, WARFARIN)
    prescription = await drafted(bus, doctor, patient, IBUPROFEN)
    with pytest.raises(UnansweredAlerts) as refusal:
        await bus.handle(SignPrescription(prescription_id=prescription), doctor)
    (alert,) = refusal.value.details["alerts"]
    assert list(alert["ingredients"]) == ["ibuprofen", "warfarin"]
    assert (await bus.ask(PrescriptionById(prescription_id=prescription), doctor)).prescription.status == "draft"

    answer = Override(alert=alert["key"], reason="Three days only, INR on Monday")
    await bus.handle(SignPrescription(prescription_id=prescription, overrides=(answer,)), doctor)
    page = await bus.ask(PrescriptionById(prescription_id=prescription), doctor)
    assert page.prescription.status == "signed"
    (override,) = page.prescription.overrides
    assert (override.reason, override.by) == ("Three days only, INR on Monday", doctor.actor)
    assert override.alert.key == alert["key"]
    assert page.version == 3


async def test_signing_at_once_with_an_unanswered_alert_leaves_no_draft_behind(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    with pytest.raises(UnansweredAlerts):
        await signed(bus, doctor, patient, WARFARIN, IBUPROFEN)
    assert (await bus.ask(PrescriptionsOfPatient(patient_id=patient), doctor)).total == 0


async def test_an_allergy_recorded_a_moment_ago_stops_the_signature(bus: Bus, doctor: Caller, patient: UUID) -> None:
    prescription = await drafted(bus, doctor, patient, AMOXICILLIN)
    reaction = Reaction(manifestation=Coded(display="Anaphylaxis"), severity="severe")
    await bus.handle(RecordAllergy(patient_id=patient, substance="Penicillin", reactions=(reaction,)), doctor)
    with pytest.raises(UnansweredAlerts) as refusal:
        await bus.handle(SignPrescription(prescription_id=prescription), doctor)
    assert [alert["severity"] for alert in refusal.value.details["alerts"]] == ["contraindicated"]


async def test_screening_knows_problems_weight_and_creatinine_of_the_chart(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    naproxen = Medication(name="naproxen", dosage="500 mg", frequency="once a day", duration="5 days")
    before = await alerts_for(bus, doctor, patient, naproxen)
    assert "condition" not in before and before["fact-missing"] == "info"
    await bus.handle(
        RecordProblem(
            patient_id=patient, code="I50.9", system="http://hl7.org/fhir/sid/icd-10-cm", display="Heart failure"
        ),
        doctor,
    )
    await bus.handle(RecordVitals(patient_id=patient, weight=55), doctor)
    creatinine = Quantity(value=1.9, unit="mg/dL", code="mg/dL")
    await bus.handle(
        RecordObservation(patient_id=patient, code="2160-0", system="http://loinc.org", quantity=creatinine), doctor
    )
    after = await alerts_for(bus, doctor, patient, naproxen)
    assert (after["condition"], after["dose-avoid"]) == ("major", "major")
    screened = await bus.ask(ScreenPrescription(patient_id=patient, medications=(naproxen,)), doctor)
    assert screened.known.age == pytest.approx(75.71, abs=0.01)
    assert screened.known.crcl == pytest.approx((140 - screened.known.age) * 55 * 0.85 / (72 * 1.9))


async def test_a_voided_weight_is_forgotten(bus: Bus, doctor: Caller, patient: UUID) -> None:
    vitals = (await bus.handle(RecordVitals(patient_id=patient, weight=55), doctor)).aggregate_id
    await bus.settled()
    question = ScreenPrescription(patient_id=patient, medications=(AMOXICILLIN,))
    assert (await bus.ask(question, doctor)).known.weight == 55
    await bus.handle(VoidVitals(vitals_id=vitals, reason="another patient"), doctor)
    await bus.settled()
    assert (await bus.ask(question, doctor)).known.weight is None


async def test_a_draft_can_be_changed_and_a_signed_prescription_cannot(bus: Bus, doctor: Caller, patient: UUID) -> None:
    prescription = await drafted(bus, doctor, patient, AMOXICILLIN)
    await bus.handle(ChangePrescription(prescription_id=prescription, medications=(WARFARIN,)), doctor)
    page = await bus.ask(PrescriptionById(prescription_id=prescription), doctor)
    assert [line.medication for line in page.prescription.medications] == [WARFARIN]
    with pytest.raises(NotWhatYouSaw):
        await bus.handle(SignPrescription(prescription_id=prescription, content_hash="0" * 64), doctor)
    seen = page.prescription.content_hash
    await bus.handle(SignPrescription(prescription_id=prescription, content_hash=seen), doctor)
    with pytest.raises(NotADraft):
        await bus.handle(ChangePrescription(prescription_id=prescription, medications=(AMOXICILLIN,)), doctor)
    again = await bus.handle(SignPrescription(prescription_id=prescription, content_hash=seen), doctor)
    assert again.version == 3


async def test_repeating_a_wish_under_its_id_changes_nothing(bus: Bus, doctor: Caller, patient: UUID) -> None:
    wish = IssuePrescription(prescription_id=uuid4(), patient_id=patient, medications=(AMOXICILLIN,), sign=True)
    first = await bus.handle(wish, doctor)
    second = await bus.handle(wish, doctor)
    assert (first.aggregate_id, first.version) == (second.aggregate_id, second.version)
    other = IssuePrescription(prescription_id=wish.prescription_id, patient_id=patient, medications=(WARFARIN,))
    with pytest.raises(PrescriptionExists):
        await bus.handle(other, doctor)


async def test_a_cancelled_prescription_is_no_longer_taken_and_keeps_its_reason(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    prescription = await signed(bus, doctor, patient, WARFARIN)
    assert len(await bus.ask(MedicinesOfPatient(patient_id=patient), doctor)) == 1
    await bus.handle(CancelPrescription(prescription_id=prescription, reason="Wrong patient"), doctor)
    assert await bus.ask(MedicinesOfPatient(patient_id=patient), doctor) == []
    page = await bus.ask(PrescriptionById(prescription_id=prescription), doctor)
    assert (page.prescription.status, page.prescription.cancelled_because) == ("cancelled", "Wrong patient")
    with pytest.raises(PrescriptionIsCancelled):
        await bus.handle(StopMedication(prescription_id=prescription, reason="over"), doctor)


async def test_one_medicine_can_be_stopped_and_the_others_go_on(bus: Bus, doctor: Caller, patient: UUID) -> None:
    paracetamol = Medication(name="paracetamol 500 mg", dosage="1 tablet", frequency="twice a day")
    prescription = await drafted(bus, doctor, patient, WARFARIN, paracetamol)
    with pytest.raises(NotSigned):
        await bus.handle(StopMedication(prescription_id=prescription, line=0, reason="bleeding"), doctor)
    await bus.handle(SignPrescription(prescription_id=prescription), doctor)
    await bus.handle(StopMedication(prescription_id=prescription, line=0, reason="bleeding"), doctor)
    taken = await bus.ask(MedicinesOfPatient(patient_id=patient), doctor)
    assert [one.ingredients for one in taken] == [("paracetamol",)]
    ended = await bus.ask(MedicinesOfPatient(patient_id=patient, ended=True), doctor)
    assert [(one.status, one.because) for one in ended] == [("active", ""), ("stopped", "bleeding")]
    with pytest.raises(NoSuchLine):
        await bus.handle(StopMedication(prescription_id=prescription, line=7, reason="bleeding"), doctor)


async def test_a_course_ends_by_itself(bus: Bus, doctor: Caller, patient: UUID, clock: MovableClock) -> None:
    await signed(bus, doctor, patient, AMOXICILLIN)
    clock.set(NOW + timedelta(days=6))
    assert len(await bus.ask(MedicinesOfPatient(patient_id=patient), doctor)) == 1
    clock.set(NOW + timedelta(days=7))
    assert await bus.ask(MedicinesOfPatient(patient_id=patient), doctor) == []


async def test_an_imported_medicine_is_recorded_once_and_counts_in_screening(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    rxnorm = Medication(
        name="24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]",
        code="866412",
        system="http://www.nlm.nih.gov/research/umls/rxnorm",
    )
    then = datetime(2019, 4, 5, 3, 30, tzinfo=UTC)
    wish = RecordMedication(medicine_id=uuid4(), patient_id=patient, medication=rxnorm, started_at=then)
    first = await bus.handle(wish, doctor, happened_at=then)
    second = await bus.handle(wish, doctor, happened_at=then)
    assert (first.version, second.version) == (1, 1)
    (taken,) = await bus.ask(MedicinesOfPatient(patient_id=patient), doctor)
    assert (taken.origin, taken.since, taken.ingredients) == ("recorded", then, ("metoprolol",))
    verapamil = Medication(name="verapamil 120 mg", dosage="1 tablet", frequency="twice a day")
    assert (await alerts_for(bus, doctor, patient, verapamil))["interaction"] == "major"
    changed = RecordMedication(medicine_id=wish.medicine_id, patient_id=patient, medication=WARFARIN)
    with pytest.raises(MedicineExists):
        await bus.handle(changed, doctor)
    await bus.handle(StopRecordedMedication(medicine_id=first.aggregate_id, reason="changed to bisoprolol"), doctor)
    assert await bus.ask(MedicinesOfPatient(patient_id=patient), doctor) == []


async def test_a_source_that_says_stopped_is_not_on_the_current_list(bus: Bus, doctor: Caller, patient: UUID) -> None:
    await bus.handle(RecordMedication(patient_id=patient, medication=WARFARIN, status="stopped"), doctor)
    await bus.handle(RecordMedication(patient_id=patient, medication=WARFARIN, status="entered-in-error"), doctor)
    assert await bus.ask(MedicinesOfPatient(patient_id=patient), doctor) == []
    (past,) = await bus.ask(MedicinesOfPatient(patient_id=patient, ended=True), doctor)
    assert past.status == "stopped"


async def test_the_list_stands_as_it_stood(bus: Bus, doctor: Caller, patient: UUID, clock: MovableClock) -> None:
    prescription = await signed(bus, doctor, patient, WARFARIN)
    clock.set(NOW + timedelta(days=2))
    await bus.handle(StopMedication(prescription_id=prescription, reason="bleeding"), doctor)
    moment = NOW + timedelta(days=1)
    (then,) = await bus.ask(MedicinesAsOf(patient_id=patient, moment=moment), doctor)
    assert (then.status, then.ingredients) == ("active", ("warfarin",))
    assert await bus.ask(MedicinesAsOf(patient_id=patient, moment=NOW + timedelta(days=3)), doctor) == []
    assert await bus.ask(MedicinesAsOf(patient_id=patient, moment=NOW - timedelta(days=1)), doctor) == []


async def test_prescriptions_are_listed_by_status_prescriber_and_visit(
    bus: Bus, doctor: Caller, patient: UUID, caller: Callable[..., Caller]
) -> None:
    visit, colleague = uuid4(), caller("DOCTOR")
    mine = await signed(bus, doctor, patient, AMOXICILLIN)
    wish = IssuePrescription(patient_id=patient, visit_id=visit, medications=(WARFARIN,))
    theirs = (await bus.handle(wish, colleague)).aggregate_id

    async def listed(**narrowed: Any) -> list[UUID]:
        page = await bus.ask(Prescriptions(**narrowed), doctor)
        assert page.total == len(page.items)
        return sorted(item.prescription.prescription for item in page.items)

    assert await listed() == sorted([mine, theirs])
    assert await listed(status="signed") == [mine]
    assert await listed(prescriber_id=colleague.actor) == [theirs]
    assert await listed(visit_id=visit) == [theirs]
    assert await listed(patient_id=uuid4()) == []
    page = await bus.ask(Prescriptions(limit=1, offset=1), doctor)
    assert (len(page.items), page.total, page.limit, page.offset) == (1, 2, 1, 1)


async def test_only_those_who_may_prescribe_do(
    bus: Bus, doctor: Caller, nurse: Caller, receptionist: Caller, pharmacist: Caller, patient: UUID
) -> None:
    prescription = await drafted(bus, doctor, patient, AMOXICILLIN)
    for person in (nurse, receptionist, pharmacist):
        with pytest.raises(NotAllowed):
            await drafted(bus, person, patient, AMOXICILLIN)
        with pytest.raises(NotAllowed):
            await bus.handle(SignPrescription(prescription_id=prescription), person)
    for person in (nurse, pharmacist):
        assert (await bus.ask(PrescriptionsOfPatient(patient_id=patient), person)).total == 1
    with pytest.raises(NotAllowed):
        await bus.ask(MedicinesOfPatient(patient_id=patient), receptionist)


async def test_a_patient_sees_the_own_prescriptions_and_nobody_elses(
    bus: Bus, doctor: Caller, patient: UUID, patient_caller: Callable[[UUID], Caller]
) -> None:
    prescription = await signed(bus, doctor, patient, AMOXICILLIN)
    own, other = patient_caller(patient), patient_caller(uuid4())
    assert (await bus.ask(PrescriptionsOfPatient(patient_id=patient), own)).total == 1
    for question in (PrescriptionById(prescription_id=prescription), MedicinesOfPatient(patient_id=patient)):
        await bus.ask(question, own)
        with pytest.raises((NotAllowed, NotFound)):
            await bus.ask(question, other)


async def test_another_organisation_sees_nothing(
    bus: Bus, doctor: Caller, patient: UUID, caller: Callable[..., Caller]
) -> None:
    prescription = await signed(bus, doctor, patient, AMOXICILLIN)
    stranger = caller("DOCTOR", organisation_id=uuid4())
    with pytest.raises(NoSuchPrescription):
        await bus.ask(PrescriptionById(prescription_id=prescription), stranger)
    with pytest.raises(NoSuchPrescription):
        await bus.handle(CancelPrescription(prescription_id=prescription, reason="not mine"), stranger)
    assert (await bus.ask(Prescriptions(), stranger)).total == 0


async def test_medicines_are_found_while_typing(bus: Bus, doctor: Caller) -> None:
    found = await bus.ask(FindMedicines(q="tachip"), doctor)
    assert [(one.name, list(one.ingredients), list(one.ingredients_it)) for one in found] == [
        ("tachipirina", ["paracetamol"], ["paracetamolo"])
    ]
    assert [product.form for product in found[0].products][:2] == ["tablet", "suppository"]
