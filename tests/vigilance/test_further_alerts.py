"""Travel that nobody makes, charts that are tried in vain, exports, and a home that reader and patient share."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.vigilance.conftest import Colleagues, Found, Register

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import GivenAddress
from salerno.contexts.patients.queries import PatientBanner, PatientById
from salerno.contexts.records.queries import Allergies, Problems
from salerno.contexts.vigilance.commands import WeighSignIn
from salerno.contexts.vigilance.handlers.sign_ins import weigh_sign_in
from salerno.contexts.vigilance.queries import MyAlerts
from salerno.contexts.vigilance.rules.kin import home, is_unusual
from salerno.contexts.vigilance.rules.networks import networks_in
from salerno.contexts.vigilance.rules.travel import Was, is_impossible
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock
from salerno.kernel.transactions import Tx

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ITALY, FRANCE, SWITZERLAND = "192.0.2.7", "198.51.100.7", "203.0.113.7"
LIST = networks_in("192.0.2.0/24,IT\n198.51.100.0/24,FR\n203.0.113.0/24,CH")


@pytest.fixture(autouse=True)
def _watchful(bus: Bus) -> Iterator[None]:
    bus.settings[Watchfulness] = Watchfulness(networks=LIST, usual=frozenset({"CH"}))
    yield
    bus.settings.pop(Watchfulness)


# ------------------------------------------------------------------ travel
@pytest.mark.parametrize(
    ("minutes", "there", "here", "said"),
    [
        (59, "IT", "FR", True), (-59, "IT", "FR", True), (60, "IT", "FR", False), (5, "IT", "IT", False),
        (5, "IT", "CH", False), (5, "CH", "FR", True), (5, "", "FR", False), (5, "IT", "", False),
    ],
)  # fmt: skip
def test_nobody_is_in_two_countries_within_the_hour_unless_both_are_usual(
    minutes: int, there: str, here: str, said: bool
) -> None:
    usual, now = {"IT", "CH"}, MONDAY
    assert is_impossible(Was(there, now), Was(here, now + timedelta(minutes=minutes)), usual) is said
    assert not is_impossible(None, Was(here, now), usual)


@pytest.fixture
async def weigh(bus: Bus, admin: Caller, clock: MovableClock) -> Callable[..., object]:
    """A sign-in of this account, at that minute of Monday, from that address."""
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    wish = RegisterOrganisation(name="Studio", kind="clinic", organisation_id=admin.organisation, country="IT")
    await bus.handle(wish, above)
    await bus.settled()
    clock.set(MONDAY)

    async def sign_in(account: UUID, minute: int, address: str) -> None:
        clock.set(max(clock.now(), MONDAY + timedelta(minutes=minute)))
        weighed = WeighSignIn(
            account_id=account, session_id=uuid4(), signed_in_at=MONDAY + timedelta(minutes=minute), address=address,
            device="known",
        )  # fmt: skip

        async def work(wished: WeighSignIn, tx: Tx) -> None:
            await weigh_sign_in(tx, wished, tx.origin)

        await bus.within(bus.rooms["vigilance"], replace(admin, role="SYSTEM"), partial(work, weighed))

    return sign_in


async def test_two_countries_within_the_hour_raise_an_alert_that_names_both(
    weigh: Callable[..., object], colleague: Colleagues, found: Found
) -> None:
    account = (await colleague("NURSE")).actor
    for minute, address in ((0, ITALY), (40, FRANCE)):
        await weigh(account, minute, address)  # type: ignore[misc]
    alerts = {one.kind: one for one in await found()}
    assert sorted(alerts) == ["impossible-travel", "new-country"]
    seen = alerts["impossible-travel"]
    assert (seen.before, seen.country, seen.since, seen.at) == ("IT", "FR", MONDAY, MONDAY + timedelta(minutes=40))


async def test_a_network_abroad_that_somebody_comes_and_goes_by_is_said_once_a_day(
    weigh: Callable[..., object], colleague: Colleagues, found: Found
) -> None:
    account = (await colleague("NURSE")).actor
    for day in (0, 1):
        for minute in range(0, 30, 10):
            await weigh(account, day * 1441 + minute, ITALY)  # type: ignore[misc]
            await weigh(account, day * 1441 + minute + 5, FRANCE)  # type: ignore[misc]
    said = [one for one in await found() if one.kind == "impossible-travel"]
    assert sorted(one.at for one in said) == [MONDAY + timedelta(minutes=5), MONDAY + timedelta(minutes=1446)]


async def test_whoever_flies_home_or_works_at_the_border_is_not_said_to_have_travelled(
    weigh: Callable[..., object], colleague: Colleagues, found: Found
) -> None:
    flies, borders, unlisted = [(await colleague("NURSE")).actor for _ in range(3)]
    for account, minute, address in (
        (flies, 0, FRANCE), (flies, 150, ITALY), (borders, 0, ITALY), (borders, 3, SWITZERLAND),
        (unlisted, 0, "2001:db8::1"), (unlisted, 1, ITALY),
    ):  # fmt: skip
        await weigh(account, minute, address)  # type: ignore[misc]
    assert [one.kind for one in await found()] == ["new-country"]


async def test_a_sign_in_that_is_weighed_late_is_compared_by_its_own_time(
    weigh: Callable[..., object], colleague: Colleagues, found: Found
) -> None:
    account = (await colleague("NURSE")).actor
    for minute, address in ((180, ITALY), (150, FRANCE), (185, ITALY)):
        await weigh(account, minute, address)  # type: ignore[misc]
    assert [one.kind for one in await found()].count("impossible-travel") == 1


# ------------------------------------------------------------------ tried in vain
async def test_an_account_that_tries_ids_raises_one_alert_in_ten_minutes(
    bus: Bus, colleague: Colleagues, clock: MovableClock, found: Found
) -> None:
    nurse = await colleague("NURSE")
    for nth in range(40):
        clock.set(MONDAY + timedelta(seconds=nth))
        with pytest.raises(NotFound):
            await bus.ask(PatientById(patient_id=uuid4()), nurse)
    (alert,) = await found()
    assert (alert.kind, alert.account_id, alert.role, alert.count) == ("probing", nurse.actor, "NURSE", 21)
    assert (alert.since, alert.at) == (MONDAY, MONDAY + timedelta(seconds=20))
    assert await found() == [alert]


async def test_a_patient_who_tries_other_peoples_charts_is_shown_to_the_privacy_officer(
    bus: Bus, register: Register, patient_caller: Callable[[UUID], Caller], found: Found
) -> None:
    bus.settings[Watchfulness] = Watchfulness(probes=3)
    own, others = await register("Rossi"), [await register(f"Conti{nth}") for nth in range(4)]
    patient = patient_caller(own)
    for other in others:
        with pytest.raises(NotFound):
            await bus.ask(Problems(patient_id=other), patient)
    (alert,) = await found()
    assert (alert.kind, alert.status, alert.account_id, alert.count) == ("probing", "open", patient.actor, 4)
    assert [one.alert_id for one in await bus.ask(MyAlerts(), patient)] == [alert.alert_id]


async def test_refusals_for_want_of_a_role_count_as_well_and_a_few_mistakes_do_not(
    bus: Bus, colleague: Colleagues, register: Register, found: Found
) -> None:
    bus.settings[Watchfulness] = Watchfulness(probes=3)
    reception, nurse, chart = await colleague("RECEPTIONIST"), await colleague("NURSE"), await register()
    for _ in range(4):
        with pytest.raises(NotAllowed):
            await bus.ask(Problems(patient_id=chart), reception)
    for _ in range(3):
        with pytest.raises(NotFound):
            await bus.ask(PatientById(patient_id=uuid4()), nurse)
    assert [(one.kind, one.account_id) for one in await found()] == [("probing", reception.actor)]


# ------------------------------------------------------------------ exports
async def test_an_export_raises_one_alert_however_many_lines_of_the_log_it_is(
    bus: Bus, colleague: Colleagues, clock: MovableClock, found: Found
) -> None:
    chief = await colleague("ADMIN")
    for nth in range(3):
        clock.set(MONDAY + timedelta(seconds=nth))
        await bus.access_log.record(chief, "Export", "everything", "disclosed", [uuid4() for _ in range(500)])
    (alert,) = await found()
    assert (alert.kind, alert.account_id, alert.count, alert.at) == ("exports", chief.actor, 1500, MONDAY)
    clock.set(MONDAY + timedelta(hours=1, seconds=1))
    await bus.access_log.record(chief, "Export", "everything", "disclosed", [uuid4()])
    assert [one.kind for one in await found()] == ["exports", "exports"]


# ------------------------------------------------------------------ a home
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Via Roma, 12", "", "84121", "Salerno"), ("via Roma 12", "", "84121", "SALERNO"), True),
        (("Via Roma, 12", "", "84121", ""), ("Via Roma 12", "", "84122", ""), False),
        (("Via Roma, 12", "int. 3", "84121", ""), ("Via Roma 12", "Int 3", "84121", ""), True),
        (("Via Roma, 12", "int. 3", "84121", ""), ("Via Roma 12", "int. 4", "84121", ""), False),
        (("Piazza Libertà 1", "", "", "Forlì"), ("piazza liberta 1", "", "", "forli"), True),
    ],
)
def test_a_home_has_one_spelling(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert (home(*one) == home(*other)) is same
    assert home(*one)


@pytest.mark.parametrize(
    "vague", [("", "", "84121", "Salerno"), ("Via Roma", "", "84121", ""), ("12", "", "84121", "")]
)
def test_a_street_alone_is_nobodys_home(vague: tuple[str, ...]) -> None:
    assert home(*vague) == ""


def test_a_home_is_weak_like_a_name_and_both_together_are_strong() -> None:
    assert is_unusual(["address"], in_care=False)
    assert not is_unusual(["address"], in_care=True)
    assert is_unusual(["family-name", "address"], in_care=True)


async def test_t100_a_chart_at_the_readers_own_home_raises_an_alert_under_another_name(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found
) -> None:
    """The nurse is a patient here too, under her telephone number: that is how her home is known."""
    clock.set(MONDAY)
    at = GivenAddress(line1="Via Roma, 12", postal_code="84121", city="Salerno")
    elsewhere = GivenAddress(line1="Via Roma, 14", postal_code="84121", city="Salerno")
    nurse = await colleague("NURSE", "Ferri", phone="089 555 0123")
    own = await register("Ferri", phone="+39 089 555 0123", address=at)
    partner = await register("Conti", address=GivenAddress(line1="via roma 12", postal_code="84121", city="Salerno"))
    neighbour = await register("Moro", address=elsewhere)
    clock.set(MONDAY + timedelta(days=10))
    for chart in (partner, neighbour, own):
        await bus.ask(Allergies(patient_id=chart), nurse)
    alerts = {one.patient_id: tuple(one.reasons) for one in await found()}
    assert alerts == {partner: ("address",), own: ("family-name", "phone")}


async def test_a_week_of_ordinary_work_raises_none_of_these(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, weigh: Callable[..., object]
) -> None:
    """Signing in at home and at work, a mistyped address now and then, and neighbours among the patients."""
    clock.set(MONDAY - timedelta(days=30))
    nurse = await colleague("NURSE", "Ferri", phone="089 555 0123")
    house = GivenAddress(line1="Corso Garibaldi, 7", postal_code="84122", city="Salerno")
    charts = [await register(f"Conti{nth}", address=house) for nth in range(8)]
    await bus.settled()
    for day in range(5):
        for hour, address in ((0, ITALY), (4, SWITZERLAND), (8, ITALY)):
            await weigh(nurse.actor, day * 1440 + hour * 60, address)  # type: ignore[misc]
        for nth, chart in enumerate(charts):
            clock.set(MONDAY + timedelta(days=day, hours=1, minutes=15 * nth))
            await bus.ask(PatientBanner(patient_id=chart), nurse)
            await bus.ask(Problems(patient_id=chart), nurse)
        with pytest.raises(NotFound):
            await bus.ask(PatientById(patient_id=uuid4()), nurse)
    assert [one.kind for one in await found()] == []
