"""Which permission each message needs. Staff are colleagues, not patients: reading them opens no one's chart."""

from salerno.contexts.staff.commands import (
    AddAvailabilityException,
    AddStaffMember,
    AddTimeOff,
    RemoveAvailabilityException,
    RemoveStaffMember,
    RemoveTimeOff,
    SetWorkingHours,
    UpdateStaffMember,
)
from salerno.contexts.staff.queries import (
    StaffAssignments,
    StaffAvailability,
    StaffMemberById,
    StaffMembers,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

NEEDS: dict[type[Command] | type[Query], Needs] = {
    AddStaffMember: Needs("staff.manage"),
    UpdateStaffMember: Needs("staff.manage"),
    RemoveStaffMember: Needs("staff.manage"),
    SetWorkingHours: Needs("staff.plan"),
    AddAvailabilityException: Needs("staff.plan"),
    RemoveAvailabilityException: Needs("staff.plan"),
    AddTimeOff: Needs("staff.plan"),
    RemoveTimeOff: Needs("staff.plan"),
    StaffMembers: Needs("staff.read"),
    StaffMemberById: Needs("staff.read"),
    StaffAvailability: Needs("staff.read"),
    StaffAssignments: Needs("staff.read"),
}
