"""What the kernel itself records in the log."""

from uuid import UUID

from salerno.kernel.messages import Event


class SubjectErased(Event, tag="kernel.subject_erased.v1"):
    """That a person was erased and why. Its stream is the subject's id; the organisation's key seals it."""

    subject: UUID
    reason: str


EVENTS: tuple[type[Event], ...] = (SubjectErased,)
