"""Sign-ins: their history, and what is new about one of them."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace as replaced
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.vigilance.conftest import Found

from salerno.contexts.identity.commands import ChangeUserRole, CreateUser, Opened, SignIn
from salerno.contexts.identity.commands.history import MySignIns, SignInsOfUser
from salerno.contexts.identity.errors import NoSuchAccount, WrongCredentials
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.vigilance.commands import WeighSignIn
from salerno.contexts.vigilance.handlers.sign_ins import weigh_sign_in
from salerno.contexts.vigilance.queries import MyAlerts
from salerno.contexts.vigilance.rules.networks import networks_in
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed
from salerno.kernel.mail import Letter
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock
from salerno.kernel.transactions import Tx

PASSWORD = "quiet lantern over Salerno bay"
HOME, ABROAD, FURTHER = "192.0.2.7", "198.51.100.7", "203.0.113.7"
LIST = networks_in("192.0.2.0/24,IT\n198.51.100.0/24,FR\n203.0.113.0/24,CH")
Enter = Callable[..., Awaitable[Opened]]


@pytest.fixture(autouse=True)
def _settings(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000
    )
    bus.settings[Watchfulness] = Watchfulness(networks=LIST, usual=frozenset({"CH"}))
    yield
    bus.settings.pop(SignInPolicy)
    bus.settings.pop(Watchfulness)


@pytest.fixture
async def nurse(bus: Bus, admin: Caller, caller: Callable[..., Caller]) -> Caller:
    """Somebody who can sign in; `name` is the address to sign in with."""
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    wish = RegisterOrganisation(name="Studio", kind="clinic", organisation_id=admin.organisation, country="IT")
    await bus.handle(wish, above)
    email = f"{uuid4().hex}@example.com"
    created = await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="NURSE"), admin)
    await bus.settled()
    return replace(caller("NURSE"), actor=created.aggregate_id, name=email)


@pytest.fixture
def enter(bus: Bus) -> Enter:
    async def sign_in(who: Caller, device: str = "", address: str = HOME, **more: str) -> Opened:
        nobody = Caller(actor=UUID(int=0), organisation=UUID(int=0), address=address)
        wish = SignIn(email=who.name, password=more.pop("password", PASSWORD), device=device, **more)  # type: ignore[arg-type]
        opened: Opened = await bus.ask(wish, nobody)
        return opened

    return sign_in


async def test_a_second_browser_raises_an_alert_for_its_owner_and_the_privacy_officer(
    bus: Bus, nurse: Caller, enter: Enter, found: Found
) -> None:
    first = await enter(nurse, agent="Firefox")
    await enter(nurse, device=first.device, agent="Firefox")
    assert await found() == []
    second = await enter(nurse, agent="Chrome", address="192.0.2.99")
    (alert,) = await found()
    assert (alert.kind, alert.account_id, alert.agent, alert.address) == (
        "new-device", nurse.actor, "Chrome", "192.0.2.99",
    )  # fmt: skip
    assert [one.alert_id for one in await bus.ask(MyAlerts(), nurse)] == [alert.alert_id]
    await enter(nurse, device=second.device, agent="Chrome")
    assert len(await found()) == 1


async def test_a_browser_that_colleagues_share_is_new_once_to_each_of_them(
    bus: Bus, nurse: Caller, enter: Enter, found: Found, admin: Caller
) -> None:
    other = replace(nurse, actor=uuid4(), name=f"{uuid4().hex}@example.com")
    wish = CreateUser(account_id=other.actor, email=other.name, password=PASSWORD, full_name="Ida Neri", role="NURSE")
    await bus.handle(wish, admin)
    await enter(other)
    shared = await enter(nurse)
    for _ in range(2):
        again = await enter(other, device=shared.device)
        assert again.device == ""  # the browser keeps the token that it has
        await enter(nurse, device=shared.device)
    assert [(one.kind, one.account_id) for one in await found()] == [("new-device", other.actor)]


async def test_a_country_that_was_not_used_before_and_is_not_usual_raises_an_alert_once(
    nurse: Caller, enter: Enter, found: Found
) -> None:
    device = (await enter(nurse)).device
    for address in (FURTHER, ABROAD, HOME, ABROAD, "2001:db8::1", ""):
        await enter(nurse, device=device, address=address)
    (alert,) = [one for one in await found() if one.kind != "impossible-travel"]
    assert (alert.kind, alert.country, alert.address) == ("new-country", "FR", ABROAD)


async def test_a_program_is_known_by_how_it_names_itself(nurse: Caller, enter: Enter, found: Found) -> None:
    for agent in ("curl/8", "curl/8", "curl/8"):
        await enter(nurse, kind="password", agent=agent)
    assert await found() == []
    await enter(nurse, kind="api", agent="python/3")
    assert [(one.kind, one.agent) for one in await found()] == [("new-device", "python/3")]


async def test_what_took_place_long_ago_is_learnt_from_and_raises_nothing(
    bus: Bus, nurse: Caller, found: Found, clock: MovableClock
) -> None:
    """As where the room is new, and hears the sign-ins of all the years before."""
    room, system = bus.rooms["vigilance"], replace(nurse, role="SYSTEM")
    for days in (10, 9, 0):
        wish = WeighSignIn(
            account_id=nurse.actor, session_id=uuid4(), signed_in_at=clock.now() - timedelta(days=days), device="new"
        )
        await bus.within(room, system, partial(_weigh, wish))
    assert [(one.kind, one.at.date()) for one in await found()] == [("new-device", clock.now().date())]


async def _weigh(wish: WeighSignIn, tx: Tx) -> None:
    await weigh_sign_in(tx, wish, tx.origin)


async def test_one_letter_tells_the_owner_however_much_of_the_sign_in_was_unusual(
    bus: Bus, nurse: Caller, enter: Enter, found: Found
) -> None:
    sent: list[Letter] = []

    class Box:
        async def send(self, letter: Letter) -> None:
            sent.append(letter)

    bus.settings[SignInPolicy] = replaced(bus.settings[SignInPolicy], mails=True)
    first = await enter(nurse)
    await enter(nurse, device=first.device)
    await enter(nurse, address=ABROAD)
    assert sorted(one.kind for one in await found()) == ["impossible-travel", "new-country", "new-device"]
    await bus.settled()
    await Postman(bus, Box()).deliver()
    (letter,) = [one for one in sent if one.to == nurse.name]
    assert letter.subject == "A sign-in that is new for your account"
    assert "/account/security" in letter.body and "Ada" not in letter.body and ABROAD not in letter.body


async def test_patients_see_their_own_and_nobody_else_does(
    bus: Bus, nurse: Caller, enter: Enter, found: Found, admin: Caller, caller: Callable[..., Caller]
) -> None:
    patient = replace(caller("PATIENT"), actor=uuid4(), name=f"{uuid4().hex}@example.com")
    wish = CreateUser(
        account_id=patient.actor, email=patient.name, password=PASSWORD, full_name="Ada Rossi", role="PATIENT"
    )
    await bus.handle(wish, admin)
    await enter(patient)
    await enter(patient)
    assert await found() == []
    assert [(one.kind, one.status) for one in await bus.ask(MyAlerts(), patient)] == [("new-device", "own")]


async def test_the_history_tells_every_sign_in_and_every_refusal_newest_first(
    bus: Bus, nurse: Caller, enter: Enter, admin: Caller
) -> None:
    device = (await enter(nurse, agent="Firefox")).device
    with pytest.raises(WrongCredentials):
        await enter(nurse, password="not mine, but long enough", address=ABROAD)
    await enter(nurse, device=device, agent="Firefox")
    await bus.handle(ChangeUserRole(account_id=nurse.actor, role="RECEPTIONIST"), admin)
    page = await bus.ask(MySignIns(), nurse)
    assert [(one.outcome, one.method, one.reason, one.address, one.agent, one.device) for one in page.items] == [
        ("signed-in", "password", "", HOME, "Firefox", "known"),
        ("refused", "", "wrong password", ABROAD, "", ""),
        ("signed-in", "password", "", HOME, "Firefox", "new"),
    ]
    assert page.total == 3
    second = await bus.ask(SignInsOfUser(account_id=nurse.actor, limit=1, offset=1), admin)
    assert (second.items[0].outcome, second.total, second.limit, second.offset) == ("refused", 3, 1, 1)
    with pytest.raises(NoSuchAccount):
        await bus.ask(SignInsOfUser(account_id=uuid4()), admin)
    with pytest.raises(NotAllowed):
        await bus.ask(SignInsOfUser(account_id=nurse.actor), nurse)
