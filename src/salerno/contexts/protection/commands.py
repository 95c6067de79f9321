"""What may be asked about restricted charts and about breaking the glass."""

from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.contexts.protection.events import Outcome, WhyBroken, WhyRestricted
from salerno.kernel.messages import Command

Note: TypeAlias = Annotated[str, Meta(max_length=2000)]
Accounts: TypeAlias = Annotated[tuple[UUID, ...], Meta(max_length=200)]
Explanation: TypeAlias = Annotated[str, Meta(max_length=2000)]
Minutes: TypeAlias = Annotated[int, Meta(ge=5, le=240)]


class RestrictChart(Command):
    """Hide a chart from everybody but its patient, the `accounts` named and those who have the patient in care.

    With `named_only`, and always where it is the patient's own wish, care alone does not open it.
    """

    patient_id: UUID
    reason: WhyRestricted
    note: Note = ""
    accounts: Accounts = ()
    named_only: bool = False


class ChangeRestriction(Command):
    """Change why a chart is restricted or to whom it is open. What is not named stays."""

    patient_id: UUID
    reason: WhyRestricted | None = None
    note: Note | None = None
    accounts: Accounts | None = None
    named_only: bool | None = None


class LiftRestriction(Command):
    """Open a restricted chart again to everybody whose permissions reach it."""

    patient_id: UUID
    note: Note = ""


class BreakGlass(Command):
    """Open one chart to oneself for some minutes (60 by default, at most 240). The privacy officer is told.

    The chart is named by its id or by an `identifier`: its MRN or another number of the patient, to the letter.
    `explanation` says in at least ten characters why.
    """

    reason: WhyBroken
    explanation: Explanation
    minutes: Minutes = 60
    patient_id: UUID | None = None
    identifier: Annotated[str, Meta(max_length=120)] = ""
    glass_id: UUID | None = None


class EndBreakGlass(Command):
    """Close again what one has opened, before its time is over."""

    glass_id: UUID


class ReviewBreakGlass(Command):
    """Say whether it was justified to break the glass. Nobody reviews their own. A `note` is needed unless it was."""

    glass_id: UUID
    outcome: Outcome
    note: Note = ""
