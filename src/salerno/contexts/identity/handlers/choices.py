"""The choices of the organisation that a transaction is in."""

from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.choices import Choices
from salerno.kernel.transactions import Tx


async def choices_of(tx: Tx) -> Choices:
    """Nothing is chosen above all organisations, nor where none has been registered yet."""
    row = await tx.fetchrow(SQL["choices"], tx.organisation)
    if row is None:
        return Choices()
    return Choices(
        factor_roles=frozenset(row["factor_roles"]),
        idle_default=row["idle_default"],
        idle_minutes=dict(zip(row["idle_roles"], row["idle_minutes"], strict=True)),
        zone=row["zone"],
    )
