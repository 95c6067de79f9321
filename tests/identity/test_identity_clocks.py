"""T090: no session, code, link or lock is worth more because the clock went back, and none because it jumped."""

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
    SignIn,
    TotpSecret,
    VerifySecondFactor,
)
from salerno.contexts.identity.errors import ChallengeOver, TooManyAttempts, WrongCode, WrongCredentials
from salerno.kernel.bus import Bus
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


async def test_t090_a_session_lives_no_longer_because_the_clock_went_back_or_stood_still(
    person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    due = (await _found(behind, opened)).expires_at
    for moment in (noon - HOUR, noon - HOUR, noon - 10 * HOUR, noon):
        clock.set(moment)
        assert (await _found(behind, opened)).expires_at <= due
    for minutes in range(9, 12 * 60, 9):
        clock.set(noon + timedelta(minutes=minutes))
        assert await behind(opened.token)
    clock.set(noon + 12 * HOUR + SECOND)
    assert await behind(opened.token) is None


async def test_t090_a_clock_that_goes_back_keeps_no_unused_session_alive(
    person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    clock.set(noon - HOUR)
    assert await behind(opened.token)
    clock.set(noon + timedelta(minutes=15) + SECOND)
    assert await behind(opened.token) is None


async def test_t090_a_session_is_over_while_the_clock_is_a_day_ahead(
    person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    clock.set(noon + DAY)
    assert await behind(opened.token) is None


async def _found(behind: Behind, opened: Opened) -> FoundCaller:
    found = await behind(opened.token, by_a_person=True)
    assert found is not None
    return found


@pytest.fixture
async def enrolled(
    person: Make, enter: Enter, behind: Behind, bus: Bus, clock: MovableClock, noon: datetime
) -> tuple[Person, pyotp.TOTP]:
    clock.set(noon)
    who = await person()
    caller = (await _found(behind, await enter(who))).caller
    made: TotpSecret = await bus.ask(EnrolTotp(password=PASSWORD), caller)
    totp = pyotp.TOTP(made.secret)
    await bus.ask(ConfirmTotp(code=totp.at(noon)), caller)
    return who, totp


async def _challenge(bus: Bus, who: Person) -> str:
    posed = await bus.ask(SignIn(email=who.email, password=PASSWORD), NOBODY)
    assert isinstance(posed, ChallengePosed)
    return posed.challenge


async def test_t090_a_used_code_and_those_before_it_stay_used_when_the_clock_goes_back(
    enrolled: tuple[Person, pyotp.TOTP], bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    who, totp = enrolled
    now = noon + timedelta(minutes=10)
    clock.set(now)
    assert await bus.ask(VerifySecondFactor(challenge=await _challenge(bus, who), code=totp.at(now)), NOBODY)
    for back in (timedelta(), timedelta(seconds=30), timedelta(minutes=5)):
        clock.set(now - back)
        posed = await _challenge(bus, who)
        with pytest.raises(WrongCode):
            await bus.ask(VerifySecondFactor(challenge=posed, code=totp.at(now - back)), NOBODY)


async def test_t090_a_challenge_that_served_or_is_over_does_not_come_back_with_the_clock(
    enrolled: tuple[Person, pyotp.TOTP], bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    who, totp = enrolled
    now = noon + timedelta(minutes=10)
    clock.set(now)
    posed = await _challenge(bus, who)
    await bus.ask(VerifySecondFactor(challenge=posed, code=totp.at(now)), NOBODY)
    clock.set(now - timedelta(minutes=5))
    with pytest.raises(ChallengeOver):
        await bus.ask(VerifySecondFactor(challenge=posed, code=totp.at(now + timedelta(seconds=30))), NOBODY)
    clock.set(now)
    late = await _challenge(bus, who)
    clock.set(now + DAY)
    with pytest.raises(ChallengeOver):
        await bus.ask(VerifySecondFactor(challenge=late, code=totp.at(now + DAY)), NOBODY)


async def test_t090_a_closed_account_is_not_opened_by_a_clock_that_goes_back(
    person: Make, bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    who = await person()
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=who.email, password="wrong horse"), NOBODY)
    for moment in (noon, noon - timedelta(minutes=1), noon - HOUR, noon - DAY):
        clock.set(moment)
        with pytest.raises(TooManyAttempts):
            await bus.ask(SignIn(email=who.email, password=PASSWORD), NOBODY)
