"""An appointment: booked, moved, confirmed, arrived, and how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    RecordNoShow,
)
from salerno.contexts.scheduling.errors import (
    AlreadyArrived,
    AlreadyBooked,
    AlreadyOver,
    NoSuchAppointment,
    NotBookableOnline,
    NotYet,
    OutsideWorkingHours,
    SlotTaken,
)
from salerno.contexts.scheduling.events import (
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentCreated,
    AppointmentEvent,
    AppointmentReinstated,
    AppointmentUpdated,
    NoShowRecorded,
    PatientCheckedIn,
)
from salerno.contexts.scheduling.rules.availability import Need, Opening, Practice, Span
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin

EARLIEST_ARRIVAL = timedelta(hours=24)
OWN_ACCOUNT = "PATIENT"


class Status(StrEnum):
    UNBOOKED = "unbooked"
    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked-in"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"


OVER = (Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW)


@dataclass(frozen=True, slots=True)
class Slot:
    """Who is expected when, with whom, where and what for."""

    patient: UUID
    practitioner: UUID
    visit_type: str
    starts_at: datetime
    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    room: UUID | None = None
    location: UUID | None = None
    reason: str = ""
    overbook_reason: str = ""
    time_note: str = ""

    @property
    def need(self) -> Need:
        return Need(self.minutes, self.buffer_before, self.buffer_after)

    @property
    def visit(self) -> Span:
        return self.need.visit(self.starts_at)

    @property
    def held(self) -> Span:
        return self.need.held(self.starts_at)

    def holds_as(self, other: "Slot") -> bool:
        """Whether the two take the same time of the same practitioner, patient and room."""
        return (self.held, self.visit, self.patient, self.practitioner, self.room) == (
            other.held,
            other.visit,
            other.patient,
            other.practitioner,
            other.room,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A hold that stands in the way."""

    resource: str
    resource_id: UUID
    appointment: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """A booking with what the handler found out about its time."""

    appointment: UUID
    slot: Slot
    taken: Sequence[Taken] = ()
    opening: Opening = Opening.OPEN
    practice: Practice = Practice()


@dataclass(frozen=True, slots=True)
class Change:
    """An appointment as it is wished to become, with what was found out about the new time."""

    appointment: UUID
    slot: Slot
    taken: Sequence[Taken] = ()
    opening: Opening = Opening.OPEN


@dataclass(frozen=True, slots=True)
class Reinstate:
    appointment: UUID
    taken: Sequence[Taken] = ()


AppointmentWish: TypeAlias = (
    Book | Change | Reinstate | ConfirmAppointment | CheckIn | CompleteAppointment | CancelAppointment | RecordNoShow
)


@dataclass(frozen=True, slots=True)
class Appointment:
    status: Status = Status.UNBOOKED
    slot: Slot | None = None


def decide(state: Appointment, command: AppointmentWish, origin: Origin) -> list[AppointmentEvent]:
    match command:
        case Book():
            return _book(state, command, origin)
        case Change():
            return _change(state, command, origin)
        case ConfirmAppointment():
            return _confirm(state, command)
        case CheckIn():
            return _check_in(state, command, origin)
        case CompleteAppointment():
            return _complete(state, command)
        case CancelAppointment():
            return _cancel(state, command)
        case RecordNoShow():
            return _record_no_show(state, command, origin)
        case Reinstate():
            return _reinstate(state, command, origin)
        case _:
            assert_never(command)


def evolve(state: Appointment, event: AppointmentEvent) -> Appointment:
    match event:
        case AppointmentCreated():
            return Appointment(Status.SCHEDULED, slot_of(event))
        case AppointmentUpdated():
            return replace(state, slot=slot_of(event))
        case AppointmentConfirmed():
            return replace(state, status=Status.CONFIRMED)
        case PatientCheckedIn():
            return replace(state, status=Status.CHECKED_IN)
        case AppointmentCompleted():
            return replace(state, status=Status.COMPLETED)
        case AppointmentCancelled():
            return replace(state, status=Status.CANCELLED)
        case NoShowRecorded():
            return replace(state, status=Status.NO_SHOW)
        case AppointmentReinstated():
            return replace(state, status=Status.SCHEDULED)
        case _:
            assert_never(event)


def slot_of(event: AppointmentCreated | AppointmentUpdated) -> Slot:
    return Slot(
        patient=event.patient,
        practitioner=event.practitioner,
        visit_type=event.visit_type,
        starts_at=event.starts_at,
        minutes=event.minutes,
        buffer_before=event.buffer_before,
        buffer_after=event.buffer_after,
        room=event.room,
        location=event.location,
        reason=event.reason,
        overbook_reason=event.overbook_reason,
        time_note=event.time_note,
    )


def booked_slot(state: Appointment) -> Slot:
    """The slot of an appointment that exists."""
    if state.slot is None:
        raise NoSuchAppointment()
    return state.slot


def still_open(state: Appointment) -> Slot:
    """The slot of an appointment that exists and is not over."""
    slot = booked_slot(state)
    if state.status in OVER:
        raise AlreadyOver(state.status.value)
    return slot


def _book(state: Appointment, wish: Book, origin: Origin) -> list[AppointmentEvent]:
    if state.slot is not None:
        raise AlreadyBooked()
    if origin.role == OWN_ACCOUNT:
        _demand_bookable_by_patients(wish, origin)
    _demand_free(wish.taken, origin)
    _demand_open(wish.slot, wish.opening)
    return [AppointmentCreated(appointment=wish.appointment, **_fields(wish.slot))]


