"""What happens to a patient's record. This file is the room's published language.

Empty fields are left out of the log, so a default here may never change.
"""

from datetime import date
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Event


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""  # ISO 3166-1, two letters


class Identifier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number that somebody else gave this person. `system` says who, such as "codice-fiscale"."""

    system: str
    value: str
    country: str = ""


class ContactPoint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A further way to reach the patient: `kind` is phone, email, fax or other."""

    kind: str
    value: str
    use: str = ""


class EmergencyContact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    relationship: str = ""
    phone: str = ""
    email: str = ""


class Insurance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    payer: str
    plan: str = ""
    member_number: str = ""
    group_number: str = ""
    holder: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Demographics as cleaned: names in NFC, phones in E.164, codes in their canonical spelling."""

    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    birth_date: date | None = None
    gender: str = "unknown"  # male, female, other, unknown
    phone: str = ""
    email: str = ""
    address: Address = Address()
    identifiers: tuple[Identifier, ...] = ()
    contacts: tuple[ContactPoint, ...] = ()
    emergency_contacts: tuple[EmergencyContact, ...] = ()
    insurance: tuple[Insurance, ...] = ()
    language: str = ""
    marital_status: str = ""
    deceased: bool = False
    deceased_on: date | None = None


class PatientRegistered(Person, Event, tag="patients.patient_registered.v1", omit_defaults=True):
    """`resembles` names the likely duplicates that whoever registered was shown and ruled out."""

    patient: UUID
    mrn: str
    confirmed_not_duplicate: bool = False
    resembles: tuple[UUID, ...] = ()


class PatientUpdated(Person, Event, tag="patients.patient_updated.v1", omit_defaults=True):
    """The whole demographics as they are from now on."""

    patient: UUID


class PatientRemoved(Event, tag="patients.patient_removed.v1", omit_defaults=True):
    patient: UUID
    reason: str = ""


class PatientRestored(Event, tag="patients.patient_restored.v1", omit_defaults=True):
    patient: UUID
    reason: str = ""


class PatientsMerged(Event, tag="patients.patients_merged.v1", omit_defaults=True):
    """On the duplicate's stream: from now on this chart is read with the chart `into`."""

    patient: UUID
    into: UUID
    reason: str = ""


class PatientsUnmerged(Event, tag="patients.patients_unmerged.v1", omit_defaults=True):
    """On the duplicate's stream: this chart stands on its own again."""

    patient: UUID
    from_: UUID
    reason: str = ""


class ConsentGiven(Event, tag="patients.consent_given.v1", omit_defaults=True):
    """`version` is that of the text which the patient agreed to."""

    patient: UUID
    scope: str
    version: str
    given_on: date
    expires_on: date | None = None
    document: UUID | None = None
    note: str = ""


class ConsentWithdrawn(Event, tag="patients.consent_withdrawn.v1", omit_defaults=True):
    patient: UUID
    scope: str
    version: str
    withdrawn_on: date
    reason: str = ""


EVENTS = (
    PatientRegistered,
    PatientUpdated,
    PatientRemoved,
    PatientRestored,
    PatientsMerged,
    PatientsUnmerged,
    ConsentGiven,
    ConsentWithdrawn,
)
PatientsEvent: TypeAlias = (
    PatientRegistered
    | PatientUpdated
    | PatientRemoved
    | PatientRestored
    | PatientsMerged
    | PatientsUnmerged
    | ConsentGiven
    | ConsentWithdrawn
)
