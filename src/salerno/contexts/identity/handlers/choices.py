"""The choices of the organisation that a transaction is in, and the roles that it made."""

from collections.abc import Collection
from dataclasses import replace

from salerno.contexts.identity.projections import MADE_ROLES, SQL, MadeRoleView
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.made_role import demands_factor
from salerno.contexts.identity.rules.roles import is_shipped
from salerno.kernel.transactions import Tx


async def choices_of(tx: Tx, roles: Collection[str] = ()) -> Choices:
    """Nothing is chosen above all organisations, nor where none has been registered yet.

    Of these roles, those that the organisation made stand among the ones that demand a second factor, if they do.
    """
    row = await tx.fetchrow(SQL["choices"], tx.organisation)
    chosen = Choices()
    if row is not None:
        chosen = Choices(
            factor_roles=frozenset(row["factor_roles"]),
            idle_default=row["idle_default"],
            idle_minutes=dict(zip(row["idle_roles"], row["idle_minutes"], strict=True)),
            zone=row["zone"],
            password_demanded=row["password_demanded"],
        )
    made = await made_among(tx, roles)
    demanding = {name for name, role in made.items() if demands_factor(role.held, chosen.factor_roles)}
    return replace(chosen, factor_roles=chosen.factor_roles | demanding) if demanding else chosen


async def made_among(tx: Tx, roles: Collection[str]) -> dict[str, MadeRoleView]:
    """Those of these roles that this organisation made, by name; the retired ones too."""
    if all(is_shipped(role) for role in roles):
        return {}
    return {role.name: role for role in await made_roles(tx) if role.name in roles}


async def made_roles(tx: Tx, status: str | None = None) -> list[MadeRoleView]:
    held = await MADE_ROLES.open(tx, await tx.fetch(SQL["made_roles_of"], tx.organisation, status))
    return sorted((one.doc for one in held), key=lambda role: (role.status, role.title.casefold()))
