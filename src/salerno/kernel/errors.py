"""What may be refused. A door turns each kind into a status; `code` is what clients rely on."""

from typing import Any, ClassVar
from uuid import UUID


class Refused(Exception):
    """A wish that was understood and not granted. Subclass one of the kinds below and give a code.

    The sentence (first argument, or the class's `sentence`) is shown to a person: no identifying
    data in it. `details` are machine-readable and travel in the problem document.
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This cannot be done."
    nth: int = 0  # which of several wishes it was, where they were asked together

    def __init__(self, sentence: str | None = None, **details: Any) -> None:
        super().__init__(sentence or self.sentence)
        self.details = details


class NotFound(Refused):
    """Absent, or not for this caller: the two look the same (404)."""

    code = "not-found"
    sentence = "There is no such thing, or it is not for you to see."


class Hidden(NotFound):
    """A handler came upon the stream of somebody whom its caller may not learn of. The bus says what is to be said."""

    def __init__(self, subject: UUID) -> None:
        super().__init__()
        self.subject = subject


class NotAllowed(Refused):
    """The caller's permissions do not reach this far (403)."""

    code = "not-allowed"
    sentence = "Your permissions do not allow this."


class NotSignedIn(Refused):
    """No valid credential (401)."""

    code = "not-signed-in"
    sentence = "Sign in first."


class Conflict(Refused):
    """The state of things forbids it just now (409)."""

    code = "conflict"
    sentence = "The current state does not allow this."


class VersionConflict(Conflict):
    """Somebody else wrote first. `details["current_version"]` says where the stream stands."""

    code = "version-conflict"
    sentence = "This was changed by somebody else in the meantime."

    def __init__(self, current: int, stream: UUID | None = None) -> None:
        super().__init__(current_version=current)
        self.current = current
        self.stream = stream


class Invalid(Refused):
    """The wish makes no sense as it stands (422). `errors` names each field: {"path", "code", "message"}."""

    code = "invalid"
    sentence = "Some fields need a look."

    def __init__(self, sentence: str | None = None, *, errors: list[dict[str, str]] | None = None, **details: Any):
        super().__init__(sentence, **details)
        self.errors = errors or []

    @classmethod
    def field(cls, path: str, code: str, message: str) -> "Invalid":
        return cls(errors=[{"path": path, "code": code, "message": message}])


class TooMany(Refused):
    """Slow down (429). `details["retry_after"]` is in seconds."""

    code = "too-many-requests"
    sentence = "Too many attempts. Wait a little."


class Gone(Refused):
    """It was here, and was erased or merged away (410)."""

    code = "gone"
    sentence = "This record no longer exists."


class Unavailable(Refused):
    """A part that is needed does not answer (503). Safe to retry with the same idempotency key."""

    code = "unavailable"
    sentence = "A part of the system does not answer. Try again in a moment."


class IntegrityError(Refused):
    """Stored data is not what was written there. Never shown as data (500, and an alert)."""

    code = "integrity-error"
    sentence = "Stored data failed its integrity check. It was not shown. Tell the administrator."
