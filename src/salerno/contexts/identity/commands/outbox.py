"""Letters that wait or did not go out: for whoever runs the installation, at its console."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Errand


class Letters(Errand):
    """The letters that are not out, oldest first. Answers a list of LetterLine.

    `addresses`: also to whom; that somebody looked is then in the access log of each account's organisation.
    """

    failed: bool = False
    addresses: bool = False
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 200


class LetterLine(Struct, frozen=True, kw_only=True):
    """`status`: "waiting", "failed" (nobody tries any more) or "over" (nobody waits for it any more).

    `until` is when that is; `cause` is the mail server's answer as a code.
    """

    letter: UUID
    organisation: UUID
    kind: str
    status: str
    written_at: datetime
    due_at: datetime
    until: datetime
    tries: int
    cause: str = ""
    to: str = ""


class RetryLetters(Errand):
    """Let the postman try again at once: one letter, or all that failed. Answers how many."""

    letter_id: UUID | None = None


class DropLetter(Errand):
    """Take a letter out of the table: it is never sent. Its link, if it has one, is not void by that."""

    letter_id: UUID
