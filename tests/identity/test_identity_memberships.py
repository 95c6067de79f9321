"""One account, several organisations: offered by one side, accepted by the other, and never more than that."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.identity.conftest import PASSWORD, Person

from salerno.contexts.identity.commands import FoundCaller, Opened
from salerno.contexts.identity.commands.further_roles import AddUserRole, TakeUserRole
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.identity.commands.made_roles import DefineRole, RetireRole
from salerno.contexts.identity.commands.memberships import (
    AcceptMembership,
    ChangeMemberRole,
    EndMembership,
    LeaveOrganisation,
    MyOrganisations,
    SwitchOrganisation,
)
from salerno.contexts.identity.errors import AlreadyExists, EmailTaken, MayNotGrant, NoSuchAccount, NoSuchRole
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.queries import Me, Members, Roles, UserById
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import of_everybody, permissions_of
from salerno.contexts.organisations.commands import RegisterHospital
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid
from salerno.kernel.mail import Letter
from salerno.kernel.messages import INSTALLATION, Caller

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]


@pytest.fixture(autouse=True)
def mails(policy: Callable[..., SignInPolicy]) -> None:
    policy(mails=True, issuer="https://clinic.example")


@pytest.fixture
def chief(caller: Callable[..., Caller]) -> Caller:
    """Who administers another organisation."""
    return caller("ADMIN", organisation_id=uuid4())


def asking(who: Person, role: str = "DOCTOR") -> InviteUser:
    return InviteUser(email=who.email, given_name="Ada", family_name="V.", role=role)


async def working(bus: Bus, who: Person, chief: Caller, enter: Enter, behind: Behind, role: str = "DOCTOR") -> str:
    """The token of a session that acts at the chief's."""
    await bus.handle(asking(who, role), chief)
    opened = await enter(who)
    found = await behind(opened.token)
    assert found is not None
    await bus.ask(AcceptMembership(organisation_id=chief.organisation), found.caller)
    switched: Opened = await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
    assert await behind(opened.token) is None
    return switched.token


async def test_a_nurse_here_is_a_doctor_there_and_each_place_sees_only_its_own(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller, chief: Caller
) -> None:
    nurse = await person("NURSE")
    there = await behind(await working(bus, nurse, chief, enter, behind))
    assert there is not None
    assert there.caller.organisation == chief.organisation
    assert there.caller.role == "DOCTOR"
    assert there.caller.permissions == permissions_of("DOCTOR")
    me = await bus.ask(Me(), there.caller)
    assert (me.hospital_id, me.role, me.email) == (chief.organisation, "DOCTOR", nurse.email)
    here = await behind((await enter(nurse)).token)
    assert here is not None
    assert (here.caller.organisation, here.caller.role) == (admin.organisation, "NURSE")
    lines = await bus.ask(MyOrganisations(), here.caller)
    assert [(one.organisation_id, one.status, one.role, one.current) for one in lines] == [
        (admin.organisation, "home", "NURSE", True),
        (chief.organisation, "active", "DOCTOR", False),
    ]
    assert await bus.ask(Members(), admin) == []
    (member,) = await bus.ask(Members(), chief)
    assert (member.full_name, member.email, member.role, member.status) == ("Ada V.", nurse.email, "DOCTOR", "active")


async def test_nothing_holds_before_the_person_has_accepted(
    bus: Bus, person: Make, enter: Enter, behind: Behind, chief: Caller
) -> None:
    nurse = await person("NURSE")
    await bus.handle(asking(nurse), chief)
    found = await behind((await enter(nurse)).token)
    assert found is not None
    with pytest.raises(NoSuchAccount):
        await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
    await bus.ask(LeaveOrganisation(organisation_id=chief.organisation), found.caller)
    with pytest.raises(NoSuchAccount):
        await bus.ask(AcceptMembership(organisation_id=chief.organisation), found.caller)
    assert [one.status for one in await bus.ask(MyOrganisations(), found.caller)] == ["home"]


