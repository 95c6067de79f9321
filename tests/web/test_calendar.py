"""The calendar's pages: what they show, what a refusal says, and what needs no script."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import expect

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.scheduling.commands import CheckIn, ScheduleAppointment
from salerno.contexts.staff.commands import AddStaffMember
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

TEN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # ten o'clock in Rome
DAY = "/calendar?day=2026-03-02"
Made = tuple[UUID, UUID, UUID]


async def booked(bus: Bus, admin: Caller, name: str = "Ada Byron") -> Made:
    """A patient, a practitioner and their appointment at ten."""
    register = RegisterPatient(full_name=name, date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    patient = (await bus.handle(register, admin)).aggregate_id
    bell = (
        await bus.handle(AddStaffMember(given_name="Joseph", family_name="Bell", role="DOCTOR"), admin)
    ).aggregate_id
    wish = ScheduleAppointment(patient_id=patient, doctor_id=bell, appointment_datetime=TEN, reason="cough")
    appointment = (await bus.handle(wish, admin)).aggregate_id
    await bus.settled()
    return patient, bell, appointment


@pytest.fixture
async def made(bus: Bus, admin: Caller) -> Made:
    return await booked(bus, admin)


def wish(made: Made, **more: str) -> dict[str, str]:
    return {
        "patient_id": str(made[0]), "doctor_id": str(made[1]), "day": "2026-03-02", "time": "11:00",
        "visit_type": "consultation",
    } | more  # fmt: skip


async def test_the_day_as_a_list_needs_no_script(sign_in: Any, receptionist: Caller, made: Made) -> None:
    page = (await sign_in(receptionist).get(f"{DAY}&view=list")).text
    assert "Ada Byron" in page and "10:00–10:30" in page and "Joseph Bell" in page and "cough" in page
    italian = (await sign_in(receptionist, "it").get(f"{DAY}&view=list")).text
    assert "prenotato" in italian and "Sala d’attesa" in italian


@pytest.mark.parametrize("view", ["day", "week"])
async def test_day_and_week_name_their_events_and_where_drops_go(
    sign_in: Any, receptionist: Caller, made: Made, view: str
) -> None:
    page = (await sign_in(receptionist).get(f"{DAY}&view={view}")).text
    assert 'data-island="calendar"' in page and 'data-move="/calendar/appointments/{id}/move"' in page


async def test_events_show_the_clocks_of_the_clinic_and_when_nobody_works(
    sign_in: Any, receptionist: Caller, made: Made
) -> None:
    lines = (await sign_in(receptionist).get("/calendar/events?from=2026-03-02&to=2026-03-03")).json()
    [event] = [line for line in lines if "status" in line]
    assert (event["start"], event["end"], event["fixed"]) == ("2026-03-02T10:00:00", "2026-03-02T10:30:00", False)
    closed = [(line["start"], line["end"]) for line in lines if line.get("display") == "background"]
    assert closed == [("2026-03-02T00:00:00", "2026-03-02T08:00:00"), ("2026-03-02T19:00:00", "2026-03-03T00:00:00")]


async def test_a_drop_moves_and_a_refused_one_says_who_is_in_the_way(
    bus: Bus, sign_in: Any, admin: Caller, receptionist: Caller, made: Made
) -> None:
    other, _, _ = await booked(bus, admin, "Bo Rossi")
    again = ScheduleAppointment(patient_id=other, doctor_id=made[1], appointment_datetime=TEN + timedelta(hours=1))
    await bus.handle(again, admin)
    client = sign_in(receptionist)
    move = f"/calendar/appointments/{made[2]}/move"
    drop = {"starts_at": "2026-03-02T11:00:00", "minutes": 30, "practitioner": str(made[1])}
    refused = await client.post(move, json=drop, headers={"Accept": "application/json"})
    details = refused.json()["details"]
    assert (refused.status_code, details["sentence"]) == (409, "This time is already taken.")
    assert [each["message"] for each in details["conflicts"]] == ["11:00–11:30 Bo Rossi · Joseph Bell"]
    assert [each["starts_at"] for each in details["alternatives"]] == [
        "2026-03-02T10:15:00", "2026-03-02T10:30:00", "2026-03-02T11:30:00",
    ]  # fmt: skip
    granted = await client.post(move, json=drop | {"starts_at": details["alternatives"][2]["starts_at"]})
    assert (granted.status_code, granted.json()) == (200, {"version": 2})


async def test_the_booking_form_books_and_goes_to_the_day(sign_in: Any, receptionist: Caller, made: Made) -> None:
    client = sign_in(receptionist)
    form = (await client.get(f"/calendar/new?at=2026-03-02T11:00:00&who={made[1]}&patient={made[0]}")).text
    assert 'value="Ada Byron"' in form and 'value="11:00"' in form
    answer = await client.post("/calendar/new", data=wish(made))
    assert (answer.status_code, answer.headers["location"]) == (303, "/calendar?day=2026-03-02")
    assert "11:00–11:30" in (await client.get(f"{DAY}&view=list")).text


async def test_a_taken_time_is_explained_and_a_free_one_is_a_click_away(
    sign_in: Any, receptionist: Caller, made: Made
) -> None:
    client = sign_in(receptionist)
    refused = await client.post("/calendar/new", data=wish(made, time="10:00"))
    assert refused.status_code == 409
    assert "This time is already taken." in refused.text and "Ada Byron · Joseph Bell" in refused.text
    picks = re.findall(r'name="pick" value="([^"]+)"', refused.text)
    assert len(picks) == 3
    answer = await client.post("/calendar/new", data=wish(made, time="10:00", pick=picks[0]))
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("field", "value"), [("patient_id", ""), ("time", "25:00"), ("minutes", "0"), ("visit_type", "nonsense")]
)
async def test_a_mistake_is_said_beside_its_field(
    sign_in: Any, receptionist: Caller, made: Made, field: str, value: str
) -> None:
    answer = await sign_in(receptionist).post("/calendar/new", data=wish(made, **{field: value}))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text and "Nothing" not in answer.headers.get("location", "")


async def test_the_hour_that_does_not_exist_is_said_beside_the_time(
    sign_in: Any, receptionist: Caller, made: Made
) -> None:
    answer = await sign_in(receptionist).post("/calendar/new", data=wish(made, day="2026-03-29", time="02:30"))
    assert (answer.status_code, 'id="time-error"' in answer.text) == (422, True)


async def test_each_action_answers_with_the_appointment_as_it_is_then(
    sign_in: Any, receptionist: Caller, made: Made, partial: dict[str, str], clock: MovableClock
) -> None:
    clock.set(TEN)
    client = sign_in(receptionist)
    path = f"/calendar/appointments/{made[2]}"
    for verb, said in (
        ("confirm", "confirmed"),
        ("check-in", "waiting"),
        ("reinstate", "booked"),
        ("cancel", "cancelled"),
    ):
        answer = await client.post(f"{path}/{verb}", data={"reason": "snow"}, headers=partial)
        assert (answer.status_code, said in answer.text) == (200, True), verb
    assert "snow" in (await client.get(path)).text
    refused = await client.post(f"{path}/check-in", data={"reason": ""}, headers=partial)
    assert (refused.status_code, "This appointment is over" in refused.text) == (409, True)


async def test_an_appointment_moves_without_dragging(
    sign_in: Any, receptionist: Caller, made: Made, partial: dict[str, str]
) -> None:
    moving = {"day": "2026-03-03", "time": "15:30", "minutes": "45", "doctor_id": str(made[1])}
    path = f"/calendar/appointments/{made[2]}/reschedule"
    answer = await sign_in(receptionist).post(path, data=moving, headers=partial)
    assert answer.status_code == 200 and "15:30–16:15" in answer.text


async def test_patients_are_found_for_the_form_while_typing(sign_in: Any, receptionist: Caller, made: Made) -> None:
    client = sign_in(receptionist)
    assert f'data-value="{made[0]}"' in (await client.get("/calendar/patients?q=byron")).text
    assert "data-value" not in (await client.get("/calendar/patients?q=")).text


async def test_the_waiting_room_stands_beside_the_calendar(
    bus: Bus, sign_in: Any, receptionist: Caller, made: Made, clock: MovableClock
) -> None:
    clock.set(TEN - timedelta(minutes=10))
    await bus.handle(CheckIn(appointment_id=made[2]), receptionist)
    assert "waiting since 09:50" in (await sign_in(receptionist).get(DAY)).text


async def test_who_may_not_see_the_calendar_does_not(
    sign_in: Any, pharmacist: Caller, caller: Callable[..., Caller], made: Made
) -> None:
    assert (await sign_in(pharmacist).get(DAY)).status_code == 403
    stranger: httpx.AsyncClient = sign_in(caller("RECEPTIONIST", organisation_id=UUID(int=99)))
    assert (await stranger.get(f"/calendar/appointments/{made[2]}")).status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize(("width", "language", "theme"), [(1440, "en", "light"), (390, "it", "dark")])
async def test_the_calendar_holds_to_the_policy_and_to_wcag(
    browser_page: Any, axe: Any, receptionist: Caller, made: Made, width: int, language: str, theme: str
) -> None:
    page = await browser_page(receptionist, DAY, width=width, language=language, theme=theme)
    await page.wait_for_selector(".ec-event[data-status]")
    assert (
        await axe(page, "aria-required-children", "aria-allowed-role") == []
    )  # the calendar library's own; the list is beside it
    await page.goto(f"{DAY}&view=list")
    assert await axe(page) == []
    await page.click("tbody a")
    await page.wait_for_selector("#appointment")
    assert await axe(page) == []


@pytest.mark.browser
async def test_a_drag_moves_the_appointment_in_every_browser(
    bus: Bus, browser_page: Any, receptionist: Caller, made: Made
) -> None:
    page = await browser_page(receptionist, DAY)
    event = page.locator(".ec-event[data-status=scheduled]")
    await event.wait_for()
    box = await event.bounding_box()
    await page.mouse.move(box["x"] + 30, box["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 30, box["y"] + 40, steps=6)
    await page.mouse.move(box["x"] + 30, box["y"] + 10 + 104, steps=8)  # four quarters of an hour
    await page.mouse.up()
    await page.wait_for_selector(".ec-event[aria-label^='11:00 Ada Byron']")
    await page.click(".toast-choices button")
    await page.wait_for_selector(".ec-event[aria-label^='10:00 Ada Byron']")


@pytest.mark.browser
async def test_a_click_on_a_free_time_books_there(browser_page: Any, receptionist: Caller, made: Made) -> None:
    page = await browser_page(receptionist, DAY)
    event = page.locator(".ec-event[data-status=scheduled]")
    await event.wait_for()
    box = await event.bounding_box()
    await page.mouse.click(box["x"] + 30, box["y"] + box["height"] + 4)
    await page.fill("#patient_id-search", "byron")
    await page.wait_for_selector("#patient_id-list [role=option]")
    await page.keyboard.press("Enter")
    assert await page.input_value("#time") in ("10:30", "10:45")
    await page.click("#booking button.primary")
    await expect(page.locator(".ec-event[data-status]")).to_have_count(2)
