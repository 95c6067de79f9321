"""Which permission each message needs. They decide over hiding, so they may be about what is hidden."""

from salerno.contexts.protection.commands import (
    BreakGlass,
    ChangeRestriction,
    EndBreakGlass,
    LiftRestriction,
    RestrictChart,
    ReviewBreakGlass,
)
from salerno.contexts.protection.queries import (
    BreakGlassById,
    BreakGlassList,
    BreakGlassToReview,
    ChartsInReach,
    ChartsWithin,
    MyBreakGlass,
    RestrictedCharts,
    RestrictionOf,
    WardsOfOrganisation,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

RESTRICT, BREAK, REVIEW = "protection.restrict", "protection.break_glass", "protection.review"
GRAVE = Needs(RESTRICT, fresh=True, hidden_too=True)
BY_ITSELF = Needs("protection.wards", hidden_too=True)  # no role holds it: the bus asks

NEEDS: dict[type[Command] | type[Query], Needs] = {
    RestrictChart: GRAVE,
    ChangeRestriction: GRAVE,
    LiftRestriction: GRAVE,
    BreakGlass: Needs(BREAK, fresh=True, hidden_too=True),
    EndBreakGlass: Needs(BREAK, hidden_too=True),
    ReviewBreakGlass: Needs(REVIEW, hidden_too=True),
    RestrictionOf: Needs(RESTRICT, opens="demographics", hidden_too=True),
    RestrictedCharts: Needs(RESTRICT, opens="demographics", hidden_too=True),
    BreakGlassList: Needs(REVIEW, opens="access", hidden_too=True),
    BreakGlassById: Needs(REVIEW, opens="access", hidden_too=True),
    BreakGlassToReview: Needs(REVIEW, hidden_too=True),
    ChartsWithin: BY_ITSELF,
    MyBreakGlass: Needs(BREAK, hidden_too=True),
    WardsOfOrganisation: BY_ITSELF,
    ChartsInReach: BY_ITSELF,
}
