"""What may be read of an organisation, its locations, its presets and its onboarding."""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from salerno.contexts.organisations.errors import NoSuchLocation, NoSuchOrganisation
from salerno.contexts.organisations.events import Kind
from salerno.contexts.organisations.projections import HOSPITALS, LOCATIONS, SQL, LocationView, OrganisationView
from salerno.contexts.organisations.rules.specialties import Flow, Specialty, flows, specialties
from salerno.kernel.messages import Caller, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx


class Organisation(Query):
    """The caller's own."""


class Locations(Query):
    closed_too: bool = False


class Location(Query):
    location_id: UUID


class OnboardingFlow(Query):
    """Which questions lead a newcomer of this kind to a working practice, in order."""

    kind: Kind


class Specialties(Query):
    """Every preset: visit types and note templates to suggest."""


class OrganisationSheet(Struct, frozen=True, kw_only=True):
    organisation: OrganisationView
    version: int


class LocationSheet(Struct, frozen=True, kw_only=True):
    location: LocationView
    version: int


async def organisation(tx: Tx, query: Organisation, caller: Caller) -> OrganisationSheet:
    held = await HOSPITALS.get(tx, tx.organisation)
    if held is None:
        raise NoSuchOrganisation()
    return OrganisationSheet(organisation=held.doc, version=held.version)


async def locations(tx: Tx, query: Locations, caller: Caller) -> list[LocationView]:
    statement = "all_locations" if query.closed_too else "open_locations"
    held = await LOCATIONS.open(tx, await tx.fetch(SQL[statement], tx.organisation))
    return [one.doc for one in held]


async def location(tx: Tx, query: Location, caller: Caller) -> LocationSheet:
    held = await LOCATIONS.get(tx, query.location_id)
    if held is None:
        raise NoSuchLocation()
    return LocationSheet(location=held.doc, version=held.version)


async def onboarding_flow(tx: Tx, query: OnboardingFlow, caller: Caller) -> Flow:
    return flows()[query.kind]


async def all_specialties(tx: Tx, query: Specialties, caller: Caller) -> list[Specialty]:
    return list(specialties())


ANSWERS: Mapping[type[Query], Answer] = {
    Organisation: organisation,
    Locations: locations,
    Location: location,
    OnboardingFlow: onboarding_flow,
    Specialties: all_specialties,
}
