"""People with accounts, and a door to sign in by."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from salerno.contexts.identity.commands import CreateUser, FoundCaller, Opened, ResolveSession, SignIn
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"
NOBODY = Caller(actor=UUID(int=0), organisation=UUID(int=0), address="203.0.113.9")


@dataclass(frozen=True)
class Person:
    account: UUID
    email: str


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[Callable[..., SignInPolicy]]:
    """Without floor and demanded factor, unless a test asks: `policy(second_factor_demanded=True)`."""
    relaxed = SignInPolicy(second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000)

    def change(**changes: object) -> SignInPolicy:
        bus.settings[SignInPolicy] = replace(relaxed, **changes)  # type: ignore[arg-type]
        return bus.settings[SignInPolicy]  # type: ignore[no-any-return]

    change()
    yield change
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
def person(bus: Bus, admin: Caller) -> Callable[..., Awaitable[Person]]:
    async def make(role: str = "NURSE", password: str | None = PASSWORD, by: Caller = admin, **more: object) -> Person:
        email = f"{uuid4().hex[:12]}@example.com"
        wish = CreateUser(email=email, password=password, full_name="Ada Verdi", role=role, **more)  # type: ignore[arg-type]
        receipt = await bus.handle(wish, by)
        return Person(receipt.aggregate_id, email)

    return make


@pytest.fixture
def enter(bus: Bus) -> Callable[..., Awaitable[Opened]]:
    async def sign_in(who: Person, password: str = PASSWORD, kind: str = "web", **more: object) -> Opened:
        wish = SignIn(email=who.email, password=password, kind=kind, **more)  # type: ignore[arg-type]
        opened: Opened = await bus.ask(wish, NOBODY)
        return opened

    return sign_in


@pytest.fixture
def behind(bus: Bus) -> Callable[..., Awaitable[FoundCaller | None]]:
    """Who is behind a cookie's token."""

    async def resolve(token: str, by_a_person: bool = True) -> FoundCaller | None:
        found: FoundCaller | None = await bus.ask(
            ResolveSession(token_hash=token_hash(token), user_initiated=by_a_person), NOBODY
        )
        return found

    return resolve


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 3, 2, 12, tzinfo=UTC)
