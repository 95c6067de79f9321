"""An organisation is registered once, described and set up the way it wants to work."""

import asyncio
from uuid import UUID, uuid4

import pytest

from salerno.contexts.organisations.commands import (
    ChangeSettings,
    CompleteOnboarding,
    GivenAddress,
    RegisterHospital,
    RegisterOrganisation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.errors import AlreadyRegistered, NoSuchOrganisation
from salerno.contexts.organisations.events import OrganisationRegistered, OrganisationSettingsChanged, PostalAddress
from salerno.contexts.organisations.queries import Organisation
from salerno.contexts.organisations.rules.organisation import ORGANISATION, Change, Registration
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.testing import SOMEWHERE, Scenario


def registered(**told: object) -> OrganisationRegistered:
    wish = RegisterOrganisation(name="Studio Bianchi", kind="independent", **told)  # type: ignore[arg-type]
    (event,) = ORGANISATION.decide(ORGANISATION.initial, Registration(SOMEWHERE, wish), Scenario(ORGANISATION).origin)
    assert isinstance(event, OrganisationRegistered)
    return event


def paths_of(refused: Invalid) -> list[tuple[str, str]]:
    return [(error["path"], error["code"]) for error in refused.errors]


def test_a_practice_of_one_needs_only_its_name() -> None:
    event = registered()
    assert (event.name, event.kind) == ("Studio Bianchi", "independent")
    assert (event.country, event.timezone, event.language) == ("IT", "Europe/Rome", "it")
    assert event.settings.languages == ("it", "en")
    assert event.settings.second_factor_roles == ("SUPER_ADMIN", "ADMIN", "DOCTOR", "PHARMACIST")


def test_a_vat_number_is_checked_by_the_rules_of_its_country() -> None:
    assert registered(vat_number="IT 0074 3110 157").vat_number == "00743110157"
    wish = RegisterOrganisation(name="A", kind="clinic", vat_number="00743110158")
    refused = Scenario(ORGANISATION).when(Registration(SOMEWHERE, wish)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert paths_of(refused) == [("vat_number", "not-valid")]


def test_every_field_that_needs_a_look_is_named_at_once() -> None:
    wish = RegisterHospital(
        name=" ", country="XX", timezone="Mars/Olympus", phone="12", email="nobody", website="nowhere",
        languages=("klingon",), specialties=("alchemy",), address=GivenAddress(city="A" * 201, country="IT"),
    )  # fmt: skip
    refused = Scenario(ORGANISATION).when(Registration(SOMEWHERE, wish)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert sorted(path for path, _ in paths_of(refused)) == [
        "address.city", "country", "email", "languages", "name", "phone", "specialties", "timezone", "website",
    ]  # fmt: skip


def test_a_country_of_many_times_asks_for_the_time_zone() -> None:
    wish = RegisterHospital(name="General", country="US")
    refused = Scenario(ORGANISATION).when(Registration(SOMEWHERE, wish)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert paths_of(refused) == [("timezone", "required")]


def test_registering_the_same_again_changes_nothing_and_other_data_is_refused() -> None:
    again = RegisterOrganisation(name="Studio Bianchi", kind="independent")
    Scenario(ORGANISATION).given(registered()).when(Registration(SOMEWHERE, again)).then_nothing()
    other = RegisterOrganisation(name="Studio Verdi", kind="independent")
    Scenario(ORGANISATION).given(registered()).when(Registration(SOMEWHERE, other)).then_refused(AlreadyRegistered)


def test_settings_that_are_left_out_stay_as_they_are() -> None:
    event = registered()
    wish = ChangeSettings(visit_minutes=20, idle_minutes={"NURSE": 10})
    (changed,) = Scenario(ORGANISATION).given(event).when(Change(SOMEWHERE, wish)).events()
    assert isinstance(changed, OrganisationSettingsChanged)
    assert (changed.settings.visit_minutes, changed.settings.idle_minutes) == (20, {"NURSE": 10})
    assert changed.settings.timezone == event.settings.timezone
    Scenario(ORGANISATION).given(event, changed).when(Change(SOMEWHERE, wish)).then_nothing()


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        (ChangeSettings(visit_minutes=0), "visit_minutes"),
        (ChangeSettings(idle_minutes={"NURSE": 0}), "idle_minutes.NURSE"),
        (ChangeSettings(idle_minutes={"KING": 5}), "idle_minutes"),
        (ChangeSettings(second_factor_roles=("KING",)), "second_factor_roles"),
        (ChangeSettings(duplicate_threshold=0.1), "duplicate_threshold"),
        (ChangeSettings(calendar_from="20:00", calendar_until="08:00"), "calendar_until"),
        (ChangeSettings(calendar_from="25:00"), "calendar_from"),
        (ChangeSettings(timezone="Rome"), "timezone"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(wish: ChangeSettings, path: str) -> None:
    refused = Scenario(ORGANISATION).given(registered()).when(Change(SOMEWHERE, wish)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert [found for found, _ in paths_of(refused)] == [path]


def test_nothing_can_be_changed_before_the_registration() -> None:
    Scenario(ORGANISATION).when(Change(SOMEWHERE, CompleteOnboarding())).then_refused(NoSuchOrganisation)


async def test_the_first_one_registers_where_its_caller_stands(bus, organisation, caller) -> None:
    founder = caller("SUPER_ADMIN")
    receipt = await bus.handle(RegisterOrganisation(name="Studio Bianchi", kind="independent"), founder)
    assert (receipt.aggregate_id, receipt.version) == (organisation, 1)
    again = await bus.handle(
        RegisterOrganisation(name="Studio Bianchi", kind="independent", organisation_id=organisation), founder
    )
    assert again == receipt.__class__(aggregate_id=organisation, version=1)
    sheet = await bus.ask(Organisation(), founder)
    assert (sheet.organisation.name, sheet.organisation.onboarded, sheet.version) == ("Studio Bianchi", False, 1)


async def test_t033_a_hospital_founded_by_somebody_elses_administrator_is_its_own_tenant(
    bus, organisation, caller
) -> None:
    founder = caller("SUPER_ADMIN")
    await bus.handle(RegisterOrganisation(name="Clinica Salerno", kind="clinic"), founder)
    receipt = await bus.handle(RegisterHospital(name="Ospedale San Matteo"), founder)
    assert receipt.aggregate_id != organisation
    assert (await bus.ask(Organisation(), founder)).organisation.name == "Clinica Salerno"
    there = caller("ADMIN", organisation_id=receipt.aggregate_id)
    sheet = await bus.ask(Organisation(), there)
    assert (sheet.organisation.name, sheet.organisation.kind) == ("Ospedale San Matteo", "hospital")
    async with bus.reading("organisations", organisation) as tx:
        seen = [row[0] for row in await tx.fetch("SELECT organisation FROM hospitals")]
    assert seen == [organisation]


async def test_a_hospital_cannot_be_registered_over_another(bus, caller) -> None:
    founder, taken = caller("SUPER_ADMIN"), uuid4()
    await bus.handle(RegisterHospital(name="Ospedale San Matteo", hospital_id=taken), founder)
    with pytest.raises(AlreadyRegistered):
        await bus.handle(RegisterHospital(name="Ospedale Nuovo", hospital_id=taken), founder)
    with pytest.raises(NotAllowed):
        await bus.handle(RegisterHospital(name="Ospedale Nuovo"), caller("ADMIN"))


async def test_a_description_changes_field_by_field(bus, organisation, caller) -> None:
    founder = caller("SUPER_ADMIN")
    await bus.handle(
        RegisterOrganisation(name="Clinica", kind="clinic", phone="089 123456", email="a@clinica.it"), founder
    )
    await bus.handle(UpdateOrganisation(email=None, address=GivenAddress(city="Salerno")), founder)
    held = (await bus.ask(Organisation(), founder)).organisation
    assert (held.phone, held.email) == ("+39089123456", "")
    assert held.address == PostalAddress(city="Salerno", country="IT")


async def test_two_hospitals_founded_at_once_do_not_mix(bus, caller) -> None:
    founder = caller("SUPER_ADMIN")
    ids: list[UUID] = [uuid4() for _ in range(10)]
    await asyncio.gather(
        *(bus.handle(RegisterHospital(name=f"Ospedale {n}", hospital_id=id), founder) for n, id in enumerate(ids))
    )
    names = [(await bus.ask(Organisation(), caller("ADMIN", organisation_id=id))).organisation.name for id in ids]
    assert names == [f"Ospedale {n}" for n in range(10)]
