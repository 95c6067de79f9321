"""One computer, two people, one Chromium with a profile on disk: what it keeps of a session, and what the next finds.

The whole product answers, with real sessions, under the one name that a browser takes for safe without TLS.
"""

import io
import json
import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from bench.harness import free_port
from playwright.async_api import BrowserContext, Page, async_playwright, expect
from tests.addresses import at
from tests.applications import build
from tests.web.conftest import CHROMIUM, FLAGS, served

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import RecordAllergy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.observing import AccessLog
from salerno.interfaces.http.sessions import sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
PASSWORD = "quiet lantern over Salerno bay"
NAME, DRAFT = "Fiordaliso Quintavalle", "zibellino"  # of the chart, and in the note: words that stand nowhere else
KEPT = """async () => ({
    local: Object.entries(localStorage), session: Object.entries(sessionStorage), cookie: document.cookie,
    databases: (await indexedDB.databases()).map(one => one.name), caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"local": [], "session": [], "cookie": "", "databases": [], "caches": [], "workers": 0}


@pytest.fixture
async def door(bus: Bus) -> AsyncIterator[str]:
    setup = Setup(sessions=sessions_of(bus), stop=False, development=True, log=AccessLog(io.BytesIO()))
    product, port = build(bus, [web.door(bus), api.door(bus)], setup), free_port()
    address = f"http://localhost:{port}"
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), issuer=address, failures_per_address=100_000
    )
    async with served(product, port):
        yield address
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def computer(door: str, tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A browser with a profile on disk, in `tmp_path / "profile"`."""
    if not CHROMIUM:
        assert "CI" not in os.environ, "there is no Chromium, and here a missing part is a failure"
        pytest.skip("there is no Chromium")
    async with async_playwright() as tools:
        context = await tools.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=FLAGS, base_url=door, locale="en",
            reduced_motion="reduce",
        )  # fmt: skip
        yield context
        await context.close()


@pytest.fixture
async def visit(bus: Bus, admin: Caller, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name=NAME, date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, admin)).aggregate_id
    await bus.handle(RecordAllergy(patient_id=patient, substance="Latex"), doctor)
    await bus.settled()
    return (await bus.handle(StartVisit(patient_id=patient, reason="cough"), doctor)).aggregate_id


async def account(bus: Bus, admin: Caller) -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="DOCTOR"), admin)
    return email


async def come_in(page: Page, email: str, wanted: str = "/today") -> None:
    await page.goto(f"/sign-in?next={wanted}")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(at(wanted))


async def go_out(page: Page) -> dict[str, str]:
    """Sign out as people do; the headers of the answer."""
    await page.locator(".topbar summary, .topbar [aria-haspopup]").last.click()
    async with page.expect_response(lambda answer: answer.url.endswith("/sign-out")) as gone:
        await page.get_by_role("menuitem", name="Sign out").click()
    await page.wait_for_url("**/sign-in?done=out")
    return await (await gone.value).all_headers()


async def write(page: Page, visit: UUID) -> None:
    await page.goto(f"/visit/{visit}")
    await page.locator("#subjective").press_sequentially(DRAFT)
    await expect(page.locator("[data-saved-state]")).to_have_attribute("data-state", "saved")


