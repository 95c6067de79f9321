"""What people look at, judged on a real database: how much, whose, and when."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.vigilance.conftest import Colleagues, Found, Register

from salerno.contexts.audit.queries import AccessEvents
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.queries import FindPatients, ListPatients, PatientBanner, PatientById, PatientNames
from salerno.contexts.records.queries import Allergies, Problems
from salerno.contexts.scheduling.commands import ScheduleAppointment
from salerno.contexts.staff.commands import SetWorkingHours, WeeklyHours
from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.errors import AboutYourself, NoSuchAlert
from salerno.contexts.vigilance.handlers import watching
from salerno.contexts.vigilance.handlers.looks import OPEN_A_CHART, judge
from salerno.contexts.vigilance.handlers.watching import Watchman
from salerno.contexts.vigilance.queries import AlertById, AlertLine, Alerts, MyAlerts
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.kernel.bus import Bus
from salerno.kernel.following import Follower, Look
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock
from salerno.kernel.transactions import Tx

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _watchful(bus: Bus) -> Iterator[None]:
    yield
    bus.settings.pop(Watchfulness, None)


def told(alerts: list[AlertLine]) -> list[tuple[str, UUID, UUID | None]]:
    return [(one.kind, one.account_id, one.patient_id) for one in alerts]


# ------------------------------------------------------------------ how much
async def test_t100_five_hundred_charts_in_ten_minutes_raise_one_alert_that_names_who_and_why(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, admin: Caller
) -> None:
    nurse = await colleague("NURSE")
    charts = [await register(f"Conti{nth}") for nth in range(100)]
    charts += [uuid4() for _ in range(400)]  # as far as the access log goes, any chart is one
    await bus.settled()
    for nth, chart in enumerate(charts):
        clock.set(MONDAY + timedelta(seconds=1.1 * nth))
        await bus.access_log.record(nurse, "PatientById", "demographics", "disclosed", [chart])
    began = time.monotonic()
    (alert,) = await found()
    assert time.monotonic() - began < 60 - watching.LOOK_EVERY
    assert (alert.kind, alert.account_id, alert.role, alert.status) == ("bulk-reads", nurse.actor, "NURSE", "open")
    assert (alert.count, alert.since, alert.at) == (61, MONDAY, MONDAY + timedelta(seconds=66))
    assert await found() == [alert]
    mine = await bus.ask(MyAlerts(), nurse)
    assert [one.alert_id for one in mine] == [alert.alert_id]
    assert await bus.ask(MyAlerts(), admin) == []


async def test_lists_searches_refusals_and_patients_themselves_open_no_charts(
    bus: Bus, register: Register, colleague: Colleagues, patient_caller: Callable[[UUID], Caller], found: Found
) -> None:
    bus.settings[Watchfulness] = Watchfulness(bulk_charts=2)
    nurse = await colleague("NURSE")
    charts = [await register(f"Conti{nth}") for nth in range(6)]
    await bus.settled()
    for chart in charts:
        await bus.ask(PatientNames(patient_ids=(chart,)), nurse)
        await bus.ask(Problems(patient_id=chart), patient_caller(chart))
        await bus.access_log.record(nurse, "Problems", "clinical", "denied")
        await bus.access_log.record(nurse, "UnsignedNotes", "clinical", "disclosed", charts)
    await bus.ask(FindPatients(q="Conti"), nurse)
    await bus.ask(ListPatients(limit=50), nurse)
    assert await found() == []
    for chart in charts[:3]:
        await bus.ask(Problems(patient_id=chart), nurse)
    assert told(await found()) == [("bulk-reads", nurse.actor, None)]


def test_the_questions_that_open_a_chart_are_there(bus: Bus) -> None:
    assert {query.__name__ for query in bus.queries().values()} >= OPEN_A_CHART
    assert all(bus.needs(query).opens == "demographics" for query in (PatientBanner, PatientById))


# ------------------------------------------------------------------ whose
async def test_t100_a_chart_of_the_same_family_name_that_nothing_explains_raises_one_alert_a_day(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found
) -> None:
    clock.set(MONDAY)
    nurse = await colleague("NURSE", "De Luca")
    relative, stranger = await register("Deluca"), await register("Conti")
    clock.set(MONDAY + timedelta(days=10))
    for _ in range(3):
        for chart in (relative, stranger):
            await bus.ask(Allergies(patient_id=chart), nurse)
    (alert,) = await found()
    assert told([alert]) == [("own-family", nurse.actor, relative)]
    assert tuple(alert.reasons) == ("family-name",)
    clock.set(MONDAY + timedelta(days=11, minutes=1))
    await bus.ask(Allergies(patient_id=relative), nurse)
    assert len(await found()) == 2


async def test_a_namesake_with_an_appointment_is_a_patient_like_any_other(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, receptionist: Caller
) -> None:
    clock.set(MONDAY)
    nurse, namesake = await colleague("NURSE", "Rossi"), await register("Rossi")
    doctor = await colleague("DOCTOR", "Bianchi")
    await bus.settled()
    wish = ScheduleAppointment(
        patient_id=namesake, doctor_id=colleague.staff[doctor.actor], appointment_datetime=MONDAY + timedelta(days=30),
        visit_type="consultation", overbook_reason="test",
    )  # fmt: skip
    await bus.handle(wish, receptionist)
    clock.set(MONDAY + timedelta(days=29))
    await bus.ask(Allergies(patient_id=namesake), nurse)
    assert await found() == []
    clock.set(MONDAY + timedelta(days=45))
    await bus.ask(Allergies(patient_id=namesake), nurse)
    assert told(await found()) == [("own-family", nurse.actor, namesake)]


async def test_the_same_telephone_is_worth_a_look_even_on_the_day_of_the_visit(
    bus: Bus, register: Register, colleague: Colleagues, found: Found
) -> None:
    desk = await colleague("RECEPTIONIST", "Bianchi", phone="+39 089 555 0123")
    await bus.ask(PatientBanner(patient_id=await register("Conti", phone="089 5550123")), desk)
    (alert,) = await found()
    assert (alert.kind, tuple(alert.reasons)) == ("own-family", ("phone",))


# ------------------------------------------------------------------ when
async def test_clinical_charts_far_outside_of_ones_working_hours_raise_one_alert_a_night(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, admin: Caller
) -> None:
    clock.set(MONDAY - timedelta(days=30))
    nurse, other, chart = await colleague("NURSE"), await colleague("NURSE", "Gallo"), await register()
    week = tuple(WeeklyHours(weekday=day, start="08:00", end="14:00") for day in range(5))
    wish = SetWorkingHours(
        staff_id=colleague.staff[nurse.actor], location_id=uuid4(), hours=week, timezone="Europe/Rome",
        valid_from=date(2026, 1, 1),
    )  # fmt: skip
    await bus.handle(wish, admin)
    for moment in (MONDAY, MONDAY.replace(hour=14, minute=59)):
        clock.set(moment)
        await bus.ask(Allergies(patient_id=chart), nurse)
    assert await found() == []
    for hour in (20, 21, 23):
        clock.set(MONDAY.replace(hour=hour))
        await bus.ask(PatientBanner(patient_id=chart), nurse)  # names and dates are no clinical content
        await bus.ask(Allergies(patient_id=chart), nurse)
        await bus.ask(Allergies(patient_id=chart), other)  # whose hours nobody has planned
    (alert,) = await found()
    assert told([alert]) == [("after-hours", nurse.actor, chart)]
    assert alert.at == MONDAY.replace(hour=20)


async def test_where_nobody_has_working_hours_the_night_of_the_practice_counts(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, admin: Caller
) -> None:
    clock.set(MONDAY - timedelta(days=30))
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    wish = RegisterOrganisation(name="Studio", kind="clinic", organisation_id=admin.organisation, country="IT")
    await bus.handle(wish, above)
    doctor, chart = await colleague("DOCTOR"), await register()
    for hour in (20, 21):  # in Rome an hour later
        clock.set(MONDAY.replace(hour=hour))
        await bus.ask(Problems(patient_id=chart), doctor)
    assert [(one.kind, one.at) for one in await found()] == [("after-hours", MONDAY.replace(hour=21))]


# ------------------------------------------------------------------ ordinary days
async def test_t100_ordinary_days_raise_next_to_nothing(
    bus: Bus, register: Register, colleague: Colleagues, clock: MovableClock, found: Found, receptionist: Caller
) -> None:
    """Four colleagues with the commonest names see those who are booked, a week long: below one alert in a hundred."""
    chance = random.Random(100)
    families = ("Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Romano", "Colombo", "Ricci", "Marino", "Greco")
    clock.set(MONDAY - timedelta(days=60))
    team = [
        await colleague(role, name)
        for role, name in zip(("DOCTOR", "NURSE", "RECEPTIONIST", "DOCTOR"), families, strict=False)
    ]
    charts = [await register(families[nth % 10], f"Ada{nth}") for nth in range(60)]
    await bus.settled()
    looks = 0
    for day in range(5):
        for nth, chart in enumerate(chance.sample(charts, 12)):
            start = MONDAY + timedelta(days=day, minutes=30 * nth)
            clock.set(start - timedelta(days=chance.randrange(1, 20)))
            wish = ScheduleAppointment(
                patient_id=chart, doctor_id=colleague.staff[team[nth % 2 * 3].actor], appointment_datetime=start,
                visit_type="consultation", overbook_reason="test",
            )  # fmt: skip
            await bus.handle(wish, receptionist)
            for who in (team[2], team[1], team[nth % 2 * 3], team[nth % 2 * 3]):
                clock.set(start + timedelta(minutes=chance.randrange(-20, 30)))
                await bus.ask(PatientBanner(patient_id=chart), who)
                if who.role != "RECEPTIONIST":
                    await bus.ask(Problems(patient_id=chart), who)
                looks += 1
    alerts = await found()
    assert looks == 240
    assert len(alerts) * 100 < looks


# ------------------------------------------------------------------ exactly once
class Killed(BaseException):
    """What a kill does to the process."""


async def test_a_watchman_killed_before_it_was_durable_says_it_once_when_it_is_back(
    bus: Bus, register: Register, colleague: Colleagues, found: Found
) -> None:
    bus.settings[Watchfulness] = Watchfulness(bulk_charts=3)
    nurse = await colleague("NURSE")
    for nth in range(5):
        await bus.ask(Problems(patient_id=await register(f"Conti{nth}")), nurse)
    await bus.settled()

    async def judge_and_die(tx: Tx, looks: Sequence[Look]) -> None:
        await judge(tx, looks)
        if tx.organisation == nurse.organisation:
            await tx.flush()
            raise Killed

    with pytest.raises(Killed):
        await Follower(bus, "vigilance", judge_and_die).drain()
    (alert,) = await found()
    assert (alert.kind, alert.count) == ("bulk-reads", 4)


async def test_two_watchmen_at_once_say_it_once(
    bus: Bus, register: Register, colleague: Colleagues, found: Found
) -> None:
    bus.settings[Watchfulness] = Watchfulness(bulk_charts=3)
    nurse = await colleague("NURSE")
    for nth in range(5):
        await bus.ask(Problems(patient_id=await register(f"Conti{nth}")), nurse)
    await bus.settled()
    await asyncio.gather(*(Watchman(bus).drain() for _ in range(4)))
    assert len(await found()) == 1


async def test_one_look_that_cannot_be_judged_hides_no_other(
    bus: Bus, register: Register, colleague: Colleagues
) -> None:
    nurse = await colleague("NURSE")
    charts = [await register(f"Conti{nth}") for nth in range(3)]
    await Watchman(bus).drain()
    for chart in charts:
        await bus.ask(Problems(patient_id=chart), nurse)
    seen: list[UUID] = []

    async def stumble(tx: Tx, looks: Sequence[Look]) -> None:
        if any(look.subjects == (charts[1],) for look in looks):
            await tx.run("SELECT 1 / 0")
        seen.extend(look.subjects[0] for look in looks)

    await Follower(bus, "vigilance", stumble).drain()
    assert seen == [charts[0], charts[2]]


async def test_the_background_round_finds_it_by_itself(
    bus: Bus, register: Register, colleague: Colleagues, admin: Caller
) -> None:
    desk = await colleague("RECEPTIONIST", "Bianchi", phone="+39 089 555 0123")
    chart = await register("Conti", phone="089 5550123")
    watching_now = asyncio.create_task(Watchman(bus, look_every=0.05).run())
    try:
        await bus.ask(PatientBanner(patient_id=chart), desk)
        async with asyncio.timeout(10):
            while not (await bus.ask(Alerts(), admin)).total:
                await asyncio.sleep(0.05)
    finally:
        watching_now.cancel()
        await asyncio.gather(watching_now, return_exceptions=True)


# ------------------------------------------------------------------ what came of it
async def test_an_alert_is_reviewed_and_reading_it_is_a_look_at_the_patient(
    bus: Bus, register: Register, colleague: Colleagues, found: Found, admin: Caller
) -> None:
    desk = await colleague("RECEPTIONIST", "Bianchi", phone="+39 089 555 0123")
    chart = await register("Conti", phone="089 5550123")
    await bus.ask(PatientBanner(patient_id=chart), desk)
    (alert,) = await found()
    await bus.handle(ReviewAlert(alert_id=alert.alert_id, outcome="justified", note="Her neighbour."), admin)
    shown = await bus.ask(AlertById(alert_id=alert.alert_id), admin)
    assert (shown.status, shown.outcome, shown.note, shown.reviewed_by) == (
        "reviewed", "justified", "Her neighbour.", admin.actor,
    )  # fmt: skip
    assert (await bus.ask(Alerts(status="open"), admin)).total == 0
    assert (await bus.ask(Alerts(status="reviewed", kind="own-family"), admin)).total == 1
    lines = (await bus.ask(AccessEvents(patient_id=chart, category="access"), admin)).items
    assert {line.action for line in lines} == {"Alerts", "AlertById"}
    with pytest.raises(NoSuchAlert):
        await bus.handle(ReviewAlert(alert_id=uuid4(), outcome="justified"), admin)
    own = replace(admin, actor=desk.actor)
    with pytest.raises(AboutYourself):
        await bus.handle(ReviewAlert(alert_id=alert.alert_id, outcome="justified"), own)
