"""Roles that an organisation makes of existing permissions."""

from typing import Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.kernel.messages import Command

Title = Annotated[str, Meta(max_length=200)]
Cells = dict[str, Annotated[str, Meta(max_length=40)]]


class DefineRole(Command):
    """`permissions` says for each permission the cell: yes, care, location or care+location.

    `name` is the role's name in programs, such as TRIAGE_NURSE. Left out, it is made of the title.
    """

    title: Title
    permissions: Cells
    name: Annotated[str, Meta(max_length=80)] = ""
    role_id: UUID | None = None


class ChangeRole(Command):
    """What is left out stays as it is. Whoever has the role has the new permissions within seconds."""

    role_id: UUID
    title: Title | None = None
    permissions: Cells | None = None


class RetireRole(Command):
    """It gives nothing any more, to nobody. Its name is not given again."""

    role_id: UUID


MadeRoleCommand: TypeAlias = DefineRole | ChangeRole | RetireRole
