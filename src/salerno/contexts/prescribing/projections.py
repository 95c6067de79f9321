"""The room's views: prescriptions and medicines as screens need them, and what is known of each patient."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.contexts.patients.events import PatientRegistered, PatientsMerged, PatientsUnmerged, PatientUpdated
from salerno.contexts.prescribing.data.measurements import facts_by_code, in_own_unit
from salerno.contexts.prescribing.events import (
    Alert,
    AlertOverridden,
    Medication,
    MedicationRecorded,
    MedicationStopped,
    MedicineStatus,
    PrescriptionCancelled,
    PrescriptionChanged,
    PrescriptionDrafted,
    PrescriptionSigned,
    RecordedMedicationStopped,
)
from salerno.contexts.records.events import (
    AllergyChanged,
    AllergyRecorded,
    AllergyRemoved,
    NoKnownAllergiesStated,
    ObservationRecorded,
    ProblemChanged,
    ProblemRecorded,
    StatementStatusChanged,
    StatementWithdrawn,
    VitalsRecorded,
    VitalsVoided,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)
PRESENT = ("active", "recurrence", "relapse")
FACTS = "patient_facts"


class LineView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a prescription, and whether it was stopped since."""

    medication: Medication
    stopped_at: datetime | None = None
    stopped_because: str = ""


class OverrideView(Struct, frozen=True, kw_only=True):
    alert: Alert
    reason: str
    by: UUID
    at: datetime


class PrescriptionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`alerts` are those it was signed with, `tables` the version of the tables that raised them."""

    prescription: UUID
    patient: UUID
    prescriber: UUID
    visit: UUID | None = None
    status: str
    medications: tuple[LineView, ...]
    diagnosis: str = ""
    content_hash: str
    issued_at: datetime
    signer: UUID | None = None
    signed_at: datetime | None = None
    signature: str = ""
    tables: str = ""
    alerts: tuple[Alert, ...] = ()
    overrides: tuple[OverrideView, ...] = ()
    cancelled_at: datetime | None = None
    cancelled_because: str = ""


class MedicineView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A medicine from elsewhere, as its source says."""

    medicine: UUID
    patient: UUID
    visit: UUID | None = None
    medication: Medication
    status: MedicineStatus
    started_at: datetime | None = None
    ended_at: datetime | None = None
    prescriber: UUID | None = None
    reasons: tuple[str, ...] = ()
    source: str = ""
    stopped_because: str = ""


class PatientFact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that screening must know: who it is, an allergy, a problem, or a measurement."""

    birth_date: date | None = None
    gender: str = ""
    substance: str = ""
    class_: str = ""
    reaction: str = ""
    severity: str = ""
    certainty: str = ""
    category: str = ""
    code: str = ""
    system: str = ""
    display: str = ""
    value: float | None = None


def prescription_view(before: PrescriptionView | None, item: Recorded[Any]) -> PrescriptionView | None:
    event = item.event
    if isinstance(event, PrescriptionDrafted):
        return _drafted(event, item)
    if before is None:
        return None
    match event:
        case PrescriptionChanged():
            return msgspec.structs.replace(
                before,
                medications=_lines(event.medications),
                diagnosis=event.diagnosis,
                content_hash=event.content_hash,
            )
        case AlertOverridden():
            answer = OverrideView(
                alert=event.alert, reason=event.reason, by=event.prescriber, at=item.origin.recorded_at
            )
            return msgspec.structs.replace(before, overrides=(*before.overrides, answer))
        case PrescriptionSigned():
            return _signed(before, event)
        case PrescriptionCancelled():
            return msgspec.structs.replace(
                before, status="cancelled", cancelled_at=item.origin.happened_at, cancelled_because=event.reason
            )
        case MedicationStopped():
            return _stopped(before, event)
        case _:
            return before


def _drafted(event: PrescriptionDrafted, item: Recorded[Any]) -> PrescriptionView:
    return PrescriptionView(
        prescription=event.prescription,
        patient=event.patient,
        prescriber=event.prescriber,
        visit=event.visit,
        status="draft",
        medications=_lines(event.medications),
        diagnosis=event.diagnosis,
        content_hash=event.content_hash,
        issued_at=item.origin.happened_at,
    )


def _lines(medications: Iterable[Medication]) -> tuple[LineView, ...]:
    return tuple(LineView(medication=one) for one in medications)


def _signed(before: PrescriptionView, event: PrescriptionSigned) -> PrescriptionView:
    return msgspec.structs.replace(
        before,
        status="signed",
        signer=event.signer,
        signed_at=event.signed_at,
        signature=event.signature,
        tables=event.tables,
        alerts=event.alerts,
    )


def _stopped(before: PrescriptionView, event: MedicationStopped) -> PrescriptionView:
    lines = list(before.medications)
    lines[event.line] = msgspec.structs.replace(
        lines[event.line], stopped_at=event.stopped_at, stopped_because=event.reason
    )
    return msgspec.structs.replace(before, medications=tuple(lines))


def medicine_view(before: MedicineView | None, item: Recorded[Any]) -> MedicineView | None:
    event = item.event
    match event:
        case MedicationRecorded():
            return MedicineView(
                medicine=event.medicine,
                patient=event.patient,
                visit=event.visit,
                medication=event.medication,
                status=event.status,
                started_at=event.started_at or item.origin.happened_at,
                ended_at=event.ended_at,
                prescriber=event.prescriber,
                reasons=event.reasons,
                source=event.source,
            )
        case RecordedMedicationStopped() if before is not None:
            return msgspec.structs.replace(
                before, status="stopped", ended_at=event.stopped_at, stopped_because=event.reason
            )
        case _:
            return before


PRESCRIPTIONS = Documents(
    table="prescriptions",
    kind="prescribing.prescription",
    shape=PrescriptionView,
    evolve=prescription_view,
    columns=lambda p: {
        "prescriber": p.prescriber,
        "visit": p.visit,
        "status": p.status,
        "signed": p.signed_at is not None,
        "issued_at": p.issued_at,
    },
)
MEDICINES = Documents(
    table="medicines",
    kind="prescribing.medicine",
    shape=MedicineView,
    evolve=medicine_view,
    columns=lambda m: {"status": m.status, "started_at": m.started_at},
)


async def keep_facts(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """What is learnt is sealed under the patient's key; what is taken back is only marked."""
    learnt: list[tuple[Any, ...]] = []
    for item in items:
        if changed := _changed(item):
            await tx.run_many(SQL["remember_fact"], learnt)
            learnt = []
            await tx.run(SQL["set_fact_active"], tx.organisation, *changed)
            continue
        for id, kind, at, active, fact in _told(item):
            sealed = await tx.seal_doc(FACTS, id, item.subject, fact)
            learnt.append((tx.organisation, id, kind, item.subject, at, active, sealed))
    await tx.run_many(SQL["remember_fact"], learnt)


