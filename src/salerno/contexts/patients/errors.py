"""What may be refused, in the user's words."""

from collections.abc import Iterable
from uuid import UUID

from salerno.kernel.errors import Conflict, Gone, Invalid, NotAllowed, NotFound


class NoSuchPatient(NotFound):
    code = "no-such-patient"
    sentence = "There is no such patient, or the record is not for you to see."


class AlreadyRegistered(Conflict):
    code = "patient-already-registered"
    sentence = "A patient with this id is registered with other data. Update the record instead."


class LikelyDuplicate(Conflict):
    """`details["duplicates"]` lists each with id, score and reasons."""

    code = "likely-duplicate"
    sentence = "This looks like a patient who is already registered. Look at the records listed; if this is \
another person, say so with confirmed_not_duplicate."


class MrnTaken(Conflict):
    code = "mrn-taken"
    sentence = "This medical record number belongs to another patient."

    def __init__(self) -> None:
        super().__init__(errors=[{"path": "mrn", "code": self.code, "message": self.sentence}])


class RemovedRecord(Conflict):
    code = "patient-removed"
    sentence = "This record was removed. Restore it first."


class MergedAway(Gone):
    """`details["merged_into"]` says where the chart went."""

    code = "patient-merged"
    sentence = "This record was merged into another. Use that one, or un-merge them."

    def __init__(self, into: UUID) -> None:
        super().__init__(merged_into=str(into))


class CannotMerge(Invalid):
    code = "cannot-merge"
    sentence = "These two records cannot be merged."


class NotMerged(Conflict):
    code = "not-merged"
    sentence = "These two records are not merged."


class NoSuchConsent(NotFound):
    code = "no-such-consent"
    sentence = "The patient has given no such consent."


class FieldsNotYours(NotAllowed):
    """`details["errors"]` names each field."""

    code = "fields-not-yours"
    sentence = "Some of these fields are not yours to change."

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__(errors=[{"path": one, "code": self.code, "message": self.sentence} for one in fields])


class NumbersUsedUp(Conflict):
    code = "numbers-used-up"
    sentence = "All medical record numbers of this year are taken. Give a number of your own."
