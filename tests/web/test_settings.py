"""The settings, tab by tab, as administrators and receptionists meet them."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace
from tests.web.conftest import OpenPage, SiteClient

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.queries import UserById
from salerno.contexts.organisations.commands import (
    AddLocation,
    ChangeSettings,
    RegisterOrganisation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.queries import Locations, Organisation
from salerno.contexts.scheduling.queries import Rooms, VisitTypes
from salerno.contexts.staff.commands import AddStaffMember
from salerno.contexts.staff.queries import StaffMemberById
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


@pytest.fixture
async def founded(bus: Bus, admin: Caller) -> Caller:
    """The administrator of a practice that is registered."""
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    wish = RegisterOrganisation(name="Studio Bianchi", kind="clinic", organisation_id=admin.organisation)
    await bus.handle(wish, above)
    await bus.settled()
    return admin


@pytest.fixture
def desk(founded: Caller, sign_in: SiteClient) -> httpx.AsyncClient:
    return sign_in(founded)


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


async def test_each_tab_opens_in_both_languages(founded: Caller, sign_in: SiteClient) -> None:
    for language, word in (("en", "Settings"), ("it", "Impostazioni")):
        client = sign_in(founded, language)
        for tab in ("organisation", "locations", "locations/new", "staff", "staff/new", "accounts", "accounts/new",
                    "catalogue", "catalogue/new-type", "catalogue/new-room", "practice"):  # fmt: skip
            answer = await client.get(f"/settings/{tab}")
            assert answer.status_code == 200, (tab, answer.text[:300])
            assert word in answer.text, tab


async def test_a_tab_that_a_role_may_not_use_is_not_there(
    founded: Caller, receptionist: Caller, doctor: Caller, sign_in: SiteClient
) -> None:
    client = sign_in(receptionist)
    first = await client.get("/settings")
    assert (first.status_code, first.headers["location"]) == (303, "/settings/staff")
    page = (await client.get("/settings/staff")).text
    assert 'href="/settings/organisation"' not in page and 'href="/settings/accounts"' not in page
    assert 'href="/settings/staff/new"' not in page
    for path in ("organisation/surroundings", "locations/new", "catalogue/new-room"):
        assert (await client.post(f"/settings/{path}", data={"name": "x", "version": "1"})).status_code in (403, 422), (
            path
        )
    assert (await client.get("/settings/accounts")).status_code == 403
    assert (await client.get("/settings/practice")).status_code == 403
    assert (await sign_in(doctor).get("/settings")).headers["location"] == "/account"


async def test_the_description_is_saved_and_mistakes_stand_beside_their_field(
    desk: httpx.AsyncClient, bus: Bus, founded: Caller
) -> None:
    page = (await desk.get("/settings/organisation")).text
    form = {
        "version": version_in(page),
        "name": "Studio Bianchi & Figli",
        "phone": "089 123456",
        "address.city": "Salerno",
    }
    assert (await desk.post("/settings/organisation", data=form)).status_code == 303
    saved = (await bus.ask(Organisation(), founded)).organisation
    assert (saved.name, saved.phone, saved.address.city) == ("Studio Bianchi & Figli", "+39089123456", "Salerno")
    page = (await desk.get("/settings/organisation")).text
    wrong = form | {"version": version_in(page), "email": "nobody", "phone": "12"}
    answer = await desk.post("/settings/organisation", data=wrong)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text and 'id="phone-error"' in answer.text
    assert 'value="nobody"' in answer.text


async def test_somebody_elses_change_is_explained_and_nothing_typed_is_lost(
    desk: httpx.AsyncClient, bus: Bus, founded: Caller
) -> None:
    before = version_in((await desk.get("/settings/organisation")).text)
    await bus.handle(UpdateOrganisation(website="https://theirs.example.org"), founded)
    mine = {"version": before, "name": "Studio Bianchi", "website": "https://mine.example.org"}
    answer = await desk.post("/settings/organisation", data=mine)
    assert answer.status_code == 409
    assert "Somebody else has saved this in the meantime." in answer.text
    assert "Website: https://theirs.example.org" in answer.text and 'value="https://mine.example.org"' in answer.text
    again = await desk.post("/settings/organisation", data=mine | {"version": version_in(answer.text)})
    assert again.status_code == 303
    assert (await bus.ask(Organisation(), founded)).organisation.website == "https://mine.example.org"


async def test_preferences_are_saved_together(desk: httpx.AsyncClient, bus: Bus, founded: Caller) -> None:
    page = (await desk.get("/settings/practice")).text
    form: dict[str, Any] = {
        "version": version_in(page), "visit_minutes": "20", "buffer_minutes": "5", "calendar_from": "07:30",
        "calendar_until": "19:00", "second_factor_roles": ["DOCTOR", "NURSE"], "idle_minutes_default": "25",
        "idle_minutes.NURSE": "8", "duplicate_threshold": "0.85", "patients_book_online": "true",
        "booking_days_ahead": "30", "cancellation_hours": "48",
    }  # fmt: skip
    answer = await desk.post("/settings/practice", data=form)
    assert answer.status_code == 303, answer.text
    chosen = (await bus.ask(Organisation(), founded)).organisation.settings
    assert (chosen.visit_minutes, chosen.calendar_from, chosen.idle_minutes) == (20, "07:30", {"NURSE": 8})
    assert chosen.second_factor_roles == ("DOCTOR", "NURSE") and chosen.patients_book_online is True
    page = (await desk.get("/settings/practice")).text
    late = await desk.post("/settings/practice", data=form | {"version": version_in(page), "calendar_until": "06:00"})
    assert late.status_code == 422 and 'id="calendar_until-error"' in late.text


async def test_the_pages_show_the_clocks_of_the_organisation(
    desk: httpx.AsyncClient, bus: Bus, founded: Caller
) -> None:
    version = version_in((await desk.get("/settings/organisation")).text)
    form = {"version": version, "country": "US", "timezone": "America/New_York", "languages": ["en", "it"]}
    assert (await desk.post("/settings/organisation/surroundings", data=form)).status_code == 303
    chosen = (await bus.ask(Organisation(), founded)).organisation.settings
    assert (chosen.timezone, chosen.languages) == ("America/New_York", ("en", "it"))


async def test_a_location_is_added_changed_closed_and_reopened(
    desk: httpx.AsyncClient, bus: Bus, founded: Caller
) -> None:
    form = {"name": "Via Roma", "opening.mon.a.from": "08:30", "opening.mon.a.to": "13:00",
            "opening.mon.b.from": "15:00", "opening.mon.b.to": "19:00"}  # fmt: skip
    assert (await desk.post("/settings/locations/new", data=form)).status_code == 303
    (place,) = await bus.ask(Locations(), founded)
    assert [(one.day, one.opens, one.closes) for one in place.opening] == [
        ("mon", "08:30", "13:00"),
        ("mon", "15:00", "19:00"),
    ]
    path = f"/settings/locations/{place.id}"
    page = (await desk.get(path)).text
    assert 'name="opening.mon.b.to" value="19:00"' in page
    changed = form | {"version": version_in(page), "name": "Via Roma 1"}
    assert (await desk.post(path, data=changed)).status_code == 303
    assert (await desk.post("/settings/locations/new", data={"name": "via roma 1"})).status_code == 409
    assert (await desk.post("/settings/locations/new", data={"name": ""})).status_code == 422
    assert (await desk.post(f"{path}/close")).status_code == 303
    assert await bus.ask(Locations(), founded) == []
    assert (await desk.post(f"{path}/reopen")).status_code == 303
    assert [one.name for one in await bus.ask(Locations(), founded)] == ["Via Roma 1"]


async def test_a_doctor_is_added_with_a_week_and_time_off(desk: httpx.AsyncClient, bus: Bus, founded: Caller) -> None:
    place = (await bus.handle(AddLocation(name="Via Roma"), founded)).aggregate_id
    form = {
        "given_name": "Ada",
        "family_name": "Verdi",
        "role": "DOCTOR",
        "specialty": "Cardiology",
        "licence_number": "SA 1",
    }
    added = await desk.post("/settings/staff/new", data=form)
    assert added.status_code == 303
    path = added.headers["location"].partition("?")[0]
    member = path.rpartition("/")[2]
    page = (await desk.get(path)).text
    assert "Ada Verdi" in page and 'value="SA 1"' in page
    week = f"{path}/hours/{place}"
    page = (await desk.get(week)).text
    half = await desk.post(week, data={"version": version_in(page), "opening.tue.a.from": "09:00"})
    assert half.status_code == 422 and "needs a beginning and an end" in half.text
    hours = {
        "version": version_in(page),
        "opening.tue.a.from": "09:00",
        "opening.tue.a.to": "12:30",
        "valid_from": "2026-03-02",
    }
    assert (await desk.post(week, data=hours)).status_code == 303
    away = {"away_from": "2026-04-06", "away_until": "2026-04-10", "away_kind": "leave"}
    assert (await desk.post(f"{path}/time-off", data=away)).status_code == 303
    shown = await bus.ask(StaffMemberById(staff_id=member), founded)
    assert [(one.weekday, one.start, one.end) for one in shown.plans[0].hours] == [(1, "09:00", "12:30")]
    assert shown.plans[0].valid_from == date(2026, 3, 2)
    assert [one.starts_at.astimezone(UTC).isoformat() for one in shown.time_off] == ["2026-04-05T22:00:00+00:00"]
    assert [one.ends_at.astimezone(UTC).isoformat() for one in shown.time_off] == ["2026-04-10T22:00:00+00:00"]
    assert (await desk.post(f"{path}/time-off", data=away | {"away_until": "2026-04-01"})).status_code == 422
    off = shown.time_off[0].time_off
    assert (await desk.post(f"{path}/time-off/{off}/remove")).status_code == 303
    assert (await desk.post(f"{path}/remove")).status_code == 303
    assert (await bus.ask(StaffMemberById(staff_id=member), founded)).removed


async def test_a_receptionist_plans_weeks_but_changes_no_record(
    founded: Caller, receptionist: Caller, sign_in: SiteClient, bus: Bus
) -> None:
    member = (
        await bus.handle(AddStaffMember(given_name="Ada", family_name="Verdi", role="NURSE"), founded)
    ).aggregate_id
    client = sign_in(receptionist)
    page = (await client.get(f"/settings/staff/{member}")).text
    assert "Add time off" in page and 'name="employee_number"' not in page
    form = {"version": "1", "given_name": "Eva", "family_name": "Verdi", "role": "ADMIN"}
    answer = await client.post(f"/settings/staff/{member}", data=form)
    assert answer.status_code == 403
    assert (await bus.ask(StaffMemberById(staff_id=member), founded)).given_name == "Ada"


async def test_accounts_are_made_appointed_and_locked_out(desk: httpx.AsyncClient, bus: Bus, founded: Caller) -> None:
    form = {"given_name": "Ada", "family_name": "Verdi", "email": f"{uuid4().hex[:10]}@example.com", "role": "NURSE"}
    short = await desk.post("/settings/accounts/new", data=form | {"password": "short"})
    assert short.status_code == 422 and 'id="password-error"' in short.text and 'value="short"' not in short.text
    made = await desk.post("/settings/accounts/new", data=form | {"password": "seven green lanterns at sea"})
    assert made.status_code == 303
    path = made.headers["location"].partition("?")[0]
    account = path.rpartition("/")[2]
    page = (await desk.get(path)).text
    assert 'value="SUPER_ADMIN"' not in page and 'value="DOCTOR"' in page
    assert (await desk.post(f"{path}/role", data={"role": "DOCTOR"})).status_code == 303
    assert (await desk.post(f"{path}/role", data={"role": "SUPER_ADMIN"})).status_code == 403
    assert (await desk.post(f"{path}/end-sessions")).status_code == 303
    assert (await desk.post(f"{path}/unlock")).status_code == 303
    assert (await desk.post(f"{path}/deactivate")).status_code == 303
    shown = await bus.ask(UserById(account_id=account), founded)
    assert (shown.role, shown.status) == ("DOCTOR", "deactivated")
    assert (await desk.post(f"{path}/reactivate")).status_code == 303
    twice = await desk.post("/settings/accounts/new", data=form | {"password": "seven green lanterns at sea"})
    assert twice.status_code == 409 and "exists already" in twice.text


async def test_nobody_raises_their_own_account(bus: Bus, founded: Caller, sign_in: SiteClient) -> None:
    email = f"{uuid4().hex[:10]}@example.com"
    account = (await bus.handle(CreateUser(email=email, full_name="Ada Verdi", role="ADMIN"), founded)).aggregate_id
    client = sign_in(replace(founded, actor=account))
    path = f"/settings/accounts/{account}"
    assert "Nobody changes their own rights" in (await client.get(path)).text
    assert (await client.post(f"{path}/role", data={"role": "DOCTOR"})).status_code == 403


async def test_visit_types_and_rooms_are_offered_and_retired(
    desk: httpx.AsyncClient, bus: Bus, founded: Caller
) -> None:
    form = {"code": "spirometry", "name_it": "Spirometria", "name_en": "Spirometry", "minutes": "25", "colour": "4"}
    assert (await desk.post("/settings/catalogue/new-type", data=form)).status_code == 303
    assert (await desk.post("/settings/catalogue/types/spirometry", data=form | {"minutes": "35"})).status_code == 303
    offered = {one.code: one for one in await bus.ask(VisitTypes(), founded)}
    assert (offered["spirometry"].minutes, offered["spirometry"].colour) == (35, 4)
    bad = await desk.post("/settings/catalogue/types/spirometry", data=form | {"minutes": "0"})
    assert bad.status_code == 422 and 'id="minutes-error"' in bad.text
    assert (await desk.post("/settings/catalogue/types/spirometry/retire")).status_code == 303
    assert "spirometry" not in {one.code for one in await bus.ask(VisitTypes(), founded)}
    assert (await desk.get("/settings/catalogue/types/spirometry")).status_code == 404
    assert (await desk.post("/settings/catalogue/new-room", data={"name": "Room 1", "kind": "room"})).status_code == 303
    (room,) = await bus.ask(Rooms(), founded)
    path = f"/settings/catalogue/rooms/{room.id}"
    change = {"version": version_in((await desk.get(path)).text), "name": "Room 2", "kind": "room"}
    assert (await desk.post(path, data=change)).status_code == 303
    assert (await desk.post(path, data=change | {"name": "Room 3"})).status_code == 409
    assert [one.name for one in await bus.ask(Rooms(), founded)] == ["Room 2"]
    assert (await desk.post(f"{path}/retire")).status_code == 303
    assert await bus.ask(Rooms(), founded) == []


async def test_settings_reach_sign_in(bus: Bus, founded: Caller) -> None:
    await bus.handle(ChangeSettings(idle_minutes_default=7), founded)
    await bus.settled()
    async with bus.reading("identity", founded.organisation) as tx:
        kept = await tx.fetchval("SELECT idle_default FROM choices WHERE organisation = $1", founded.organisation)
    assert kept == 7


@pytest.mark.browser
@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("it", "dark", 390)])
async def test_settings_in_a_browser_are_free_of_what_axe_finds(
    founded: Caller, browser_page: OpenPage, axe: Callable[..., Awaitable[list[str]]], bus: Bus,
    language: str, theme: str, width: int,
) -> None:  # fmt: skip
    await bus.handle(AddLocation(name="Via Roma"), founded)
    member = await bus.handle(AddStaffMember(given_name="Ada", family_name="Verdi", role="DOCTOR"), founded)
    page = await browser_page(founded, width=width, language=language, theme=theme)
    for tab in ("organisation", "locations", "locations/new", "staff", f"staff/{member.aggregate_id}", "accounts",
                "catalogue", "catalogue/new-type", "practice"):  # fmt: skip
        await page.goto(f"/settings/{tab}")
        assert await axe(page) == [], tab
