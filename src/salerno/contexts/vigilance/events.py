"""What can have happened to an alert. It is sealed under the key of the account that it is about."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from salerno.kernel.messages import Event

Kind: TypeAlias = Literal[
    "new-device", "new-country", "impossible-travel", "bulk-reads", "own-family", "after-hours", "probing", "exports"
]
Outcome: TypeAlias = Literal["justified", "unfounded", "followed-up"]


class AlertRaised(Event, tag="vigilance.alert_raised.v1", omit_defaults=True):
    """`at` is when it was seen, `role` that of the account then. The rest is the cause, as far as it has any.

    - `patient` is whose chart was opened; `reasons` say what the two share: family-name, phone, email, address.
    - `count` charts were opened, tried in vain or exported, the first two since `since`.
    - `session`, `address`, `agent` and `country` are those of a sign-in; `before` is where another was, at `since`.
    """

    alert: UUID
    account: UUID
    kind: Kind
    at: datetime
    role: str = ""
    patient: UUID | None = None
    reasons: tuple[str, ...] = ()
    count: int = 0
    since: datetime | None = None
    session: UUID | None = None
    address: str = ""
    agent: str = ""
    country: str = ""
    before: str = ""


class AlertReviewed(Event, tag="vigilance.alert_reviewed.v1", omit_defaults=True):
    """Somebody looked into it. `justified`: it happened, and was right. `unfounded`: it was not what it looked like.
    `followed-up`: it was wrong, and something was done about it, as the note says.
    """

    alert: UUID
    account: UUID
    outcome: Outcome
    note: str = ""


VigilanceEvent: TypeAlias = AlertRaised | AlertReviewed
EVENTS = (AlertRaised, AlertReviewed)
