"""Who may appoint whom, and what a sign-up may wish for."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.app import rooms
from salerno.contexts.identity.commands import (
    ApproveUser,
    ChangePreferences,
    ChangeUserRole,
    ChartCode,
    ClaimChart,
    CreateUser,
    DeactivateUser,
    FoundCaller,
    InitAdministrator,
    IssueChartCode,
    Opened,
    ReactivateUser,
    Register,
    Registered,
    SignIn,
    UpdateUser,
)
from salerno.contexts.identity.errors import (
    AccountNotReady,
    ChartCodeRefused,
    EmailTaken,
    MayNotGrant,
    NoSuchAccount,
    NotYourself,
    PasswordRefused,
    SignUpClosed,
)
from salerno.contexts.identity.queries import Me, UserById, Users
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, may_grant, named_permissions, permissions_of
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
APPOINTS = {"SUPER_ADMIN": set(Role), "ADMIN": set(Role) - {Role.SUPER_ADMIN}}


@pytest.fixture
async def home(bus: Bus, organisation: UUID) -> UUID:
    """The only organisation that sign-in knows of."""
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    return organisation


def test_every_permission_that_a_message_needs_has_a_row_and_every_row_is_needed() -> None:
    needed = {needs.permission for room in rooms() for needs in room.needs.values() if needs.permission}
    mine = ("identity.", "staff.")
    assert {name for name in needed if name.startswith(mine)} == {n for n in named_permissions() if n.startswith(mine)}


def test_nobody_holds_what_only_the_command_line_may_do() -> None:
    assert not any("identity.init" in permissions_of(role) for role in Role)


def test_c08_an_only_organisations_administrator_reaches_as_far_as_a_super_administrator() -> None:
    assert permissions_of("ADMIN", alone=True) >= permissions_of("SUPER_ADMIN")
    assert permissions_of("ADMIN", alone=True) >= permissions_of("ADMIN")


@pytest.mark.parametrize("granter", list(Role))
def test_t002_the_written_policy_is_who_may_appoint_whom(granter: Role) -> None:
    assert {target for target in Role if may_grant(granter, target)} == APPOINTS.get(granter, set())


@pytest.mark.parametrize("granter", list(Role))
async def test_t002_no_role_gives_more_than_the_policy_says_by_any_way(
    granter: Role, person: Make, bus: Bus, caller: Callable[..., Caller]
) -> None:
    by, chief = caller(granter), caller("SUPER_ADMIN")
    subject = await person("NURSE", password=None)
    for target in Role:
        create = CreateUser(email=f"{uuid4().hex}@example.com", full_name="New One", role=target)
        change = ChangeUserRole(account_id=subject.account, role=target)
        if target in APPOINTS.get(granter, set()):
            await bus.handle(create, by)
            await bus.handle(change, by)
            assert (await bus.ask(UserById(account_id=subject.account), chief)).role == target
            await bus.handle(ChangeUserRole(account_id=subject.account, role="NURSE"), chief)
        else:
            for wish in (create, change):
                with pytest.raises(NotAllowed):
                    await bus.handle(wish, by)
    assert (await bus.ask(UserById(account_id=subject.account), chief)).role == "NURSE"


async def test_t002_an_administrator_touches_no_super_administrator(
    person: Make, bus: Bus, admin: Caller, caller: Callable[..., Caller]
) -> None:
    chief = await person("SUPER_ADMIN", by=caller("SUPER_ADMIN"))
    for wish in (
        ChangeUserRole(account_id=chief.account, role="NURSE"),
        DeactivateUser(account_id=chief.account),
        UpdateUser(account_id=chief.account, family_name="Nero"),
    ):
        with pytest.raises(MayNotGrant):
            await bus.handle(wish, admin)


async def test_t002_nobody_changes_their_own_rights(person: Make, enter: Enter, behind: Behind, bus: Bus) -> None:
    found = await behind((await enter(await person("ADMIN"))).token)
    assert found is not None
    for wish in (
        ChangeUserRole(account_id=found.caller.actor, role="SUPER_ADMIN"),
        ChangeUserRole(account_id=found.caller.actor, role="NURSE"),
        DeactivateUser(account_id=found.caller.actor),
    ):
        with pytest.raises(NotYourself):
            await bus.handle(wish, found.caller)


async def test_t002_another_organisations_accounts_are_not_there(
    person: Make, bus: Bus, caller: Callable[..., Caller]
) -> None:
    nurse = await person()
    stranger = caller("ADMIN", organisation_id=uuid4())
    for wish in (ChangeUserRole(account_id=nurse.account, role="DOCTOR"), DeactivateUser(account_id=nurse.account)):
        with pytest.raises(NoSuchAccount):
            await bus.handle(wish, stranger)
    with pytest.raises(NoSuchAccount):
        await bus.ask(UserById(account_id=nurse.account), stranger)


async def test_deactivated_and_back(person: Make, enter: Enter, bus: Bus, admin: Caller) -> None:
    nurse = await person()
    await bus.handle(DeactivateUser(account_id=nurse.account), admin)
    await bus.handle(ReactivateUser(account_id=nurse.account), admin)
    assert await enter(nurse)


async def test_accounts_are_listed_by_name_and_found_by_part_of_it(person: Make, bus: Bus, admin: Caller) -> None:
    first, second = await person("NURSE"), await person("DOCTOR")
    await bus.handle(UpdateUser(account_id=first.account, given_name="Zoe", family_name="Amato"), admin)
    page = await bus.ask(Users(), admin)
    assert [user.user_id for user in page.items] == [first.account, second.account]
    assert (await bus.ask(Users(q="amato zoe"), admin)).total == 1
    assert [user.role for user in (await bus.ask(Users(role="doctor"), admin)).items] == ["DOCTOR"]


async def test_i18n04_language_and_theme_stay_with_the_account(
    person: Make, enter: Enter, behind: Behind, bus: Bus
) -> None:
    nurse = await person()
    opened = await enter(nurse)
    found = await behind(opened.token)
    assert found is not None
    await bus.handle(ChangePreferences(language="it", theme="dark"), found.caller)
    after = await behind((await enter(nurse)).token)
    assert after is not None
    assert (after.language, after.theme) == ("it", "dark")
    me = await bus.ask(Me(), found.caller)
    assert (me.email, me.theme) == (nurse.email, "dark")


# ---------------------------------------------------------------- signing up
def wish(role: str = "PATIENT", **more: str) -> Register:
    email = more.pop("email", f"{uuid4().hex[:12]}@example.com")
    return Register(email=email, password=PASSWORD, given_name="Ugo", family_name="Bianchi", role=role, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", list(Role))
async def test_t001_a_sign_up_for_any_role_waits_for_approval(home: UUID, role: Role, bus: Bus, admin: Caller) -> None:
    asked = wish(role)
    made: Registered = await bus.ask(asked, NOBODY)
    assert made.status == "pending"
    with pytest.raises(AccountNotReady):
        await bus.ask(SignIn(email=asked.email, password=PASSWORD), NOBODY)
    if role is Role.SUPER_ADMIN:
        with pytest.raises(MayNotGrant):
            await bus.handle(ApproveUser(account_id=made.user_id), admin)
    else:
        await bus.handle(ApproveUser(account_id=made.user_id), admin)
        assert (await bus.ask(SignIn(email=asked.email, password=PASSWORD), NOBODY)).user.role == role


@pytest.mark.parametrize(
    "extra",
    ["roles", "is_admin", "isAdmin", "hospital_id", "organisation", "permissions", "status", "email_verified",
     "mfa", "patient_id", "patient", "account_id", "approved", "staff_id"],
)  # fmt: skip
def test_t001_no_further_field_is_taken(extra: str) -> None:
    body = {"email": "a@example.com", "password": PASSWORD, "given_name": "A", "family_name": "B", extra: "ADMIN"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, Register)


async def test_c11_development_approves_a_doctor_but_no_administrator(
    home: UUID, bus: Bus, policy: Callable[..., SignInPolicy]
) -> None:
    policy(development=True)
    assert (await bus.ask(wish("Doctor"), NOBODY)).status == "active"
    assert (await bus.ask(wish("ADMIN"), NOBODY)).status == "pending"
    assert (await bus.ask(wish("SUPER_ADMIN"), NOBODY)).status == "pending"


async def test_c11_an_administrator_registers_somebody_who_may_come_in_at_once(
    home: UUID, bus: Bus, admin: Caller
) -> None:
    asked = wish("RECEPTIONIST")
    assert (await bus.ask(asked, admin)).status == "active"
    assert (await bus.ask(SignIn(email=asked.email, password=PASSWORD), NOBODY)).user.role == "RECEPTIONIST"
    with pytest.raises(EmailTaken):
        await bus.ask(asked, admin)
    with pytest.raises(MayNotGrant):
        await bus.ask(wish("SUPER_ADMIN"), admin)


async def test_t003_registering_an_address_again_says_the_same_and_changes_nothing(
    home: UUID, person: Make, enter: Enter, bus: Bus
) -> None:
    nurse = await person()
    told: Registered = await bus.ask(wish(email=nurse.email), NOBODY)
    fresh: Registered = await bus.ask(wish(), NOBODY)
    assert (told.status, told.role) == (fresh.status, fresh.role)
    assert told.user_id not in (nurse.account, fresh.user_id)
    assert (await enter(nurse)).user.role == "NURSE"


async def test_where_there_are_several_organisations_a_sign_up_needs_a_code(bus: Bus, home: UUID) -> None:
    async with bus.reading("identity", home) as tx:
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", uuid4())
    with pytest.raises(SignUpClosed):
        await bus.ask(wish(), NOBODY)


async def test_t011_a_code_from_the_clinic_links_the_chart_once(home: UUID, bus: Bus, receptionist: Caller) -> None:
    patient = uuid4()
    code: ChartCode = await bus.ask(IssueChartCode(patient_id=patient), receptionist)
    asked = wish(code=code.code)
    assert (await bus.ask(asked, NOBODY)).status == "active"
    opened: Opened = await bus.ask(SignIn(email=asked.email, password=PASSWORD), NOBODY)
    assert opened.user.patient_id == patient
    with pytest.raises(ChartCodeRefused):
        await bus.ask(wish(code=code.code), NOBODY)
    another: ChartCode = await bus.ask(IssueChartCode(patient_id=patient), receptionist)
    with pytest.raises(ChartCodeRefused):
        await bus.ask(wish("NURSE", code=another.code), NOBODY)


async def test_t011_codes_expire_are_void_once_replaced_and_belong_to_one_organisation(
    home: UUID, person: Make, enter: Enter, behind: Behind, bus: Bus, receptionist: Caller,
    caller: Callable[..., Caller], clock: MovableClock, noon: datetime,
) -> None:  # fmt: skip
    clock.set(noon)
    owner = await person("PATIENT")
    found = await behind((await enter(owner)).token)
    assert found is not None
    assert found.caller.subject is None
    old: ChartCode = await bus.ask(IssueChartCode(patient_id=(chart := uuid4())), receptionist)
    new: ChartCode = await bus.ask(IssueChartCode(patient_id=chart), receptionist)
    foreign: ChartCode = await bus.ask(
        IssueChartCode(patient_id=uuid4()), caller("RECEPTIONIST", organisation_id=uuid4())
    )
    for code in (old.code, foreign.code, "AAAA-BBBB-CCCC-DDDD"):
        with pytest.raises(ChartCodeRefused):
            await bus.ask(ClaimChart(code=code), found.caller)
    assert await bus.ask(ClaimChart(code=new.code.lower()), found.caller) == chart
    linked = await behind((await enter(owner)).token)
    assert linked is not None
    assert linked.caller.subject == chart
    late: ChartCode = await bus.ask(IssueChartCode(patient_id=uuid4()), receptionist)
    clock.set(noon + timedelta(days=7, seconds=1))
    with pytest.raises(ChartCodeRefused):
        await bus.ask(wish(code=late.code), NOBODY)


async def test_t011_a_chart_has_one_account_and_the_first_owner_is_told(
    home: UUID, person: Make, enter: Enter, behind: Behind, bus: Bus, receptionist: Caller, organisation: UUID
) -> None:
    chart, first, second = uuid4(), await person("PATIENT"), await person("PATIENT")
    for who, refused in ((first, False), (second, True)):
        code: ChartCode = await bus.ask(IssueChartCode(patient_id=chart), receptionist)
        found = await behind((await enter(who)).token)
        assert found is not None
        if refused:
            with pytest.raises(ChartCodeRefused):
                await bus.ask(ClaimChart(code=code.code), found.caller)
        else:
            await bus.ask(ClaimChart(code=code.code), found.caller)
    async with bus.reading("identity", organisation) as tx:
        told = await tx.fetch(
            "SELECT event_type FROM kernel.event_store WHERE aggregate_id = $1 ORDER BY version DESC", first.account
        )
    assert told[0]["event_type"] == "identity.chart_claim_refused.v1"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short but fine", "too-short"),
        ("x" * 129, "too-long"),
        ("passwordpassword", "too-common"),
        ("P@ssw0rd12345678", "too-common"),
        ("aaaaaaaaaaaaaaaaaaaa", "too-common"),
        ("abababababababababab", "too-common"),
        ("qwertyuiopasdfghjkl", "too-common"),
        ("123456789012345678", "too-common"),
        ("ugo.bianchi.2024!", "too-personal"),
    ],
)
async def test_t004_weak_passwords_are_refused_with_the_reason(home: UUID, bus: Bus, password: str, why: str) -> None:
    asked = Register(email="ugo@example.com", password=password, given_name="Ugo", family_name="Bianchi")
    with pytest.raises(PasswordRefused) as refused:
        await bus.ask(asked, NOBODY)
    assert [error["code"] for error in refused.value.errors] == [why]


async def test_a_wrong_address_or_role_is_named(home: UUID, bus: Bus) -> None:
    for asked, path in ((wish(email="not an address"), "email"), (wish("KING"), "role")):
        with pytest.raises(Invalid) as refused:
            await bus.ask(asked, NOBODY)
        assert refused.value.errors[0]["path"] == path


async def test_the_first_administrator_comes_from_the_command_line_only(bus: Bus, admin: Caller) -> None:
    first = InitAdministrator(email=f"{uuid4().hex}@example.com", password=PASSWORD)
    for by in (NOBODY, admin):
        with pytest.raises(NotAllowed):
            await bus.ask(first, by)
    cli = msgspec.structs.replace(NOBODY, permissions=frozenset({"identity.init"}))
    account = await bus.ask(first, cli)
    opened: Opened = await bus.ask(SignIn(email=first.email, password=PASSWORD), NOBODY)
    assert (opened.user.user_id, opened.user.role) == (account, "SUPER_ADMIN")
    with pytest.raises(EmailTaken):
        await bus.ask(first, cli)


async def test_c13_the_demo_logins_short_password_is_taken_outside_production_only(
    enter: Enter, bus: Bus, admin: Caller, policy: Callable[..., SignInPolicy]
) -> None:
    email = f"test.{uuid4().hex[:8]}@example.com"
    asked = CreateUser(email=email, password="password123", full_name="Test Doctor", role="DOCTOR")
    with pytest.raises(PasswordRefused):
        await bus.handle(asked, admin)
    policy(development=True)
    with pytest.raises(PasswordRefused):
        await bus.handle(msgspec.structs.replace(asked, email="ada@clinic.example"), admin)
    made = await bus.handle(asked, admin)
    assert (await enter(Person(made.aggregate_id, email), "password123")).user.role == "DOCTOR"