async def test_the_person_hears_of_the_offer_by_letter_and_the_asker_learns_nothing_of_the_home(
    bus: Bus, person: Make, chief: Caller
) -> None:
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")
    nurse = await person("NURSE")
    receipt = await bus.handle(asking(nurse), chief)
    offered = await bus.ask(UserById(account_id=receipt.aggregate_id), chief)
    assert (offered.status, offered.full_name, offered.member) == ("invited", "Ada V.", True)
    sent: list[Letter] = []

    class Box:
        async def send(self, letter: Letter) -> None:
            sent.append(letter)

    await Postman(bus, Box()).deliver()
    assert [letter.to for letter in sent] == [nurse.email]
    assert "https://clinic.example/account/organisations" in sent[0].body


async def test_t019_a_membership_that_ends_or_changes_ends_the_sessions_that_act_there_and_no_others(
    bus: Bus, person: Make, enter: Enter, behind: Behind, chief: Caller
) -> None:
    nurse = await person("NURSE")
    there = await working(bus, nurse, chief, enter, behind)
    home = await enter(nurse)
    await bus.handle(ChangeMemberRole(account_id=nurse.account, role="NURSE"), chief)
    assert await behind(there) is None
    found = await behind(home.token)
    assert found is not None
    again: Opened = await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
    acting = await behind(again.token)
    assert acting is not None
    assert acting.caller.role == "NURSE"
    await bus.handle(EndMembership(account_id=nurse.account), chief)
    assert await behind(again.token) is None
    found = await behind((await enter(nurse)).token)
    assert found is not None
    with pytest.raises(NoSuchAccount):
        await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
    await bus.handle(asking(nurse), chief)  # asked again, and free to accept again


async def test_one_switches_back_home(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller, chief: Caller
) -> None:
    there = await behind(await working(bus, await person("NURSE"), chief, enter, behind))
    assert there is not None
    back: Opened = await bus.ask(SwitchOrganisation(organisation_id=admin.organisation), there.caller)
    found = await behind(back.token)
    assert found is not None
    assert found.caller.organisation == admin.organisation


async def test_t001_nobody_is_offered_more_than_the_asker_may_give(
    bus: Bus, person: Make, admin: Caller, chief: Caller
) -> None:
    nurse = await person("NURSE")
    for role in ("SUPER_ADMIN", "PATIENT"):
        with pytest.raises(MayNotGrant):
            await bus.handle(asking(nurse, role), chief)
    with pytest.raises(EmailTaken):
        await bus.handle(asking(nurse), admin)
    await bus.handle(asking(nurse), chief)
    with pytest.raises(AlreadyExists):
        await bus.handle(asking(nurse), chief)
    with pytest.raises(MayNotGrant):
        await bus.handle(ChangeMemberRole(account_id=nurse.account, role="SUPER_ADMIN"), chief)


async def test_t033_nobody_reaches_a_membership_of_another_organisation(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller, chief: Caller, caller: Callable[..., Caller]
) -> None:
    nurse, other = await person("NURSE"), await person("NURSE")
    await working(bus, nurse, chief, enter, behind)
    stranger = caller("ADMIN", organisation_id=uuid4())
    for wish in (EndMembership(account_id=nurse.account), ChangeMemberRole(account_id=nurse.account, role="NURSE")):
        with pytest.raises(NoSuchAccount):
            await bus.handle(wish, stranger)
        with pytest.raises(NoSuchAccount):
            await bus.handle(wish, admin)
    found = await behind((await enter(other)).token)
    assert found is not None
    for errand in (AcceptMembership, SwitchOrganisation, LeaveOrganisation):
        with pytest.raises(NoSuchAccount):
            await bus.ask(errand(organisation_id=chief.organisation), found.caller)


async def test_the_place_decides_who_needs_a_second_factor_and_when_a_session_ends(
    bus: Bus, person: Make, enter: Enter, behind: Behind, chief: Caller, policy: Callable[..., SignInPolicy]
) -> None:
    token = await working(bus, await person("NURSE"), chief, enter, behind)
    policy(mails=True, second_factor_demanded=True, idle=timedelta(minutes=15))
    found = await behind(token)
    assert found is not None
    assert found.must_enrol  # a nurse at home needs none, a doctor here does
    assert found.caller.permissions == frozenset({"identity.read_self", "identity.change_self"})


