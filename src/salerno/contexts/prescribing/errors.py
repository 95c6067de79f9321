"""What may be refused about prescriptions, in the user's words."""

from salerno.kernel.errors import Conflict, Invalid, NotFound


class NoSuchPrescription(NotFound):
    code = "no-such-prescription"
    sentence = "There is no such prescription, or it is not for you to see."


class NoSuchMedicine(NotFound):
    code = "no-such-medicine"
    sentence = "There is no such medicine, or it is not for you to see."


class NoSuchLine(Invalid):
    code = "no-such-line"
    sentence = "The prescription has no such line."


class UnknownPatient(NotFound):
    code = "unknown-patient"
    sentence = "There is no such patient."


class PrescriptionExists(Conflict):
    code = "prescription-exists"
    sentence = "There is already another prescription under this number."


class MedicineExists(Conflict):
    code = "medicine-exists"
    sentence = "There is already another medicine under this number."


class NotADraft(Conflict):
    code = "not-a-draft"
    sentence = "This prescription is signed or cancelled. It does not change: issue another."


class NotSigned(Conflict):
    code = "not-signed"
    sentence = "Only medicines of a signed prescription can be stopped."


class PrescriptionIsCancelled(Conflict):
    code = "prescription-is-cancelled"
    sentence = "This prescription is cancelled."


class NotWhatYouSaw(Conflict):
    """`details["content_hash"]` is the hash of what stands now."""

    code = "not-what-you-saw"
    sentence = "The prescription changed after it was shown to you. Read it again before you sign."


class UnansweredAlerts(Conflict):
    """`details["alerts"]` are those that still need a reason."""

    code = "unanswered-alerts"
    sentence = "Alerts stand against this prescription. Change it, or give a reason for each."
