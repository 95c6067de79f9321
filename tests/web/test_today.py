"""Today: each role its own day, and the presses that belong to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from salerno.contexts.encounters.commands import SaveDraft
from salerno.contexts.encounters.queries import OpenVisits
from salerno.contexts.organisations.commands import CompleteOnboarding, RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import RecordVitals
from salerno.contexts.scheduling.commands import CheckIn, ScheduleAppointment
from salerno.contexts.scheduling.queries import AppointmentById
from salerno.contexts.staff.commands import AddStaffMember
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

TEN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # ten o'clock in Rome
Made = tuple[UUID, UUID]


@pytest.fixture
async def made(bus: Bus, admin: Caller, clock: MovableClock) -> Made:
    """A patient with an appointment at ten; it is five to."""
    clock.set(TEN - timedelta(days=1))
    register = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    patient = (await bus.handle(register, admin)).aggregate_id
    member = AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR")
    bell = (await bus.handle(member, admin)).aggregate_id
    wish = ScheduleAppointment(patient_id=patient, doctor_id=bell, appointment_datetime=TEN, reason="cough")
    appointment = (await bus.handle(wish, admin)).aggregate_id
    await bus.settled()
    clock.set(TEN - timedelta(minutes=5))
    return patient, appointment


async def arrived(bus: Bus, who: Caller, appointment: UUID) -> None:
    await bus.handle(CheckIn(appointment_id=appointment), who)
    await bus.settled()


async def test_the_doctor_sees_who_comes_next_and_opens_the_visit_once_they_wait(
    bus: Bus, sign_in: Any, doctor: Caller, receptionist: Caller, made: Made, clock: MovableClock
) -> None:
    client = sign_in(doctor)
    page = (await client.get("/today")).text
    assert "Next patient" in page and "Ada Byron" in page and "10:00" in page and "cough" in page
    await arrived(bus, receptionist, made[1])
    clock.set(TEN + timedelta(minutes=40))
    page = (await client.get("/today")).text
    [opened] = await bus.ask(OpenVisits(), doctor)
    assert "waiting 45 minutes" in page and f'href="/visit/{opened.visit.visit}"' in page


async def test_a_visit_is_begun_from_its_appointment_whoever_was_first(
    sign_in: Any, bus: Bus, doctor: Caller, receptionist: Caller, made: Made
) -> None:
    client = sign_in(doctor)
    first = await client.post(f"/calendar/appointments/{made[1]}/visit", data={"x": ""})
    await arrived(bus, receptionist, made[1])
    second = await client.post(f"/calendar/appointments/{made[1]}/visit", data={"x": ""})
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]


async def test_unsigned_notes_wait_for_their_author_only(
    bus: Bus, sign_in: Any, doctor: Caller, caller: Any, receptionist: Caller, made: Made
) -> None:
    await arrived(bus, receptionist, made[1])
    [opened] = await bus.ask(OpenVisits(), doctor)
    await bus.handle(SaveDraft(visit_id=opened.visit.visit, subjective="tired"), doctor)
    assert f"/visit/{opened.visit.visit}/sign" in (await sign_in(doctor).get("/today")).text
    colleague = (await sign_in(caller("DOCTOR")).get("/today")).text
    assert f"/visit/{opened.visit.visit}/sign" not in colleague and "Everything is signed." in colleague


async def test_the_desk_checks_in_and_sees_nothing_clinical(
    bus: Bus, sign_in: Any, receptionist: Caller, made: Made, partial: dict[str, str]
) -> None:
    client = sign_in(receptionist)
    page = (await client.get("/today")).text
    assert f'action="/today/{made[1]}/check-in"' in page and "cough" not in page and "/visit/" not in page
    pressed = await client.post(f"/today/{made[1]}/check-in", data={"x": ""}, headers=partial)
    assert pressed.status_code == 200 and "waiting 0 minutes" in pressed.text
    assert (await bus.ask(AppointmentById(appointment_id=made[1]), receptionist)).status == "checked-in"
    again = await client.post(f"/today/{made[1]}/check-in", data={"x": ""})
    assert again.status_code in (303, 409)


async def test_nobody_is_missed_before_their_time(
    bus: Bus, sign_in: Any, receptionist: Caller, made: Made, clock: MovableClock
) -> None:
    client = sign_in(receptionist)
    early = await client.post(f"/today/{made[1]}/no-show", data={"x": ""})
    assert early.status_code == 409 and "too early" in early.text
    assert f"/today/{made[1]}/no-show" not in (await client.get("/today")).text
    clock.set(TEN + timedelta(hours=1))
    assert f"/today/{made[1]}/no-show" in (await client.get("/today")).text
    assert (await client.post(f"/today/{made[1]}/no-show", data={"x": ""})).status_code == 303
    assert (await bus.ask(AppointmentById(appointment_id=made[1]), receptionist)).status == "no-show"


async def test_the_nurse_sees_who_is_still_to_be_measured(
    bus: Bus, sign_in: Any, nurse: Caller, receptionist: Caller, made: Made
) -> None:
    await arrived(bus, receptionist, made[1])
    client = sign_in(nurse)
    assert "vital signs to take" in (await client.get("/today")).text
    await bus.handle(RecordVitals(patient_id=made[0], heart_rate=70), nurse)
    page = (await client.get("/today")).text
    assert "vital signs to take" not in page and "measured" in page


@pytest.mark.parametrize("role", ["PHARMACIST", "LAB_TECHNICIAN", "PATIENT", "ADMIN", "SUPER_ADMIN"])
async def test_everybody_else_has_a_calm_day_of_their_own(sign_in: Any, caller: Any, made: Made, role: str) -> None:
    for language, heading in (("en", "2 March 2026"), ("it", "2 marzo 2026")):
        page = await sign_in(caller(role), language).get("/today")
        assert page.status_code == 200 and heading in page.text
        assert "/visit/" not in page.text and "cough" not in page.text


async def test_a_patient_sees_the_own_appointments(sign_in: Any, patient_caller: Any, made: Made) -> None:
    page = (await sign_in(patient_caller(made[0])).get("/today")).text
    assert "Joseph Bell" in page and "10:00" in page


async def test_nobody_in_particular_is_sent_to_the_door(sign_in: Any, doctor: Caller) -> None:
    client = sign_in(doctor)
    client.headers.pop("Cookie")
    answer = await client.get("/today")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/today")


async def test_whoever_founds_a_practice_is_led_back_to_setting_it_up_until_it_is_done(
    bus: Bus, sign_in: Any, admin: Caller, receptionist: Caller
) -> None:
    client = sign_in(admin)
    assert 'href="/onboarding"' in (await client.get("/today")).text
    assert 'href="/onboarding"' not in (await sign_in(receptionist).get("/today")).text
    founding = RegisterOrganisation(name="Studio Trota", kind="clinic", organisation_id=admin.organisation)
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    await bus.handle(founding, above)
    assert 'href="/onboarding"' in (await client.get("/today")).text
    await bus.handle(CompleteOnboarding(), admin)
    assert 'href="/onboarding"' not in (await client.get("/today")).text
