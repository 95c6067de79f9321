"""Saying what an alert was."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.errors import NoSuchAlert
from salerno.contexts.vigilance.projections import ALERTS
from salerno.contexts.vigilance.rules.alert import ALERT
from salerno.kernel.messages import Origin, Recorded
from salerno.kernel.transactions import Tx


async def review(tx: Tx, command: ReviewAlert, origin: Origin) -> Sequence[Recorded[Any]]:
    """What is for its person only is not there for anybody else."""
    held = await ALERTS.get(tx, command.alert_id)
    if held is None or held.doc.status == "own":
        raise NoSuchAlert()
    return await tx.execute(ALERT, command.alert_id, command)
