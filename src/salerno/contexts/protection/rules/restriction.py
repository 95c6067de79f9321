"""The restriction of one chart: set, changed, lifted, set again."""

from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

from salerno.contexts.protection.commands import ChangeRestriction, LiftRestriction, RestrictChart
from salerno.contexts.protection.errors import AlreadyRestricted, NotRestricted
from salerno.contexts.protection.events import (
    ChartRestricted,
    RestrictionChanged,
    RestrictionEvent,
    RestrictionLifted,
    WhyRestricted,
)
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Terms:
    """Why, and to whom the chart stays open. A patient's own wish is always for the named only."""

    reason: WhyRestricted
    note: str
    accounts: tuple[UUID, ...]
    named_only: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish for the restriction of this chart. `known` are those of the named accounts that exist here."""

    restriction: UUID
    asked: RestrictChart | ChangeRestriction | LiftRestriction
    known: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Restriction:
    terms: Terms | None = None


def decide(state: Restriction, wish: Wish, origin: Origin) -> list[RestrictionEvent]:
    asked = wish.asked
    match asked:
        case RestrictChart():
            if state.terms is not None:
                raise AlreadyRestricted()
            named_only = asked.named_only or asked.reason == "own-wish"
            terms = Terms(asked.reason, asked.note.strip(), _known(wish, asked.accounts), named_only)
            return [ChartRestricted(restriction=wish.restriction, patient=asked.patient_id, **_fields(terms))]
        case ChangeRestriction():
            terms = _changed(_in_force(state), wish, asked)
            if terms == state.terms:
                return []
            return [RestrictionChanged(restriction=wish.restriction, patient=asked.patient_id, **_fields(terms))]
        case LiftRestriction():
            _in_force(state)
            note = asked.note.strip()
            return [RestrictionLifted(restriction=wish.restriction, patient=asked.patient_id, note=note)]
        case _:
            assert_never(asked)


def evolve(state: Restriction, event: RestrictionEvent) -> Restriction:
    match event:
        case ChartRestricted() | RestrictionChanged():
            return Restriction(Terms(event.reason, event.note, event.accounts, event.named_only))
        case RestrictionLifted():
            return Restriction()
        case _:
            assert_never(event)


def _in_force(state: Restriction) -> Terms:
    if state.terms is None:
        raise NotRestricted()
    return state.terms


def _changed(before: Terms, wish: Wish, asked: ChangeRestriction) -> Terms:
    reason = before.reason if asked.reason is None else asked.reason
    named_only = before.named_only if asked.named_only is None else asked.named_only
    return Terms(
        reason=reason,
        note=before.note if asked.note is None else asked.note.strip(),
        accounts=before.accounts if asked.accounts is None else _known(wish, asked.accounts),
        named_only=named_only or reason == "own-wish",
    )


def _known(wish: Wish, accounts: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """The accounts once each, and all of them known."""
    unknown = [nth for nth, account in enumerate(accounts) if account not in wish.known]
    if unknown:
        message = "There is no such account in this organisation."
        raise Invalid(errors=[{"path": f"accounts.{nth}", "code": "unknown", "message": message} for nth in unknown])
    return tuple(dict.fromkeys(accounts))


def _fields(terms: Terms) -> dict[str, Any]:
    return {
        "reason": terms.reason,
        "note": terms.note,
        "accounts": terms.accounts,
        "named_only": terms.named_only,
    }


RESTRICTION: Decider[Restriction, Wish, RestrictionEvent] = Decider(
    kind="protection.restriction",
    initial=Restriction(),
    decide=decide,
    evolve=evolve,
    events=RestrictionEvent,
)
