"""Nobody and nothing is in two places at once: the exclusion constraint on held_slots says so."""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from salerno.contexts.scheduling.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentReinstated,
    AppointmentUpdated,
    NoShowRecorded,
)
from salerno.contexts.scheduling.projections import SQL
from salerno.contexts.scheduling.rules.availability import Need
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Guard
from salerno.kernel.transactions import Tx

Holding: TypeAlias = AppointmentCreated | AppointmentUpdated | AppointmentReinstated


async def hold(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """The room refuses with SlotPassing what the constraint refuses."""
    for item in items:
        match item.event:
            case AppointmentCreated() as event:
                tx.later(SQL["hold"], [(tx.organisation, event.appointment, *_holds(event))])
            case AppointmentUpdated() | AppointmentReinstated() as event:
                await tx.fetchval(SQL["swap_holds"], tx.organisation, event.appointment, *_holds(event))
            case AppointmentCancelled() | NoShowRecorded() as event:
                tx.later(SQL["release"], [(tx.organisation, event.appointment)])
            case _:
                pass


def _holds(event: Holding) -> tuple[list[str], list[UUID], list[Any], list[Any]]:
    """Kinds, resources, beginnings and ends: buffers count for practitioner and room, not for the patient."""
    need = Need(event.minutes, event.buffer_before, event.buffer_after)
    visit, held = need.visit(event.starts_at), need.held(event.starts_at)
    rows = [("practitioner", event.practitioner, held), ("patient", event.patient, visit)]
    if event.room is not None:
        rows.append(("room", event.room, held))
    return (
        [kind for kind, _, _ in rows],
        [resource for _, resource, _ in rows],
        [span.starts_at for _, _, span in rows],
        [span.ends_at for _, _, span in rows],
    )


GUARDS = (
    Guard(
        events=(AppointmentCreated, AppointmentUpdated, AppointmentReinstated, AppointmentCancelled, NoShowRecorded),
        check=hold,
    ),
)
