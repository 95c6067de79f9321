"""Weighing a sign-in: from a device or a country that is new for this account?"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from salerno.contexts.vigilance.commands import WeighSignIn
from salerno.contexts.vigilance.events import AlertRaised, Kind
from salerno.contexts.vigilance.handlers.raising import alert_id, raise_alert, watchfulness_of
from salerno.contexts.vigilance.projections import SQL
from salerno.contexts.vigilance.rules.sign_ins import OLD_NEWS, facts, unusual
from salerno.contexts.vigilance.rules.travel import Was, is_impossible
from salerno.kernel.messages import INSTALLATION, Origin, Recorded
from salerno.kernel.transactions import Tx

ONCE = timedelta(days=1)


class LastSignIn(Struct, frozen=True, kw_only=True):
    """Where an account was signed in to last, as it is sealed."""

    country: str
    at: datetime


async def weigh_sign_in(tx: Tx, command: WeighSignIn, origin: Origin) -> Sequence[Recorded[Any]]:
    """Learn from it, and raise what it is worth."""
    watch = watchfulness_of(tx.bus)
    country = watch.networks.country_of(command.address)
    known = facts(command.device, command.agent, country)
    tokens = await tx.tokens("sign-in", *(f"{kind}|{text}" for kind, text in known))
    rows = await tx.fetch(
        SQL["learn_sign_in"], tx.organisation, command.account_id, [kind for kind, _ in known], tokens
    )
    if command.signed_in_at < tx.now - OLD_NEWS:
        return []
    usual = {*watch.usual, await _country_of_the_practice(tx)}
    recorded: list[Recorded[Any]] = []
    kinds = unusual({row["fact"] for row in rows}, command.device, country, usual)
    before = await _elsewhere(tx, command, country, usual)
    travelled: list[Kind] = ["impossible-travel"] if before and not await _said_lately(tx, command) else []
    for kind in [*kinds, *travelled]:
        seen = AlertRaised(
            alert=alert_id(kind, command.session_id),
            account=command.account_id,
            kind=kind,
            at=command.signed_in_at,
            role=await _role_of(tx, command),
            session=command.session_id,
            address=command.address,
            agent=command.agent,
            country=country,
            before=before.country if before and kind == "impossible-travel" else "",
            since=before.at if before and kind == "impossible-travel" else None,
        )
        recorded += await raise_alert(tx, seen)
    return recorded


async def _elsewhere(tx: Tx, command: WeighSignIn, country: str, usual: Collection[str]) -> Was | None:
    """Where the account was just before, or just after, if nobody gets from there to here so fast."""
    if not country:
        return None
    now = Was(country, command.signed_in_at)
    rows = await tx.fetch(SQL["last_sign_in"], tx.organisation, command.account_id)
    docs = await tx.open_docs("last_sign_ins", rows, LastSignIn)
    last = Was(docs[0].country, docs[0].at) if docs else None
    if last is None or last.at <= now.at:
        account = command.account_id
        sealed = await tx.seal_doc("last_sign_ins", account, account, LastSignIn(country=country, at=now.at))
        await tx.run(SQL["keep_last_sign_in"], tx.organisation, account, sealed)
    return last if is_impossible(last, now, usual) else None


async def _said_lately(tx: Tx, command: WeighSignIn) -> bool:
    """Whoever uses a network abroad comes and goes by it: that is said once a day."""
    about = (tx.organisation, command.account_id, "impossible-travel", INSTALLATION)
    until: datetime | None = await tx.fetchval(SQL["silence"], *about)
    if until is not None and command.signed_in_at < until:
        return True
    await tx.run(SQL["keep_silence"], *about, command.signed_in_at + ONCE)
    return False


async def _country_of_the_practice(tx: Tx) -> str:
    row = await tx.fetchrow(SQL["practice"], tx.organisation)
    return str(row["country"]).upper() if row else ""


async def _role_of(tx: Tx, command: WeighSignIn) -> str:
    rows = await tx.fetch(SQL["readers"], tx.organisation, [command.account_id])
    return str(rows[0]["role"]) if rows else ""
