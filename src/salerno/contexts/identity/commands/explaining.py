"""The question why somebody may or may not do something, and its answer step by step."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Errand

Name = Annotated[str, Meta(max_length=80)]


class ExplainAccess(Errand):
    """Whether an account may send a message, or use a permission, and why. Answers an Explanation.

    `message` is a command or a query, as RecordProblem or record-problem. `patient_id` asks about this chart;
    without it, whether there is any use for the right at all. `scopes` narrows to what a program would be left with
    that holds these scopes, launched from this chart.
    """

    account_id: UUID
    message: Name = ""
    permission: Name = ""
    patient_id: UUID | None = None
    scopes: Annotated[str, Meta(max_length=1000)] = ""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that is looked at, in order. `passed` is None for what decides nothing by itself.

    `code` says what was found; `about` are the names that belong to it, such as roles and cells.
    """

    name: str
    code: str
    passed: bool | None = None
    about: tuple[str, ...] = ()


class Explanation(Struct, frozen=True, kw_only=True):
    """`allowed` is what the bus would do. What a rule says later, of the state of things, is no matter of rights."""

    allowed: bool
    account_id: UUID
    permission: str
    message: str
    steps: tuple[Step, ...]
    patient_id: UUID | None = None


class RightsOf(Errand):
    """What an account may do, permission by permission. Answers a list of Right."""

    account_id: UUID


class Right(Struct, frozen=True, kw_only=True):
    """`cell` is how the permission is held in all; `by` are the roles that give it."""

    permission: str
    cell: str
    by: tuple[str, ...]
