"""Roles that an organisation makes: how many there are already, and which permissions may stand under a condition."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.commands.made_roles import ChangeRole, DefineRole, MadeRoleCommand, RetireRole
from salerno.contexts.identity.errors import NoSuchRole, TooManyRoles
from salerno.contexts.identity.handlers.choices import made_roles
from salerno.contexts.identity.projections import MADE_ROLES
from salerno.contexts.identity.rules.made_role import MADE_ROLE, AboutRole
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx

MOST_ROLES = 50


async def on_made_role(tx: Tx, command: MadeRoleCommand, origin: Origin) -> Sequence[Recorded[Any]]:
    about = tx.bus.permits.about_charts()
    if isinstance(command, DefineRole):
        role = command.role_id or tx.new_id()
        if len(await made_roles(tx, "active")) >= MOST_ROLES:
            raise TooManyRoles()
        return await tx.execute(MADE_ROLE, role, AboutRole(role, command, about), subject=tx.organisation)
    if await MADE_ROLES.get(tx, command.role_id) is None:
        raise NoSuchRole()
    return await tx.execute(MADE_ROLE, command.role_id, AboutRole(command.role_id, command, about))


MADE_ROLE_HANDLERS: dict[type[Command], Handler] = {
    DefineRole: on_made_role,
    ChangeRole: on_made_role,
    RetireRole: on_made_role,
}
