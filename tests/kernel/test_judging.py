"""What explains a decision must be what decides it: the same messages, callers and charts put to both."""

import random
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import msgspec
from tests.conftest import permissions_of
from tests.kernel.test_permits import SomeWards

from salerno.kernel.bus import Bus
from salerno.kernel.errors import Refused
from salerno.kernel.messages import Caller, Command, Disclosure, Query
from salerno.kernel.permits import NAMED
from salerno.kernel.wards import reads_as_patient

ROLES = ("SUPER_ADMIN", "ADMIN", "DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST", "LAB_TECHNICIAN", "PATIENT")
ROUNDS = 4000


class Item:
    """As much of a recorded event as is asked for: about whom it is."""

    def __init__(self, subject: UUID) -> None:
        self.subject = subject


class WardsOfBoth(SomeWards):
    """Beside those in care, these are of the caller's location."""

    def __init__(self) -> None:
        super().__init__()
        self.here: set[UUID] = set()

    async def reach(self, caller: Caller, conditions: Collection[str], subjects: Collection[UUID]) -> bool:
        met = (self.cared_for if "care" in conditions else set()) | (self.here if "location" in conditions else set())
        return met.issuperset(subjects)

    async def within(self, caller: Caller, conditions: Collection[str]) -> frozenset[UUID]:
        met = (self.cared_for if "care" in conditions else set()) | (self.here if "location" in conditions else set())
        return frozenset(met)


async def verdict(bus: Bus, message: type[Command] | type[Query], caller: Caller, patient: UUID | None) -> bool:
    """What the bus does, from the permission to what is written or answered about this chart."""
    permits, needs = bus.permits, bus.needs(message)
    wish: Any = stand_in(message, patient)
    try:
        passed = await permits.permit(wish, caller)
        if patient is None:
            return True
        if issubclass(message, Command):
            await permits.check_written(wish, caller, passed, [Item(patient)])  # type: ignore[list-item]
        elif needs.opens is not None:
            await permits.check_answer(wish, caller, passed, Disclosure(value=None, subjects=[patient]))
    except Refused:
        return False
    return True


def stand_in(message: type[Command] | type[Query], patient: UUID | None) -> Any:
    """A message of this type that says nothing but whom it is about: before a rule is asked, no more is looked at."""
    said: dict[str, Any] = dict.fromkeys(one.name for one in msgspec.structs.fields(message) if one.required)
    return message(**said | {name: patient for name in NAMED if name in message.__struct_fields__})


async def test_what_is_judged_is_what_the_bus_does_for_any_caller_message_and_chart(bus: Bus, doctor: Caller) -> None:
    chance, wards = random.Random(20261122), WardsOfBoth()
    patients = [uuid4() for _ in range(6)]
    messages = [*bus.commands().values(), *bus.queries().values()]
    names = sorted(bus.permissions())
    before, bus.permits.wards = bus.permits.wards, wards
    seen: dict[tuple[bool, bool], int] = {}
    try:
        for _ in range(ROUNDS):
            wards.hidden = frozenset(chance.sample(patients, 1))
            wards.cared_for, wards.here = set(chance.sample(patients, 2)), set(chance.sample(patients, 2))
            message, patient = chance.choice(messages), chance.choice([*patients, None])
            caller = msgspec.structs.replace(
                doctor, permissions=some_rights(chance, names, bus.needs(message).permission),
                subject=chance.choice([*patients, None]),
            )  # fmt: skip
            judged = await bus.permits.judge(message, caller, patient)
            done = await verdict(bus, message, caller, patient)
            assert judged.allowed == done, (
                message.__name__,
                judged,
                sorted(caller.permissions),
                caller.subject,
                patient,
            )
            key = (judged.allowed, bool(judged.reach and not judged.reach.everybody))
            seen[key] = seen.get(key, 0) + 1
    finally:
        bus.permits.wards = before
    assert min(seen.get((yes, limited), 0) for yes in (True, False) for limited in (True, False)) > 100, seen


def some_rights(chance: random.Random, names: list[str], needed: str) -> frozenset[str]:
    """A role's rights, or some by chance; and, mostly, the one that is needed under some condition."""
    held = set(permissions_of(chance.choice(ROLES)) if chance.random() < 0.5 else chance.sample(names, 5))
    held = {name for name in held if name.partition(":")[0] != needed or chance.random() < 0.3}
    if needed and chance.random() < 0.6:
        held |= {f"{needed}:{part}" for part in chance.sample(("own", "care", "location"), chance.randint(1, 3))}
    return frozenset(held)


async def test_a_right_under_a_condition_does_not_make_a_staff_member_read_as_a_patient_does(doctor: Caller) -> None:
    def holding(*permissions: str) -> Caller:
        return msgspec.structs.replace(doctor, permissions=frozenset(permissions))

    assert reads_as_patient(holding("records.read:own"), "records.read")
    assert not reads_as_patient(holding("records.read:own", "records.read:care"), "records.read")
    assert not reads_as_patient(holding("encounters.write:location"), "encounters.read", "encounters.write")
    assert not reads_as_patient(holding("records.read"), "records.read")


async def test_a_right_under_a_condition_carries_to_who_meets_it(bus: Bus, doctor: Caller) -> None:
    wards, mine, theirs = WardsOfBoth(), uuid4(), uuid4()
    wards.cared_for = {mine}
    before, bus.permits.wards = bus.permits.wards, wards
    try:
        limited = msgspec.structs.replace(doctor, permissions=frozenset({"patients.read_contact:care"}))
        assert await bus.permits.carries("patients.read_contact", limited, mine)
        assert not await bus.permits.carries("patients.read_contact", limited, theirs)
        assert not await bus.permits.carries("patients.read_contact", limited, None)
        assert not await bus.permits.carries("patients.read_insurance", limited, mine)
    finally:
        bus.permits.wards = before
