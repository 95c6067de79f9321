"""T043: the list of accounts does not tell which patient's chart is restricted, and who it is."""

from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from tests.protection.conftest import Ward

from salerno.contexts.identity.commands import ClaimChart, CreateUser, DeactivateUser, IssueChartCode
from salerno.contexts.identity.queries import UserById, Users
from salerno.contexts.protection.commands import LiftRestriction
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

SiteClient = Callable[..., httpx.AsyncClient]


class Signed:
    """A patient with an account of their own."""

    def __init__(self, account: UUID, patient: UUID, email: str) -> None:
        self.account, self.patient, self.email = account, patient, email


@pytest.fixture
def patient_with_account(bus: Bus, ward: Ward) -> Callable[..., object]:
    async def make(family: str = "Quintavalle") -> Signed:
        patient, email = await ward.patient(f"Olga {family}"), f"{uuid4().hex[:12]}@example.com"
        wish = CreateUser(email=email, given_name="Olga", family_name=family, role="PATIENT")
        account = (await bus.handle(wish, ward.chief)).aggregate_id
        code = await bus.ask(IssueChartCode(patient_id=patient), ward.make("RECEPTIONIST"))
        await bus.ask(ClaimChart(code=code.code), replace(ward.make("PATIENT"), actor=account))
        return Signed(account, patient, email)

    return make


async def test_t043_the_account_of_a_restricted_patient_has_no_name_address_or_chart(
    bus: Bus, ward: Ward, patient_with_account: Callable[..., object], admin: Caller
) -> None:
    olga = await patient_with_account()  # type: ignore[misc]
    open_ = await bus.ask(UserById(account_id=olga.account), admin)
    assert (open_.full_name, open_.email, open_.patient_id, open_.concealed) == (
        "Olga Quintavalle", olga.email, olga.patient, False,
    )  # fmt: skip
    await ward.restrict(olga.patient)
    for who in (admin, ward.chief):
        listed = await bus.ask(Users(limit=200), who)
        one = await bus.ask(UserById(account_id=olga.account), who)
        for text in (msgspec.json.encode(listed).decode(), msgspec.json.encode(one).decode()):
            assert not [word for word in ("Olga", "Quintavalle", olga.email, str(olga.patient)) if word in text]
        assert [line.user_id for line in listed.items if line.concealed] == [olga.account]
        assert listed.total == len(listed.items)


async def test_t043_no_search_finds_it_and_its_place_in_the_list_tells_nothing(
    bus: Bus, ward: Ward, patient_with_account: Callable[..., object], admin: Caller
) -> None:
    names = ("Abate", "Moro", "Zito")
    people = [await patient_with_account(name) for name in names]  # type: ignore[misc]
    await ward.restrict(people[1].patient)
    for typed in ("moro", people[1].email, "olga moro"):
        assert (await bus.ask(Users(q=typed), admin)).items == []
    listed = [line.user_id for line in (await bus.ask(Users(role="PATIENT"), admin)).items]
    assert listed == [people[0].account, people[2].account, people[1].account]


async def test_t043_whoever_the_restriction_names_and_who_comes_after_it_see_the_account_as_before(
    bus: Bus, ward: Ward, patient_with_account: Callable[..., object], admin: Caller
) -> None:
    olga, named = await patient_with_account(), await ward.colleague("ADMIN")  # type: ignore[misc]
    await ward.restrict(olga.patient, accounts=(named.actor,))
    assert (await bus.ask(UserById(account_id=olga.account), named)).email == olga.email
    assert (await bus.ask(UserById(account_id=olga.account), admin)).concealed
    await bus.handle(LiftRestriction(patient_id=olga.patient), ward.chief)
    assert (await bus.ask(UserById(account_id=olga.account), admin)).email == olga.email


async def test_a_glass_that_was_broken_shows_the_account_to_who_broke_it(
    bus: Bus, ward: Ward, patient_with_account: Callable[..., object]
) -> None:
    olga, doctor = await patient_with_account(), await ward.colleague()  # type: ignore[misc]
    reads = replace(doctor, permissions=doctor.permissions | {"identity.read_users"})
    await ward.restrict(olga.patient)
    assert (await bus.ask(UserById(account_id=olga.account), reads)).concealed
    await ward.break_glass(olga.patient, doctor)
    assert not (await bus.ask(UserById(account_id=olga.account), reads)).concealed


async def test_it_is_closed_like_any_other(
    bus: Bus, ward: Ward, patient_with_account: Callable[..., object], admin: Caller
) -> None:
    olga = await patient_with_account()  # type: ignore[misc]
    await ward.restrict(olga.patient)
    await bus.handle(DeactivateUser(account_id=olga.account), admin)
    assert (await bus.ask(UserById(account_id=olga.account), admin)).status == "deactivated"
