"""Visit types and rooms."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from msgspec.structs import replace

from salerno.contexts.scheduling.commands import AddRoom, ChangeRoom, DefineVisitType, RetireRoom, RetireVisitType
from salerno.contexts.scheduling.errors import unknown
from salerno.contexts.scheduling.projections import SHIPPED, SQL, code_of
from salerno.contexts.scheduling.rules.resource import RESOURCE, Add
from salerno.contexts.scheduling.rules.visit_type import VISIT_TYPE, Define, Retire
from salerno.kernel.messages import Origin, Recorded
from salerno.kernel.transactions import Tx


async def on_visit_type(tx: Tx, command: DefineVisitType | RetireVisitType, origin: Origin) -> Sequence[Recorded[Any]]:
    """One stream for each code: defining it again changes it."""
    code = code_of(command.code)
    id = uuid5(tx.organisation, f"visit-type {code}")
    command = replace(command, code=code)
    wish = Define(id, command) if isinstance(command, DefineVisitType) else Retire(id, command, code in SHIPPED)
    return await tx.execute(VISIT_TYPE, id, wish, subject=tx.organisation)


async def on_add_room(tx: Tx, command: AddRoom, origin: Origin) -> Sequence[Recorded[Any]]:
    await _know_place(tx, command.location_id)
    room = command.room_id or tx.new_id()
    return await tx.execute(RESOURCE, room, Add(room, command), subject=tx.organisation)


async def on_room(tx: Tx, command: ChangeRoom | RetireRoom, origin: Origin) -> Sequence[Recorded[Any]]:
    if isinstance(command, ChangeRoom) and isinstance(command.location_id, UUID):
        await _know_place(tx, command.location_id)
    return await tx.execute(RESOURCE, command.room_id, command)


async def _know_place(tx: Tx, location: UUID | None) -> None:
    if location is None or await _is_place(tx, location):
        return
    await tx.catch_up()
    if not await _is_place(tx, location):
        raise unknown("location_id", "location")


async def _is_place(tx: Tx, location: UUID) -> bool:
    return any(row["id"] == location for row in await tx.fetch(SQL["places"], tx.organisation))
