"""Whom appointments are about: names of patients and practitioners, sealed under their own keys."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.patients.events import (
    PatientRegistered,
    PatientRemoved,
    PatientRestored,
    PatientsMerged,
    PatientsUnmerged,
    PatientUpdated,
)
from salerno.contexts.staff.events import (
    DoctorDetailsSet,
    StaffMemberAdded,
    StaffMemberRemoved,
    StaffMemberUpdated,
)
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.scheduling")
PEOPLE = "people"


class PersonName(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line of a calendar says about somebody; the birth date tells namesakes apart."""

    id: UUID
    name: str
    birth_date: date | None = None
    specialty: str = ""


async def keep_practitioners(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case StaffMemberAdded() | StaffMemberUpdated() as event:
                named = PersonName(id=event.staff, name=event.full_name, specialty=event.specialty)
                await _keep(tx, item, "practitioner", event.role, named)
                if event.specialty:
                    await tx.run(SQL["keep_specialties"], tx.organisation, event.staff, [event.specialty.casefold()])
            case DoctorDetailsSet(staff=staff, specialties=specialties) if specialties:
                folded = [specialty.casefold() for specialty in specialties]
                await tx.run(SQL["keep_specialties"], tx.organisation, staff, folded)
            case StaffMemberRemoved(staff=staff):
                await tx.run(SQL["set_active"], tx.organisation, staff, False)


async def keep_patients(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Names first, all at once: whatever else is said of somebody is said of a row that is there."""
    await _keep_names(tx, [item for item in items if isinstance(item.event, PatientRegistered | PatientUpdated)])
    for item in items:
        match item.event:
            case PatientRemoved(patient=patient):
                await tx.run(SQL["set_active"], tx.organisation, patient, False)
            case PatientRestored(patient=patient):
                await tx.run(SQL["set_active"], tx.organisation, patient, True)
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["merge_person"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["merge_person"], tx.organisation, patient, None)


async def _keep_names(tx: Tx, items: Sequence[Recorded[PatientRegistered | PatientUpdated]]) -> None:
    newest = {item.event.patient: item.event for item in items}
    docs = [await tx.seal_doc(PEOPLE, patient, patient, _named(event)) for patient, event in newest.items()]
    if docs:
        await tx.run(SQL["keep_patients"], tx.organisation, list(newest), docs)


def _named(event: PatientRegistered | PatientUpdated) -> PersonName:
    name = event.full_name or f"{event.given_name} {event.family_name}".strip()
    return PersonName(id=event.patient, name=name, birth_date=event.birth_date)


async def _keep(tx: Tx, item: Recorded[Any], kind: str, role: str, named: PersonName) -> None:
    sealed = await tx.seal_doc(PEOPLE, named.id, item.subject, named)
    await tx.run(SQL["keep_person"], tx.organisation, named.id, item.subject, kind, role, sealed)


PRACTITIONERS = Projection(
    name="scheduling.practitioners",
    tables=(PEOPLE,),
    events=(StaffMemberAdded, StaffMemberUpdated, DoctorDetailsSet, StaffMemberRemoved),
    apply=keep_practitioners,
)
PATIENTS = Projection(
    name="scheduling.patients",
    tables=(PEOPLE,),
    events=(PatientRegistered, PatientUpdated, PatientRemoved, PatientRestored, PatientsMerged, PatientsUnmerged),
    apply=keep_patients,
)
