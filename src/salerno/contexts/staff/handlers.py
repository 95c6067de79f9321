"""Which rule answers which command, with the facts that it needs first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from salerno.contexts.staff.commands import (
    AddAvailabilityException,
    AddStaffMember,
    AddTimeOff,
    RemoveAvailabilityException,
    RemoveStaffMember,
    RemoveTimeOff,
    SetWorkingHours,
    StaffCommand,
    UpdateStaffMember,
)
from salerno.contexts.staff.projections import SQL
from salerno.contexts.staff.rules.hours import check_timezone
from salerno.contexts.staff.rules.member import MEMBER, Known
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx


async def on_member(tx: Tx, command: StaffCommand, origin: Origin) -> Sequence[Recorded[Any]]:
    made = tx.new_id()
    staff: UUID = command.staff_id or made
    zone = await _timezone(tx, command)
    known = Known(command, staff, made, tx.now.astimezone(ZoneInfo(zone)).date(), zone)
    subject = staff if isinstance(command, AddStaffMember) else None
    return await tx.execute(MEMBER, staff, known, subject=subject)


async def _timezone(tx: Tx, command: StaffCommand) -> str:
    """The command's own zone, else the clinic's: a clinic that was registered a moment ago is asked for again."""
    match command:
        case SetWorkingHours(timezone=str(zone)) | AddAvailabilityException(timezone=str(zone)):
            return check_timezone(zone)
        case SetWorkingHours() | AddAvailabilityException():
            zone = await tx.fetchval(SQL["timezone_of"], tx.organisation)
            if zone is None:
                await tx.catch_up()
                zone = await tx.fetchval(SQL["timezone_of"], tx.organisation)
            return str(zone or "UTC")
        case _:
            return "UTC"


HANDLERS: dict[type[Command], Handler] = {
    AddStaffMember: on_member,
    UpdateStaffMember: on_member,
    RemoveStaffMember: on_member,
    SetWorkingHours: on_member,
    AddAvailabilityException: on_member,
    RemoveAvailabilityException: on_member,
    AddTimeOff: on_member,
    RemoveTimeOff: on_member,
}
