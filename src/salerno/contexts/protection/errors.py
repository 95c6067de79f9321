"""What this room may refuse, in the words of the ward."""

from salerno.kernel.errors import Conflict, NotAllowed, NotFound


class Restricted(NotAllowed):
    """The chart is hidden from somebody who may break the glass."""

    code = "restricted"
    sentence = "This chart is restricted. If you need it for your patient's sake, break the glass and say why."


class NoSuchChart(NotFound):
    code = "no-such-chart"
    sentence = "There is no chart with this number."


class NoSuchBreakGlass(NotFound):
    code = "no-such-break-glass"
    sentence = "There is no such entry, or it is not for you to see."


class NoSuchRestriction(NotFound):
    code = "no-such-restriction"
    sentence = "This chart is not restricted, or it is not for you to know."


class NotRestricted(Conflict):
    code = "not-restricted"
    sentence = "This chart is not restricted."


class AlreadyRestricted(Conflict):
    code = "already-restricted"
    sentence = "This chart is restricted already."


class AlreadyOpen(Conflict):
    """`details["until"]` says how long."""

    code = "already-open"
    sentence = "You have this chart open under break-glass already."


class AlreadyBroken(Conflict):
    code = "already-exists"
    sentence = "An entry with this id exists already."


class AlreadyReviewed(Conflict):
    code = "already-reviewed"
    sentence = "This has been reviewed already."


class OwnReview(NotAllowed):
    code = "own-review"
    sentence = "Nobody reviews their own break-glass."
