"""Alerts as they are shown, and what this room learns from the others."""

from salerno.contexts.vigilance.projections.alerts import ALERTS, AlertView
from salerno.contexts.vigilance.projections.hours import HOURS, hours_from
from salerno.contexts.vigilance.projections.learnt import CARE, KIN, PRACTICE
from salerno.kernel.database import load_sql

SQL = load_sql("salerno.contexts.vigilance")
LISTENS = (KIN, CARE, HOURS, PRACTICE)

__all__ = ["ALERTS", "LISTENS", "SQL", "AlertView", "hours_from"]
