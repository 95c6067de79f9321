"""The second factor: set up with the password, used once, and demanded of those who hold much."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pyotp
import pytest
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import (
    ChallengePosed,
    ConfirmTotp,
    EnrolTotp,
    FoundCaller,
    Opened,
    RecoveryCodes,
    RegenerateRecoveryCodes,
    RemoveTotp,
    ResetSecondFactor,
    SignIn,
    TotpSecret,
    VerifySecondFactor,
)
from salerno.contexts.identity.errors import (
    ChallengeOver,
    FactorDemanded,
    FactorMissing,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
Enrolled = tuple[Person, pyotp.TOTP, RecoveryCodes, Opened]


@pytest.fixture
def enrol(
    person: Make, enter: Enter, behind: Behind, bus: Bus, clock: MovableClock, noon: datetime
) -> Callable[..., Awaitable[Enrolled]]:
    async def with_factor(role: str = "NURSE") -> Enrolled:
        clock.set(noon)
        who = await person(role)
        opened = await enter(who)
        found = await behind(opened.token)
        assert found is not None
        made: TotpSecret = await bus.ask(EnrolTotp(password=PASSWORD), found.caller)
        totp = pyotp.TOTP(made.secret)
        codes: RecoveryCodes = await bus.ask(ConfirmTotp(code=totp.at(noon)), found.caller)
        clock.set(noon + timedelta(minutes=1))
        return who, totp, codes, opened

    return with_factor


async def challenge(bus: Bus, who: Person, kind: str = "web") -> str:
    posed = await bus.ask(SignIn(email=who.email, password=PASSWORD, kind=kind), NOBODY)  # type: ignore[arg-type]
    assert isinstance(posed, ChallengePosed)
    return posed.challenge


async def verify(bus: Bus, challenge: str, code: str) -> Opened:
    opened: Opened = await bus.ask(VerifySecondFactor(challenge=challenge, code=code), NOBODY)
    return opened


async def test_t013_setting_it_up_changes_the_token_and_from_then_on_a_password_is_not_enough(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, behind: Behind, noon: datetime
) -> None:
    who, totp, codes, opened = await enrol()
    assert await behind(opened.token) is None
    assert await behind(codes.token)
    assert len(codes.codes) == 10
    assert all(len(code.replace("-", "")) * 5 >= 64 for code in codes.codes)
    again = await verify(bus, await challenge(bus, who), totp.at(noon + timedelta(minutes=1)))
    assert again.user.has_second_factor
    assert await behind(again.token)


async def test_programs_get_a_challenge_too_and_never_a_token(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, noon: datetime
) -> None:
    who, totp, _, _ = await enrol()
    opened = await verify(bus, await challenge(bus, who, "api"), totp.at(noon + timedelta(minutes=1)))
    assert opened.access_token
    assert opened.refresh_token
    assert opened.token == ""


async def test_t007_a_code_is_taken_once_even_fifty_times_at_once(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, noon: datetime, policy: Callable[..., object]
) -> None:
    policy(failures_per_account=1000)
    who, totp, _, _ = await enrol()
    code = totp.at(noon + timedelta(minutes=1))
    challenges = [await challenge(bus, who) for _ in range(50)]
    outcomes = await asyncio.gather(*(verify(bus, one, code) for one in challenges), return_exceptions=True)
    assert [type(one) for one in outcomes].count(Opened) == 1
    assert [type(one) for one in outcomes].count(WrongCode) == 49


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_t007_one_step_early_or_late_is_taken_and_no_more(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, clock: MovableClock, noon: datetime, steps: int, right: bool
) -> None:
    who, totp, _, _ = await enrol()
    now = noon + timedelta(minutes=5)
    clock.set(now)
    posed = await challenge(bus, who)
    code = totp.at(now + timedelta(seconds=30 * steps))
    if right:
        assert await verify(bus, posed, code)
    else:
        with pytest.raises(WrongCode):
            await verify(bus, posed, code)


async def test_t007_five_failures_void_the_challenge_and_ten_close_the_account(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, noon: datetime
) -> None:
    who, totp, _, _ = await enrol()
    right = totp.at(noon + timedelta(minutes=1))
    for _ in range(2):
        posed = await challenge(bus, who)
        for _ in range(5):
            with pytest.raises(WrongCode):
                await verify(bus, posed, "000000" if right != "000000" else "000001")
        with pytest.raises(ChallengeOver):
            await verify(bus, posed, right)
    with pytest.raises(TooManyAttempts):
        await verify(bus, await challenge(bus, who), right)


async def test_t007_a_challenge_lasts_five_minutes_and_serves_once(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    who, totp, _, _ = await enrol()
    posed, late = await challenge(bus, who), await challenge(bus, who)
    await verify(bus, posed, totp.at(noon + timedelta(minutes=1)))
    with pytest.raises(ChallengeOver):
        await verify(bus, posed, totp.at(noon + timedelta(minutes=1, seconds=30)))
    clock.set(noon + timedelta(minutes=6, seconds=1))
    with pytest.raises(ChallengeOver):
        await verify(bus, late, totp.at(noon + timedelta(minutes=6)))


async def test_t007_a_code_of_another_person_is_wrong(
    enrol: Callable[..., Awaitable[Enrolled]], bus: Bus, noon: datetime
) -> None:
    who, _, _, _ = await enrol()
    _, other, codes, _ = await enrol()
    for code in (other.at(noon + timedelta(minutes=1)), codes.codes[0]):
        with pytest.raises(WrongCode):
            await verify(bus, await challenge(bus, who), code)


async def test_t007_each_recovery_code_serves_once_and_a_new_set_voids_the_old(
    enrol: Callable[..., Awaitable[Enrolled]],
    bus: Bus,
    behind: Behind,
    policy: Callable[..., object],
    organisation: object,
) -> None:
    policy(failures_per_account=1000)
    who, _, codes, _ = await enrol()
    posed = [await challenge(bus, who) for _ in range(20)]
    outcomes = await asyncio.gather(
        *(verify(bus, one, codes.codes[3].lower()) for one in posed), return_exceptions=True
    )
    won = [one for one in outcomes if isinstance(one, Opened)]
    assert len(won) == 1
    found = await behind(won[0].token)
    assert found is not None
    fresh: RecoveryCodes = await bus.ask(RegenerateRecoveryCodes(password=PASSWORD), found.caller)
    with pytest.raises(WrongCode):
        await verify(bus, await challenge(bus, who), codes.codes[0])
    assert await verify(bus, await challenge(bus, who), fresh.codes[0])
    async with bus.reading("identity", organisation) as tx:  # type: ignore[arg-type]
        kept = {
            row["hash"] for row in await tx.fetch("SELECT hash FROM recovery_codes WHERE account = $1", who.account)
        }
    assert len(kept) == 10
    assert not any(code.encode() in hash for code in fresh.codes for hash in kept)


async def test_it_is_neither_set_up_nor_removed_without_the_password(
    enrol: Callable[..., Awaitable[Enrolled]], person: Make, enter: Enter, behind: Behind, bus: Bus, noon: datetime
) -> None:
    plain = await behind((await enter(await person())).token)
    assert plain is not None
    with pytest.raises(WrongPassword):
        await bus.ask(EnrolTotp(password="a stolen session only"), plain.caller)
    with pytest.raises(FactorMissing):
        await bus.ask(ConfirmTotp(code="123456"), plain.caller)
    who, totp, codes, _ = await enrol()
    found = await behind(codes.token)
    assert found is not None
    with pytest.raises(WrongPassword):
        await bus.ask(RemoveTotp(password="a stolen session only", code=totp.at(noon)), found.caller)
    await bus.ask(RemoveTotp(password=PASSWORD, code=totp.at(noon + timedelta(minutes=1))), found.caller)
    assert isinstance(await enter(who), Opened)


async def test_a_role_that_demands_it_may_do_nothing_else_until_it_is_set_up(
    person: Make,
    enter: Enter,
    behind: Behind,
    bus: Bus,
    policy: Callable[..., object],
    clock: MovableClock,
    noon: datetime,
) -> None:
    policy(second_factor_demanded=True)
    clock.set(noon)
    opened = await enter(await person("DOCTOR"))
    assert opened.must_enrol
    found = await behind(opened.token)
    assert found is not None
    assert found.caller.permissions == {"identity.read_self", "identity.change_self"}
    made: TotpSecret = await bus.ask(EnrolTotp(password=PASSWORD), found.caller)
    codes: RecoveryCodes = await bus.ask(ConfirmTotp(code=pyotp.TOTP(made.secret).at(noon)), found.caller)
    after = await behind(codes.token)
    assert after is not None
    assert "staff.read" in after.caller.permissions
    clock.set(noon + timedelta(minutes=1))
    with pytest.raises(FactorDemanded):
        await bus.ask(RemoveTotp(password=PASSWORD, code=pyotp.TOTP(made.secret).at(noon)), after.caller)
    assert not (await enter(await person("NURSE"))).must_enrol


async def test_an_administrator_resets_a_lost_one_and_ends_the_sessions(
    enrol: Callable[..., Awaitable[Enrolled]], enter: Enter, behind: Behind, bus: Bus, admin: Caller
) -> None:
    who, _, codes, _ = await enrol()
    await bus.handle(ResetSecondFactor(account_id=who.account), admin)
    assert await behind(codes.token) is None
    assert isinstance(await enter(who), Opened)