async def test_an_organisation_is_shown_by_its_name_which_is_sealed(
    bus: Bus, person: Make, enter: Enter, behind: Behind, caller: Callable[..., Caller]
) -> None:
    above = caller("SUPER_ADMIN", organisation_id=INSTALLATION)
    wish = RegisterHospital(name="Clinica del Porto", kind="clinic", country="IT", timezone="Europe/Rome")
    place = (await bus.handle(wish, above)).aggregate_id
    await bus.settled()
    chief = caller("ADMIN", organisation_id=place)
    nurse = await person("NURSE")
    await bus.handle(asking(nurse), chief)
    found = await behind((await enter(nurse)).token)
    assert found is not None
    lines = await bus.ask(MyOrganisations(), found.caller)
    assert [one.name for one in lines if one.status == "offered"] == ["Clinica del Porto"]
    async with bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch("SELECT doc FROM homes WHERE home = $1", UUID(bytes=place.bytes))
    assert b"Porto" not in rows[0]["doc"]
    assert PASSWORD


async def test_a_member_may_have_roles_that_the_place_made_and_only_there(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller, chief: Caller
) -> None:
    nurse = await person("NURSE")
    first = await working(bus, nurse, chief, enter, behind, "RECEPTIONIST")
    wish = DefineRole(title="Triage", name="TRIAGE", permissions={"records.read_vitals": "yes"})
    made = (await bus.handle(wish, chief)).aggregate_id
    await bus.handle(AddUserRole(account_id=nurse.account, role="triage"), chief)
    assert await behind(first) is None  # the session that acts there ended

    async def there() -> frozenset[str]:
        opened = await enter(nurse)
        found = await behind(opened.token)
        assert found is not None
        assert "records.read_vitals" in found.caller.permissions  # a nurse's own, at home
        switched: Opened = await bus.ask(SwitchOrganisation(organisation_id=chief.organisation), found.caller)
        acting = await behind(switched.token)
        assert acting is not None and acting.caller.role == "RECEPTIONIST"
        return acting.caller.permissions

    assert await there() == permissions_of("RECEPTIONIST") | {"records.read_vitals"}
    await bus.handle(AddUserRole(account_id=nurse.account, role="TRIAGE", instead=True), chief)
    assert await there() == of_everybody() | {"records.read_vitals"}
    shown = await bus.ask(UserById(account_id=nurse.account), chief)
    assert (shown.role, shown.also, shown.instead) == ("RECEPTIONIST", ("TRIAGE",), ("TRIAGE",))
    assert [(line.name, line.holders) for line in await bus.ask(Roles(), chief)] == [("TRIAGE", 1)]
    assert (await bus.ask(UserById(account_id=nurse.account), admin)).also == ()
    await bus.handle(TakeUserRole(account_id=nurse.account, role="TRIAGE"), chief)
    assert await there() == permissions_of("RECEPTIONIST")
    await bus.handle(AddUserRole(account_id=nurse.account, role="NURSE"), chief)
    assert await there() == permissions_of("RECEPTIONIST") | permissions_of("NURSE")
    await bus.handle(RetireRole(role_id=made), chief)
    with pytest.raises(NoSuchRole):
        await bus.handle(AddUserRole(account_id=nurse.account, role="TRIAGE"), chief)


async def test_t002_nobody_gives_a_member_more_than_they_may_give_and_nobody_of_elsewhere(
    bus: Bus, person: Make, enter: Enter, behind: Behind, admin: Caller, chief: Caller, caller: Callable[..., Caller]
) -> None:
    nurse = await person("NURSE")
    await working(bus, nurse, chief, enter, behind, "RECEPTIONIST")
    for role in ("ADMIN", "SUPER_ADMIN", "PATIENT"):
        with pytest.raises(MayNotGrant):
            await bus.handle(AddUserRole(account_id=nurse.account, role=role), chief)
    with pytest.raises(Invalid):
        await bus.handle(AddUserRole(account_id=nurse.account, role="NURSE", instead=True), chief)
    with pytest.raises(NoSuchAccount):
        await bus.handle(AddUserRole(account_id=nurse.account, role="NURSE"), caller("ADMIN", organisation_id=uuid4()))
    await bus.handle(EndMembership(account_id=nurse.account), chief)
    with pytest.raises(NoSuchAccount):
        await bus.handle(AddUserRole(account_id=nurse.account, role="NURSE"), chief)
