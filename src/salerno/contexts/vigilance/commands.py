"""What may be asked about alerts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from salerno.contexts.vigilance.events import Outcome
from salerno.kernel.messages import Command


class ReviewAlert(Command):
    """Say what an alert was. May be said again: the last word counts, the earlier ones stay in its history."""

    alert_id: UUID
    outcome: Outcome
    note: Annotated[str, Meta(max_length=2000)] = ""


class WeighSignIn(Command):
    """Compare a sign-in with earlier ones of the account. Wished by this room's policy, and by nobody else.

    `device` is what identity says of the browser: known, new, or nothing where it was a program.
    """

    account_id: UUID
    session_id: UUID
    signed_in_at: datetime
    address: str = ""
    agent: str = ""
    device: str = ""
