"""What may be read of the schedule, and in which shape."""

from salerno.contexts.scheduling.queries.availability import FreeSlot, FreeSlots, free_slots
from salerno.contexts.scheduling.queries.calendars import (
    Calendar,
    CalendarPractitioner,
    DayCalendar,
    TakenTime,
    WeekCalendar,
    WorkingWindow,
    day_calendar,
    week_calendar,
)
from salerno.contexts.scheduling.queries.catalogue import (
    Practitioner,
    Practitioners,
    RoomItem,
    Rooms,
    VisitTypeItem,
    VisitTypes,
    practitioners,
    rooms,
    visit_types,
)
from salerno.contexts.scheduling.queries.lists import (
    AppointmentById,
    Appointments,
    AppointmentsOfPatient,
    Attendance,
    AttendanceOf,
    WaitingRoom,
    appointment_by_id,
    appointments,
    appointments_of_patient,
    attendance,
    waiting_room,
)
from salerno.contexts.scheduling.queries.shown import AppointmentItem
from salerno.kernel.messages import Query
from salerno.kernel.room import Answer

ANSWERS: dict[type[Query], Answer] = {
    AppointmentById: appointment_by_id,
    Appointments: appointments,
    AppointmentsOfPatient: appointments_of_patient,
    WaitingRoom: waiting_room,
    Attendance: attendance,
    DayCalendar: day_calendar,
    WeekCalendar: week_calendar,
    FreeSlots: free_slots,
    VisitTypes: visit_types,
    Rooms: rooms,
    Practitioners: practitioners,
}

__all__ = [
    "ANSWERS",
    "AppointmentById",
    "AppointmentItem",
    "Appointments",
    "AppointmentsOfPatient",
    "Attendance",
    "AttendanceOf",
    "Calendar",
    "CalendarPractitioner",
    "DayCalendar",
    "FreeSlot",
    "FreeSlots",
    "Practitioner",
    "Practitioners",
    "RoomItem",
    "Rooms",
    "TakenTime",
    "VisitTypeItem",
    "VisitTypes",
    "WaitingRoom",
    "WeekCalendar",
    "WorkingWindow",
]
