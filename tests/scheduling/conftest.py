"""A small clinic: patients and practitioners made through their own rooms' commands."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.scheduling.commands import ScheduleAppointment
from salerno.contexts.staff.commands import AddStaffMember, SetWorkingHours, WeeklyHours
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller, Receipt

FAMILIES = ("Rossi", "Bianchi", "Esposito", "Ferrari", "Romano", "Gallo", "Costa", "Fontana", "Conti", "Ricci")


class Clinic:
    """Who is there, and a short way to book."""

    def __init__(self, bus: Bus, admin: Caller, desk: Caller) -> None:
        self.bus, self.admin, self.desk = bus, admin, desk
        self.place = uuid4()
        self._patients = 0

    async def patient(self, name: str = "") -> UUID:
        self._patients += 1
        number = self._patients
        family = f"{FAMILIES[number % 10]} {FAMILIES[number // 10 % 10]}{'abcdefghij'[number // 100 % 10]}"
        wish = RegisterPatient(
            full_name=name or f"Ada {family}",
            date_of_birth=date(1930 + number % 90, 1 + number % 12, 1 + number % 28),
            confirmed_not_duplicate=True,
        )
        return (await self.bus.handle(wish, self.desk)).aggregate_id

    async def practitioner(self, *, hours: tuple[str, str] | None = ("09:00", "17:00"), specialty: str = "") -> UUID:
        wish = AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR", specialty=specialty)
        staff = (await self.bus.handle(wish, self.admin)).aggregate_id
        if hours:
            week = tuple(WeeklyHours(weekday=day, start=hours[0], end=hours[1]) for day in range(5))
            wish_hours = SetWorkingHours(
                staff_id=staff, location_id=self.place, hours=week, timezone="Europe/Rome", valid_from=date(2026, 1, 1)
            )
            await self.bus.handle(wish_hours, self.admin)
            await self.bus.settled()
        return staff

    async def book(self, patient: UUID, practitioner: UUID, at: Any, **more: Any) -> Receipt:
        wish = ScheduleAppointment(patient_id=patient, doctor_id=practitioner, appointment_datetime=at, **more)
        return await self.bus.handle(wish, self.desk)


@pytest.fixture
async def clinic(bus: Bus, admin: Caller, receptionist: Caller) -> Clinic:
    return Clinic(bus, admin, receptionist)


Making = Callable[..., Awaitable[UUID]]
