"""What the staff room refuses."""

from salerno.kernel.errors import Conflict, Gone, NotFound


class NoSuchStaffMember(NotFound):
    code = "no-such-staff-member"
    sentence = "There is no such member of staff."


class AlreadyAdded(Conflict):
    code = "staff-member-already-added"
    sentence = "This member of staff exists already."


class MemberRemoved(Gone):
    code = "staff-member-removed"
    sentence = "This member of staff was removed."


class HoursOverlap(Conflict):
    """`details` name the location and weekday they collide with."""

    code = "working-hours-overlap"
    sentence = "These hours overlap with hours that are already set. Nobody can be in two places at once."


class NoSuchException(NotFound):
    code = "no-such-availability-exception"
    sentence = "There is no such exception."


class NoSuchTimeOff(NotFound):
    code = "no-such-time-off"
    sentence = "There is no such time off."
