"""A clinic with accounts, and somebody who watches it."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.staff.commands import AddStaffMember
from salerno.contexts.vigilance.handlers.watching import Watchman
from salerno.contexts.vigilance.queries import AlertLine, Alerts
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

Register = Callable[..., Awaitable[UUID]]
Found = Callable[[], Awaitable[list[AlertLine]]]


@pytest.fixture
def register(bus: Bus, receptionist: Caller) -> Register:
    async def make(family: str = "Conti", given: str = "Ada", **more: object) -> UUID:
        wish = RegisterPatient(
            given_name=given, family_name=family, date_of_birth=date(1950, 12, 10), confirmed_not_duplicate=True,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


class Colleagues:
    """Somebody with a record of staff and an account: `await colleague("NURSE", "Rossi", phone="089 555 0123")`."""

    def __init__(self, bus: Bus, admin: Caller, caller: Callable[..., Caller]) -> None:
        self.bus, self.admin, self.caller = bus, admin, caller
        self.staff: dict[UUID, UUID] = {}  # by account

    async def __call__(self, role: str, family: str = "Ferri", phone: str = "") -> Caller:
        member = AddStaffMember(given_name="Ida", family_name=family, role=role, phone=phone)
        staff = (await self.bus.handle(member, self.admin)).aggregate_id
        wish = CreateUser(
            email=f"{uuid4().hex}@example.com", given_name="Ida", family_name=family, role=role, staff_id=staff
        )
        account = (await self.bus.handle(wish, self.admin)).aggregate_id
        self.staff[account] = staff
        return replace(self.caller(role), actor=account)


@pytest.fixture
def colleague(bus: Bus, admin: Caller, caller: Callable[..., Caller]) -> Colleagues:
    return Colleagues(bus, admin, caller)


@pytest.fixture
def found(bus: Bus, admin: Caller) -> Found:
    """Every alert of this test's organisation, once the watchman has seen all that was looked at."""

    async def look() -> list[AlertLine]:
        await bus.settled()
        await Watchman(bus).drain()
        return list((await bus.ask(Alerts(limit=200), admin)).items)

    return look
