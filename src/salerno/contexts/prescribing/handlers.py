"""Which rule answers which command, and what is screened first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

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
from salerno.contexts.prescribing.errors import NoSuchMedicine, NoSuchPrescription, UnknownPatient
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.projections import PRESCRIPTIONS
from salerno.contexts.prescribing.queries.known import facts_of
from salerno.contexts.prescribing.rules.medicine import MEDICINE, Recording
from salerno.contexts.prescribing.rules.prescription import PRESCRIPTION, Issuing, Screening, Signing
from salerno.contexts.prescribing.rules.screening import screen
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx


async def on_issue(tx: Tx, command: IssuePrescription, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    prescription = command.prescription_id or tx.new_id()
    screening = None
    if command.sign:
        screening = await _screening(tx, command.patient_id, prescription, command.medications)
    wish = Issuing(command, prescription, screening)
    return await tx.execute(PRESCRIPTION, prescription, wish, subject=command.patient_id)


async def on_sign(tx: Tx, command: SignPrescription, origin: Origin) -> Sequence[Recorded[Any]]:
    held = await PRESCRIPTIONS.get(tx, command.prescription_id)
    if held is None:
        raise NoSuchPrescription()
    medications = [line.medication for line in held.doc.medications]
    screening = await _screening(tx, held.subject, held.id, medications)
    return await tx.execute(PRESCRIPTION, held.id, Signing(command, screening))


async def _screening(tx: Tx, patient: UUID, prescription: UUID, medications: Sequence[Medication]) -> Screening:
    """With all that other rooms have said up to now: an allergy recorded a moment ago counts."""
    await tx.catch_up()
    facts = await facts_of(tx, patient, prescription)
    return Screening(tuple(screen(medications, facts)), tables().version)


async def on_prescription(
    tx: Tx, command: ChangePrescription | CancelPrescription | StopMedication, origin: Origin
) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(PRESCRIPTION, command.prescription_id, command)
    except NotFound as error:
        raise NoSuchPrescription() if type(error) is NotFound else error from None


async def on_record(tx: Tx, command: RecordMedication, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    medicine = command.medicine_id or tx.new_id()
    return await tx.execute(MEDICINE, medicine, Recording(command, medicine), subject=command.patient_id)


async def on_medicine(tx: Tx, command: StopRecordedMedication, origin: Origin) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(MEDICINE, command.medicine_id, command)
    except NotFound as error:
        raise NoSuchMedicine() if type(error) is NotFound else error from None


async def _refuse_strangers(tx: Tx, patient: UUID) -> None:
    try:
        await tx.subject_of("patients.patient", patient)
    except NotFound:
        raise UnknownPatient() from None


HANDLERS: dict[type[Command], Handler] = {
    IssuePrescription: on_issue,
    ChangePrescription: on_prescription,
    SignPrescription: on_sign,
    CancelPrescription: on_prescription,
    StopMedication: on_prescription,
    RecordMedication: on_record,
    StopRecordedMedication: on_medicine,
}
