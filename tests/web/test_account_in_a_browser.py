"""One's own account in a real browser: the pages for another address and for none but passkeys, accessible."""

import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.identity.authenticator import Authenticator
from tests.web.conftest import OpenPage

from salerno.contexts.identity.commands import CreateUser, DropPassword, ResolveSession, SignIn
from salerno.contexts.identity.commands.passkeys import AddPasskey, BeginPasskey
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces.http.sessions import NOBODY
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]
PASSWORD = "quiet lantern over Salerno bay"


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, mails=True,
        issuer="https://clinic.test",
    )  # fmt: skip
    yield
    bus.settings.pop(SignInPolicy, None)


async def seen(page: Any, name: str) -> None:
    """A picture of the page, where somebody wants to look at it."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def somebody(bus: Bus, admin: Caller, role: str = "NURSE") -> Caller:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role), admin)
    opened = await bus.ask(SignIn(email=email, password=PASSWORD), NOBODY)
    found = await bus.ask(ResolveSession(token_hash=token_hash(opened.token)), NOBODY)
    return found.caller  # type: ignore[no-any-return]


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("it", "dark")])
async def test_the_pages_of_ones_account_are_accessible(
    bus: Bus, admin: Caller, browser_page: OpenPage, axe: Axe, language: str, theme: str
) -> None:
    nurse, without = await somebody(bus, admin), await somebody(bus, admin)
    device = Authenticator(origin="https://clinic.test")
    credential = device.create(await bus.ask(BeginPasskey(), without))
    await bus.ask(AddPasskey(name="Telephone", credential=credential), without)
    paths: list[tuple[Caller | None, str, str]] = [
        (nurse, "/account", "account"), (nurse, "/account/email", "email"),
        (nurse, "/account/email/confirm?token=abc", "email-confirm"),
        (None, "/email-change/revoke?token=abc", "email-revoke"),
        (None, "/email-change/revoke?done=revoked", "email-revoked"),
        (without, "/account/passkeys", "passkeys-drop"),
        (replace(admin, actor=nurse.actor), "/settings/practice", "practice"),
        (admin, f"/settings/accounts/{nurse.actor}", "settings-account"),
    ]  # fmt: skip
    for who, path, name in paths:
        page = await browser_page(who, path, language=language, theme=theme)
        await seen(page, f"{name}-{language}-{theme}")
        assert await axe(page) == [], path
        await page.context.close()
    await bus.ask(DropPassword(), without)
    for path, name in (("/account/passkeys?done=dropped", "passkeys-dropped"), ("/account", "account-without")):
        page = await browser_page(without, path, language=language, theme=theme)
        await seen(page, f"{name}-{language}-{theme}")
        assert await axe(page) == [], path
    form = await browser_page(nurse, "/account/email", language=language, theme=theme)
    await form.get_by_role("textbox").first.fill("nobody")
    await form.locator("form[action='/account/email']").evaluate("form => form.noValidate = true")
    await form.keyboard.press("Enter")
    await form.get_by_role("alert").wait_for()
    await seen(form, f"email-wrong-{language}-{theme}")
    assert await axe(form) == []
    await form.get_by_role("textbox").first.fill(f"{uuid4().hex[:12]}@example.com")
    await form.keyboard.press("Enter")
    await form.get_by_role("note").wait_for()
    await seen(form, f"email-sent-{language}-{theme}")
    assert await axe(form) == []
