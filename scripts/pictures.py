"""Takes the pictures of signing in for docs/signing-in.md: each page in both languages, light and dark.

`python scripts/pictures.py` founds a small clinic in a folder of its own, and looks at it with Chromium.
"""

import asyncio
import shutil
import tempfile
from itertools import product
from pathlib import Path
from uuid import uuid4

from bench.harness import Process, free_port
from playwright.async_api import BrowserContext, Page, async_playwright
from tests.web.conftest import CHROMIUM, FLAGS

from salerno import app
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.interfaces.cli.demo.clinic import PASSWORD, open_clinic
from salerno.kernel.messages import Caller
from salerno.kernel.settings import read_settings

FOLDER = Path(__file__).parents[1] / "docs/images/signing-in"
LOOKS = tuple(product(("en", "it"), ("light", "dark")))
SIZE = {"width": 1100, "height": 720}
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
GIVEN = {"SALERNO_SECOND_FACTOR": "offered", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "SMTP_FROM": "a@example.com"}


async def found(data: Path, given: dict[str, str]) -> None:
    """The demo's clinic, and a hospital that asks its doctor to work there too."""
    settings = read_settings(given | {"SALERNO_DATA": str(data), "LOG_LEVEL": "error"}, Path("/nowhere"))
    async with app.running(settings, follow=True) as house:
        await open_clinic(house)
        hospital, permissions = uuid4(), frozenset(house.bus.permissions())
        chief = Caller(actor=uuid4(), organisation=hospital, role="SUPER_ADMIN", permissions=permissions)
        name = "Ospedale San Matteo"
        await house.bus.handle(RegisterOrganisation(organisation_id=hospital, kind="hospital", name=name), chief)
        asked = InviteUser(email="test.doctor@example.com", given_name="A.", family_name="Bell", role="DOCTOR")
        await house.bus.handle(asked, chief)
        await house.bus.settled()


async def look(context: BrowserContext, address: str, language: str, theme: str) -> None:
    cookie = {"name": "__Host-look", "value": f"{language}.{theme}", "secure": True}
    await context.add_cookies([cookie | {"url": address.replace("http:", "https:")}])  # type: ignore[list-item]


async def sign_in(page: Page) -> None:
    await page.goto("/sign-in?next=/account")
    await page.fill("#email", "test.doctor@example.com")
    await page.fill("#password", PASSWORD)
    await page.click("form[action='/sign-in'] button[type=submit]")
    await page.wait_for_url("**/account")


async def take(page: Page, name: str) -> None:
    await page.evaluate("document.activeElement && document.activeElement.blur()")
    await page.screenshot(path=FOLDER / f"{name}.png")


async def add_passkey(page: Page) -> None:
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    await page.goto("/account/passkeys")
    await page.fill("input[name=name]", "iPhone")
    await page.locator("form:has(input[name=name]) button").first.click()
    await page.locator("code").first.wait_for()


async def accept(page: Page) -> None:
    await page.goto("/account/organisations")
    await page.locator("form[action$='/accept'] button").first.click()
    await page.wait_for_url("**done=accepted")


async def pictures(address: str) -> None:
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(base_url=address, viewport=SIZE, reduced_motion="reduce")
        page = await context.new_page()
        for language, theme in LOOKS:
            await look(context, address, language, theme)
            await page.goto("/sign-in")
            await take(page, f"sign-in-{language}-{theme}")
        await sign_in(page)
        await add_passkey(page)
        await accept(page)
        for (language, theme), name in product(LOOKS, ("passkeys", "organisations")):
            await look(context, address, language, theme)
            await page.goto(f"/account/{name}")
            await take(page, f"{name}-{language}-{theme}")
        await browser.close()


def main() -> None:
    top = Path(tempfile.mkdtemp(prefix="salerno-pictures-"))
    top.chmod(0o711)
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = free_port()
    given = GIVEN | {"SALERNO_BASE_URL": f"http://localhost:{port}"}
    asyncio.run(found(top / "data", given))
    server = Process(top / "data", given=given, port=port).start().ready()
    try:
        asyncio.run(pictures(f"http://localhost:{port}"))
    finally:
        server.stop()
        shutil.rmtree(top, ignore_errors=True)


main()
