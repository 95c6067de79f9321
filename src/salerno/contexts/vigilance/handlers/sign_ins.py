"""Weighing a sign-in: from a device or a country that is new for this account?"""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.vigilance.commands import WeighSignIn
from salerno.contexts.vigilance.events import AlertRaised
from salerno.contexts.vigilance.handlers.raising import alert_id, raise_alert, watchfulness_of
from salerno.contexts.vigilance.projections import SQL
from salerno.contexts.vigilance.rules.sign_ins import OLD_NEWS, facts, unusual
from salerno.kernel.messages import Origin, Recorded
from salerno.kernel.transactions import Tx


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
    for kind in unusual({row["fact"] for row in rows}, command.device, country, usual):
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
        )
        recorded += await raise_alert(tx, seen)
    return recorded


async def _country_of_the_practice(tx: Tx) -> str:
    row = await tx.fetchrow(SQL["practice"], tx.organisation)
    return str(row["country"]).upper() if row else ""


async def _role_of(tx: Tx, command: WeighSignIn) -> str:
    rows = await tx.fetch(SQL["readers"], tx.organisation, [command.account_id])
    return str(rows[0]["role"]) if rows else ""
