"""The further alerts, and a concealed account, in a real browser: in words, in both languages and themes."""

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.protection.conftest import Ward
from tests.web.conftest import OpenPage

from salerno.contexts.identity.commands import ClaimChart, CreateUser, IssueChartCode
from salerno.contexts.vigilance.events import AlertRaised
from salerno.contexts.vigilance.handlers.raising import raise_alert
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

pytestmark = pytest.mark.browser
Axe = Callable[..., Awaitable[list[str]]]
SAID = {
    "en": ("Impossible travel", "and within the hour from Italy", "Charts tried in vain", "21 charts that are not",
           "Export", "the records of 1,500 people", "Reader and patient share: home."),
    "it": ("Viaggio impossibile", "ed entro un'ora da Italia", "Cartelle cercate invano", "21 cartelle inesistenti",
           "Esportazione", "i dati di 1.500 persone", "in comune: abitazione."),
}  # fmt: skip


async def seen(page: Any, name: str) -> None:
    """A picture of the page, where somebody wants to look at it."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("it", "dark")])
async def test_the_further_alerts_say_in_words_what_was_seen(
    bus: Bus, caller: Callable[..., Caller], browser_page: OpenPage, axe: Axe, language: str, theme: str
) -> None:
    ward = await Ward(bus, caller).founded()
    officer, nurse, patient = await ward.colleague("ADMIN"), await ward.colleague("NURSE"), await ward.patient()
    now = bus.clock.now()
    about = {"account": nurse.actor, "at": now, "role": "NURSE", "address": "198.51.100.7"}
    alerts = (
        AlertRaised(
            alert=uuid4(), kind="impossible-travel", session=uuid4(), country="FR", before="IT",
            since=now - timedelta(minutes=40), agent="curl/8", **about,
        ),
        AlertRaised(alert=uuid4(), kind="probing", count=21, since=now - timedelta(minutes=5), **about),
        AlertRaised(alert=uuid4(), kind="exports", count=1500, **about),
        AlertRaised(alert=uuid4(), kind="own-family", patient=patient, reasons=("address",), **about),
    )  # type: ignore[arg-type]  # fmt: skip

    async def work(tx: Tx) -> None:
        for alert in alerts:
            await raise_alert(tx, alert)

    await bus.within(bus.rooms["vigilance"], replace(nurse, role="SYSTEM"), work)
    page = await browser_page(officer, "/settings/security", language=language, theme=theme)
    await seen(page, f"alerts-{language}-{theme}")
    text = await page.content()
    assert [word for word in SAID[language] if word not in text] == []
    assert await axe(page) == []
    mine = await browser_page(nurse, "/account/security", language=language, theme=theme)
    assert SAID[language][0] in await mine.content()
    assert await axe(mine) == []
    wish = CreateUser(email=f"{uuid4().hex}@example.com", given_name="Olga", family_name="Quintavalle", role="PATIENT")
    account = (await bus.handle(wish, ward.chief)).aggregate_id
    code = await bus.ask(IssueChartCode(patient_id=patient), ward.make("RECEPTIONIST"))
    await bus.ask(ClaimChart(code=code.code), replace(ward.make("PATIENT"), actor=account))
    await ward.restrict(patient)
    for path, name in (("/settings/accounts", "accounts"), (f"/settings/accounts/{account}", "account-concealed")):
        page = await browser_page(officer, path, language=language, theme=theme)
        await seen(page, f"{name}-{language}-{theme}")
        assert "Olga" not in await page.content()
        assert await axe(page) == []
