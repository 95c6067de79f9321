"""Passkeys from both sides: what a telephone does, and everything that an attacker's would try (T009)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest
from tests.identity.authenticator import PRESENT, Authenticator, text
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import (
    ChallengePosed,
    ConfirmTotp,
    DeactivateUser,
    EndMySessions,
    EnrolTotp,
    FoundCaller,
    Opened,
    RemoveTotp,
    ResetSecondFactor,
    SignIn,
    VerifySecondFactor,
)
from salerno.contexts.identity.commands.passkeys import (
    AddPasskey,
    BeginPasskey,
    EnterByPasskey,
    LockScreen,
    MyPasskeys,
    OfferPasskey,
    PasskeyKept,
    ProveAgain,
    RemovePasskey,
)
from salerno.contexts.identity.errors import (
    AccountNotReady,
    FactorDemanded,
    FactorMissing,
    NoSuchPasskey,
    PasskeyInvalid,
    PasskeyRefused,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from salerno.contexts.identity.events import PasskeyDoubted
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
SignedIn = Callable[[Person], Awaitable[Caller]]


@pytest.fixture(autouse=True)
def at_the_clinic(policy: Callable[..., SignInPolicy]) -> None:
    policy(issuer="https://clinic.example")


@pytest.fixture
def signed_in(enter: Enter, behind: Behind) -> SignedIn:
    async def go(who: Person) -> Caller:
        found = await behind((await enter(who)).token)
        assert found is not None
        return found.caller

    return go


async def add(bus: Bus, caller: Caller, device: Authenticator, name: str = "Telephone") -> PasskeyKept:
    options = await bus.ask(BeginPasskey(), caller)
    kept: PasskeyKept = await bus.ask(AddPasskey(name=name, credential=device.create(options)), caller)
    return kept


async def come_in(bus: Bus, device: Authenticator, **how: Any) -> Opened:
    options = await bus.ask(OfferPasskey(), NOBODY)
    opened: Opened = await bus.ask(EnterByPasskey(credential=device.get(options, **how)), NOBODY)
    return opened


async def history(bus: Bus, caller: Caller) -> list[str]:
    async with bus.reading("identity", caller.organisation) as tx:
        return [type(item.event).__name__ for item in await tx.history("identity.account", caller.actor)]


async def test_a_passkey_alone_opens_a_session_with_both_factors(
    bus: Bus, person: Make, signed_in: SignedIn, behind: Behind
) -> None:
    doctor, device = await person("DOCTOR"), Authenticator()
    caller = await signed_in(doctor)
    kept = await add(bus, caller, device)
    assert len(kept.codes) == 10
    found = await behind((await come_in(bus, device)).token)
    assert found is not None
    assert found.caller.actor == doctor.account
    assert (await bus.ask(MyPasskeys(), caller))[0].name == "Telephone"


async def test_a_new_passkey_ends_every_other_session_and_renews_the_present_one(
    bus: Bus, person: Make, enter: Enter, behind: Behind
) -> None:
    nurse = await person()
    other, mine = await enter(nurse), await enter(nurse)
    found = await behind(mine.token)
    assert found is not None
    kept = await add(bus, found.caller, Authenticator())
    assert await behind(other.token) is None
    assert await behind(mine.token) is None
    assert await behind(kept.token) is not None


async def test_the_question_is_the_same_for_everybody_and_names_no_account(bus: Bus) -> None:
    first, second = await bus.ask(OfferPasskey(), NOBODY), await bus.ask(OfferPasskey(), NOBODY)
    assert first.pop("challenge") != second.pop("challenge")
    assert first == second
    assert first["rpId"] == "clinic.example"
    assert first["userVerification"] == "required"
    assert not first.get("allowCredentials")


async def test_with_a_passkey_the_password_alone_is_not_enough(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    nurse = await person()
    kept = await add(bus, await signed_in(nurse), Authenticator())
    posed = await bus.ask(SignIn(email=nurse.email, password=PASSWORD), NOBODY)
    assert isinstance(posed, ChallengePosed)
    assert posed.methods == ("passkey", "recovery-code")
    opened = await bus.ask(VerifySecondFactor(challenge=posed.challenge, code=kept.codes[0]), NOBODY)
    assert opened.user.user_id == nurse.account


async def test_a_passkey_is_a_second_factor_where_one_is_demanded(
    bus: Bus, person: Make, enter: Enter, behind: Behind, policy: Callable[..., SignInPolicy]
) -> None:
    policy(issuer="https://clinic.example", second_factor_demanded=True)
    doctor, device = await person("DOCTOR"), Authenticator()
    opened = await enter(doctor)
    assert opened.must_enrol
    found = await behind(opened.token)
    assert found is not None
    kept = await add(bus, found.caller, device)
    after = await behind(kept.token)
    assert after is not None
    assert not after.must_enrol
    with pytest.raises(FactorDemanded):
        await bus.ask(RemovePasskey(passkey_id=kept.passkey_id), after.caller)
    second = await add(bus, after.caller, Authenticator(), "Key ring")
    again = await behind(second.token)
    assert again is not None
    await bus.ask(RemovePasskey(passkey_id=kept.passkey_id), again.caller)
    with pytest.raises(PasskeyRefused):
        await come_in(bus, device)
    with pytest.raises(NoSuchPasskey):
        await bus.ask(RemovePasskey(passkey_id=kept.passkey_id), again.caller)


async def test_removing_the_last_factor_voids_the_recovery_codes_and_one_of_two_does_not(
    bus: Bus, person: Make, signed_in: SignedIn
) -> None:
    nurse = await person()
    caller = await signed_in(nurse)
    secret = (await bus.ask(EnrolTotp(password=PASSWORD), caller)).secret
    now = bus.clock.now()
    codes = (await bus.ask(ConfirmTotp(code=pyotp.TOTP(secret).at(now)), caller)).codes
    kept = await add(bus, caller, Authenticator())
    assert kept.codes == ()
    await bus.ask(RemoveTotp(password=PASSWORD, code=codes[0]), caller)
    posed = await bus.ask(SignIn(email=nurse.email, password=PASSWORD), NOBODY)
    assert posed.methods == ("passkey", "recovery-code")
    assert await bus.ask(VerifySecondFactor(challenge=posed.challenge, code=codes[1]), NOBODY)
    await bus.ask(RemovePasskey(passkey_id=kept.passkey_id), caller)
    assert isinstance(await bus.ask(SignIn(email=nurse.email, password=PASSWORD), NOBODY), Opened)
    async with bus.reading("identity", caller.organisation) as tx:
        left = await tx.fetchval("SELECT count(*) FROM recovery_codes WHERE account = $1", nurse.account)
    assert left == 0


async def test_an_administrator_who_resets_the_second_factor_takes_the_passkeys_with_it(
    bus: Bus, person: Make, signed_in: SignedIn, admin: Caller
) -> None:
    nurse, device = await person(), Authenticator()
    await add(bus, await signed_in(nurse), device)
    await bus.handle(ResetSecondFactor(account_id=nurse.account), admin)
    with pytest.raises(PasskeyRefused):
        await come_in(bus, device)
    assert isinstance(await bus.ask(SignIn(email=nurse.email, password=PASSWORD), NOBODY), Opened)


async def test_a_deactivated_account_stays_shut_to_its_passkey(
    bus: Bus, person: Make, signed_in: SignedIn, admin: Caller
) -> None:
    nurse, device = await person(), Authenticator()
    await add(bus, await signed_in(nurse), device)
    await bus.handle(DeactivateUser(account_id=nurse.account), admin)
    with pytest.raises(AccountNotReady):
        await come_in(bus, device)


# ------------------------------------------------------------------ T009
async def test_t009_an_answer_is_taken_once_also_fifty_at_once(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    device = Authenticator(counts=False)
    await add(bus, await signed_in(await person()), device)
    options = await bus.ask(OfferPasskey(), NOBODY)
    same = device.get(options)

    async def attempt() -> bool:
        try:
            await bus.ask(EnterByPasskey(credential=same), NOBODY)
        except PasskeyRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(50)))) == 1


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://clinic.example.evil.test"},
        {"origin": "http://clinic.example"},
        {"rp": "evil.test"},
        {"flags": PRESENT},
        {"flags": 0x04},
        {"handle": uuid4().bytes},
        {"kind": "webauthn.create"},
        {"challenge": text(b"a challenge that the client chose")},
    ],
    ids=["origin", "no tls", "rp id", "not verified", "not present", "user handle", "kind", "own challenge"],
)
async def test_t009_whatever_is_not_as_it_should_be_is_refused(
    bus: Bus, person: Make, signed_in: SignedIn, how: dict[str, Any]
) -> None:
    device = Authenticator()
    await add(bus, await signed_in(await person()), device)
    with pytest.raises(PasskeyRefused):
        await come_in(bus, device, **how)
    assert await come_in(bus, device)


async def test_t009_a_question_is_good_for_five_minutes(
    bus: Bus, person: Make, signed_in: SignedIn, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    device = Authenticator()
    await add(bus, await signed_in(await person()), device)
    options = await bus.ask(OfferPasskey(), NOBODY)
    clock.set(noon + timedelta(minutes=5))
    with pytest.raises(PasskeyRefused):
        await bus.ask(EnterByPasskey(credential=device.get(options)), NOBODY)


async def test_t009_a_counter_that_goes_back_is_refused_and_told(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    device = Authenticator()
    caller = await signed_in(await person())
    await add(bus, caller, device)
    await come_in(bus, device, uses=7)
    for uses in (7, 6, 0):
        with pytest.raises(PasskeyRefused):
            await come_in(bus, device, uses=uses)
    assert (await history(bus, caller)).count(PasskeyDoubted.__name__) == 3
    assert await come_in(bus, device, uses=8)


async def test_t009_another_key_signs_for_nobody(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    mine, theirs = Authenticator(), Authenticator()
    await add(bus, await signed_in(await person()), mine)
    await add(bus, await signed_in(await person()), theirs)
    forged = theirs.keys[-1]
    forged.name, forged.handle = mine.keys[-1].name, mine.keys[-1].handle
    with pytest.raises(PasskeyRefused):
        await come_in(bus, theirs)


async def test_t009_nothing_is_registered_for_anybody_by_a_wrong_answer(
    bus: Bus, person: Make, signed_in: SignedIn
) -> None:
    caller, victim = await signed_in(await person()), await signed_in(await person())
    known = Authenticator()
    await add(bus, victim, known)
    wrong: list[dict[str, Any]] = [
        {"origin": "https://evil.test"},
        {"rp": "evil.test"},
        {"flags": PRESENT},
        {"challenge": text(b"a challenge that the client chose")},
        {"claim": known.keys[-1].name},
    ]
    for how in wrong:
        options = await bus.ask(BeginPasskey(), caller)
        with pytest.raises(PasskeyInvalid):
            await bus.ask(AddPasskey(name="x", credential=Authenticator().create(options, **how)), caller)
    twin = Authenticator()
    options = await bus.ask(BeginPasskey(), caller)
    answer = twin.create(options)
    for other in (victim, Caller(**{**_fields(caller), "session": uuid4()})):
        with pytest.raises(PasskeyInvalid):
            await bus.ask(AddPasskey(name="x", credential=answer), other)
    assert await bus.ask(MyPasskeys(), caller) == []
    assert len(await bus.ask(MyPasskeys(), victim)) == 1


def _fields(caller: Caller) -> dict[str, Any]:
    return {name: getattr(caller, name) for name in caller.__struct_fields__}


async def test_t009_a_key_belongs_to_one_account(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    device = Authenticator()
    await add(bus, await signed_in(await person()), device)
    other = await signed_in(await person())
    options = await bus.ask(BeginPasskey(), other)
    again = Authenticator()
    answer = again.create(options)
    again.keys[-1].name = device.keys[-1].name
    copied = _with_name(again, options, device.keys[-1].name)
    with pytest.raises(PasskeyInvalid):
        await bus.ask(AddPasskey(name="x", credential=copied), other)
    assert answer


def _with_name(device: Authenticator, options: dict[str, Any], name: bytes) -> dict[str, Any]:
    """A registration whose authenticator data name somebody else's credential id."""
    import tests.identity.authenticator as module

    real = module.uuid4
    module.uuid4 = lambda: UUID(bytes=name)  # type: ignore[assignment]
    try:
        return device.create(options)
    finally:
        module.uuid4 = real


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"response": {}},
        {"rawId": 7, "response": {"clientDataJSON": "%%%"}},
        {"response": {"clientDataJSON": "e30"}},
    ],
)
async def test_t009_what_is_no_answer_at_all_is_refused(
    bus: Bus, person: Make, signed_in: SignedIn, credential: dict[str, Any]
) -> None:
    with pytest.raises(PasskeyRefused):
        await bus.ask(EnterByPasskey(credential=credential), NOBODY)
    with pytest.raises(PasskeyInvalid):
        await bus.ask(AddPasskey(name="x", credential=credential), await signed_in(await person()))


