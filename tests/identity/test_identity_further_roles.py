"""ORG-09: an independent doctor administers and prescribes with one account; elsewhere another one decides."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import ChangeUserRole, CreateUser, FoundCaller, Opened, RegisterFounder
from salerno.contexts.identity.commands.further_roles import AddUserRole, PractiseMyself, TakeUserRole
from salerno.contexts.identity.errors import MayNotGrant, NoSuchAccount, NotYourself
from salerno.contexts.identity.events import AccountCreated, RoleAdded, RoleTaken, SessionsEnded
from salerno.contexts.identity.queries import UserById
from salerno.contexts.identity.rules import further_roles as rule
from salerno.contexts.identity.rules.account import ACCOUNT, Account
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, permissions_of
from salerno.contexts.organisations.commands import FoundOrganisation
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.messages import Caller
from salerno.kernel.testing import ORIGIN

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]


def account(role: str) -> Account:
    made = AccountCreated(
        account=UUID(int=7), role=role, email="a@example.com", full_name="A B", given_name="A", family_name="B",
        status="active",
    )  # fmt: skip
    return ACCOUNT.fold([made])


@pytest.mark.parametrize("kind", ["independent", "clinic", "hospital", ""])
@pytest.mark.parametrize("role", list(Role))
def test_only_the_administrator_of_an_independent_practice_takes_a_role_and_only_the_doctors(
    kind: str, role: Role
) -> None:
    for wanted in Role:
        if (kind, role, wanted) == ("independent", Role.ADMIN, Role.DOCTOR):
            made = rule.practise(account(role), UUID(int=7), wanted, kind)
            assert list(made) == [RoleAdded(account=UUID(int=7), role="DOCTOR")]
        else:
            with pytest.raises(NotYourself):
                rule.practise(account(role), UUID(int=7), wanted, kind)


@pytest.mark.parametrize("wanted", list(Role))
@pytest.mark.parametrize("role", list(Role))
def test_t002_a_further_role_is_clinical_and_given_by_somebody_who_may_grant_both(role: Role, wanted: Role) -> None:
    for granter in Role:
        origin = type(ORIGIN)(**{n: getattr(ORIGIN, n) for n in ORIGIN.__struct_fields__} | {"role": granter.value})
        may = granter in ("SUPER_ADMIN", "ADMIN") and wanted in rule.CLINICAL and role not in ("SUPER_ADMIN", "PATIENT")
        if not may:
            with pytest.raises(MayNotGrant):
                rule.add(account(role), UUID(int=7), wanted, origin)
        elif role is wanted:
            assert list(rule.add(account(role), UUID(int=7), wanted, origin)) == []
        else:
            first = rule.add(account(role), UUID(int=7), wanted, origin)[0]
            assert first == RoleAdded(account=UUID(int=7), role=wanted.value)


def test_the_strictest_of_the_roles_counts() -> None:
    policy = SignInPolicy()
    choices = Choices(factor_roles=frozenset({"DOCTOR"}), idle_minutes={"DOCTOR": 5, "ADMIN": 30})
    assert choices.idle(("ADMIN", "DOCTOR"), policy) == timedelta(minutes=5)
    assert choices.demands_factor(("ADMIN", "DOCTOR"), policy)
    assert not choices.demands_factor(("ADMIN",), policy)


async def founder(bus: Bus, enter: Enter, behind: Behind, kind: str) -> tuple[Person, FoundCaller, Opened]:
    email = f"{uuid4().hex[:12]}@example.com"
    wish = RegisterFounder(email=email, password=PASSWORD, given_name="Lucia", family_name="Conti")
    made = await bus.ask(wish, NOBODY)
    who = Person(made.user_id, email)
    opened = await enter(who)
    found = await behind(opened.token)
    assert found is not None
    await bus.handle(
        FoundOrganisation(name="Studio Conti", kind=kind, country="IT", timezone="Europe/Rome"), found.caller
    )
    return who, found, opened


async def test_org09_a_founder_of_an_independent_practice_prescribes_with_the_same_account(
    bus: Bus, enter: Enter, behind: Behind, policy: Callable[..., SignInPolicy]
) -> None:
    policy(development=True)
    who, found, opened = await founder(bus, enter, behind, "independent")
    assert "prescribing.prescribe" not in found.caller.permissions
    renewed = await bus.ask(PractiseMyself(), found.caller)
    assert await behind(opened.token) is None
    after = await behind(renewed.token)
    assert after is not None
    assert after.caller.role == "ADMIN"
    assert after.caller.permissions >= permissions_of("ADMIN") | permissions_of("DOCTOR")
    again = await behind((await enter(who)).token)
    assert again is not None
    assert "prescribing.prescribe" in again.caller.permissions
    assert (await bus.ask(PractiseMyself(), again.caller)).user.also == ("DOCTOR",)


async def test_a_founder_of_a_clinic_asks_another_administrator(
    bus: Bus, enter: Enter, behind: Behind, policy: Callable[..., SignInPolicy]
) -> None:
    policy(development=True)
    who, found, _ = await founder(bus, enter, behind, "clinic")
    with pytest.raises(NotYourself):
        await bus.ask(PractiseMyself(), found.caller)
    with pytest.raises(NotYourself):
        await bus.handle(AddUserRole(account_id=who.account, role="DOCTOR"), found.caller)
    other = CreateUser(email=f"{uuid4().hex[:9]}@example.com", password=PASSWORD, full_name="Ugo Neri", role="ADMIN")
    helper = Person((await bus.handle(other, found.caller)).aggregate_id, other.email)
    by = await behind((await enter(helper)).token)
    assert by is not None
    await bus.handle(AddUserRole(account_id=who.account, role="DOCTOR"), by.caller)
    after = await behind((await enter(who)).token)
    assert after is not None
    assert "prescribing.prescribe" in after.caller.permissions


async def test_a_role_taken_is_gone_with_every_session_and_another_main_role_takes_all_of_them(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller
) -> None:
    nurse = await person("NURSE")
    await bus.handle(AddUserRole(account_id=nurse.account, role="RECEPTIONIST"), admin)
    opened = await enter(nurse)
    await bus.handle(TakeUserRole(account_id=nurse.account, role="RECEPTIONIST"), admin)
    assert await behind(opened.token) is None
    await bus.handle(AddUserRole(account_id=nurse.account, role="RECEPTIONIST"), admin)
    receipt = await bus.handle(ChangeUserRole(account_id=nurse.account, role="LAB_TECHNICIAN"), admin)
    assert (await bus.ask(UserById(account_id=nurse.account), admin)).also == ()
    async with bus.reading("identity", admin.organisation) as tx:
        history = await tx.history("identity.account", nurse.account)
    last = [item.event for item in history if item.version > receipt.version - 3]
    assert RoleTaken(account=nurse.account, role="RECEPTIONIST") in last
    assert SessionsEnded(account=nurse.account, reason="role changed") in last


async def test_t033_nobody_gives_roles_in_another_organisation_or_without_the_right(
    bus: Bus, person: Make, admin: Caller, doctor: Caller, caller: Callable[..., Caller]
) -> None:
    nurse = await person("NURSE")
    with pytest.raises(NoSuchAccount):
        await bus.handle(AddUserRole(account_id=nurse.account, role="DOCTOR"), caller("ADMIN", organisation_id=uuid4()))
    with pytest.raises(NotAllowed):
        await bus.handle(AddUserRole(account_id=nurse.account, role="DOCTOR"), doctor)
    with pytest.raises(NoSuchAccount):
        await bus.handle(AddUserRole(account_id=uuid4(), role="DOCTOR"), admin)
    with pytest.raises(Invalid):
        await bus.handle(AddUserRole(account_id=nurse.account, role="WIZARD"), admin)