async def work(page: Page, visit: UUID) -> None:
    """A morning: today, looking for somebody, their chart, the visit, the calendar, one's own account."""
    await page.goto("/today")
    await page.keyboard.press("Control+k")
    await page.locator("#palette").wait_for()
    await page.keyboard.press("Escape")
    await page.goto("/people")
    await page.locator("main input[name=q]").first.fill(NAME)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/chart/*")  # only one is called so
    chart = page.url
    for section in ("problems", "allergies", "medicines", "vitals", "timeline", "person", "prescriptions"):
        await page.goto(f"{chart}/{section}")
        await expect(page.locator("body")).to_contain_text(NAME)
    await write(page, visit)
    for path in ("/calendar", "/account", "/account/security"):
        await page.goto(path)


async def strings_of_scripts(page: Page) -> str:
    """Everything in the memory of the page's scripts."""
    session, pieces = await page.context.new_cdp_session(page), list[str]()
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda told: pieces.append(told["chunk"]))
    await session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    return "\n".join(json.loads("".join(pieces))["strings"])


async def test_t015_a_browser_keeps_the_session_in_one_closed_cookie_and_nothing_anywhere_else(
    bus: Bus, admin: Caller, computer: BrowserContext, door: str, visit: UUID
) -> None:
    page, asked = computer.pages[0], list[str]()
    computer.on("request", lambda request: asked.append(request.url))
    await come_in(page, await account(bus, admin))
    await work(page, visit)
    cookies = {one["name"]: one for one in await computer.cookies()}
    assert {"__Host-sid", "__Host-device"} <= cookies.keys() <= {"__Host-sid", "__Host-device", "__Host-look"}
    for cookie in cookies.values():
        told = {name: cookie[name] for name in ("secure", "path", "domain")}
        assert told == {"secure": True, "path": "/", "domain": "localhost"}, cookie["name"]
        assert cookie["httpOnly"] and cookie["sameSite"] in ("Lax", "Strict"), cookie["name"]
        assert len(cookie["name"] + cookie["value"]) < 4096
    session, device = cookies["__Host-sid"], cookies["__Host-device"]
    assert await page.evaluate(KEPT) == NOTHING
    await page.goto(f"/visit/{visit}")
    in_scripts = await strings_of_scripts(page)
    assert "autosave" in in_scripts, "this is not the memory of our scripts"
    for secret in (session["value"], device["value"], PASSWORD):
        assert secret not in in_scripts and secret not in await page.content()
    for canary in (*NAME.split(), DRAFT, session["value"], device["value"], PASSWORD, "1948-03-12"):
        assert [url for url in asked if canary.casefold() in url.casefold()] == [], canary
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {door.removeprefix("http://")}


def on_disk(profile: Path, *canaries: str) -> dict[str, list[str]]:
    """The files of the profile that hold one of these words, in the browser's two ways of writing text."""
    found: dict[str, list[str]] = {}
    for file in (each for each in profile.rglob("*") if each.is_file() and not each.is_symlink()):
        content = file.read_bytes()
        for word in canaries:
            if word.encode() in content or word.encode("utf-16-le") in content:
                found.setdefault(str(file.relative_to(profile)), []).append(word)
    return found


async def test_t071_after_signing_out_nothing_is_shown_kept_or_left_on_disk(
    bus: Bus, admin: Caller, computer: BrowserContext, door: str, visit: UUID, tmp_path: Path
) -> None:
    page = computer.pages[0]
    await come_in(page, await account(bus, admin))
    answer = await page.goto(f"/visit/{visit}")
    assert answer is not None and answer.headers["cache-control"] == "no-store"
    await write(page, visit)
    for path in ("/today", "/people", "/account"):  # what lies behind in the history
        await page.goto(path)
    chart = f"/visit/{visit}"
    await page.goto(chart)
    await expect(page.locator("body")).to_contain_text(NAME)
    (session,) = [one["value"] for one in await computer.cookies() if one["name"] == "__Host-sid"]
    headers = await go_out(page)
    assert headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert "__Host-sid" not in {one["name"] for one in await computer.cookies()}
    for _ in range(3):
        await page.go_back()
        await page.wait_for_url("**/sign-in**")
        assert not {word for word in (*NAME.split(), DRAFT) if word in await page.content()}
    again = await computer.new_page()
    await again.goto(chart)
    await again.wait_for_url("**/sign-in?next=**")
    assert NAME not in await again.content()
    assert await again.evaluate(KEPT) == NOTHING
    await computer.close()
    assert on_disk(tmp_path / "profile", door), "what this browser kept is not here"
    assert on_disk(tmp_path / "profile", *NAME.split(), DRAFT, session, PASSWORD) == {}


async def test_t071_when_the_session_has_run_out_back_shows_nothing(
    bus: Bus, admin: Caller, computer: BrowserContext, visit: UUID
) -> None:
    page = computer.pages[0]
    await come_in(page, await account(bus, admin))
    await page.goto(f"/visit/{visit}")
    await expect(page.locator("body")).to_contain_text(NAME)
    await page.goto("about:blank")
    await computer.clear_cookies(name="__Host-sid")
    await page.go_back()
    await page.wait_for_url("**/sign-in?next=**")
    assert NAME not in await page.content()


async def test_t071_a_draft_comes_back_to_its_author_and_to_nobody_else_on_the_same_computer(
    bus: Bus, admin: Caller, computer: BrowserContext, visit: UUID
) -> None:
    page, here = computer.pages[0], f"/visit/{visit}"
    author, other = await account(bus, admin), await account(bus, admin)
    await come_in(page, author)
    await write(page, visit)
    await go_out(page)
    await come_in(page, other, here)
    await expect(page.locator("#subjective")).to_have_value("")
    assert DRAFT not in await page.content()
    await go_out(page)
    await come_in(page, author, here)
    await expect(page.locator("#subjective")).to_have_value(DRAFT)
