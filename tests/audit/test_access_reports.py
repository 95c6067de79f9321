"""T091: reports of who has looked are complete, narrowed by every datum, on record themselves, and for few."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from salerno.contexts.audit.queries import AccessesOfPatient, AccessEvent, AccessEventById, AccessEvents
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.patients.queries import PatientBanner, PatientById
from salerno.contexts.prescribing.queries import MedicinesOfPatient
from salerno.contexts.records.queries import Allergies, Problems, VitalsOfPatient
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound
from salerno.kernel.messages import Caller, Page, Query
from salerno.kernel.testing import MovableClock

QUESTIONS: tuple[type[Query], ...] = (
    PatientById, PatientBanner, Allergies, Problems, VitalsOfPatient, MedicinesOfPatient,
)  # fmt: skip
LOOKERS = ("DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST")
OTHERS = ("DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST", "LAB_TECHNICIAN")
BEGIN, LOOKS, STEP = datetime(2024, 1, 8, 9, tzinfo=UTC), 120, timedelta(days=14, hours=3)


class Truth(Struct, frozen=True):
    """What a test itself has looked at."""

    at: datetime
    user: UUID
    role: str
    action: str
    category: str
    outcome: str
    patients: tuple[UUID, ...]
    request: str


class Years(Struct, frozen=True):
    """Nearly five years of looks at three charts by four people."""

    patients: list[UUID]
    looks: list[Truth]


@pytest.fixture
async def years(bus: Bus, caller: Callable[..., Caller], admin: Caller, clock: MovableClock) -> Years:
    dice, people = Random(91), [caller(role) for role in LOOKERS]
    clock.set(BEGIN)
    patients = [
        (await bus.handle(RegisterPatient(full_name=name, confirmed_not_duplicate=True), people[2])).aggregate_id
        for name in ("Ada Rossi", "Bea Verdi", "Carla Neri")
    ]
    looks: list[Truth] = []
    for nth in range(LOOKS):
        clock.set(at := BEGIN + (nth + 1) * STEP)
        who, kind, whose = dice.choice(people), dice.choice(QUESTIONS), dice.choice(patients)
        asking = replace(who, request=f"r-{nth}")
        try:
            await bus.ask(kind(patient_id=whose), asking)  # type: ignore[call-arg]
            outcome, about = "disclosed", (whose,)
        except NotAllowed:
            outcome, about = "denied", ()
        category = bus.needs(kind).opens
        assert category is not None
        looks.append(Truth(at, who.actor, who.role, kind.__name__, category, outcome, about, asking.request))
    assert {look.outcome for look in looks} == {"disclosed", "denied"}
    clock.set(BEGIN + (LOOKS + 2) * STEP)
    return Years(patients, looks)


def _as_truth(line: AccessEvent) -> Truth:
    return Truth(
        line.at, line.user_id, line.role, line.action, line.resource_type, line.outcome, tuple(line.patient_ids),
        line.request_id,
    )  # fmt: skip


async def _report(bus: Bus, admin: Caller, **narrowed: Any) -> list[Truth]:
    """Every page of the report of those looks, newest first, without the reports that were asked for themselves."""
    found: list[AccessEvent] = []
    while True:
        query = AccessEvents(limit=50, offset=len(found), until=BEGIN + (LOOKS + 1) * STEP, **narrowed)
        page: Page[AccessEvent] = await bus.ask(query, admin)
        found += page.items
        if len(found) >= page.total:
            break
    assert len({line.id for line in found}) == len(found)
    return [_as_truth(line) for line in found]


async def test_t091_a_report_is_exactly_what_was_looked_at_newest_first(bus: Bus, admin: Caller, years: Years) -> None:
    assert await _report(bus, admin) == years.looks[::-1]
    for patient in years.patients:
        truth = [look for look in years.looks if patient in look.patients]
        assert truth and await _report(bus, admin, patient_id=patient) == truth[::-1]


async def test_t091_it_is_narrowed_by_every_datum_alone_and_together(bus: Bus, admin: Caller, years: Years) -> None:
    for user in {look.user for look in years.looks}:
        assert await _report(bus, admin, user_id=user) == [one for one in years.looks[::-1] if one.user == user]
    for category in {look.category for look in years.looks}:
        truth = [one for one in years.looks[::-1] if one.category == category]
        assert await _report(bus, admin, category=category) == truth
    for outcome in ("disclosed", "denied", "nothing"):
        truth = [one for one in years.looks[::-1] if one.outcome == outcome]
        assert await _report(bus, admin, outcome=outcome) == truth
    since, ada = years.looks[LOOKS // 2].at, years.patients[0]
    assert await _report(bus, admin, since=since) == years.looks[: LOOKS // 2 - 1 : -1]
    one = next(look for look in years.looks[LOOKS // 2 :] if ada in look.patients)
    together = {"user_id": one.user, "category": one.category, "outcome": one.outcome, "since": since}
    assert await _report(bus, admin, patient_id=ada, **together) == [
        look
        for look in years.looks[::-1]
        if (look.user, look.category, look.outcome) == (one.user, one.category, one.outcome)
        and ada in look.patients
        and look.at >= since
    ]


async def test_t091_patients_are_told_of_every_look_at_their_own_chart_and_of_no_other(
    bus: Bus, years: Years, patient_caller: Callable[[UUID], Caller]
) -> None:
    ada, bea = years.patients[:2]
    page = await bus.ask(AccessesOfPatient(patient_id=ada, limit=500), patient_caller(ada))
    told = [(look.at, look.user_id, look.role, tuple(look.actions), tuple(look.categories)) for look in page.items]
    truth = [
        (look.at, look.user, look.role, (look.action,), (look.category,))
        for look in years.looks[::-1]
        if ada in look.patients
    ]
    assert told == truth and page.total == len(truth)
    with pytest.raises(NotFound):
        await bus.ask(AccessesOfPatient(patient_id=bea), patient_caller(ada))


async def test_t091_whoever_asks_for_a_report_is_on_record_too(
    bus: Bus, admin: Caller, years: Years, clock: MovableClock
) -> None:
    ada, now = years.patients[0], clock.now()
    asking = replace(admin, request="report")
    await bus.ask(AccessesOfPatient(patient_id=ada), asking)
    shown = await bus.ask(AccessEvents(patient_id=ada), asking)
    await bus.ask(AccessEventById(event_id=shown.items[0].id), asking)
    await bus.ask(AccessEvents(), asking)
    page = await bus.ask(AccessEvents(user_id=admin.actor, since=now), replace(admin, request="after"))
    assert [(line.action, tuple(line.patient_ids)) for line in page.items] == [
        ("AccessEvents", ()),
        ("AccessEventById", ()),
        ("AccessEvents", (ada,)),
        ("AccessesOfPatient", (ada,)),
    ]


@pytest.mark.parametrize("role", OTHERS)
async def test_t091_a_report_is_refused_to_others_and_the_try_is_on_record(
    bus: Bus, admin: Caller, caller: Callable[..., Caller], role: str
) -> None:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1950, 12, 10), confirmed_not_duplicate=True)
    ada = (await bus.handle(wish, admin)).aggregate_id
    curious = caller(role)
    for query in (AccessesOfPatient(patient_id=ada), AccessEvents(), AccessEvents(patient_id=ada),
                  AccessEventById(event_id=1)):  # fmt: skip
        with pytest.raises(NotAllowed):
            await bus.ask(query, curious)
    page = await bus.ask(AccessEvents(user_id=curious.actor), admin)
    assert [(line.outcome, line.action) for line in page.items] == [
        ("denied", name) for name in ("AccessEventById", "AccessEvents", "AccessEvents", "AccessesOfPatient")
    ]


async def test_t091_a_patient_gets_no_report_of_the_organisation(
    bus: Bus, years: Years, patient_caller: Callable[[UUID], Caller]
) -> None:
    ada = years.patients[0]
    for query in (AccessEvents(), AccessEvents(patient_id=ada), AccessEvents(patient_id=years.patients[1]),
                  AccessEventById(event_id=1)):  # fmt: skip
        with pytest.raises(NotAllowed):
            await bus.ask(query, patient_caller(ada))
