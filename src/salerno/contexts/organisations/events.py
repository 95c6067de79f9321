"""What happens to an organisation and its locations. This file is the room's published language.

Empty fields are left out of the log, so a default here may never change; where an organisation has not
chosen, what holds is in its registration.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Event

Kind: TypeAlias = Literal["independent", "clinic", "hospital"]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class PostalAddress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Opening(Struct, frozen=True, kw_only=True):
    """Open on this weekday from `opens` to `closes`, as on the door: "08:30", "13:00"."""

    day: Day
    opens: str
    closes: str


class Settings(Struct, frozen=True, kw_only=True):
    """What an administrator may choose.

    - `timezone`, `country`, `languages`: where it is; the first language is the default of pages and letters.
    - `visit_minutes`, `buffer_minutes`: length of a visit, and the pause after it, where a type names none.
    - `calendar_from`, `calendar_until`: the hours that the calendar shows.
    - `second_factor_roles`: who cannot sign in without a second factor.
    - `password_demanded`: nobody does without a password, also where a passkey stands.
    - `idle_minutes`: after how long an unused session ends, for each role; `idle_minutes_default` for the others.
    - `duplicate_threshold`: how probable a duplicate must be (0 to 1) for a registration to be held.
    - `patients_book_online`, `booking_days_ahead`, `cancellation_hours`: what patients may do by themselves.
    - `specialties`: whose presets were chosen.
    """

    timezone: str
    country: str
    languages: tuple[str, ...]
    visit_minutes: int = 30
    buffer_minutes: int = 0
    calendar_from: str = "08:00"
    calendar_until: str = "20:00"
    second_factor_roles: tuple[str, ...] = ("SUPER_ADMIN", "ADMIN", "DOCTOR", "PHARMACIST")
    idle_minutes_default: int = 15
    idle_minutes: dict[str, int] = {}
    duplicate_threshold: float = 0.9
    patients_book_online: bool = False
    booking_days_ahead: int = 90
    cancellation_hours: int = 24
    specialties: tuple[str, ...] = ()
    password_demanded: bool = False


class OrganisationRegistered(Event, tag="organisations.organisation_registered.v1"):
    """`language` is the first of its languages."""

    organisation: UUID
    name: str
    kind: Kind
    timezone: str
    language: str
    country: str
    settings: Settings
    legal_name: str = ""
    vat_number: str = ""
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    website: str = ""


class OrganisationUpdated(Event, tag="organisations.organisation_updated.v1"):
    """The whole description as it is from now on."""

    organisation: UUID
    name: str
    kind: Kind
    legal_name: str = ""
    vat_number: str = ""
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    website: str = ""


class OrganisationSettingsChanged(Event, tag="organisations.organisation_settings_changed.v1"):
    """All settings as they are from now on."""

    organisation: UUID
    settings: Settings


class OnboardingCompleted(Event, tag="organisations.onboarding_completed.v1"):
    organisation: UUID
    kind: Kind


class LocationAdded(Event, tag="organisations.location_added.v1"):
    location: UUID
    organisation: UUID
    name: str
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    opening: tuple[Opening, ...] = ()


class LocationChanged(Event, tag="organisations.location_changed.v1"):
    """The whole location as it is from now on."""

    location: UUID
    organisation: UUID
    name: str
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    opening: tuple[Opening, ...] = ()


class LocationClosed(Event, tag="organisations.location_closed.v1"):
    location: UUID
    organisation: UUID


class LocationReopened(Event, tag="organisations.location_reopened.v1"):
    location: UUID
    organisation: UUID


EVENTS = (
    OrganisationRegistered,
    OrganisationUpdated,
    OrganisationSettingsChanged,
    OnboardingCompleted,
    LocationAdded,
    LocationChanged,
    LocationClosed,
    LocationReopened,
)
OrganisationEvent: TypeAlias = (
    OrganisationRegistered | OrganisationUpdated | OrganisationSettingsChanged | OnboardingCompleted
)
LocationEvent: TypeAlias = LocationAdded | LocationChanged | LocationClosed | LocationReopened
OrganisationsEvent: TypeAlias = OrganisationEvent | LocationEvent
