"""What screens need of an organisation and its locations, kept from events."""

from functools import partial
from typing import assert_never
from uuid import UUID

from msgspec import Struct, structs

from salerno.contexts.organisations.events import (
    Kind,
    LocationAdded,
    LocationChanged,
    LocationClosed,
    LocationEvent,
    LocationReopened,
    OnboardingCompleted,
    Opening,
    OrganisationEvent,
    OrganisationRegistered,
    OrganisationSettingsChanged,
    OrganisationUpdated,
    PostalAddress,
    Settings,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded

SQL = load_sql(__package__)
DESCRIBED = ("name", "kind", "legal_name", "vat_number", "address", "phone", "email", "website")
PLACED = ("name", "address", "phone", "email", "opening")


class OrganisationView(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    kind: Kind
    legal_name: str
    vat_number: str
    address: PostalAddress
    phone: str
    email: str
    website: str
    settings: Settings
    onboarded: bool = False


class LocationView(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    address: PostalAddress
    phone: str
    email: str
    opening: tuple[Opening, ...]
    closed: bool = False


def view(before: OrganisationView | None, item: Recorded[OrganisationEvent]) -> OrganisationView:
    event = item.event
    if isinstance(event, OrganisationRegistered):
        told = {name: getattr(event, name) for name in DESCRIBED}
        return OrganisationView(id=event.organisation, settings=event.settings, **told)
    assert before is not None
    change = partial(structs.replace, before)
    match event:
        case OrganisationUpdated():
            return change(**{name: getattr(event, name) for name in DESCRIBED})
        case OrganisationSettingsChanged():
            return change(settings=event.settings)
        case OnboardingCompleted():
            return change(onboarded=True)
        case _:
            assert_never(event)


def place(before: LocationView | None, item: Recorded[LocationEvent]) -> LocationView:
    event = item.event
    match event:
        case LocationAdded():
            return LocationView(id=event.location, **{name: getattr(event, name) for name in PLACED})
        case LocationChanged():
            assert before is not None
            return structs.replace(before, **{name: getattr(event, name) for name in PLACED})
        case LocationClosed() | LocationReopened():
            assert before is not None
            return structs.replace(before, closed=isinstance(event, LocationClosed))
        case _:
            assert_never(event)


HOSPITALS = Documents(
    table="hospitals",
    kind="organisations.organisation",
    shape=OrganisationView,
    evolve=view,
    columns=lambda doc: {"kind": doc.kind},
)
LOCATIONS = Documents(
    table="locations",
    kind="organisations.location",
    shape=LocationView,
    evolve=place,
    columns=lambda doc: {"closed": doc.closed},
)
