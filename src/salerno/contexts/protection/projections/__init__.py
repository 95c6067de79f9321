"""What this room shows, and what it knows of others: patients' numbers, who has whom in care, accounts."""

from salerno.contexts.protection.projections.caring import ACCOUNTS, CARE, WORKPLACES
from salerno.contexts.protection.projections.people import MERGED_CHARTS, NUMBERS, PEOPLE, PersonKnown, number_text
from salerno.contexts.protection.projections.shown import (
    GLASSES,
    RESTRICTIONS,
    SQL,
    GlassView,
    RestrictionView,
)

LISTENS = (NUMBERS, MERGED_CHARTS, CARE, ACCOUNTS, WORKPLACES)

__all__ = [
    "GLASSES",
    "LISTENS",
    "PEOPLE",
    "RESTRICTIONS",
    "SQL",
    "GlassView",
    "PersonKnown",
    "RestrictionView",
    "number_text",
]
