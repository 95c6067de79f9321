"""Appointments: what is found out before the rule decides."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from msgspec import UnsetType

from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    CompleteAppointment,
    ConfirmAppointment,
    RecordNoShow,
    ReinstateAppointment,
    RescheduleAppointment,
    ScheduleAppointment,
    UpdateAppointment,
)
from salerno.contexts.scheduling.errors import OutsideWorkingHours, SlotTaken
from salerno.contexts.scheduling.handlers.facts import (
    Facts,
    Named,
    find_out,
    find_taken,
    lock_of,
    nearest_free,
    opening_of,
)
from salerno.contexts.scheduling.projections import SQL, code_of
from salerno.contexts.scheduling.rules.appointment import (
    APPOINTMENT,
    Book,
    Change,
    Reinstate,
    Slot,
    booked_slot,
    still_open,
)
from salerno.contexts.scheduling.rules.availability import Opening
from salerno.contexts.scheduling.rules.times import instant
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Origin, Recorded
from salerno.kernel.transactions import Tx


async def on_schedule(tx: Tx, command: ScheduleAppointment, origin: Origin) -> Sequence[Recorded[Any]]:
    code = code_of(command.visit_type)
    named = Named(command.patient_id, command.doctor_id, code, command.room_id, command.location_id)
    facts = await find_out(tx, named)
    facts.demand("patient_id", "doctor_id", "visit_type", "room_id", "location_id")
    slot = _slot_wished(command, code, facts)
    state, place = opening_of(facts, slot, command.location_id)
    slot = replace(slot, location=place)
    id = command.appointment_id or tx.new_id()
    taken = await find_taken(tx, id, slot, facts.charts)
    fresh = command.appointment_id is None
    booking = tx.execute(
        APPOINTMENT, id, Book(id, slot, taken, state, facts.practice), subject=slot.patient, fresh=fresh
    )
    return await _or_alternatives(tx, booking, id, slot, facts, command.location_id)


def _slot_wished(command: ScheduleAppointment, code: str, facts: Facts) -> Slot:
    starts_at, note = instant(command.appointment_datetime, facts.practice.zone)
    return Slot(
        patient=facts.patient,
        practitioner=command.doctor_id,
        visit_type=code,
        starts_at=starts_at,
        minutes=command.duration_minutes or facts.visit_type.minutes,
        buffer_before=facts.visit_type.buffer_before,
        buffer_after=facts.visit_type.buffer_after,
        room=command.room_id,
        location=command.location_id,
        reason=command.reason.strip(),
        overbook_reason=command.overbook_reason.strip(),
        time_note=note,
    )


async def on_change(
    tx: Tx, command: RescheduleAppointment | UpdateAppointment, origin: Origin
) -> Sequence[Recorded[Any]]:
    """Whoever changes an appointment's slot waits for whoever is changing it."""
    before = still_open(await _locked(tx, command.appointment_id))
    code = _new_code(command, before)
    room = before.room if isinstance(command.room_id, UnsetType) else command.room_id
    named_place = None if isinstance(command.location_id, UnsetType) else command.location_id
    named = Named(before.patient, command.doctor_id or before.practitioner, code, room, named_place)
    facts = await find_out(tx, named)
    facts.demand(*_newly_named(command, code, before))
    slot = _slot_changed(command, before, named, facts)
    state, place = _opening_after(facts, slot, before, named_place)
    slot = replace(slot, location=place if place or not isinstance(command.location_id, UnsetType) else before.location)
    taken = [] if slot.holds_as(before) else await find_taken(tx, command.appointment_id, slot, facts.charts)
    change = tx.execute(APPOINTMENT, command.appointment_id, Change(command.appointment_id, slot, taken, state))
    return await _or_alternatives(tx, change, command.appointment_id, slot, facts, named_place)


def _new_code(command: RescheduleAppointment | UpdateAppointment, before: Slot) -> str:
    wished = command.visit_type if isinstance(command, UpdateAppointment) else None
    return code_of(wished) if wished else before.visit_type


def _newly_named(command: RescheduleAppointment | UpdateAppointment, code: str, before: Slot) -> list[str]:
    """What was booked stays bookable: only what is named anew must be in use today."""
    fields = ["room_id"] if command.room_id else []
    fields += ["location_id"] if command.location_id else []
    fields += ["doctor_id"] if command.doctor_id not in (None, before.practitioner) else []
    return fields + (["visit_type"] if code != before.visit_type else [])


def _slot_changed(command: RescheduleAppointment | UpdateAppointment, before: Slot, named: Named, facts: Facts) -> Slot:
    slot = replace(
        before,
        practitioner=named.practitioner,
        room=named.room,
        minutes=command.duration_minutes or before.minutes,
        overbook_reason=command.overbook_reason.strip() or before.overbook_reason,
    )
    if command.appointment_datetime is not None:
        starts_at, note = instant(command.appointment_datetime, facts.practice.zone)
        slot = replace(slot, starts_at=starts_at, time_note=note)
    if named.visit_type != before.visit_type:
        before_it, after_it = facts.visit_type.buffer_before, facts.visit_type.buffer_after
        slot = replace(slot, visit_type=named.visit_type, buffer_before=before_it, buffer_after=after_it)
    if isinstance(command, UpdateAppointment) and command.reason is not None:
        slot = replace(slot, reason=command.reason.strip())
    moved = (slot.starts_at, slot.practitioner) != (before.starts_at, before.practitioner)
    return replace(slot, overbook_reason=command.overbook_reason.strip()) if moved else slot


def _opening_after(facts: Facts, slot: Slot, before: Slot, place: UUID | None) -> tuple[Opening, UUID | None]:
    """A move keeps the place where the practitioner works there then, and follows them where they do not."""
    if place is None and before.location is not None and slot.room is None:
        state, found = opening_of(facts, slot, before.location)
        if state is Opening.OPEN:
            return state, found
    return opening_of(facts, slot, place)


async def on_reinstate(tx: Tx, command: ReinstateAppointment, origin: Origin) -> Sequence[Recorded[Any]]:
    slot = booked_slot(await _locked(tx, command.appointment_id))
    named = Named(slot.patient, slot.practitioner, slot.visit_type, slot.room, slot.location)
    facts = await find_out(tx, named)
    taken = await find_taken(tx, command.appointment_id, slot, facts.charts)
    wish = tx.execute(APPOINTMENT, command.appointment_id, Reinstate(command.appointment_id, taken))
    return await _or_alternatives(tx, wish, command.appointment_id, slot, facts, slot.location)


async def on_appointment(
    tx: Tx,
    command: ConfirmAppointment | CheckIn | CompleteAppointment | CancelAppointment | RecordNoShow,
    origin: Origin,
) -> Sequence[Recorded[Any]]:
    return await tx.execute(APPOINTMENT, command.appointment_id, command)


async def _locked(tx: Tx, appointment: UUID) -> Any:
    await tx.fetchval(SQL["lock"], lock_of(tx.organisation, appointment))
    state, version = await tx.load(APPOINTMENT, appointment)
    if not version:
        raise NotFound()
    return state


async def _or_alternatives(
    tx: Tx, work: Awaitable[Sequence[Recorded[Any]]], id: UUID, slot: Slot, facts: Facts, place: UUID | None
) -> Sequence[Recorded[Any]]:
    """A refusal because of the time names the nearest free ones."""
    try:
        return await work
    except (SlotTaken, OutsideWorkingHours) as refusal:
        refusal.details["alternatives"] = await nearest_free(tx, id, slot, facts, place)
        raise
