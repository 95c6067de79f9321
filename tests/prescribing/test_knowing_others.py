"""What the room learns from other rooms, and that all of it can be thrown away and rebuilt."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from salerno.app import House
from salerno.contexts.encounters.commands import ICD_10_CM
from salerno.contexts.patients.commands import MergePatients, RegisterPatient
from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    IssuePrescription,
    RecordMedication,
    StopMedication,
)
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.queries import (
    PrescriptionsAsOf,
    ScreenPrescription,
)
from salerno.contexts.records.commands import (
    ChangeProblem,
    RecordAllergy,
    RecordProblem,
    RecordVitals,
    RemoveAllergy,
    StateNoKnownAllergies,
    VoidVitals,
)
from salerno.kernel import rebuild
from salerno.kernel.bus import Bus
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


async def signed(bus: Bus, doctor: Caller, patient: UUID, *medications: Medication) -> UUID:
    wish = IssuePrescription(patient_id=patient, medications=medications, sign=True)
    return (await bus.handle(wish, doctor)).aggregate_id


async def alerts_for(bus: Bus, doctor: Caller, patient: UUID, *medications: Medication) -> dict[str, str]:
    await bus.settled()
    screened = await bus.ask(ScreenPrescription(patient_id=patient, medications=medications), doctor)
    return {alert.code: alert.severity for alert in reversed(screened.alerts)}


async def test_somebody_asked_about_allergies_and_there_are_none(bus: Bus, doctor: Caller, patient: UUID) -> None:
    assert "allergies-not-recorded" in await alerts_for(bus, doctor, patient, AMOXICILLIN)
    await bus.handle(StateNoKnownAllergies(patient_id=patient), doctor)
    assert "allergies-not-recorded" not in await alerts_for(bus, doctor, patient, AMOXICILLIN)


async def test_a_resolved_problem_and_a_removed_allergy_no_longer_alert(
    bus: Bus, doctor: Caller, patient: UUID
) -> None:
    gout = RecordProblem(patient_id=patient, code="M10.9", system=ICD_10_CM, display="Gout")
    problem = (await bus.handle(gout, doctor)).aggregate_id
    allergy = (await bus.handle(RecordAllergy(patient_id=patient, substance="sulfa"), doctor)).aggregate_id
    order = Medication(name="idroclorotiazide 25 mg", dosage="1", frequency="daily")
    antibiotic = Medication(name="Bactrim", dosage="1", frequency="bid")
    before = await alerts_for(bus, doctor, patient, order, antibiotic)
    assert (before["condition"], before["allergy"]) == ("moderate", "contraindicated")
    await bus.handle(
        ChangeProblem(problem_id=problem, clinical_status="resolved", reason="no attack in ten years"), doctor
    )
    await bus.handle(RemoveAllergy(allergy_id=allergy, reason="another patient"), doctor)
    after = await alerts_for(bus, doctor, patient, order, antibiotic)
    assert "condition" not in after and "allergy" not in after


async def test_after_a_merge_the_medicines_of_both_charts_are_screened(
    bus: Bus, doctor: Caller, admin: Caller, patient: UUID
) -> None:
    wish = RegisterPatient(
        full_name="Ada Nerri", date_of_birth=date(1951, 3, 4), gender="female", confirmed_not_duplicate=True
    )
    twin = (await bus.handle(wish, doctor)).aggregate_id
    await signed(bus, doctor, twin, WARFARIN)
    assert "interaction" not in await alerts_for(bus, doctor, patient, IBUPROFEN)
    await bus.handle(MergePatients(patient_id=patient, duplicate_id=twin, reason="same person"), admin)
    assert (await alerts_for(bus, doctor, patient, IBUPROFEN))["interaction"] == "major"


async def test_every_table_of_the_room_can_be_thrown_away_and_rebuilt(
    house: House, bus: Bus, doctor: Caller, patient: UUID
) -> None:
    prescription = await signed(bus, doctor, patient, WARFARIN)
    await bus.handle(StopMedication(prescription_id=prescription, reason="bleeding"), doctor)
    await bus.handle(RecordMedication(patient_id=patient, medication=AMOXICILLIN), doctor)
    vitals = (await bus.handle(RecordVitals(patient_id=patient, weight=55), doctor)).aggregate_id
    await bus.handle(RecordAllergy(patient_id=patient, substance="Penicillin"), doctor)
    await bus.handle(VoidVitals(vitals_id=vitals, reason="another patient"), doctor)
    await bus.settled()
    names = [name for name in rebuild.names(house.bus) if name.startswith("prescribing.")]
    assert len(names) == 4
    for name in names:
        assert (await rebuild.rebuild(house.bus, name)).equal, name


async def test_prescriptions_as_of_a_moment(bus: Bus, doctor: Caller, patient: UUID, clock: MovableClock) -> None:
    first = clock.now()
    clock.set(first)
    issued = await signed(bus, doctor, patient, AMOXICILLIN)
    clock.set(first + timedelta(days=1))
    await bus.handle(CancelPrescription(prescription_id=issued, reason="wrong patient"), doctor)
    then = await bus.ask(PrescriptionsAsOf(patient_id=patient, moment=first), doctor)
    later = await bus.ask(PrescriptionsAsOf(patient_id=patient, moment=clock.now()), doctor)
    assert [page.prescription.status for page in (*then, *later)] == ["signed", "cancelled"]
    assert await bus.ask(PrescriptionsAsOf(patient_id=patient, moment=first - timedelta(seconds=1)), doctor) == []
