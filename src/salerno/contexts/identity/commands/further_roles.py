"""What else an account may do beside its own role: somebody who administers and sees patients is one person."""

from uuid import UUID

from salerno.kernel.messages import Command, Errand


class AddUserRole(Command):
    """The account may do what this clinical role, or role of the organisation's own making, may, beside its own.

    With `instead`, a role of the organisation's making takes the place of the account's own: what that may do, the
    account may not any more. It stays what the account is called.
    """

    account_id: UUID
    role: str
    instead: bool = False


class TakeUserRole(Command):
    account_id: UUID
    role: str


class PractiseMyself(Errand):
    """Of the administrator of an independent doctor's practice: to see patients as well. Answers Opened."""

    role: str = "DOCTOR"
