"""Failures are counted before anything is verified, in one statement, so that no race gets a free try."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import anyio

from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.email import same
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.addresses import place_of
from salerno.kernel.bus import Bus
from salerno.kernel.clock import stopwatch
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.transactions import Tx


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has been counted: whose account it is about, if any, and whether it may go on."""

    token: int
    home: UUID | None
    account: UUID | None
    allowed: bool
    retry_after: int
    started: float


def policy_of(bus: Bus) -> SignInPolicy:
    found = bus.settings.get(SignInPolicy)
    return found if isinstance(found, SignInPolicy) else SignInPolicy()


async def begin(desk: Desk, email: str, address: str, device: str = "") -> Attempt:
    """Count an attempt on this address's account, and from this place."""
    started, policy = stopwatch(), policy_of(desk.bus)

    async def work(tx: Tx) -> Attempt:
        (token,) = await tx.tokens("login", same(email))
        row = await tx.fetchrow(SQL["login"], token)
        account = row["account"] if row else None
        trusted = account is not None and await is_known_device(tx, device, account, policy)
        wait = await _wait_for(tx, device if trusted else "", token, address, policy)
        return Attempt(token, row["home"] if row else None, account, wait == 0, wait, started)

    return await desk.within(INSTALLATION, work)


async def is_known_device(tx: Tx, device: str, account: UUID, policy: SignInPolicy) -> bool:
    """Whether the account was signed in before by the browser that keeps this token."""
    since = tx.now - policy.known_device
    return bool(device) and bool(await tx.fetchval(SQL["is_known_device"], token_hash(device), account, since))


async def _wait_for(tx: Tx, device: str, token: int, address: str, policy: SignInPolicy) -> int:
    """Seconds to wait, 0 for none. A device of the owner's is counted by itself: others cannot lock it out."""
    if device:
        (own,) = await tx.tokens("device", device)
        return await count(tx, "device", own, policy.failures_per_account, policy)
    waits = [await count(tx, "account", token, policy.failures_per_account, policy)]
    if address:
        (place,) = await tx.tokens("address", place_of(address))
        waits.append(await count(tx, "address", place, policy.failures_per_address, policy, endless=True))
    return max(waits)


async def count(tx: Tx, kind: str, token: int, limit: int, policy: SignInPolicy, *, endless: bool = False) -> int:
    """Count one more try of this kind: 0, or the seconds to wait. `endless` does not mind failures in a row."""
    row = await tx.fetchrow(SQL["count_attempt"], kind, token, tx.now, tx.now - policy.window, limit)
    assert row is not None
    if row["failures"] > limit or (not endless and row["in_a_row"] > policy.failures_in_a_row):
        return max(1, _seconds_left(row["since"], tx.now, policy))
    return 0


def _seconds_left(since: datetime, now: datetime, policy: SignInPolicy) -> int:
    return int((since + policy.window - now).total_seconds()) + 1


async def clear(tx: Tx, kind: str, token: int) -> None:
    await tx.run(SQL["clear_attempts"], kind, token)


async def slow_down(started: float, policy: SignInPolicy) -> None:
    """No failure is answered sooner than another: the time tells nothing about the account."""
    left = policy.floor.total_seconds() - (stopwatch() - started)
    if left > 0:
        await anyio.sleep(left)
