"""What else an account may do beside its own role: somebody who administers and sees patients is one person."""

from uuid import UUID

from salerno.kernel.messages import Command, Errand


class AddUserRole(Command):
    """The account may do what this clinical role may, beside its own."""

    account_id: UUID
    role: str


class TakeUserRole(Command):
    account_id: UUID
    role: str


class PractiseMyself(Errand):
    """Of the administrator of an independent doctor's practice: to see patients as well. Answers Opened."""

    role: str = "DOCTOR"
