"""A planned week by itself, and beside the weeks at other places: nobody is in two places at once."""

from collections.abc import Iterable, Sequence

from salerno.contexts.staff.errors import HoursOverlap
from salerno.contexts.staff.rules.hours import Plan, collision
from salerno.kernel.errors import Invalid


def makes_sense(plan: Plan) -> None:
    """Refuses a week that ends before it begins, or whose stretches collide."""
    if plan.valid_until is not None and plan.valid_until < plan.valid_from:
        raise Invalid.field("valid_until", "before-start", "The last day lies before the first.")
    if any(one.start in (one.end, "24:00") for one in plan.hours):
        raise Invalid.field(
            "hours",
            "empty-stretch",
            "A stretch of hours must have a beginning and a later end.",
        )
    if clash := collision(plan.hours, plan.hours):
        raise HoursOverlap(
            location=str(plan.location),
            weekday=clash.weekday,
            start=clash.start,
            end=clash.end,
        )


def not_elsewhere(plans: Sequence[Plan], plan: Plan) -> None:
    """Hours elsewhere that hold at the same time, and are not replaced by a later plan, may not collide."""
    for other in _latest(plans):
        if other.location == plan.location or not _both_hold(other, plan):
            continue
        if clash := collision(plan.hours, other.hours):
            raise HoursOverlap(location=str(other.location), weekday=clash.weekday, start=clash.start, end=clash.end)


def _latest(plans: Sequence[Plan]) -> Iterable[Plan]:
    """Plans of which some day is left: a later one for the same place that covers them takes their place."""
    return [plan for nth, plan in enumerate(plans) if not any(_covers(later, plan) for later in plans[nth + 1 :])]


def _covers(later: Plan, earlier: Plan) -> bool:
    if later.location != earlier.location or later.valid_from > earlier.valid_from:
        return False
    return later.valid_until is None or (earlier.valid_until is not None and earlier.valid_until <= later.valid_until)


def _both_hold(one: Plan, other: Plan) -> bool:
    return (one.valid_until is None or other.valid_from <= one.valid_until) and (
        other.valid_until is None or one.valid_from <= other.valid_until
    )
