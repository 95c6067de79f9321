"""Which permission each message needs. Who may review is the privacy officer; everybody reads what is about them."""

from salerno.contexts.vigilance.commands import ReviewAlert, WeighSignIn
from salerno.contexts.vigilance.queries import AlertById, Alerts, MyAlerts
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

NEEDS: dict[type[Command] | type[Query], Needs] = {
    ReviewAlert: Needs("vigilance.review"),
    WeighSignIn: Needs("vigilance.weigh"),
    Alerts: Needs("vigilance.read", opens="access", hidden_too=True),  # who looked where it is hidden is what counts
    AlertById: Needs("vigilance.read", opens="access", hidden_too=True),
    MyAlerts: Needs("vigilance.read_self"),
}
