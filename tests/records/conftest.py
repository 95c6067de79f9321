"""A patient of this test's organisation, and a visit."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

import pytest

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.patients.commands import RegisterPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


@pytest.fixture
def register(bus: Bus, receptionist: Caller) -> Callable[..., Awaitable[UUID]]:
    async def make(name: str = "Ada Lovelace", born: date = date(1950, 12, 10), gender: str = "female") -> UUID:
        wish = RegisterPatient(full_name=name, date_of_birth=born, gender=gender, confirmed_not_duplicate=True)
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


@pytest.fixture
async def ada(register: Callable[..., Awaitable[UUID]]) -> UUID:
    return await register()


@pytest.fixture
async def visit(bus: Bus, doctor: Caller, ada: UUID) -> UUID:
    started = StartVisit(patient_id=ada, practitioner_id=doctor.actor, reason="cough")
    return (await bus.handle(started, doctor)).aggregate_id
