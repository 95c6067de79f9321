"""One breaking of the glass: for one account, one chart and some minutes; reviewed once, by somebody else."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.protection.commands import BreakGlass, EndBreakGlass, ReviewBreakGlass
from salerno.contexts.protection.errors import (
    AlreadyBroken,
    AlreadyOpen,
    AlreadyReviewed,
    NoSuchBreakGlass,
    OwnReview,
)
from salerno.contexts.protection.events import GlassBroken, GlassEnded, GlassEvent, GlassReviewed
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin

SHORTEST_EXPLANATION = 10


@dataclass(frozen=True, slots=True)
class Break:
    """`open_until` is when what the same account has open of the same chart ends, if it has."""

    glass: UUID
    patient: UUID
    asked: BreakGlass
    open_until: datetime | None = None


GlassWish: TypeAlias = Break | EndBreakGlass | ReviewBreakGlass


@dataclass(frozen=True, slots=True)
class Glass:
    broken: GlassBroken | None = None
    ended: bool = False
    reviewed: bool = False

    def open_at(self, moment: datetime) -> bool:
        return self.broken is not None and not self.ended and moment < self.broken.until


def decide(state: Glass, wish: GlassWish, origin: Origin) -> list[GlassEvent]:
    match wish:
        case Break():
            return _break(state, wish, origin)
        case EndBreakGlass():
            return _end(state, origin)
        case ReviewBreakGlass():
            return _review(state, wish, origin)
        case _:
            assert_never(wish)


def evolve(state: Glass, event: GlassEvent) -> Glass:
    match event:
        case GlassBroken():
            return Glass(broken=event)
        case GlassEnded():
            return replace(state, ended=True)
        case GlassReviewed():
            return replace(state, reviewed=True)
        case _:
            assert_never(event)


def why_not_understood(asked: BreakGlass) -> list[dict[str, str]]:
    """What is missing in the form itself, before anybody looks whether there is such a chart."""
    errors = []
    if len(asked.explanation.strip()) < SHORTEST_EXPLANATION:
        message = f"Say in at least {SHORTEST_EXPLANATION} characters why you need this chart."
        errors.append({"path": "explanation", "code": "too-short", "message": message})
    if (asked.patient_id is None) == (not asked.identifier.strip()):
        message = "Name the chart by its id or by a number such as the MRN."
        errors.append({"path": "identifier", "code": "missing", "message": message})
    return errors


def _break(state: Glass, wish: Break, origin: Origin) -> list[GlassEvent]:
    if errors := why_not_understood(wish.asked):
        raise Invalid(errors=errors)
    if state.broken is not None:
        raise AlreadyBroken()
    if wish.open_until is not None and origin.recorded_at < wish.open_until:
        raise AlreadyOpen(until=wish.open_until)
    return [
        GlassBroken(
            glass=wish.glass,
            patient=wish.patient,
            account=origin.actor,
            role=origin.role,
            reason=wish.asked.reason,
            explanation=wish.asked.explanation.strip(),
            from_=origin.recorded_at,
            until=origin.recorded_at + timedelta(minutes=wish.asked.minutes),
        )
    ]


def _end(state: Glass, origin: Origin) -> list[GlassEvent]:
    """What has ended has ended: asking again changes nothing."""
    if state.broken is None or state.broken.account != origin.actor:
        raise NoSuchBreakGlass()
    return _ended(state, origin)


def _review(state: Glass, wish: ReviewBreakGlass, origin: Origin) -> list[GlassEvent]:
    """What is reviewed while it is still open, and found wanting, is over at once."""
    if state.broken is None:
        raise NoSuchBreakGlass()
    if state.broken.account == origin.actor:
        raise OwnReview()
    if state.reviewed:
        raise AlreadyReviewed()
    note = wish.note.strip()
    if not note and wish.outcome != "justified":
        raise Invalid.field("note", "missing", "Say why, and what is to be done.")
    reviewed = GlassReviewed(glass=state.broken.glass, patient=state.broken.patient, outcome=wish.outcome, note=note)
    return [reviewed, *([] if wish.outcome == "justified" else _ended(state, origin))]


def _ended(state: Glass, origin: Origin) -> list[GlassEvent]:
    broken = state.broken
    if broken is None or not state.open_at(origin.recorded_at):
        return []
    return [GlassEnded(glass=broken.glass, patient=broken.patient, account=broken.account)]


GLASS: Decider[Glass, GlassWish, GlassEvent] = Decider(
    kind="protection.glass",
    initial=Glass(),
    decide=decide,
    evolve=evolve,
    events=GlassEvent,
)
