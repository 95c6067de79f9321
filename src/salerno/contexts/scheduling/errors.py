"""What scheduling may refuse, in the words of the front desk."""

from uuid import UUID

from salerno.kernel.errors import Conflict, Invalid, NotFound


class NoSuchAppointment(NotFound):
    code = "no-such-appointment"
    sentence = "There is no such appointment, or it is not for you to see."


class NoSuchRoom(NotFound):
    code = "no-such-room"
    sentence = "There is no such room."


class NoSuchVisitType(NotFound):
    code = "no-such-visit-type"
    sentence = "There is no such visit type."


class AlreadyBooked(Conflict):
    code = "already-booked"
    sentence = "An appointment with this id exists already."


class AlreadyExists(Conflict):
    code = "already-exists"
    sentence = "Something with this id exists already."


class SlotTaken(Conflict):
    """Lists every hold in the way (`conflicts`) and the nearest free times (`alternatives`)."""

    code = "slot-taken"
    sentence = "This time is already taken."


class OutsideWorkingHours(Conflict):
    """Lists the nearest free times (`alternatives`); `because` says which rule: hours, time-off, holiday."""

    code = "outside-working-hours"
    sentence = "The practitioner does not work then. Give a reason to book it all the same."


class AlreadyOver(Conflict):
    """`details["status"]` says how it ended."""

    code = "appointment-over"
    sentence = "This appointment is over and cannot be changed."

    def __init__(self, status: str) -> None:
        super().__init__(status=status)


class NotYet(Conflict):
    code = "too-early"
    sentence = "It is too early for this."


class AlreadyArrived(Conflict):
    code = "already-arrived"
    sentence = "The patient has checked in already."


class NotBookableOnline(Conflict):
    code = "not-bookable-online"
    sentence = "Appointments here are not booked online. Please call."


class SlotPassing(Conflict):
    """Two bookings met at the same instant and the database refused this one; asking again explains it."""

    code = "slot-taken"
    sentence = "This time was taken a moment ago."


class NoSuchTime(Invalid):
    """A local time that a clock change skips."""

    code = "no-such-time"
    sentence = "This local time does not exist: the clocks go forward over it."


def unknown(field: str, what: str) -> Invalid:
    """A field that names somebody or something that this organisation does not have."""
    return Invalid.field(field, "unknown", f"There is no such {what} in this organisation.")


def in_use(identifier: UUID, field: str) -> Invalid:
    return Invalid.field(field, "retired", f"{identifier} is no longer in use.")
