"""IAM-33: an organisation makes roles of existing permissions, and nobody gives what they could not give."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.identity.conftest import Person

from salerno.contexts.identity.commands import FoundCaller, Opened
from salerno.contexts.identity.commands.further_roles import AddUserRole, TakeUserRole
from salerno.contexts.identity.commands.made_roles import ChangeRole, DefineRole, RetireRole
from salerno.contexts.identity.errors import MayNotGrant, NoSuchRole, NotYourself, RoleNameTaken
from salerno.contexts.identity.events import RoleChanged, RoleDefined, RoleRetired
from salerno.contexts.identity.queries import RoleById, RolePermissions, Roles, UserById
from salerno.contexts.identity.rules.made_role import (
    KEPT,
    MADE_ROLE,
    AboutRole,
    beyond,
    demands_factor,
    name_from,
    offered_to,
)
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import (
    ENROLMENT,
    SENSITIVE,
    Role,
    cells_of,
    listed_permissions,
    of_everybody,
    permissions_of,
    spelled,
)
from salerno.contexts.identity.rules.standing import permissions_in, shares_of
from salerno.contexts.patients.queries import GROUPS
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.messages import Caller, Origin
from salerno.kernel.testing import ORIGIN

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
ID = UUID(int=9)
ABOUT = frozenset({"records.read", "records.read_vitals", "records.record_vitals", "patients.read"})


def by(role: str) -> Origin:
    return msgspec.structs.replace(ORIGIN, role=role)


def define(permissions: dict[str, str], role: str = "ADMIN", **more: str) -> list[object]:
    wish = DefineRole(title=more.pop("title", "Triage nurse"), permissions=permissions, **more)  # type: ignore[arg-type]
    return list(MADE_ROLE.decide(MADE_ROLE.initial, AboutRole(ID, wish, ABOUT), by(role)))


def refused(permissions: dict[str, str], role: str = "ADMIN", **more: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        define(permissions, role, **more)
    return [(error["path"], error["code"]) for error in refusal.value.errors]


# ------------------------------------------------------------------ cells
@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("", set()),
        ("yes", {"records.read"}),
        ("own", {"records.read:own"}),
        ("own+care", {"records.read:own", "records.read:care"}),
        ("care+location", {"records.read:care", "records.read:location"}),
    ],
)
def test_a_cell_is_read_as_what_a_caller_holds(cell: str, names: set[str]) -> None:
    assert spelled("records.read", cell) == names


@pytest.mark.parametrize("cell", ["no", "yes+own", "own+own", "+", "own+", "Care", "care location"])
def test_a_cell_that_says_nothing_clear_is_none(cell: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        cells_of(cell)


# ------------------------------------------------------------------ what may be in a role
def test_a_role_is_made_of_permissions_with_conditions() -> None:
    assert define({"records.read": "location+care", "patients.find": "yes"}) == [
        RoleDefined(
            role=ID, name="TRIAGE_NURSE", title="Triage nurse",
            permissions={"patients.find": "yes", "records.read": "care+location"},
        )
    ]  # fmt: skip


def test_everything_that_is_wrong_with_a_role_is_said_at_once() -> None:
    assert refused({"records.read": "own", "no.such": "yes", "staff.read": "care", "identity.manage_users": "yes"}) == [
        ("permissions.identity.manage_users", "beyond-reach"),
        ("permissions.no.such", "unknown-permission"),
        ("permissions.records.read", "unknown-cell"),
        ("permissions.staff.read", "beyond-reach"),
    ]
    assert refused({}) == [("permissions", "required")]
    assert refused({"records.read": "yes"}, name="doctor") == [("name", "reserved")]
    assert refused({"records.read": "yes"}, name="Ä") == [("name", "malformed")]
    assert refused({"records.read": "yes"}, title=" ") == [("title", "malformed")]


def test_a_name_is_made_of_the_title() -> None:
    assert name_from("Infermiere di triage (città)") == "INFERMIERE_DI_TRIAGE_CITTA"


@pytest.mark.parametrize("maker", list(Role))
def test_t034_nobody_puts_into_a_role_what_no_role_that_they_may_give_holds(maker: Role) -> None:
    offered = offered_to(maker, ABOUT)
    if maker not in (Role.SUPER_ADMIN, Role.ADMIN):
        assert offered == {}
        return
    staff = [permissions_of(role) for role in Role if role not in (Role.SUPER_ADMIN, Role.PATIENT)]
    assert set(offered) == {name for name in listed_permissions() if any(name in held for held in staff)} - KEPT
    for only_above in (
        "organisations.register",
        "identity.approve_founders",
        "identity.init",
        "records.list_diagnoses",
    ):
        assert only_above not in offered
    assert offered["records.read"] == ("yes", "care", "location", "care+location")
    assert offered["staff.read"] == ("yes",)
    assert not any("own" in cell for cells in offered.values() for cell in cells)
    assert beyond({"records.read": "care", "identity.manage_roles": "yes"}, maker, ABOUT) == ["identity.manage_roles"]


def test_a_role_demands_a_second_factor_where_only_roles_that_do_hold_one_of_its_permissions() -> None:
    assert demands_factor({"prescribing.prescribe"}, SENSITIVE)
    assert demands_factor({"encounters.diagnose:care"}, SENSITIVE)
    assert not demands_factor({"records.read", "records.record_vitals"}, SENSITIVE)
    assert demands_factor({"records.record_vitals"}, SENSITIVE | {"NURSE"})


def test_what_changes_nothing_is_no_event_and_a_retired_role_is_over() -> None:
    made = MADE_ROLE.fold([RoleDefined(role=ID, name="A_B", title="A b", permissions={"records.read": "care"})])

    def then(command: ChangeRole | RetireRole) -> list[object]:
        return list(MADE_ROLE.decide(made, AboutRole(ID, command, ABOUT), by("ADMIN")))

    assert then(ChangeRole(role_id=ID, title=" A  b ")) == []
    assert then(ChangeRole(role_id=ID, permissions={"records.read": "yes"})) == [
        RoleChanged(role=ID, title="A b", permissions={"records.read": "yes"})
    ]
    assert then(RetireRole(role_id=ID)) == [RoleRetired(role=ID)]
    over = MADE_ROLE.evolve(made, RoleRetired(role=ID))
    assert (made.held, over.held) == ({"records.read:care"}, frozenset())
    with pytest.raises(NoSuchRole):
        MADE_ROLE.decide(over, AboutRole(ID, ChangeRole(role_id=ID, title="B"), ABOUT), by("ADMIN"))
    assert MADE_ROLE.decide(over, AboutRole(ID, RetireRole(role_id=ID), ABOUT), by("ADMIN")) == []


def test_a_role_stands_beside_the_own_one_or_in_its_place() -> None:
    made = {"TRIAGE": frozenset({"records.read:care"})}
    beside = permissions_in(shares_of("RECEPTIONIST", ["TRIAGE"], [], made, alone=False))
    instead = permissions_in(shares_of("RECEPTIONIST", ["TRIAGE"], ["TRIAGE"], made, alone=False))
    over = permissions_in(shares_of("RECEPTIONIST", ["TRIAGE"], ["TRIAGE"], {}, alone=False))
    assert beside == permissions_of("RECEPTIONIST") | {"records.read:care"}
    assert instead == of_everybody() | {"records.read:care"}
    assert over == of_everybody()  # a role that retired gives nothing back
    assert of_everybody() == {
        "audit.names", "identity.change_self", "identity.introspect", "identity.read_self", "organisations.read",
        "vigilance.read_self",
    }  # fmt: skip


# ------------------------------------------------------------------ on the bus
async def made(bus: Bus, admin: Caller, **permissions: str) -> UUID:
    cells = {name.replace("__", "."): cell for name, cell in permissions.items()}
    wish = DefineRole(title=f"Triage {uuid4().hex[:6]}", permissions=cells, name=f"TRIAGE_{uuid4().hex[:6]}")
    return (await bus.handle(wish, admin)).aggregate_id


async def test_t042_a_made_role_given_changed_and_retired_is_what_the_account_may_do(
    bus: Bus, admin: Caller, person: Make, enter: Enter, behind: Behind
) -> None:
    who = await person("RECEPTIONIST")
    role = await made(bus, admin, records__read_vitals="yes")
    name = (await bus.ask(RoleById(role_id=role), admin)).name
    first = (await enter(who)).token
    await bus.handle(AddUserRole(account_id=who.account, role=name.lower()), admin)
    assert await behind(first) is None  # every session ended
    token = (await enter(who)).token

    async def held() -> frozenset[str]:
        found = await behind(token)
        assert found is not None
        assert found.caller.role == "RECEPTIONIST"
        return found.caller.permissions

    assert await held() == permissions_of("RECEPTIONIST") | {"records.read_vitals"}
    await bus.handle(ChangeRole(role_id=role, permissions={"records.read_vitals": "care"}), admin)
    assert await held() == permissions_of("RECEPTIONIST") | {"records.read_vitals:care"}
    await bus.handle(AddUserRole(account_id=who.account, role=name, instead=True), admin)
    token = (await enter(who)).token
    assert await held() == of_everybody() | {"records.read_vitals:care"}
    profile = await bus.ask(UserById(account_id=who.account), admin)
    assert (profile.role, profile.also, profile.instead) == ("RECEPTIONIST", (name,), (name,))
    assert [(line.name, line.holders) for line in await bus.ask(Roles(), admin)] == [(name, 1)]
    await bus.handle(RetireRole(role_id=role), admin)
    assert await held() == of_everybody()
    with pytest.raises(NoSuchRole):
        await bus.handle(AddUserRole(account_id=(await person("NURSE")).account, role=name), admin)
    await bus.handle(TakeUserRole(account_id=who.account, role=name), admin)
    token = (await enter(who)).token
    assert await held() == permissions_of("RECEPTIONIST")


async def test_a_name_is_given_once_and_belongs_to_one_organisation(
    bus: Bus, admin: Caller, caller: Callable[..., Caller]
) -> None:
    wish = DefineRole(title="Billing assistant", permissions={"patients.read_insurance": "yes"})
    first = (await bus.handle(wish, admin)).aggregate_id
    await bus.handle(RetireRole(role_id=first), admin)
    with pytest.raises(RoleNameTaken):
        await bus.handle(wish, admin)
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    assert (await bus.handle(wish, elsewhere)).version == 1
    assert len(await bus.ask(Roles(status="active"), admin)) == 0
    with pytest.raises(NoSuchRole):
        await bus.handle(ChangeRole(role_id=first, title="Other"), elsewhere)


async def test_who_may_make_and_give_roles(bus: Bus, admin: Caller, doctor: Caller, person: Make) -> None:
    role = await made(bus, admin, records__read="yes")
    name = (await bus.ask(RoleById(role_id=role), admin)).name
    for wish in (DefineRole(title="X y", permissions={"records.read": "yes"}), RetireRole(role_id=role)):
        with pytest.raises(NotAllowed):
            await bus.handle(wish, doctor)
    with pytest.raises(MayNotGrant):
        await bus.handle(AddUserRole(account_id=(await person("PATIENT")).account, role=name), admin)
    me = msgspec.structs.replace(admin, actor=(await person("NURSE")).account)
    with pytest.raises(NotYourself):
        await bus.handle(AddUserRole(account_id=me.actor, role=name), me)
    with pytest.raises(Invalid):
        await bus.handle(AddUserRole(account_id=(await person("NURSE")).account, role="DOCTOR", instead=True), admin)


async def test_a_role_with_a_doctors_permission_lets_nobody_in_without_a_second_factor(
    bus: Bus, admin: Caller, person: Make, enter: Enter, behind: Behind, policy: Callable[..., SignInPolicy]
) -> None:
    policy(second_factor_demanded=True)
    who, other = await person("NURSE"), await person("NURSE")
    for one, cells in ((who, {"encounters__diagnose": "care"}), (other, {"records__read": "care"})):
        role = await bus.ask(RoleById(role_id=await made(bus, admin, **cells)), admin)
        assert role.demands_factor is (one is who)
        await bus.handle(AddUserRole(account_id=one.account, role=role.name), admin)
    found, free = await behind((await enter(who)).token), await behind((await enter(other)).token)
    assert found is not None
    assert free is not None
    assert (found.must_enrol, found.caller.permissions) == (True, ENROLMENT)
    assert (free.must_enrol, "patients.find" in free.caller.permissions) == (False, True)


async def test_the_offer_of_the_bus_names_the_permissions_that_are_about_charts(bus: Bus, admin: Caller) -> None:
    lines = {line.permission: line for line in await bus.ask(RolePermissions(), admin)}
    assert lines["records.read"].offered == ("yes", "care", "location", "care+location")
    assert lines["records.read"].cells == {"ADMIN": "yes", "DOCTOR": "yes", "NURSE": "yes", "PATIENT": "own"}
    assert lines["staff.manage"].offered == ("yes",)
    assert lines["organisations.register"].offered == ()
    about = bus.permits.about_charts()
    groups = {group.permission for group in GROUPS}
    own = bus.permits.for_oneself() | groups
    assert groups <= about
    for line in lines.values():
        for role, cell in line.cells.items():
            conditions = {"care", "location"} & set(cell.split("+"))
            assert not conditions or line.permission in about, f"{line.permission} of {role} is about nobody's chart"
            assert "own" not in cell.split("+") or (role == "PATIENT" and line.permission in own), (line, role)
