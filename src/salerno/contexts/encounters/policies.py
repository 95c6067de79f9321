"""Whenever a patient is checked in, the visit begins."""

from collections.abc import Sequence
from uuid import uuid5

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.scheduling.events import PatientCheckedIn
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def start_the_visit(item: Recorded[PatientCheckedIn]) -> Sequence[Command]:
    """The id is derived from the appointment, so that hearing it twice starts one visit."""
    arrival = item.event
    return [
        StartVisit(
            visit_id=uuid5(arrival.appointment, "visit"),
            patient_id=arrival.patient,
            practitioner_id=arrival.practitioner,
            appointment_id=arrival.appointment,
            location_id=arrival.location,
            started_at=item.origin.happened_at,
        )
    ]


POLICIES: dict[type[Event], Policy] = {PatientCheckedIn: start_the_visit}
