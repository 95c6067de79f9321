"""Which permission each message needs. Patients may book and read for themselves."""

from salerno.contexts.scheduling.commands import (
    AddRoom,
    CancelAppointment,
    ChangeRoom,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    DefineVisitType,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    RetireRoom,
    RetireVisitType,
    ScheduleAppointment,
    UpdateAppointment,
)
from salerno.contexts.scheduling.queries import (
    AppointmentById,
    Appointments,
    AppointmentsOfPatient,
    Attendance,
    DayCalendar,
    FreeSlots,
    Practitioners,
    Rooms,
    VisitTypes,
    WaitingRoom,
    WeekCalendar,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

BOOK, READ, ARRIVE, CONFIGURE = "scheduling.book", "scheduling.read", "scheduling.arrive", "scheduling.configure"
LOOK = "scheduling.look"

NEEDS: dict[type[Command] | type[Query], Needs] = {
    ScheduleAppointment: Needs(BOOK, own=True),
    RescheduleAppointment: Needs(BOOK),
    UpdateAppointment: Needs(BOOK),
    ConfirmAppointment: Needs(BOOK),
    CancelAppointment: Needs(BOOK),
    ReinstateAppointment: Needs(BOOK),
    CheckIn: Needs(ARRIVE),
    CompleteAppointment: Needs(ARRIVE),
    RecordNoShow: Needs(ARRIVE),
    DefineVisitType: Needs(CONFIGURE),
    RetireVisitType: Needs(CONFIGURE),
    AddRoom: Needs(CONFIGURE),
    ChangeRoom: Needs(CONFIGURE),
    RetireRoom: Needs(CONFIGURE),
    AppointmentById: Needs(READ, opens="appointments", own=True),
    Appointments: Needs(READ, opens="appointments", own=True),
    AppointmentsOfPatient: Needs(READ, opens="appointments", own=True),
    DayCalendar: Needs(READ, opens="appointments"),
    WeekCalendar: Needs(READ, opens="appointments"),
    WaitingRoom: Needs(READ, opens="appointments"),
    Attendance: Needs(READ),
    FreeSlots: Needs(LOOK),
    VisitTypes: Needs(LOOK),
    Rooms: Needs(LOOK),
    Practitioners: Needs(LOOK),
}
