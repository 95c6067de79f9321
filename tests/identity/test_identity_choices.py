"""What an organisation chooses for its own people's sign-in, and that it holds from then on."""

from collections.abc import Callable
from dataclasses import replace as with_changes
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.identity.conftest import PASSWORD

from salerno.contexts.identity.commands import RemoveTotp
from salerno.contexts.identity.errors import FactorDemanded
from salerno.contexts.identity.queries import Me
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import ENROLMENT
from salerno.contexts.organisations.commands import ChangeSettings, RegisterOrganisation
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Ask = Callable[..., Any]


@pytest.fixture
async def founded(bus: Bus, admin: Caller) -> Caller:
    """An administrator of an organisation that is registered."""
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    await bus.handle(
        RegisterOrganisation(name="Studio Bianchi", kind="independent", organisation_id=admin.organisation), above
    )
    await bus.settled()
    return admin


async def test_t012_an_unused_session_ends_when_the_organisation_says(
    bus: Bus,
    founded: Caller,
    person: Ask,
    enter: Ask,
    behind: Ask,
    clock: MovableClock,
    noon: datetime,
) -> None:
    clock.set(noon)
    await bus.handle(ChangeSettings(idle_minutes={"NURSE": 3}, idle_minutes_default=40), founded)
    await bus.settled()
    nurse, receptionist = await enter(await person("NURSE")), await enter(await person("RECEPTIONIST"))
    clock.set(noon + timedelta(minutes=2, seconds=59))
    assert await behind(nurse.token, by_a_person=False)
    clock.set(noon + timedelta(minutes=3, seconds=1))
    assert await behind(nurse.token) is None
    clock.set(noon + timedelta(minutes=9))
    found = await behind(receptionist.token)
    assert found is not None and found.expires_at == noon + timedelta(minutes=49)
    clock.set(noon + timedelta(minutes=48, seconds=59))
    found = await behind(receptionist.token)
    assert found is not None and found.locked  # looked at by its owner or not: behind the lock it goes on ageing
    clock.set(noon + timedelta(minutes=49, seconds=1))
    assert await behind(receptionist.token) is None


async def test_an_organisation_says_who_needs_a_second_factor(
    bus: Bus,
    founded: Caller,
    person: Ask,
    enter: Ask,
    behind: Ask,
    policy: Ask,
) -> None:
    policy(second_factor_demanded=True)
    await bus.handle(ChangeSettings(second_factor_roles=("NURSE",)), founded)
    await bus.settled()
    nurse, doctor = await enter(await person("NURSE")), await enter(await person("DOCTOR"))
    assert (nurse.must_enrol, doctor.must_enrol) == (True, False)
    behind_nurse, behind_doctor = await behind(nurse.token), await behind(doctor.token)
    assert behind_nurse.caller.permissions == ENROLMENT
    assert "encounters.diagnose" in behind_doctor.caller.permissions
    with pytest.raises(FactorDemanded):
        await bus.ask(RemoveTotp(password=PASSWORD, code="000000"), behind_nurse.caller)


async def test_a_session_knows_its_clinics_clocks(
    bus: Bus, founded: Caller, person: Ask, enter: Ask, behind: Ask
) -> None:
    await bus.handle(ChangeSettings(timezone="America/New_York"), founded)
    await bus.settled()
    found = await behind((await enter(await person("NURSE"))).token)
    assert found.zone == "America/New_York"


async def test_an_account_tells_its_owner_who_it_is(
    bus: Bus, founded: Caller, person: Ask, enter: Ask, behind: Ask
) -> None:
    nurse = await person("NURSE")
    found = await behind((await enter(nurse)).token)
    mine = await bus.ask(Me(), found.caller)
    assert (mine.user_id, mine.role, mine.hospital_id) == (nurse.account, "NURSE", founded.organisation)


def test_where_nothing_was_chosen_the_installation_decides() -> None:
    policy = SignInPolicy(idle=timedelta(minutes=7))
    assert Choices().idle(("DOCTOR",), policy) == timedelta(minutes=7)
    assert Choices().demands_factor(("DOCTOR",), policy)
    assert not Choices().demands_factor(("NURSE",), policy)
    chosen = Choices(idle_default=20, idle_minutes={"DOCTOR": 5}, factor_roles=frozenset())
    assert (chosen.idle(("DOCTOR",), policy), chosen.idle(("NURSE",), policy)) == (
        timedelta(minutes=5),
        timedelta(minutes=20),
    )
    assert not chosen.demands_factor(("DOCTOR",), policy)
    assert not Choices().demands_factor(("DOCTOR",), with_changes(policy, second_factor_demanded=False))
