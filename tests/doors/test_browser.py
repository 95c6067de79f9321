"""The shell in a real browser: strict policy, language and colours in place, keys, no barrier that axe knows."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.harness import free_port
from playwright.async_api import Browser, Page, async_playwright
from tests.web.conftest import AXE, CHROMIUM, FLAGS

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "src/salerno/interfaces/web/static/manifest.json"
IN_CI = "CI" in os.environ  # there a missing part is a failure
SIZES = {"phone": (390, 844), "desk": (1440, 900), "wall": (1920, 1080)}
LOOKS = [("it", "light"), ("it", "dark"), ("en", "light"), ("en", "dark")]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not IN_CI and not CHROMIUM, reason="there is no Chromium here"),
    pytest.mark.skipif(not IN_CI and not BUILT.exists(), reason="the front end is not built"),
]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    port = free_port()
    arguments = ["--interface", "asgi", "--factory", "--http", "1", "--no-ws", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", *arguments, "tests.doors.serving:create"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/livez", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    yield chromium
    for context in chromium.contexts:
        await context.close()


async def opened(browser: Browser, url: str, **options: Any) -> tuple[Page, list[str]]:
    """A page in a context of its own, and everything it complains of."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url, wait_until="networkidle")
    return page, complaints


async def until(page: Page, holds: str) -> None:
    """Polls from outside: the page's policy forbids Playwright's own way, which evaluates strings in the page."""
    for _ in range(100):
        if await page.evaluate(holds):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never: {holds}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_the_style_page_is_clean_and_accessible(
    browser: Browser, origin: str, size: str, language: str, theme: str
) -> None:
    width, height = SIZES[size]
    page, complaints = await opened(
        browser, f"{origin}/style", locale=language, color_scheme=theme, viewport={"width": width, "height": height}
    )
    await page.wait_for_selector(".ec-event")
    await page.evaluate(AXE.read_text())
    found = await page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
             .map(v => [v.id, v.nodes.filter(n => !(n.element ?? document.querySelector(n.target[0])).closest('.ec')
                || !['aria-required-children', 'aria-allowed-role'].includes(v.id)).map(n => n.target.join(' '))])
             .filter(([, targets]) => targets.length)"""  # the calendar's own grid; the same day is offered as a list
    )
    assert found == []
    assert complaints == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=Path(folder) / f"style-{language}-{theme}-{size}.png", full_page=True)


async def test_language_and_colours_change_in_place_and_keep_what_was_typed(browser: Browser, origin: str) -> None:
    page, complaints = await opened(browser, f"{origin}/style", locale="en", color_scheme="light")
    await page.evaluate("window.same = true")
    await page.fill("#reason", "typed and not lost")
    calendar = await page.query_selector(".calendar-box")
    await page.click(".topbar button[lang=it]")
    await until(page, "document.documentElement.lang === 'it'")
    assert await page.inner_text("h1") == "Stile"
    assert await page.evaluate("window.same") is True
    assert await page.input_value("#reason") == "typed and not lost"
    assert await page.evaluate("node => node.isConnected", calendar)
    before = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.click(".topbar button[name=theme]")
    await until(page, "document.documentElement.dataset.theme === 'dark'")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    await page.click(".topbar button[lang=en]")
    await until(page, "document.documentElement.lang === 'en'")
    assert complaints == []


async def test_the_palette_opens_by_key_and_goes_where_it_says(browser: Browser, origin: str) -> None:
    page, _ = await opened(browser, f"{origin}/style", locale="en")
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("#palette[open] [aria-selected=true]")
    await page.keyboard.type("cal")
    assert await page.locator("#palette [role=option]:visible").all_inner_texts() == ["Calendar\ng c"]
    await page.keyboard.press("Escape")
    await page.wait_for_selector("#palette", state="hidden")
    await page.keyboard.press("?")
    await page.wait_for_selector("#keys[open]")


async def test_the_lookup_offers_and_keeps_a_choice(browser: Browser, origin: str) -> None:
    page, complaints = await opened(browser, f"{origin}/style", locale="en")
    await page.fill("#medicine-search", "amo")
    await page.wait_for_selector("#medicine-list [role=option]")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert await page.input_value("input[name=medicine]") == "2"
    assert await page.input_value("#medicine-search") == "Amlodipina 5 mg"
    assert complaints == []


async def test_t068_what_is_injected_does_nothing(browser: Browser, origin: str) -> None:
    page, complaints = await opened(browser, f"{origin}/style", locale="en")
    blocked = await page.evaluate(
        """() => { try { document.body.innerHTML = '<img src=x onerror="window.hit=1">'; return false }
                   catch { return true } }"""
    )
    assert blocked
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('base'), {href: 'https://evil.test/'}))"
    )
    assert await page.evaluate("document.baseURI") == f"{origin}/style"
    assert await page.evaluate("window.hit") is None
    assert any("TrustedHTML" in text for text in complaints)


async def test_the_api_documents_open_without_a_breach(browser: Browser, origin: str) -> None:
    page, complaints = await opened(browser, f"{origin}/api/docs", locale="en")
    await page.fill("#filter", "post /commands/register-patient")
    await page.click(".operation:visible summary")
    await page.wait_for_selector(".operation[open] .inside")
    body = await page.input_value(".operation[open] textarea")
    assert '"family_name": "Rossi"' in body
    await page.fill("#filter", "get /livez")
    await page.click(".operation:visible summary")
    await page.click(".operation:visible button")
    assert "200" in await page.inner_text(".operation:visible .answer strong")
    assert '"ok"' in await page.inner_text(".operation:visible .answer")
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_api_documents_are_accessible(browser: Browser, origin: str, theme: str) -> None:
    page, _ = await opened(browser, f"{origin}/api/docs", locale="en")
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    await page.fill("#filter", "appointments")
    await page.locator(".operation:visible > summary").evaluate_all("all => all.forEach(each => each.click())")
    assert await page.locator(".operation[open] .try").count() > 10
    await page.evaluate(AXE.read_text())
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    found = await page.evaluate("runOnly => axe.run(document, {runOnly})", rules)
    assert [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]] == []


def test_no_page_needs_more_than_150_kb_of_script() -> None:
    """Not even one that used every island, or the documents of the API."""
    scripts = {path.name: path.stat().st_size for path in BUILT.parent.rglob("*.js")}
    sent = {name: (BUILT.parent.rglob(f"{name}.br"), size) for name, size in scripts.items()}
    sizes = {name: next((twin.stat().st_size for twin in twins), size) for name, (twins, size) in sent.items()}
    assert sum(sizes.values()) < 150_000, sizes
