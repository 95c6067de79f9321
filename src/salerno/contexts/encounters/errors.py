"""What may be refused about visits and notes, in the user's words."""

from salerno.kernel.errors import Conflict, Invalid, NotAllowed, NotFound


class NoSuchVisit(NotFound):
    code = "no-such-visit"
    sentence = "There is no such visit, or it is not for you to see."


class NoSuchNote(NotFound):
    code = "no-such-note"
    sentence = "There is no such note, or it is not for you to see."


class NoSuchDiagnosis(NotFound):
    code = "no-such-diagnosis"
    sentence = "This visit has no such diagnosis."


class UnknownPatient(NotFound):
    code = "unknown-patient"
    sentence = "There is no such patient."


class VisitExists(Conflict):
    code = "visit-exists"
    sentence = "There is already another visit under this number."


class VisitIsOver(Conflict):
    code = "visit-is-over"
    sentence = "This visit is completed or cancelled."


class VisitHasSignedNotes(Conflict):
    code = "visit-has-signed-notes"
    sentence = "This visit has signed notes. Void them first, with a reason."


class OnePrimaryDiagnosis(Conflict):
    code = "one-primary-diagnosis"
    sentence = "The visit already has a primary diagnosis."


class AlreadyDiagnosed(Conflict):
    code = "already-diagnosed"
    sentence = "This diagnosis is already on the visit."


class UnknownDiagnosisCode(Invalid):
    code = "unknown-diagnosis-code"
    sentence = "ICD-10-CM has no such code."


class NotYourNote(NotAllowed):
    code = "not-your-note"
    sentence = "Only its author may write, sign or void a note. Others add an addendum once it is signed."


class NoteExists(Conflict):
    code = "note-exists"
    sentence = "This note belongs to another visit."


class DraftMovedOn(Conflict):
    """`details` name the parts that changed and the revision that stands now."""

    code = "draft-moved-on"
    sentence = "This part of the note was changed in another window. Nothing was overwritten."


class NoteIsSigned(Conflict):
    code = "note-is-signed"
    sentence = "A signed note does not change. Add an addendum."


class NoteIsNotSigned(Conflict):
    code = "note-is-not-signed"
    sentence = "Only a signed note takes an addendum."


class NoteIsVoid(Conflict):
    code = "note-is-void"
    sentence = "This note was declared void."


class NotWhatYouSaw(Conflict):
    """`details["content_hash"]` is the hash of what stands now."""

    code = "not-what-you-saw"
    sentence = "The note changed after it was shown to you. Read it again before you sign."


class NothingToSign(Conflict):
    code = "nothing-to-sign"
    sentence = "The note is empty."
