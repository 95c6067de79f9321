"""Whenever a visit begins or ends, the appointment it came from follows."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.encounters.events import VisitCompleted, VisitStarted
from salerno.contexts.scheduling.commands import CheckIn, CompleteAppointment
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def arrive(item: Recorded[Any]) -> Sequence[Command]:
    """A visit that somebody began shows that the patient is there; one that a check-in began shows nothing new."""
    if item.event.appointment is None or item.origin.causation is not None:
        return []
    return [CheckIn(appointment_id=item.event.appointment)]


def complete(item: Recorded[Any]) -> Sequence[Command]:
    return [CompleteAppointment(appointment_id=item.event.appointment)] if item.event.appointment else []


POLICIES: dict[type[Event], Policy] = {VisitStarted: arrive, VisitCompleted: complete}