async def test_t009_guesses_from_one_place_have_a_limit(bus: Bus, policy: Callable[..., SignInPolicy]) -> None:
    policy(failures_per_address=3)
    place = Caller(actor=NOBODY.actor, organisation=NOBODY.organisation, address="192.0.2.91")
    for _ in range(3):
        with pytest.raises(PasskeyRefused):
            await bus.ask(EnterByPasskey(credential={}), place)
    with pytest.raises(TooManyAttempts):
        await bus.ask(EnterByPasskey(credential={}), place)


# ------------------------------------------------------------------ once more, and the locked screen
async def test_a_session_is_fresh_for_five_minutes_and_again_after_a_passkey(
    bus: Bus, person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    device = Authenticator()
    opened = await enter(await person())
    found = await behind(opened.token)
    assert found is not None
    kept = await add(bus, found.caller, device)
    clock.set(noon + timedelta(minutes=5))
    found = await behind(kept.token)
    assert found is not None
    assert found.stale
    options = await bus.ask(OfferPasskey(), found.caller)
    again = await bus.ask(ProveAgain(credential=device.get(options)), found.caller)
    assert await behind(kept.token) is None
    found = await behind(again.token)
    assert found is not None
    assert not found.stale


async def test_a_second_factor_that_exists_is_what_proves(
    bus: Bus, person: Make, enter: Enter, behind: Behind, signed_in: SignedIn
) -> None:
    plain = await signed_in(await person())
    with pytest.raises(WrongPassword):
        await bus.ask(ProveAgain(password="not mine at all"), plain)
    assert (await bus.ask(ProveAgain(password=PASSWORD), plain)).token
    caller = await signed_in(await person())
    secret = (await bus.ask(EnrolTotp(password=PASSWORD), caller)).secret
    now = bus.clock.now()
    await bus.ask(ConfirmTotp(code=pyotp.TOTP(secret).at(now)), caller)
    with pytest.raises(FactorMissing):
        await bus.ask(ProveAgain(password=PASSWORD), caller)
    with pytest.raises(WrongCode):
        await bus.ask(ProveAgain(code="000000"), caller)
    assert (await bus.ask(ProveAgain(code=pyotp.TOTP(secret).at(now + timedelta(seconds=30))), caller)).token


async def test_an_answer_given_for_coming_in_proves_nothing_inside_and_nobody_proves_for_another(
    bus: Bus, person: Make, signed_in: SignedIn
) -> None:
    mine, theirs = Authenticator(), Authenticator()
    caller, other = await signed_in(await person()), await signed_in(await person())
    await add(bus, caller, mine)
    await add(bus, other, theirs)
    outside = await bus.ask(OfferPasskey(), NOBODY)
    with pytest.raises(PasskeyRefused):
        await bus.ask(ProveAgain(credential=mine.get(outside)), caller)
    inside = await bus.ask(OfferPasskey(), caller)
    with pytest.raises(PasskeyRefused):
        await bus.ask(ProveAgain(credential=theirs.get(inside)), caller)
    inside = await bus.ask(OfferPasskey(), caller)
    with pytest.raises(PasskeyRefused):
        await bus.ask(ProveAgain(credential=theirs.get(inside)), other)


async def test_a_locked_screen_opens_nothing_until_its_owner_is_back(
    bus: Bus, person: Make, enter: Enter, behind: Behind
) -> None:
    opened = await enter(await person())
    found = await behind(opened.token)
    assert found is not None
    assert not found.locked
    await bus.ask(LockScreen(), found.caller)
    found = await behind(opened.token)
    assert found is not None
    assert found.locked
    assert found.caller.permissions == frozenset()
    with pytest.raises(WrongPassword):
        await bus.ask(ProveAgain(password="not mine", purpose="unlock"), found.caller)
    again = await bus.ask(ProveAgain(password=PASSWORD, purpose="unlock"), found.caller)
    found = await behind(again.token)
    assert found is not None
    assert not found.locked
    assert found.caller.permissions


async def test_a_screen_that_nobody_touches_locks_by_itself_and_stays_locked(
    bus: Bus, person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    clock.set(noon + timedelta(minutes=9))
    polled = await behind(opened.token, by_a_person=False)
    assert polled is not None
    assert not polled.locked
    clock.set(noon + timedelta(minutes=10))
    for _ in range(2):
        found = await behind(opened.token)
        assert found is not None
        assert found.locked
    clock.set(noon + timedelta(minutes=15))
    assert await behind(opened.token) is None


async def test_unlocking_by_password_opens_the_screen_and_nothing_grave_where_there_is_a_second_factor(
    bus: Bus, person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    device = Authenticator()
    found = await behind((await enter(await person())).token)
    assert found is not None
    kept = await add(bus, found.caller, device)
    clock.set(noon + timedelta(minutes=6))
    found = await behind(kept.token)
    assert found is not None
    await bus.ask(LockScreen(), found.caller)
    opened = await bus.ask(ProveAgain(password=PASSWORD, purpose="unlock"), found.caller)
    found = await behind(opened.token)
    assert found is not None
    assert (found.locked, found.stale) == (False, True)
    await bus.ask(LockScreen(), found.caller)
    options = await bus.ask(OfferPasskey(), found.caller)
    opened = await bus.ask(ProveAgain(credential=device.get(options), purpose="unlock"), found.caller)
    found = await behind(opened.token)
    assert found is not None
    assert (found.locked, found.stale) == (False, False)


async def test_a_session_that_ended_is_not_proved_again(bus: Bus, person: Make, signed_in: SignedIn) -> None:
    caller = await signed_in(await person())
    await bus.ask(EndMySessions(present_too=True), caller)
    with pytest.raises(NotSignedIn):
        await bus.ask(ProveAgain(password=PASSWORD), caller)
