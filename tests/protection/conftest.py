"""A ward: members of staff with accounts, patients with something of everything in their charts, and the wards."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.security.world import Chart, chart

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.protection.commands import BreakGlass, RestrictChart
from salerno.contexts.scheduling.commands import ScheduleAppointment
from salerno.contexts.staff.commands import AddStaffMember, SetWorkingHours, WeeklyHours
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller, Receipt

WHY = "She collapsed in the corridor."


class Ward:
    """`colleague` makes somebody of a role with a record of staff and an account that belong together."""

    def __init__(self, bus: Bus, caller: Callable[..., Caller]) -> None:
        self.bus, self.make = bus, caller
        self.chief = caller("SUPER_ADMIN")
        self.staff: dict[UUID, UUID] = {}
        self.hour = 6
        self.author = self.chief

    async def founded(self) -> "Ward":
        wish = RegisterOrganisation(organisation_id=self.chief.organisation, kind="clinic", name="Poliambulatorio")
        await self.bus.handle(wish, self.chief)
        return self

    async def colleague(self, role: str = "DOCTOR") -> Caller:
        member = AddStaffMember(given_name="Ida", family_name=f"Sole {uuid4().hex[:6]}", role=role)
        staff = (await self.bus.handle(member, self.chief)).aggregate_id
        wish = CreateUser(email=f"{uuid4().hex}@example.com", full_name="Ida Sole", role=role, staff_id=staff)
        account = (await self.bus.handle(wish, self.chief)).aggregate_id
        self.staff[account] = staff
        return replace(self.make(role), actor=account)

    async def patient(self, name: str = "") -> UUID:
        wish = RegisterPatient(
            full_name=name or f"Zelda {uuid4().hex[:8]}", date_of_birth=date(1970, 4, 5), confirmed_not_duplicate=True
        )
        return (await self.bus.handle(wish, self.chief)).aggregate_id

    async def restrict(self, patient: UUID, by: Caller | None = None, **more: Any) -> Receipt:
        wish = RestrictChart(patient_id=patient, **{"reason": "vip", **more})
        return await self.bus.handle(wish, by or self.chief)

    async def break_glass(self, patient: UUID, who: Caller, **more: Any) -> UUID:
        wish = BreakGlass(**{"patient_id": patient, "reason": "emergency", "explanation": WHY, **more})
        return (await self.bus.handle(wish, who)).aggregate_id

    async def book(self, patient: UUID, who: Caller, days: int = 1, **more: Any) -> UUID:
        self.hour += 1
        at = datetime.now(UTC).replace(hour=self.hour % 24, minute=0, second=0, microsecond=0) + timedelta(days=days)
        wish = ScheduleAppointment(
            patient_id=patient, doctor_id=self.staff[who.actor], appointment_datetime=at, overbook_reason="test", **more
        )
        return (await self.bus.handle(wish, self.chief)).aggregate_id

    async def works_at(self, who: Caller, place: UUID) -> None:
        hours = tuple(WeeklyHours(weekday=day, start="09:00", end="17:00") for day in range(7))
        wish = SetWorkingHours(
            staff_id=self.staff[who.actor], location_id=place, hours=hours, timezone="Europe/Rome",
            valid_from=date(2026, 1, 1),
        )  # fmt: skip
        await self.bus.handle(wish, self.chief)

    async def whole_chart(self, name: str, hour: int = 0) -> Chart:
        """Its `author` may do everything there is to do."""
        self.author = replace(self.make("DOCTOR"), permissions=frozenset(self.bus.permissions() - {"protection.wards"}))
        return await chart(self.bus, {"DOCTOR": self.author, "ADMIN": self.chief}, name, hour)


@pytest.fixture
async def ward(bus: Bus, caller: Callable[..., Caller]) -> Ward:
    return await Ward(bus, caller).founded()
