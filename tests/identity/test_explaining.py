"""Why somebody may or may not: the explanation's verdict is the bus's own, for any account, message and chart."""

import random
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID, uuid4

import pytest
from tests.identity.conftest import Person
from tests.kernel.test_judging import WardsOfBoth, verdict

from salerno.contexts.identity.commands import DeactivateUser, FoundCaller, Opened
from salerno.contexts.identity.commands.explaining import ExplainAccess, Explanation, RightsOf
from salerno.contexts.identity.commands.further_roles import AddUserRole
from salerno.contexts.identity.commands.made_roles import DefineRole, RetireRole
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.queries import RolePermissions
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus, kebab
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.messages import Caller

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
ROUNDS = 25  # for each account
BASES = ("NURSE", "RECEPTIONIST", "DOCTOR", "LAB_TECHNICIAN", "PHARMACIST", "ADMIN", "PATIENT")


@pytest.fixture
def wards(bus: Bus) -> Iterator[WardsOfBoth]:
    before, made = bus.permits.wards, WardsOfBoth()
    bus.permits.wards = made
    yield made
    bus.permits.wards = before


def told(explanation: Explanation) -> list[tuple[str, str, bool | None]]:
    return [(step.name, step.code, step.passed) for step in explanation.steps]


async def role_of(bus: Bus, admin: Caller, permissions: dict[str, str]) -> tuple[UUID, str]:
    name = f"MADE_{uuid4().hex[:8].upper()}"
    wish = DefineRole(title="Made", name=name, permissions=permissions)
    return (await bus.handle(wish, admin)).aggregate_id, name


async def test_each_step_is_told_in_its_order(bus: Bus, admin: Caller, person: Make, wards: WardsOfBoth) -> None:
    who, mine, theirs = await person("RECEPTIONIST"), uuid4(), uuid4()
    _, name = await role_of(bus, admin, {"records.read_vitals": "care+location"})
    await bus.handle(AddUserRole(account_id=who.account, role=name), admin)
    wards.cared_for = {mine}

    async def asked(**more: object) -> Explanation:
        answer: Explanation = await bus.ask(ExplainAccess(account_id=who.account, **more), admin)  # type: ignore[arg-type]
        return answer

    before = [
        ("account", "active", True), ("organisation", "at-home", True), ("second-factor", "not-demanded", True),
        ("role", "does-not-give", None), ("role", "gives", None),
    ]  # fmt: skip
    yes = await asked(message="VitalsOfPatient", patient_id=mine)
    assert (yes.allowed, yes.permission, yes.message) == (True, "records.read_vitals", "VitalsOfPatient")
    assert told(yes) == [
        *before, ("permission", "held", True), ("condition", "care-met", None),
        ("condition", "location-not-met", None), ("reach", "within", True), ("chart", "open", True),
    ]  # fmt: skip
    assert [step.about for step in yes.steps if step.name == "role"] == [
        ("RECEPTIONIST", ""), (name, "care+location"),
    ]  # fmt: skip
    no = await asked(message="vitals-of-patient", patient_id=theirs)
    assert (no.allowed, told(no)[-2:]) == (False, [("reach", "beyond", False), ("chart", "open", True)])
    wards.hidden = frozenset({mine})
    hidden = await asked(message="VitalsOfPatient", patient_id=mine)
    assert (hidden.allowed, told(hidden)[-1]) == (False, ("chart", "hidden", False))
    without = await asked(permission="prescribing.prescribe")
    assert (without.allowed, told(without)[-1]) == (False, ("permission", "not-held", False))
    wards.hidden = frozenset()
    program = await asked(message="VitalsOfPatient", patient_id=mine, scopes="patient/AllergyIntolerance.rs")
    assert (program.allowed, told(program)[5]) == (False, ("scopes", "take-away", False))
    program = await asked(message="VitalsOfPatient", patient_id=mine, scopes="patient/Observation.rs")
    assert (program.allowed, told(program)[5]) == (True, ("scopes", "leave", True))
    grave = await bus.ask(ExplainAccess(account_id=who.account, message="RemovePatient"), admin)
    assert told(grave)[-1] == ("fresh", "asked-again", None)
    await bus.handle(DeactivateUser(account_id=who.account), admin)
    over = await asked(message="VitalsOfPatient", patient_id=mine)
    assert (over.allowed, told(over)[0]) == (False, ("account", "not-active", False))


async def test_a_list_under_a_condition_is_said_to_show_those_charts_alone(
    bus: Bus, admin: Caller, person: Make, wards: WardsOfBoth
) -> None:
    who = await person("LAB_TECHNICIAN")
    _, name = await role_of(bus, admin, {"patients.read": "care", "staff.read": "yes"})
    await bus.handle(AddUserRole(account_id=who.account, role=name), admin)
    lists: Explanation = await bus.ask(ExplainAccess(account_id=who.account, message="ListPatients"), admin)
    assert lists.allowed
    assert told(lists)[-2:] == [("condition", "depends", None), ("lists", "these-charts-only", None)]
    for message in ("PatientById", "StaffMembers"):
        other: Explanation = await bus.ask(ExplainAccess(account_id=who.account, message=message), admin)
        assert other.allowed
        assert "lists" not in {step.name for step in other.steps}


