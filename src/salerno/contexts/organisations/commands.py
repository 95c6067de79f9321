"""What may be asked of an organisation."""

from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from salerno.contexts.organisations.events import Kind, Opening, PostalAddress
from salerno.kernel.messages import Command


class GivenAddress(PostalAddress, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address as typed."""


class GivenOpening(Opening, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opening hours as typed."""


class Founding(Command):
    """What is told of an organisation at its registration."""

    name: str
    country: str = "IT"
    timezone: str = ""  # that of the country where it has one only
    languages: tuple[str, ...] = ()
    legal_name: str = ""
    vat_number: str = ""
    address: GivenAddress = GivenAddress()
    phone: str = ""
    email: str = ""
    website: str = ""
    specialties: tuple[str, ...] = ()


class RegisterOrganisation(Founding):
    """`organisation_id` makes it safe to repeat; without one it is the caller's, or a new one where that exists."""

    kind: Kind
    organisation_id: UUID | None = None


class FoundOrganisation(Founding):
    """The caller's own organisation, by whoever signed up to start it. There is none of it yet."""

    kind: Kind


class RegisterHospital(Founding):
    """The same for a hospital; `hospital_id` is its organisation."""

    kind: Kind = "hospital"
    hospital_id: UUID | None = None


class UpdateOrganisation(Command):
    """A field that is left out keeps what it was; null empties it."""

    name: str | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    legal_name: str | None | UnsetType = UNSET
    vat_number: str | None | UnsetType = UNSET
    address: GivenAddress | None | UnsetType = UNSET
    phone: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    website: str | None | UnsetType = UNSET


class ChangeSettings(Command):
    """Settings that are left out stay as they are. See `events.Settings` for what each means."""

    timezone: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    languages: tuple[str, ...] | UnsetType = UNSET
    visit_minutes: int | UnsetType = UNSET
    buffer_minutes: int | UnsetType = UNSET
    calendar_from: str | UnsetType = UNSET
    calendar_until: str | UnsetType = UNSET
    second_factor_roles: tuple[str, ...] | UnsetType = UNSET
    idle_minutes_default: int | UnsetType = UNSET
    idle_minutes: dict[str, int] | UnsetType = UNSET
    duplicate_threshold: float | UnsetType = UNSET
    patients_book_online: bool | UnsetType = UNSET
    booking_days_ahead: int | UnsetType = UNSET
    cancellation_hours: int | UnsetType = UNSET
    specialties: tuple[str, ...] | UnsetType = UNSET
    password_demanded: bool | UnsetType = UNSET


class CompleteOnboarding(Command):
    """The guided questions were answered, or put aside for good."""


class AddLocation(Command):
    name: str
    location_id: UUID | None = None
    address: GivenAddress = GivenAddress()
    phone: str = ""
    email: str = ""
    opening: tuple[GivenOpening, ...] = ()


class UpdateLocation(Command):
    """A field that is left out keeps what it was; null empties it."""

    location_id: UUID
    name: str | UnsetType = UNSET
    address: GivenAddress | None | UnsetType = UNSET
    phone: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    opening: tuple[GivenOpening, ...] | None | UnsetType = UNSET


class CloseLocation(Command):
    location_id: UUID


class ReopenLocation(Command):
    location_id: UUID


OrganisationCommand: TypeAlias = (
    RegisterOrganisation
    | FoundOrganisation
    | RegisterHospital
    | UpdateOrganisation
    | ChangeSettings
    | CompleteOnboarding
)
LocationCommand: TypeAlias = AddLocation | UpdateLocation | CloseLocation | ReopenLocation
