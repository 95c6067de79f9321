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

Begun = tuple[UUID, UUID, UUID, UUID, UUID | None, datetime]  # organisation, id, patient, practitioner, place, when


async def keep_care(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """An appointment counts from its booking on. What follows one another without a change is kept together."""
    begun: list[Begun] = []
    for item in items:
        if one := _begun(item):
            begun.append((tx.organisation, *one))
            continue
        await tx.run_many(SQL["keep_care"], begun)
        begun = []
        await _change(tx, item)
    await tx.run_many(SQL["keep_care"], begun)


def _begun(item: Recorded[Any]) -> tuple[UUID, UUID, UUID, UUID | None, datetime] | None:
    """A visit without a practitioner is of whoever began it."""
    match item.event:
        case AppointmentCreated() | AppointmentUpdated() as event:
            return event.appointment, item.subject, event.practitioner, event.location, event.starts_at
        case VisitStarted() as event:
            return event.visit, item.subject, event.practitioner or item.origin.actor, event.location, event.started_at
        case _:
            return None


async def _change(tx: Tx, item: Recorded[Any]) -> None:
    match item.event:
        case AppointmentCancelled(appointment=appointment):
            await tx.run(SQL["set_care"], tx.organisation, appointment, False)
        case AppointmentReinstated(appointment=appointment):
            await tx.run(SQL["set_care"], tx.organisation, appointment, True)
        case VisitCompleted(visit=visit, ended_at=ended_at):
            await tx.run(SQL["care_until"], tx.organisation, visit, ended_at)
        case VisitCancelled(visit=visit):
            await tx.run(SQL["set_care"], tx.organisation, visit, False)


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
