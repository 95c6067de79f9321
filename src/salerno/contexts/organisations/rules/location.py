"""The life of a location: added, changed, closed, reopened."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from msgspec import UNSET

from salerno.contexts.organisations.commands import AddLocation, CloseLocation, ReopenLocation, UpdateLocation
from salerno.contexts.organisations.errors import AlreadyRegistered, LocationIsClosed, NoSuchLocation
from salerno.contexts.organisations.events import (
    LocationAdded,
    LocationChanged,
    LocationClosed,
    LocationEvent,
    LocationReopened,
    Opening,
    PostalAddress,
)
from salerno.contexts.organisations.rules.description import (
    Desk,
    clean_address,
    clean_email,
    clean_name,
    clean_opening,
    clean_phone,
)
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    opening: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """`first` is what was added: asking for the same again changes nothing."""

    place: Place | None = None
    first: Place | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The wish with its id and the country whose phones and addresses are meant."""

    location: UUID
    organisation: UUID
    country: str
    wish: "Wish"


Wish: TypeAlias = AddLocation | UpdateLocation | CloseLocation | ReopenLocation


def decide(state: Location, command: Asked, origin: Origin) -> list[LocationEvent]:
    match command.wish:
        case AddLocation() as wish:
            return _add(state, command, wish)
        case UpdateLocation() as wish:
            return _update(state, command, wish)
        case CloseLocation():
            _known(state)
            ids = {"location": command.location, "organisation": command.organisation}
            return [] if state.closed else [LocationClosed(**ids)]
        case ReopenLocation():
            _known(state)
            ids = {"location": command.location, "organisation": command.organisation}
            return [LocationReopened(**ids)] if state.closed else []
        case _:
            assert_never(command.wish)


def evolve(state: Location, event: LocationEvent) -> Location:
    match event:
        case LocationAdded():
            place = _place_in(event)
            return Location(place=place, first=place)
        case LocationChanged():
            return replace(state, place=_place_in(event))
        case LocationClosed():
            return replace(state, closed=True)
        case LocationReopened():
            return replace(state, closed=False)
        case _:
            assert_never(event)


def _place_in(event: LocationAdded | LocationChanged) -> Place:
    return Place(**{name: getattr(event, name) for name in Place.__slots__})


def _add(state: Location, asked: Asked, wish: AddLocation) -> list[LocationEvent]:
    place = _clean(wish.name, wish.address, wish.phone, wish.email, wish.opening, asked.country)
    if state.first is not None:
        if state.first == place:
            return []
        raise AlreadyRegistered("This location exists with other data. Change it instead.")
    return [LocationAdded(location=asked.location, organisation=asked.organisation, **_fields(place))]


def _update(state: Location, asked: Asked, wish: UpdateLocation) -> list[LocationEvent]:
    before = _known(state)
    if state.closed:
        raise LocationIsClosed()
    place = _clean(
        _over(wish.name, before.name, ""),
        _over(wish.address, before.address, PostalAddress()),
        _over(wish.phone, before.phone, ""),
        _over(wish.email, before.email, ""),
        _over(wish.opening, before.opening, ()),
        asked.country,
    )
    if place == before:
        return []
    return [LocationChanged(location=asked.location, organisation=asked.organisation, **_fields(place))]


def _clean(
    name: str, address: PostalAddress, phone: str, email: str, opening: tuple[Opening, ...], country: str
) -> Place:
    desk = Desk()
    place = Place(
        name=clean_name(desk, "name", name),
        address=clean_address(desk, address, country),
        phone=clean_phone(desk, "phone", phone, country),
        email=clean_email(desk, "email", email),
        opening=clean_opening(desk, opening),
    )
    desk.done()
    return place


def _known(state: Location) -> Place:
    if state.place is None:
        raise NoSuchLocation()
    return state.place


def _over(given: Any, before: Any, empty: Any) -> Any:
    """Left out keeps what was; null empties."""
    if given is UNSET:
        return before
    return empty if given is None else given


def _fields(place: Place) -> dict[str, Any]:
    return {name: getattr(place, name) for name in Place.__slots__}


LOCATION: Decider[Location, Asked, LocationEvent] = Decider(
    kind="organisations.location",
    initial=Location(),
    decide=decide,
    evolve=evolve,
    events=LocationEvent,
)
