"""What happens to a role that an organisation made of existing permissions."""

from typing import TypeAlias
from uuid import UUID

from salerno.kernel.messages import Event


class RoleDefined(Event, tag="identity.role_defined.v1"):
    """An organisation made a role of existing permissions: for each the cell, such as {"records.read": "care"}."""

    role: UUID
    name: str
    title: str
    permissions: dict[str, str]


class RoleChanged(Event, tag="identity.role_changed.v1"):
    role: UUID
    title: str
    permissions: dict[str, str]


class RoleRetired(Event, tag="identity.role_retired.v1"):
    """It gives nothing any more; who had it keeps it as a name."""

    role: UUID


MadeRoleEvent: TypeAlias = RoleDefined | RoleChanged | RoleRetired
