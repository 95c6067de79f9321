"""Which tables are kept, from this room's events and from what others say."""

from salerno.contexts.scheduling.projections.appointments import APPOINTMENTS, AppointmentView
from salerno.contexts.scheduling.projections.catalogue import CATALOGUE, SHIPPED, VisitTypeLine, code_of
from salerno.contexts.scheduling.projections.people import PATIENTS, PEOPLE, PRACTITIONERS, PersonName
from salerno.contexts.scheduling.projections.practice import PRACTICE
from salerno.contexts.scheduling.projections.rosters import ROSTERS, roster_from
from salerno.kernel.database import load_sql

SQL = load_sql("salerno.contexts.scheduling")
LISTENS = (PRACTICE, PRACTITIONERS, ROSTERS, PATIENTS)

__all__ = [
    "APPOINTMENTS",
    "CATALOGUE",
    "LISTENS",
    "PEOPLE",
    "SHIPPED",
    "SQL",
    "AppointmentView",
    "PersonName",
    "VisitTypeLine",
    "code_of",
    "roster_from",
]