async def test_a_broken_glass_is_told_for_the_chart_that_it_opens(
    bus: Bus, admin: Caller, person: Make, wards: WardsOfBoth
) -> None:
    who, patient = await person("NURSE"), uuid4()

    class WithGlass(WardsOfBoth):
        async def opened_by(self, caller: Caller) -> dict[UUID, str]:
            return {patient: "emergency"} if caller.actor == who.account else {}

    bus.permits.wards = WithGlass()
    asked = ExplainAccess(account_id=who.account, message="Problems", patient_id=patient)
    steps = (await bus.ask(asked, admin)).steps
    assert [(step.code, step.about) for step in steps if step.name == "chart"] == [
        ("open", ()), ("glass-broken", ("emergency",)),
    ]  # fmt: skip
    elsewhere = ExplainAccess(account_id=who.account, message="Problems", patient_id=uuid4())
    assert "glass-broken" not in [step.code for step in (await bus.ask(elsewhere, admin)).steps]


async def test_explained_verdicts_are_those_of_the_bus_for_any_role_message_and_chart(
    bus: Bus, admin: Caller, person: Make, enter: Enter, behind: Behind, wards: WardsOfBoth
) -> None:
    """The caller that the bus is asked with is the one behind a session of that account, opened by signing in."""
    chance = random.Random(2611)
    offered = {line.permission: line.offered for line in await bus.ask(RolePermissions(), admin) if line.offered}
    messages = [*bus.commands().values(), *bus.queries().values()]
    patients = [uuid4() for _ in range(5)]
    seen = {True: 0, False: 0}
    for number, base in enumerate((*BASES, *BASES[:-1])):
        who = await person(base)
        if base != "PATIENT":
            cells = {name: chance.choice(offered[name]) for name in chance.sample(sorted(offered), 12)}
            role, name = await role_of(bus, admin, cells)
            await bus.handle(AddUserRole(account_id=who.account, role=name, instead=number % 2 == 0), admin)
            if number % 5 == 4:
                await bus.handle(RetireRole(role_id=role), admin)
        found = await behind((await enter(who)).token)
        assert found is not None
        for _ in range(ROUNDS):
            wards.hidden = frozenset(chance.sample(patients, 1))
            wards.cared_for, wards.here = set(chance.sample(patients, 2)), set(chance.sample(patients, 2))
            message, patient = chance.choice(messages), chance.choice([*patients, None])
            asked = ExplainAccess(account_id=who.account, message=kebab(message.__name__), patient_id=patient)
            explained: Explanation = await bus.ask(asked, admin)
            done = await verdict(bus, message, found.caller, patient)
            assert explained.allowed == done, (base, message.__name__, explained.steps)
            stops = [step for step in explained.steps if step.passed is False]
            assert explained.allowed != bool(stops), explained.steps  # it says what stood in the way, and only then
            seen[done] += 1
    assert min(seen.values()) > 60, seen


async def test_what_an_account_may_do_names_the_roles_that_give_it(bus: Bus, admin: Caller, person: Make) -> None:
    who = await person("RECEPTIONIST")
    _, name = await role_of(bus, admin, {"records.read_vitals": "care", "patients.read": "yes"})
    await bus.handle(AddUserRole(account_id=who.account, role=name), admin)
    rights = {
        right.permission: (right.cell, right.by) for right in await bus.ask(RightsOf(account_id=who.account), admin)
    }
    assert rights["records.read_vitals"] == ("care", (name,))
    assert rights["patients.read"] == ("yes", ("RECEPTIONIST", name))
    assert "prescribing.prescribe" not in rights


async def test_a_missing_second_factor_is_what_stands_in_the_way(
    bus: Bus, admin: Caller, person: Make, policy: Callable[..., SignInPolicy]
) -> None:
    policy(second_factor_demanded=True)
    who = await person("DOCTOR")
    explained = await bus.ask(ExplainAccess(account_id=who.account, message="RecordProblem"), admin)
    assert explained.allowed is False
    assert ("second-factor", "missing", False) in told(explained)


async def test_who_asks_and_what_may_be_asked(
    bus: Bus, admin: Caller, doctor: Caller, person: Make, caller: Callable[..., Caller]
) -> None:
    who = await person("NURSE")
    with pytest.raises(NotAllowed):
        await bus.ask(ExplainAccess(account_id=who.account, message="RecordProblem"), doctor)
    with pytest.raises(NoSuchAccount):
        await bus.ask(
            ExplainAccess(account_id=who.account, message="RecordProblem"), caller("ADMIN", organisation_id=uuid4())
        )
    for more in (
        {},
        {"message": "RecordProblem", "permission": "records.read"},
        {"message": "Nope"},
        {"permission": "x.y"},
    ):
        with pytest.raises(Invalid):
            await bus.ask(ExplainAccess(account_id=who.account, **more), admin)


async def test_whose_chart_it_was_asked_about_is_in_the_access_log(bus: Bus, admin: Caller, person: Make) -> None:
    who, patient = await person("NURSE"), uuid4()
    await bus.ask(ExplainAccess(account_id=who.account, message="Problems", patient_id=patient), admin)
    async with bus.database.context("salerno_audit", admin.organisation, "audit") as connection:
        rows = await connection.fetch(
            "SELECT category, subjects FROM kernel.access_log WHERE organisation = $1 AND action = 'ExplainAccess'",
            admin.organisation,
        )
    assert [(row["category"], list(row["subjects"])) for row in rows] == [("access", [patient])]
