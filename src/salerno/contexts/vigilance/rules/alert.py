"""An alert: raised once, reviewed by somebody else than the person it is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.errors import AboutYourself, NoSuchAlert, NoteNeeded
from salerno.contexts.vigilance.events import AlertRaised, AlertReviewed, VigilanceEvent
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Alert:
    account: UUID | None = None
    outcome: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Raise:
    """What was seen, as it will be recorded."""

    seen: AlertRaised


Wish = Raise | ReviewAlert


def decide(state: Alert, wish: Wish, origin: Origin) -> Sequence[VigilanceEvent]:
    match wish:
        case Raise(seen=seen):
            return [] if state.account is not None else [seen]
        case ReviewAlert():
            return _review(state, wish, origin)
        case _:
            assert_never(wish)


def _review(state: Alert, wish: ReviewAlert, origin: Origin) -> Sequence[VigilanceEvent]:
    note = wish.note.strip()
    if state.account is None:
        raise NoSuchAlert()
    if state.account == origin.actor:
        raise AboutYourself()
    if wish.outcome == "followed-up" and not note:
        raise NoteNeeded(errors=[{"path": "note", "code": NoteNeeded.code, "message": NoteNeeded.sentence}])
    if (state.outcome, state.note) == (wish.outcome, note):
        return []
    return [AlertReviewed(alert=wish.alert_id, account=state.account, outcome=wish.outcome, note=note)]


def evolve(state: Alert, event: VigilanceEvent) -> Alert:
    match event:
        case AlertRaised(account=account):
            return Alert(account=account)
        case AlertReviewed(outcome=outcome, note=note):
            return replace(state, outcome=outcome, note=note)
        case _:
            assert_never(event)


ALERT: Decider[Alert, Wish, VigilanceEvent] = Decider(
    kind="vigilance.alert", initial=Alert(), decide=decide, evolve=evolve, events=VigilanceEvent
)
