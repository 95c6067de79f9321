"""What is sent about patients and what is answered, in the spelling of both worlds."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from salerno.contexts.patients.commands import (
    GivenContactPoint,
    GivenEmergencyContact,
    GivenIdentifier,
    GivenInsurance,
)
from salerno.contexts.patients.events import ContactPoint, EmergencyContact, Identifier, Insurance
from salerno.contexts.patients.queries import (
    PatientMatch,
)
from salerno.interfaces.http import (
    Body,
    Paging,
)

Text = Annotated[str, Meta(max_length=1000)]
Short = Annotated[str, Meta(max_length=200)]


class PlaceBody(Body):
    line1: Text = ""
    line2: Text = ""
    city: Text = ""
    state: Text = ""
    postal_code: Text | UnsetType = UNSET
    postalCode: Text | UnsetType = UNSET  # noqa: N815 - the other spelling
    country: Text = ""


class PersonBody(Body):
    """Demographics in either spelling. Give `full_name`, or both names."""

    full_name: Text | None | UnsetType = UNSET
    given_name: Text | None | UnsetType = UNSET
    family_name: Text | None | UnsetType = UNSET
    date_of_birth: date | None | UnsetType = UNSET
    gender: Text | None | UnsetType = UNSET
    phone: Text | None | UnsetType = UNSET
    email: Text | None | UnsetType = UNSET
    address: PlaceBody | None | UnsetType = UNSET
    identifiers: tuple[GivenIdentifier, ...] | None | UnsetType = UNSET
    contacts: tuple[GivenContactPoint, ...] | None | UnsetType = UNSET
    emergency_contacts: tuple[GivenEmergencyContact, ...] | None | UnsetType = UNSET
    insurance: tuple[GivenInsurance, ...] | None | UnsetType = UNSET
    language: Text | None | UnsetType = UNSET
    marital_status: Text | None | UnsetType = UNSET
    deceased: bool | None | UnsetType = UNSET
    deceased_on: date | None | UnsetType = UNSET
    first_name: Text | None | UnsetType = UNSET
    last_name: Text | None | UnsetType = UNSET
    firstName: Text | None | UnsetType = UNSET  # noqa: N815 - here and below: the other spelling
    lastName: Text | None | UnsetType = UNSET  # noqa: N815
    fullName: Text | None | UnsetType = UNSET  # noqa: N815
    dateOfBirth: date | None | UnsetType = UNSET  # noqa: N815
    maritalStatus: Text | None | UnsetType = UNSET  # noqa: N815
    emergencyContacts: tuple[GivenEmergencyContact, ...] | None | UnsetType = UNSET  # noqa: N815
    deceasedOn: date | None | UnsetType = UNSET  # noqa: N815


class NewPatient(PersonBody):
    mrn: Text | None = None
    confirmed_not_duplicate: bool = False


class Contacts(Body):
    emergency_contacts: tuple[GivenEmergencyContact, ...]


class Policies(Body):
    insurance: tuple[GivenInsurance, ...]


class Reason(Body):
    reason: Text = ""


class Duplicate(Body):
    duplicate_id: UUID
    reason: Text = ""


class Consent(Body):
    scope: Text
    version: Text = "1"
    given_on: date | None = None
    expires_on: date | None = None
    document_id: UUID | None = None
    note: Text = ""


class Withdrawal(Body):
    withdrawn_on: date | None = None
    reason: Text = ""


class Typed(Body):
    """A registration form as filled in so far."""

    full_name: Text = ""
    given_name: Text = ""
    family_name: Text = ""
    date_of_birth: date | None = None
    gender: Text = ""
    phone: Text = ""
    email: Text = ""
    identifiers: Annotated[tuple[GivenIdentifier, ...], Meta(max_length=20)] = ()
    patient_id: UUID | None = None


class Criteria(Paging):
    """One or more; all that are given must match."""

    q: Short = ""
    name: Short = ""
    full_name: Short = ""
    first_name: Short = ""
    last_name: Short = ""
    date_of_birth: date | None = None
    phone: Short = ""
    email: Short = ""
    mrn: Short = ""
    identifier: Short = ""


class Moment(Body):
    moment: datetime
    by_source: bool = False


class WithinMoment(Body):
    as_of: datetime | None = None


# ------------------------------------------------------------------ what is answered
class ListedPatient(Struct, frozen=True, kw_only=True):
    id: UUID
    mrn: str
    full_name: str
    date_of_birth: date | None
    gender: str
    phone: str
    email: str
    created_at: datetime


class PatientList(Struct, frozen=True, kw_only=True):
    patients: Sequence[ListedPatient]
    total: int
    limit: int
    offset: int


class Hit(Struct, frozen=True, kw_only=True):
    id: UUID
    mrn: str
    full_name: str
    phone: str


class Hits(Struct, frozen=True, kw_only=True):
    results: Sequence[Hit]


class ScoredHits(Struct, frozen=True, kw_only=True):
    results: Sequence[PatientMatch]
    limit: int
    offset: int
    more: bool


class ConsentLine(Struct, frozen=True, kw_only=True):
    scope: str
    version: str
    given_on: date
    expires_on: date | None
    withdrawn_on: date | None
    document_id: UUID | None
    note: str
    reason: str


class ConsentList(Struct, frozen=True, kw_only=True):
    consents: Sequence[ConsentLine]


class LinkedList(Struct, frozen=True, kw_only=True):
    patient_ids: Sequence[UUID]


class AddressAnswer(Struct, frozen=True, kw_only=True):
    line1: str
    line2: str
    city: str
    state: str
    postal_code: str
    country: str


class Warned(Struct, frozen=True, kw_only=True):
    path: str
    code: str
    message: str


class PatientAnswer(Struct, frozen=True, kw_only=True):
    """A patient. `warnings` deserve a second look; `linked` are records that were merged into this one.

    `withheld` names the groups of fields that are not for who asks: those fields are absent.
    """

    id: UUID
    mrn: str
    full_name: str
    first_name: str
    last_name: str
    date_of_birth: date | None
    gender: str
    phone: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    address: AddressAnswer | UnsetType = UNSET
    identifiers: Sequence[Identifier] | UnsetType = UNSET
    contacts: Sequence[ContactPoint] | UnsetType = UNSET
    emergency_contacts: Sequence[EmergencyContact] | UnsetType = UNSET
    insurance: Sequence[Insurance] | UnsetType = UNSET
    language: str
    marital_status: str
    deceased: bool
    deceased_on: date | None
    status: str
    created_at: datetime
    updated_at: datetime
    version: int
    warnings: Sequence[Warned]
    linked: Sequence[UUID]
    withheld: Sequence[str] = ()


class VersionedPatient(PatientAnswer, frozen=True, kw_only=True):
    """The same under the names of both worlds."""

    first: str = field(name="firstName")
    last: str = field(name="lastName")
    full: str = field(name="fullName")
    born: date | None = field(name="dateOfBirth")
    created: datetime = field(name="createdAt")
    updated: datetime = field(name="updatedAt")