def _demand_bookable_by_patients(wish: Book, origin: Origin) -> None:
    """What staff may decide at the desk, a patient may not: other hours, the past, the far future."""
    if not wish.practice.online:
        raise NotBookableOnline()
    last = origin.recorded_at + timedelta(days=wish.practice.days_ahead)
    if not origin.recorded_at <= wish.slot.starts_at <= last:
        raise NotBookableOnline("This day cannot be booked online.", until=_iso(last))
    if wish.opening is not Opening.OPEN:
        raise OutsideWorkingHours(because=wish.opening.value)


def _change(state: Appointment, wish: Change, origin: Origin) -> list[AppointmentEvent]:
    before = still_open(state)
    if wish.slot == before:
        return []
    if not wish.slot.holds_as(before):
        if state.status is Status.CHECKED_IN and wish.slot.starts_at != before.starts_at:
            raise AlreadyArrived()
        _demand_free(wish.taken, origin)
        _demand_open(wish.slot, wish.opening)
    return [
        AppointmentUpdated(
            appointment=wish.appointment,
            previous_practitioner=before.practitioner,
            previous_starts_at=before.starts_at,
            previous_minutes=before.minutes,
            **_fields(wish.slot),
        )
    ]


def _confirm(state: Appointment, wish: ConfirmAppointment) -> list[AppointmentEvent]:
    slot = still_open(state)
    if state.status is not Status.SCHEDULED:
        return []
    return [AppointmentConfirmed(appointment=wish.appointment_id, patient=slot.patient, practitioner=slot.practitioner)]


def _check_in(state: Appointment, wish: CheckIn, origin: Origin) -> list[AppointmentEvent]:
    slot = still_open(state)
    if state.status is Status.CHECKED_IN:
        return []
    if origin.happened_at < slot.starts_at - EARLIEST_ARRIVAL:
        raise NotYet("A patient checks in on the day of the appointment.", starts_at=_iso(slot.starts_at))
    return [
        PatientCheckedIn(
            appointment=wish.appointment_id,
            patient=slot.patient,
            practitioner=slot.practitioner,
            location=slot.location,
        )
    ]


def _complete(state: Appointment, wish: CompleteAppointment) -> list[AppointmentEvent]:
    if state.status is Status.COMPLETED:
        return []
    slot = still_open(state)
    return [AppointmentCompleted(appointment=wish.appointment_id, patient=slot.patient, practitioner=slot.practitioner)]


def _cancel(state: Appointment, wish: CancelAppointment) -> list[AppointmentEvent]:
    if state.status is Status.CANCELLED:
        return []
    slot = still_open(state)
    return [
        AppointmentCancelled(
            appointment=wish.appointment_id,
            patient=slot.patient,
            practitioner=slot.practitioner,
            starts_at=slot.starts_at,
            minutes=slot.minutes,
            reason=wish.reason,
        )
    ]


def _record_no_show(state: Appointment, wish: RecordNoShow, origin: Origin) -> list[AppointmentEvent]:
    if state.status is Status.NO_SHOW:
        return []
    slot = still_open(state)
    if state.status is Status.CHECKED_IN:
        raise AlreadyArrived()
    if origin.happened_at < slot.starts_at:
        raise NotYet("A patient can be missing only once the appointment has begun.", starts_at=_iso(slot.starts_at))
    return [
        NoShowRecorded(
            appointment=wish.appointment_id,
            patient=slot.patient,
            practitioner=slot.practitioner,
            starts_at=slot.starts_at,
        )
    ]


def _reinstate(state: Appointment, wish: Reinstate, origin: Origin) -> list[AppointmentEvent]:
    slot = booked_slot(state)
    if state.status is Status.COMPLETED:
        raise AlreadyOver(state.status.value)
    if state.status in (Status.SCHEDULED, Status.CONFIRMED):
        return []
    _demand_free(wish.taken, origin)
    return [
        AppointmentReinstated(
            appointment=wish.appointment,
            patient=slot.patient,
            practitioner=slot.practitioner,
            starts_at=slot.starts_at,
            minutes=slot.minutes,
            buffer_before=slot.buffer_before,
            buffer_after=slot.buffer_after,
            room=slot.room,
        )
    ]


def _demand_free(taken: Sequence[Taken], origin: Origin) -> None:
    if taken:
        raise SlotTaken(conflicts=[_told(each, origin.role) for each in taken])


def _told(taken: Taken, role: str) -> dict[str, str]:
    """Staff learn which appointment is in the way; a patient learns only that something is."""
    if role == OWN_ACCOUNT and taken.resource != "patient":
        return {"resource": taken.resource}
    return {
        "resource": taken.resource,
        "resource_id": str(taken.resource_id),
        "appointment_id": str(taken.appointment),
        "starts_at": _iso(taken.starts_at),
        "ends_at": _iso(taken.ends_at),
    }


def _demand_open(slot: Slot, opening: Opening) -> None:
    if opening is not Opening.OPEN and not slot.overbook_reason:
        raise OutsideWorkingHours(because=opening.value)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _fields(slot: Slot) -> dict[str, Any]:
    return {name: getattr(slot, name) for name in Slot.__slots__}


APPOINTMENT: Decider[Appointment, AppointmentWish, AppointmentEvent] = Decider(
    kind="scheduling.appointment",
    initial=Appointment(),
    decide=decide,
    evolve=evolve,
    events=AppointmentEvent,
)
