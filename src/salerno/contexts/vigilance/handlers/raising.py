"""Raising an alert. Its id is made of what was seen, so that seeing it twice says it once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from salerno.contexts.vigilance.events import AlertRaised
from salerno.contexts.vigilance.rules.alert import ALERT, Raise
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Recorded
from salerno.kernel.transactions import Tx

ALERTS = UUID("5a1e2a00-0000-7000-8000-766967696c61")


def alert_id(kind: str, *seen: object) -> UUID:
    return uuid5(ALERTS, "|".join(map(str, (kind, *seen))))


async def raise_alert(tx: Tx, seen: AlertRaised) -> Sequence[Recorded[Any]]:
    return await tx.execute(ALERT, seen.alert, Raise(seen), subject=seen.account)


def watchfulness_of(bus: Bus) -> Watchfulness:
    found = bus.settings.get(Watchfulness)
    return found if isinstance(found, Watchfulness) else Watchfulness()
