"""What may be refused about a person's record, in the user's words."""

from salerno.kernel.errors import Conflict, Invalid, NotFound


class UnknownPatient(NotFound):
    code = "unknown-patient"
    sentence = "There is no such patient."


class NoSuchRecord(NotFound):
    code = "no-such-record"
    sentence = "There is no such entry in the record, or it is not for you to see."


class AlreadyRecorded(Conflict):
    """`details["record_id"]` names it."""

    code = "already-recorded"
    sentence = "There is already an entry under this number, and it says something else."


class AlreadyOnTheList(Conflict):
    code = "already-on-the-list"
    sentence = "This problem is already on the list. Change its status instead."


class WasEnteredInError(Conflict):
    code = "was-entered-in-error"
    sentence = "This entry was withdrawn as entered in error. Record it anew."


class HasAllergies(Conflict):
    code = "has-allergies"
    sentence = "There are allergies on the record. Remove or resolve them first."


class NothingMeasured(Invalid):
    code = "nothing-measured"
    sentence = "Enter at least one measurement."


class Implausible(Invalid):
    code = "implausible"
    sentence = "A value is outside of what is possible."


class UnknownUnit(Invalid):
    code = "unknown-unit"
    sentence = "This unit is not known for this measurement."


class UnknownStatus(Invalid):
    code = "unknown-status"
    sentence = "There is no such status for this kind of entry."


class ReasonNeeded(Invalid):
    code = "reason-needed"
    sentence = "Say why."
