"""What may be asked of a patient's record."""

from datetime import date
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from salerno.contexts.patients.events import Address, ContactPoint, EmergencyContact, Identifier, Insurance
from salerno.kernel.messages import Command


class GivenAddress(Address, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address as typed."""


class GivenIdentifier(Identifier, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identifier as typed."""


class GivenContactPoint(ContactPoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact as typed."""


class GivenEmergencyContact(EmergencyContact, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An emergency contact as typed."""


class GivenInsurance(Insurance, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An insurance as typed."""


class PersonWish(Command):
    """Demographics as typed. A field that is left out keeps what it was; null empties it.

    The name comes as `full_name`, or as `given_name` and `family_name`; the other is derived.
    """

    full_name: str | None | UnsetType = UNSET
    given_name: str | None | UnsetType = UNSET
    family_name: str | None | UnsetType = UNSET
    date_of_birth: date | None | UnsetType = UNSET
    gender: str | None | UnsetType = UNSET
    phone: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    address: GivenAddress | None | UnsetType = UNSET
    identifiers: tuple[GivenIdentifier, ...] | None | UnsetType = UNSET
    contacts: tuple[GivenContactPoint, ...] | None | UnsetType = UNSET
    emergency_contacts: tuple[GivenEmergencyContact, ...] | None | UnsetType = UNSET
    insurance: tuple[GivenInsurance, ...] | None | UnsetType = UNSET
    language: str | None | UnsetType = UNSET
    marital_status: str | None | UnsetType = UNSET
    deceased: bool | None | UnsetType = UNSET
    deceased_on: date | None | UnsetType = UNSET


class RegisterPatient(PersonWish):
    """`patient_id` makes it safe to repeat: an import names the same person twice and registers once.

    `mrn` is allocated when it is absent. `confirmed_not_duplicate` says that somebody looked at the likely
    duplicates that a refusal listed, and that this is another person.
    """

    patient_id: UUID | None = None
    mrn: str | None = None
    confirmed_not_duplicate: bool = False


class UpdatePatient(PersonWish):
    """`complete` empties every field that is left out (PUT); otherwise it keeps what it was."""

    patient_id: UUID
    complete: bool = False


class SetEmergencyContacts(Command):
    patient_id: UUID
    emergency_contacts: tuple[GivenEmergencyContact, ...]


class SetInsurance(Command):
    patient_id: UUID
    insurance: tuple[GivenInsurance, ...]


class RemovePatient(Command):
    """Takes a record out of lists and search. Nothing is lost: see RestorePatient."""

    patient_id: UUID
    reason: str = ""


class RestorePatient(Command):
    patient_id: UUID
    reason: str = ""


class MergePatients(Command):
    """The duplicate's chart is from now on read as part of the survivor's."""

    patient_id: UUID
    duplicate_id: UUID
    reason: str = ""


class UnmergePatients(Command):
    """Returns both charts exactly as they would be without the merge."""

    patient_id: UUID
    duplicate_id: UUID
    reason: str = ""


class GiveConsent(Command):
    patient_id: UUID
    scope: str
    version: str = "1"
    given_on: date | None = None
    expires_on: date | None = None
    document_id: UUID | None = None
    note: str = ""


class WithdrawConsent(Command):
    patient_id: UUID
    scope: str
    withdrawn_on: date | None = None
    reason: str = ""


PatientsCommand: TypeAlias = (
    RegisterPatient
    | UpdatePatient
    | SetEmergencyContacts
    | SetInsurance
    | RemovePatient
    | RestorePatient
    | MergePatients
    | UnmergePatients
    | GiveConsent
    | WithdrawConsent
)
