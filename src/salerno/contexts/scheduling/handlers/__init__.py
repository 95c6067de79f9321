"""Which rule answers which command, and what is found out first."""

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
from salerno.contexts.scheduling.handlers.appointments import on_appointment, on_change, on_reinstate, on_schedule
from salerno.contexts.scheduling.handlers.catalogue import on_add_room, on_room, on_visit_type
from salerno.kernel.messages import Command
from salerno.kernel.room import Handler

HANDLERS: dict[type[Command], Handler] = {
    ScheduleAppointment: on_schedule,
    RescheduleAppointment: on_change,
    UpdateAppointment: on_change,
    ConfirmAppointment: on_appointment,
    CheckIn: on_appointment,
    CompleteAppointment: on_appointment,
    CancelAppointment: on_appointment,
    RecordNoShow: on_appointment,
    ReinstateAppointment: on_reinstate,
    DefineVisitType: on_visit_type,
    RetireVisitType: on_visit_type,
    AddRoom: on_add_room,
    ChangeRoom: on_room,
    RetireRoom: on_room,
}
