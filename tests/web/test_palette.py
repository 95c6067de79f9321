"""The command palette and the rail: what is offered to whom, and under which words."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from tests.web.conftest import OpenPage, SiteClient

from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.web.navigation import actions_of, rail_of, sections_of
from salerno.interfaces.web.pages import Reader
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


async def test_the_palette_finds_patients_from_the_third_letter(
    bus: Bus, receptionist: Caller, sign_in: SiteClient
) -> None:
    wish = RegisterPatient(
        given_name="Ottavia", family_name="Quagliarella", date_of_birth=date(1951, 4, 3), gender="female"
    )
    patient = (await bus.handle(wish, receptionist)).aggregate_id
    client = sign_in(receptionist)
    found = (await client.get("/palette?q=quagl")).text
    assert f'data-found data-href="/chart/{patient}"' in found and "Quagliarella" in found
    assert str(patient) not in (await client.get("/palette?q=qu")).text


async def test_actions_are_found_by_their_words_in_both_languages(
    admin: Caller, doctor: Caller, sign_in: SiteClient
) -> None:
    assert 'data-href="/people/new"' in (await sign_in(doctor).get("/palette?q=new pat")).text
    italian = sign_in(admin, "it")
    assert 'data-href="/settings/practice"' in (await italian.get("/palette?q=inattivita")).text
    assert 'data-href="/calendar/new"' in (await italian.get("/palette?q=prenotare")).text
    assert "/settings" not in (await sign_in(doctor).get("/palette?q=locations")).text


async def test_who_may_not_find_patients_finds_none(
    bus: Bus, receptionist: Caller, patient_caller: Callable[[UUID], Caller], sign_in: SiteClient
) -> None:
    wish = RegisterPatient(
        given_name="Ottavia", family_name="Scognamiglio", date_of_birth=date(1951, 4, 3), gender="female"
    )
    patient = (await bus.handle(wish, receptionist)).aggregate_id
    answer = await sign_in(patient_caller(patient)).get("/palette?q=scogna")
    assert answer.status_code == 200 and "Scognamiglio" not in answer.text


async def test_the_palette_is_for_those_who_are_signed_in(sign_in: SiteClient, doctor: Caller) -> None:
    client = sign_in(doctor)
    client.headers["Cookie"] = "__Host-sid=nobody"
    assert (await client.get("/palette?q=ross")).status_code == 303


def test_the_rail_stands_in_the_order_of_the_day(doctor: Caller, receptionist: Caller, admin: Caller) -> None:
    def paths(caller: Caller, chart: str = "") -> list[str]:
        return [place.path for place in rail_of(Reader("", caller.role, caller.permissions, chart))]

    assert paths(doctor) == ["/today", "/calendar", "/people"]
    assert paths(receptionist) == ["/calendar", "/people", "/today", "/settings"]
    assert paths(admin) == ["/today", "/calendar", "/people", "/privacy", "/settings"]


def test_a_patient_sees_the_own_chart_and_no_list_of_others(patient_caller: Callable[[UUID], Caller]) -> None:
    mine = UUID(int=7)
    caller = patient_caller(mine)
    reader = Reader("", "PATIENT", caller.permissions, str(mine))
    assert [place.path for place in rail_of(reader)] == ["/today", f"/chart/{mine}"]
    assert [place.path for place in actions_of(reader)] == ["/account/security", "/account"]
    assert sections_of(reader) == []


@pytest.mark.browser
async def test_ctrl_k_opens_the_palette_and_enter_goes_there(admin: Caller, browser_page: OpenPage) -> None:
    page = await browser_page(admin, "/settings/staff")
    await page.wait_for_selector("#palette", state="attached")
    await page.wait_for_timeout(300)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("visit types")
    await page.wait_for_selector('#palette [role=option][aria-selected=true]:has-text("Visit types and rooms")')
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/settings/catalogue")
    await page.wait_for_timeout(300)
    await page.keyboard.press("?")
    assert await page.locator("#keys").is_visible()
    assert "New appointment" in await page.locator("#keys").inner_text()
