"""Coming in with a password and going out again, on a real database."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import perf_counter, process_time
from uuid import uuid4

import bcrypt
import pytest
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import (
    ChangePassword,
    CreateUser,
    DeactivateUser,
    EndMySession,
    EndMySessions,
    EndUserSessions,
    FoundCaller,
    MySessions,
    Opened,
    Refresh,
    ResolveBearer,
    SignIn,
    SignOut,
    UnlockUser,
)
from salerno.contexts.identity.errors import (
    AccountNotReady,
    EmailTaken,
    PasswordRefused,
    RefreshRefused,
    TooManyAttempts,
    WrongCredentials,
    WrongPassword,
)
from salerno.contexts.identity.handlers.accounts import Credential
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
NEW = "seven herons cross the marsh at dusk"


async def wrong(bus: Bus, email: str, times: int = 1, address: str = "203.0.113.9", **more: str) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=email, password="wrong horse", **more), replaced(address))


def replaced(address: str) -> Caller:
    return Caller(actor=NOBODY.actor, organisation=NOBODY.organisation, address=address)


async def test_the_right_password_opens_a_session_with_the_permissions_of_the_role(
    person: Make, enter: Enter, behind: Behind, admin: Caller
) -> None:
    nurse = await person("NURSE", language="it")
    opened = await enter(nurse)
    found = await behind(opened.token)
    assert found is not None
    assert found.caller.actor == nurse.account
    assert found.caller.organisation == admin.organisation == opened.user.hospital_id
    assert found.caller.role == "NURSE"
    assert found.caller.name == "Ada Verdi"
    assert "identity.read_self" in found.caller.permissions
    assert "identity.create_user" not in found.caller.permissions
    assert found.caller.session == opened.session
    assert found.language == "it"
    assert len(opened.token) >= 43
    assert opened.access_token == ""


async def test_case_width_and_spaces_of_the_address_do_not_matter(person: Make, enter: Enter, bus: Bus) -> None:
    nurse = await person()
    odd = Person(nurse.account, f"  {nurse.email.upper()} ".replace("A", "\uff21"))
    assert (await enter(odd)).user.user_id == nurse.account


async def test_one_address_has_one_account_in_the_whole_installation(
    person: Make, bus: Bus, caller: Callable[..., Caller]
) -> None:
    taken = await person()
    elsewhere = caller("ADMIN", organisation_id=uuid4())
    wish = CreateUser(email=taken.email.upper(), password=PASSWORD, full_name="Another", role="NURSE")
    with pytest.raises(EmailTaken):
        await bus.handle(wish, elsewhere)


async def test_wrong_missing_and_deactivated_are_told_apart_only_by_who_knows_the_password(
    person: Make, enter: Enter, bus: Bus, admin: Caller
) -> None:
    gone = await person()
    await bus.handle(DeactivateUser(account_id=gone.account), admin)
    await wrong(bus, gone.email)
    await wrong(bus, f"{uuid4().hex}@example.com")
    with pytest.raises(AccountNotReady):
        await enter(gone)


async def test_t003_a_missing_account_takes_as_long_and_says_the_same(
    person: Make, bus: Bus, policy: Callable[..., SignInPolicy]
) -> None:
    policy(floor=timedelta(milliseconds=150), failures_per_account=1000, failures_per_address=10_000)
    there, missing = (await person()).email, f"{uuid4().hex}@example.com"
    took: dict[str, list[float]] = {there: [], missing: []}
    said = set()
    for nth in range(30):
        email = (there, missing)[nth % 2]
        started = perf_counter()
        with pytest.raises(WrongCredentials) as refused:
            await bus.ask(SignIn(email=email, password="wrong horse"), NOBODY)
        took[email].append(perf_counter() - started)
        said.add((refused.value.code, str(refused.value), str(refused.value.details)))
    assert len(said) == 1
    above = sum(a > b for a in took[there] for b in took[missing]) / (15 * 15)
    assert 0.2 < above < 0.8 or abs(statistics.median(took[there]) - statistics.median(took[missing])) < 0.002


async def test_t005_after_ten_failures_the_account_is_closed_whatever_address_they_come_from(
    person: Make, enter: Enter, bus: Bus, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    victim = await person()
    known = (await enter(victim)).device
    for nth in range(10):
        await wrong(bus, (victim.email, victim.email.upper())[nth % 2], address=f"198.51.100.{nth}")
    with pytest.raises(TooManyAttempts) as refused:
        await enter(victim)
    assert 1 <= refused.value.details["retry_after"] <= 301
    assert (await enter(victim, device=known)).user.user_id == victim.account
    clock.set(noon + timedelta(minutes=5, seconds=1))
    assert (await enter(victim)).user.user_id == victim.account


async def test_t005_failures_at_once_are_counted_before_they_are_verified(person: Make, bus: Bus) -> None:
    victim = await person()
    tries = [bus.ask(SignIn(email=victim.email, password=f"guess {n}"), NOBODY) for n in range(30)]
    outcomes = [type(outcome) for outcome in await asyncio.gather(*tries, return_exceptions=True)]
    assert outcomes.count(WrongCredentials) == 10
    assert outcomes.count(TooManyAttempts) == 20


async def test_t005_one_password_over_many_accounts_closes_the_place_it_comes_from(
    bus: Bus, policy: Callable[..., SignInPolicy]
) -> None:
    policy(failures_per_address=5)
    place = f"192.0.2.{uuid4().int % 250}-{uuid4().hex}"
    for nth in range(5):
        await wrong(bus, f"{nth}-{uuid4().hex}@example.com", address=place)
    with pytest.raises(TooManyAttempts):
        await bus.ask(SignIn(email=f"{uuid4().hex}@example.com", password="wrong horse"), replaced(place))


async def test_t005_a_hundred_failures_in_a_row_close_the_account_until_it_is_unlocked(
    person: Make,
    enter: Enter,
    bus: Bus,
    admin: Caller,
    clock: MovableClock,
    noon: datetime,
    policy: Callable[..., object],
) -> None:
    policy(failures_in_a_row=12)
    clock.set(noon)
    victim = await person()
    await wrong(bus, victim.email, times=10)
    clock.set(noon + timedelta(minutes=6))
    await wrong(bus, victim.email, times=2)
    clock.set(noon + timedelta(minutes=60))
    with pytest.raises(TooManyAttempts):
        await enter(victim)
    await bus.handle(UnlockUser(account_id=victim.account), admin)
    assert (await enter(victim)).user.user_id == victim.account


async def test_t004_a_huge_password_is_refused_without_hashing(bus: Bus) -> None:
    started = process_time()
    with pytest.raises(PasswordRefused):
        await bus.ask(SignIn(email="a@example.com", password="x" * 100_000), NOBODY)
    assert process_time() - started < 0.05


async def test_t004_composed_and_decomposed_accents_are_one_password(person: Make, enter: Enter) -> None:
    nurse = await person(password="perché così è più giù che su")
    assert await enter(nurse, "perche\u0301 cosi\u0300 e\u0300 piu\u0300 giu\u0300 che su")


async def test_t004_every_character_counts(person: Make, bus: Bus) -> None:
    long = "a violet boat and nine grey stones lie quietly under the old bridge of Vietri, 73"
    nurse = await person(password=long)
    for other in (long[:72] + "X" + long[73:], long[:-1] + "4", long + " "):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=nurse.email, password=other), NOBODY)


async def test_t004_hashes_are_argon2id_and_sealed_and_an_older_bcrypt_hash_is_replaced_at_sign_in(
    person: Make, enter: Enter, bus: Bus, organisation: object
) -> None:
    nurse = await person()
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    async with bus.reading("identity", organisation) as tx:  # type: ignore[arg-type]
        sealed = await tx.seal_doc("credentials", nurse.account, nurse.account, Credential(old))
        await tx.run("UPDATE credentials SET doc = $2 WHERE id = $1", nurse.account, sealed)
    await enter(nurse)
    async with bus.reading("identity", organisation) as tx:  # type: ignore[arg-type]
        rows = await tx.fetch("SELECT id, subject, doc FROM credentials WHERE id = $1", nurse.account)
        (kept,) = await tx.open_docs("credentials", rows, Credential)
    assert kept.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert b"argon2" not in rows[0]["doc"]
    assert await enter(nurse)


async def test_hashing_does_not_hold_up_the_loop(person: Make, enter: Enter) -> None:
    nurse = await person()
    longest, stop = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not stop.is_set():
            started = perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, perf_counter() - started)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(enter(nurse) for _ in range(6)))
    stop.set()
    await watching
    assert longest < 0.15


async def test_t012_only_a_person_keeps_a_session_alive(
    person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    clock.set(noon + timedelta(minutes=14))
    assert await behind(opened.token, by_a_person=False)
    clock.set(noon + timedelta(minutes=15, seconds=1))
    assert await behind(opened.token) is None


async def test_t012_an_active_session_ends_after_twelve_hours(
    person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    opened = await enter(await person())
    for minutes in range(9, 12 * 60, 9):
        clock.set(noon + timedelta(minutes=minutes))
        assert await behind(opened.token)
    clock.set(noon + timedelta(hours=12, seconds=1))
    assert await behind(opened.token) is None


async def test_t013_a_token_is_new_at_each_sign_in_and_at_a_change_of_password(
    person: Make, enter: Enter, behind: Behind, bus: Bus
) -> None:
    nurse = await person()
    first = await enter(nurse)
    second = await enter(nurse, previous=first.token)
    assert await behind(first.token) is None
    found = await behind(second.token)
    assert found is not None
    changed: Opened = await bus.ask(ChangePassword(current=PASSWORD, new=NEW), found.caller)
    assert await behind(second.token) is None
    again = await behind(changed.token)
    assert again is not None
    assert again.caller.session == found.caller.session
    assert again.csrf != found.csrf
    with pytest.raises(WrongCredentials):
        await enter(nurse)
    assert await enter(nurse, NEW)


async def test_a_changed_password_needs_the_present_one(person: Make, enter: Enter, behind: Behind, bus: Bus) -> None:
    found = await behind((await enter(await person())).token)
    assert found is not None
    with pytest.raises(WrongPassword):
        await bus.ask(ChangePassword(current="not it at all", new=NEW), found.caller)


async def test_t014_signing_out_ends_cookie_access_token_and_refresh_token(
    person: Make, enter: Enter, behind: Behind, bus: Bus
) -> None:
    nurse = await person()
    web, api = await enter(nurse), await enter(nurse, kind="api")
    by_token: FoundCaller = await bus.ask(ResolveBearer(token=api.access_token), NOBODY)
    by_cookie = await behind(web.token)
    assert by_cookie is not None
    await bus.ask(SignOut(), by_token.caller)
    assert await bus.ask(ResolveBearer(token=api.access_token), NOBODY) is None
    with pytest.raises(RefreshRefused):
        await bus.ask(Refresh(refresh_token=api.refresh_token), NOBODY)
    assert await behind(web.token)
    await bus.ask(SignOut(), by_cookie.caller)
    assert await behind(web.token) is None


async def test_t014_a_deactivated_account_is_out_everywhere_at_once(
    person: Make, enter: Enter, behind: Behind, bus: Bus, admin: Caller
) -> None:
    nurse = await person()
    web, api = await enter(nurse), await enter(nurse, kind="password")
    await bus.handle(DeactivateUser(account_id=nurse.account, reason="left"), admin)
    assert await behind(web.token) is None
    assert await bus.ask(ResolveBearer(token=api.access_token), NOBODY) is None


async def test_the_owner_sees_and_ends_sessions_one_or_all(
    person: Make, enter: Enter, behind: Behind, bus: Bus, admin: Caller
) -> None:
    nurse = await person()
    here, there, third = await enter(nurse, agent="Firefox"), await enter(nurse), await enter(nurse)
    found = await behind(here.token)
    assert found is not None
    lines = await bus.ask(MySessions(), found.caller)
    assert {line.session for line in lines} == {here.session, there.session, third.session}
    assert [line.agent for line in lines if line.current] == ["Firefox"]
    assert {line.address for line in lines} == {"203.0.113.9"}
    await bus.ask(EndMySession(session_id=there.session), found.caller)
    assert await behind(there.token) is None
    assert await behind(third.token)
    await bus.ask(EndMySessions(), found.caller)
    assert await behind(third.token) is None
    assert await behind(here.token)
    await bus.handle(EndUserSessions(account_id=nurse.account), admin)
    assert await behind(here.token) is None


async def test_nobody_ends_another_persons_session(person: Make, enter: Enter, behind: Behind, bus: Bus) -> None:
    mine, theirs = await enter(await person()), await enter(await person())
    found = await behind(mine.token)
    assert found is not None
    await bus.ask(EndMySession(session_id=theirs.session), found.caller)
    assert await behind(theirs.token)
