"""Which groups of fields somebody may see of a patient: asked here for every answer, and for every change."""

from collections.abc import Collection
from uuid import UUID

from salerno.contexts.patients.rules.fields import GROUPS, Group
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

NONE: frozenset[str] = frozenset()
EVERY_GROUP = frozenset(one.permission for one in GROUPS)


async def withheld_from(tx: Tx, caller: Caller | None, patient: UUID | None) -> frozenset[str]:
    """The groups that this caller may neither see nor change of this patient; none where nobody asks but ourselves."""
    if caller is None or caller.permissions >= EVERY_GROUP:
        return NONE
    lacking = [one for one in GROUPS if one.permission not in caller.permissions]
    return frozenset([one.name for one in lacking if not await _opens(tx, one, caller, patient)])


async def opened_for(tx: Tx, group: Group, caller: Caller, patients: Collection[UUID]) -> frozenset[UUID]:
    """Of these patients, those of whom the caller may see this group."""
    if group.permission in caller.permissions:
        return frozenset(patients)
    return frozenset([patient for patient in patients if await _opens(tx, group, caller, patient)])


async def _opens(tx: Tx, group: Group, caller: Caller, patient: UUID | None) -> bool:
    return await tx.bus.permits.carries(group.permission, caller, patient)
