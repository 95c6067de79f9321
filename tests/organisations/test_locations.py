"""One organisation, several locations."""

from uuid import uuid4

import pytest

from salerno.contexts.organisations.commands import (
    AddLocation,
    CloseLocation,
    GivenOpening,
    RegisterOrganisation,
    ReopenLocation,
    UpdateLocation,
)
from salerno.contexts.organisations.errors import LocationIsClosed, LocationNameTaken, NoSuchOrganisation
from salerno.contexts.organisations.events import LocationAdded, Opening
from salerno.contexts.organisations.queries import Location, Locations
from salerno.contexts.organisations.rules.location import LOCATION, Asked
from salerno.kernel.errors import Invalid, NotAllowed, NotFound
from salerno.kernel.testing import SOMEWHERE, Scenario

HERE = uuid4()


def asked(wish: object) -> Asked:
    return Asked(HERE, SOMEWHERE, "IT", wish)  # type: ignore[arg-type]


def test_opening_hours_are_kept_in_the_order_of_the_week() -> None:
    wish = AddLocation(
        name="Centro",
        opening=(
            GivenOpening(day="tue", opens="9:00", closes="13:00"),
            GivenOpening(day="mon", opens="14:30", closes="19:00"),
            GivenOpening(day="mon", opens="08:30", closes="13:00"),
        ),
    )
    (added,) = Scenario(LOCATION).when(asked(wish)).events()
    assert isinstance(added, LocationAdded)
    assert added.opening == (
        Opening(day="mon", opens="08:30", closes="13:00"),
        Opening(day="mon", opens="14:30", closes="19:00"),
        Opening(day="tue", opens="09:00", closes="13:00"),
    )


@pytest.mark.parametrize(
    ("opening", "path", "code"),
    [
        ((("mon", "08:00", "07:00"),), "opening[0].closes", "before-start"),
        ((("mon", "8", "12:00"),), "opening[0]", "not-a-time"),
        ((("mon", "08:00", "12:00"), ("mon", "11:59", "13:00")), "opening", "overlap"),
    ],
)
def test_hours_that_make_no_sense_are_refused(opening, path: str, code: str) -> None:
    wish = AddLocation(name="Centro", opening=tuple(GivenOpening(day=d, opens=o, closes=c) for d, o, c in opening))
    refused = Scenario(LOCATION).when(asked(wish)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert [(error["path"], error["code"]) for error in refused.errors] == [(path, code)]


def test_a_closed_location_does_not_change_until_it_reopens() -> None:
    added = LocationAdded(location=HERE, organisation=SOMEWHERE, name="Centro")
    (closed,) = Scenario(LOCATION).given(added).when(asked(CloseLocation(location_id=HERE))).events()
    rename = asked(UpdateLocation(location_id=HERE, name="Mare"))
    Scenario(LOCATION).given(added, closed).when(rename).then_refused(LocationIsClosed)
    Scenario(LOCATION).given(added, closed).when(asked(CloseLocation(location_id=HERE))).then_nothing()
    (reopened,) = Scenario(LOCATION).given(added, closed).when(asked(ReopenLocation(location_id=HERE))).events()
    assert len(Scenario(LOCATION).given(added, closed, reopened).when(rename).events()) == 1


async def test_an_organisation_has_several_locations(bus, caller) -> None:
    admin = caller("SUPER_ADMIN")
    await bus.handle(RegisterOrganisation(name="Clinica", kind="clinic"), admin)
    first = (await bus.handle(AddLocation(name="Centro", phone="089 123456"), admin)).aggregate_id
    second = (await bus.handle(AddLocation(name="Mare"), admin)).aggregate_id
    assert [(one.id, one.name, one.phone) for one in await bus.ask(Locations(), admin)] == [
        (first, "Centro", "+39089123456"),
        (second, "Mare", ""),
    ]
    await bus.handle(CloseLocation(location_id=second), admin)
    assert [one.name for one in await bus.ask(Locations(), admin)] == ["Centro"]
    assert [one.name for one in await bus.ask(Locations(closed_too=True), admin)] == ["Centro", "Mare"]
    assert (await bus.ask(Location(location_id=second), admin)).version == 2


async def test_two_open_locations_never_have_one_name(bus, caller) -> None:
    admin = caller("SUPER_ADMIN")
    await bus.handle(RegisterOrganisation(name="Clinica", kind="clinic"), admin)
    first = (await bus.handle(AddLocation(name="Centro"), admin)).aggregate_id
    with pytest.raises(LocationNameTaken):
        await bus.handle(AddLocation(name="CENTRO"), admin)
    await bus.handle(CloseLocation(location_id=first), admin)
    await bus.handle(AddLocation(name="Centro"), admin)
    with pytest.raises(LocationNameTaken):
        await bus.handle(ReopenLocation(location_id=first), admin)


async def test_t033_a_location_of_another_organisation_is_not_there(bus, caller) -> None:
    admin, stranger = caller("SUPER_ADMIN"), caller("SUPER_ADMIN", organisation_id=uuid4())
    await bus.handle(RegisterOrganisation(name="Clinica", kind="clinic"), admin)
    await bus.handle(RegisterOrganisation(name="Altra", kind="clinic"), stranger)
    place = (await bus.handle(AddLocation(name="Centro"), admin)).aggregate_id
    for attempt in (UpdateLocation(location_id=place, name="Mia"), CloseLocation(location_id=place)):
        with pytest.raises(NotFound):
            await bus.handle(attempt, stranger)
    with pytest.raises(NotFound):
        await bus.ask(Location(location_id=place), stranger)
    assert await bus.ask(Locations(), stranger) == []
    assert (await bus.ask(Location(location_id=place), admin)).location.name == "Centro"


async def test_locations_need_an_organisation_and_an_administrator(bus, caller, receptionist) -> None:
    with pytest.raises(NoSuchOrganisation):
        await bus.handle(AddLocation(name="Centro"), caller("ADMIN"))
    with pytest.raises(NotAllowed):
        await bus.handle(AddLocation(name="Centro"), receptionist)