def _changed(item: Recorded[Any]) -> tuple[UUID, bool] | None:
    """Which fact counts no more, or again."""
    match item.event:
        case ProblemChanged() as event:
            present = event.clinical_status in PRESENT and event.verification not in ("refuted", "entered-in-error")
            return event.problem, present
        case AllergyRemoved(allergy=id) | VitalsVoided(vitals=id) | StatementWithdrawn(record=id):
            return id, False
        case StatementStatusChanged() as event:
            return event.record, event.status not in ("cancelled", "entered-in-error")
        case _:
            return None


Told = tuple[UUID, str, datetime, bool, PatientFact]


def _told(item: Recorded[Any]) -> Iterator[Told]:
    """What one event tells: whose row, of which kind, as of when, whether it counts, and the fact."""
    event, at = item.event, item.origin.happened_at
    match event:
        case PatientRegistered() | PatientUpdated():
            fact = PatientFact(birth_date=event.birth_date, gender=event.gender)
            yield event.patient, "person", at, True, fact
        case AllergyRecorded() | AllergyChanged():
            counts = event.clinical_status == "active" and event.certainty != "refuted"
            yield event.allergy, "allergy", at, counts, _allergy(event)
        case NoKnownAllergiesStated():
            yield event.allergy, "no_allergies", at, True, PatientFact()
        case ProblemRecorded():
            counts = event.clinical_status in PRESENT and event.verification != "refuted"
            fact = PatientFact(code=event.code, system=event.system, display=event.display)
            yield event.problem, "problem", at, counts, fact
        case VitalsRecorded() if event.weight is not None:
            yield event.vitals, "weight", event.measured_at, True, PatientFact(value=event.weight)
        case ObservationRecorded():
            yield from _measured(event, at)
        case _:
            return


def _allergy(event: AllergyRecorded | AllergyChanged) -> PatientFact:
    return PatientFact(
        substance=event.substance,
        class_=event.class_,
        reaction=event.reaction,
        severity=event.severity,
        certainty=event.certainty,
        category="intolerance" if event.allergy_type == "intolerance" else event.category,
    )


def _measured(event: ObservationRecorded, at: datetime) -> Iterator[Told]:
    kind = facts_by_code().get(event.code)
    if kind is None or event.quantity is None or event.status == "cancelled":
        return
    value = in_own_unit(kind, event.quantity.value, event.quantity.code or event.quantity.unit)
    if value is not None:
        when = event.effective_at or at
        yield event.observation, kind, when.astimezone(UTC), True, PatientFact(value=value)


async def keep_merges(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """After a merge, one chart shows both; after an un-merge, each its own again."""
    for item in items:
        match item.event:
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["remember_merge"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["forget_merge"], tx.organisation, patient)
            case _:
                pass


PATIENT_FACTS = Projection(
    name="prescribing.patient_facts",
    tables=(FACTS,),
    events=(
        PatientRegistered,
        PatientUpdated,
        AllergyRecorded,
        AllergyChanged,
        AllergyRemoved,
        NoKnownAllergiesStated,
        ProblemRecorded,
        ProblemChanged,
        VitalsRecorded,
        VitalsVoided,
        ObservationRecorded,
        StatementStatusChanged,
        StatementWithdrawn,
    ),
    apply=keep_facts,
)
MERGED_CHARTS = Projection(
    name="prescribing.merged_charts",
    tables=("merged_charts",),
    events=(PatientsMerged, PatientsUnmerged),
    apply=keep_merges,
)
LISTENS = (PATIENT_FACTS, MERGED_CHARTS)
