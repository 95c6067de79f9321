"""Pages as people meet them: signed-in clients, a server that browsers can reach, and Chromium.

`sign_in(caller)` gives an httpx client with that caller's session; `browser_page(caller)` a page of a real
browser, whose test fails when the console reports an error. Chromium is asked for by `-m browser` tests only.
"""

import asyncio
import io
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest
from bench.harness import free_port
from granian.server.embed import Server
from msgspec.structs import replace
from playwright.async_api import Browser, Page, async_playwright
from tests.applications import build

from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.observing import AccessLog
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

# The shell is the same engine without a window of its own, and opens a page in half the time.
CHROMIUM = next(filter(None, map(which, ("chromium-headless-shell", "chromium", "chromium-browser"))), "")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
SiteClient = Callable[..., httpx.AsyncClient]
OpenPage = Callable[..., Awaitable[Page]]


class Seats:
    """Sessions by their token: whoever was given a seat is signed in."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock, self._taken = clock, dict[str, Found]()

    def give(self, caller: Caller) -> tuple[str, Found]:
        token = secrets.token_urlsafe(32)
        until = self._clock.now() + timedelta(days=3650)
        self._taken[token] = Found(caller=caller, csrf=secrets.token_urlsafe(16), expires_at=until)
        return token, self._taken[token]

    def stale(self, token: str) -> None:
        """From now on this session has to show again whose it is."""
        self._taken[token] = replace(self._taken[token], stale=True)

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return self._taken.get(token)

    async def caller_by_bearer(self, token: str) -> Found | None:
        return None

    def forget(self, token: str = "") -> None:
        return None


@pytest.fixture(scope="session")
def seats(clock: MovableClock) -> Seats:
    return Seats(clock)


@pytest.fixture(scope="session")
def site(bus: Bus, seats: Seats, clock: MovableClock) -> Any:
    """The whole application over the real bus, with both doors."""
    setup = Setup(sessions=seats, clock=clock, stop=False, development=True, log=AccessLog(io.BytesIO()))
    return build(bus, [web.door(bus), api.door(bus)], setup)


@pytest.fixture
async def sign_in(site: Any, seats: Seats) -> AsyncIterator[SiteClient]:
    """`sign_in(caller)` or `sign_in(caller, "it")`: a client whose forms carry the session's token by header."""
    opened: list[httpx.AsyncClient] = []

    def make(caller: Caller, language: str = "en") -> httpx.AsyncClient:
        token, found = seats.give(caller)
        headers = {
            "Cookie": f"__Host-sid={token}", "X-CSRF-Token": found.csrf, "Accept": "text/html",
            "Accept-Language": language,
        }  # fmt: skip
        client = httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="https://clinic.test", headers=headers)
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
def partial() -> dict[str, str]:
    """What htmx says when it wants a part of a page."""
    return {"HX-Request": "true", "HX-Request-Type": "partial"}


# ------------------------------------------------------------------ a real browser
@pytest.fixture(scope="session")
async def address(site: Any) -> AsyncIterator[str]:
    """Where the application answers, served by Granian in this very process and loop."""
    port = free_port()
    async with served(site, port):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def served(site: Any, port: int) -> AsyncIterator[None]:
    server = Server(site, port=port, interface="asgi", websockets=False, log_enabled=False)  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{port}/livez")
                break
            await asyncio.sleep(0.02)
    yield
    server.stop()
    await serving


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for the whole run."""
    if not CHROMIUM:
        assert "CI" not in os.environ, "there is no Chromium, and here a missing part is a failure"
        pytest.skip("there is no Chromium")
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def browser_page(address: str, chromium: Browser, seats: Seats) -> AsyncIterator[OpenPage]:
    """`await browser_page(caller, "/people", width=390, language="it", theme="dark")`; without a caller nobody is in.

    At the end every page must have kept silent: no error, no breach of the content security policy.
    """
    contexts, said = [], list[str]()

    async def open_page(
        caller: Caller | None = None, path: str = "", *, width: int = 1280, language: str = "en", theme: str = "light"
    ) -> Page:
        context = await chromium.new_context(
            base_url=address, viewport={"width": width, "height": 900 if width > 500 else 844}, locale=language,
            color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        cookies = {"__Host-look": f"{language}.{theme}"}
        if caller is not None:
            cookies["__Host-sid"] = seats.give(caller)[0]
        secure = address.replace("http:", "https:")  # a browser sends it to this machine without TLS as well
        await context.add_cookies([{"name": n, "value": v, "url": secure, "secure": True} for n, v in cookies.items()])
        page = await context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if path:
            await page.goto(path)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert [line for line in said if "status of 4" not in line] == []


@pytest.fixture
def axe() -> Callable[..., Awaitable[list[str]]]:
    """`await axe(page)`: what axe finds wrong for WCAG 2.2 AA, rule by rule; an empty list is what we want."""

    async def look(page: Page, *without: str) -> list[str]:
        await page.evaluate(AXE.read_text())
        rules = {name: {"enabled": False} for name in without}
        found = await page.evaluate(
            "rules => axe.run(document, {rules, runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', "
            "'best-practice']})",
            rules,
        )
        return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]

    return look
