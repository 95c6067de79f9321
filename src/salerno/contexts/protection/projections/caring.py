"""Who has to do with whom: from appointments, visits, accounts and working hours."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salerno.contexts.encounters.events import VisitCancelled, VisitCompleted, VisitStarted
from salerno.contexts.identity.events import AccountCreated, AccountUpdated, MembershipEnded, MembershipOffered
from salerno.contexts.protection.projections.shown import SQL
from salerno.contexts.scheduling.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentReinstated,
    AppointmentUpdated,
)
from salerno.contexts.staff.events import WorkingHoursSet
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx


async def keep_care(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """An appointment counts from its booking on; a visit without a practitioner is of whoever began it."""
    for item in items:
        match item.event:
            case AppointmentCreated() | AppointmentUpdated() as event:
                place = event.location
                await _keep(tx, event.appointment, item.subject, event.practitioner, place, event.starts_at)
            case AppointmentCancelled(appointment=appointment):
                await tx.run(SQL["set_care"], tx.organisation, appointment, False)
            case AppointmentReinstated(appointment=appointment):
                await tx.run(SQL["set_care"], tx.organisation, appointment, True)
            case VisitStarted() as event:
                practitioner = event.practitioner or item.origin.actor
                await _keep(tx, event.visit, item.subject, practitioner, event.location, event.started_at)
            case VisitCompleted(visit=visit, ended_at=ended_at):
                await tx.run(SQL["care_until"], tx.organisation, visit, ended_at)
            case VisitCancelled(visit=visit):
                await tx.run(SQL["set_care"], tx.organisation, visit, False)
            case _:
                continue


async def _keep(tx: Tx, id: UUID, patient: UUID, practitioner: UUID, location: UUID | None, at: datetime) -> None:
    await tx.run(SQL["keep_care"], tx.organisation, id, patient, practitioner, location, at)


async def keep_accounts(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case AccountCreated() | AccountUpdated() | MembershipOffered() as event:
                await tx.run(SQL["keep_account"], tx.organisation, event.account, event.staff)
            case MembershipEnded(account=account):
                await tx.run(SQL["keep_account"], tx.organisation, account, None)
            case _:
                continue


async def keep_workplaces(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        event: WorkingHoursSet = item.event
        statement = SQL["keep_workplace"] if event.hours else SQL["leave_workplace"]
        await tx.run(statement, tx.organisation, event.staff, event.location)


CARE = Projection(
    name="protection.care",
    tables=("care",),
    events=(
        AppointmentCreated,
        AppointmentUpdated,
        AppointmentCancelled,
        AppointmentReinstated,
        VisitStarted,
        VisitCompleted,
        VisitCancelled,
    ),
    apply=keep_care,
)
ACCOUNTS = Projection(
    name="protection.accounts",
    tables=("accounts",),
    events=(AccountCreated, AccountUpdated, MembershipOffered, MembershipEnded),
    apply=keep_accounts,
)
WORKPLACES = Projection(
    name="protection.workplaces", tables=("workplaces",), events=(WorkingHoursSet,), apply=keep_workplaces
)
