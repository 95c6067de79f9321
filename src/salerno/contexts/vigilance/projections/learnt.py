"""Whose record belongs to which account, what relatives share, what explains a look, and where the practice is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salerno.contexts.encounters.events import VisitStarted
from salerno.contexts.identity.events import (
    AccountCreated,
    AccountRoleChanged,
    AccountUpdated,
    EmailChanged,
    EmailChangeRevoked,
    MemberRoleChanged,
    MembershipOffered,
)
from salerno.contexts.organisations.events import OrganisationRegistered, OrganisationSettingsChanged
from salerno.contexts.patients.events import PatientRegistered, PatientUpdated
from salerno.contexts.scheduling.events import AppointmentCreated, AppointmentUpdated
from salerno.contexts.staff.events import StaffMemberAdded, StaffMemberUpdated
from salerno.contexts.vigilance.rules.kin import EMAIL, FAMILY, REASONS, Shared, home, last_word, shared_of
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.vigilance")
Kin = tuple[UUID, list[Shared]]  # a person, and what they could share with a relative


async def keep_kin(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """The newest that is said of each person counts. A new name of an account leaves its address as it was."""
    newest: dict[tuple[UUID, str], tuple[UUID, list[str]]] = {}
    for item in items:
        await _keep_reader(tx, item)
        if described := _kin_of(item.event):
            person, shared = described
            for reason in _told_of(item.event):
                newest[person, reason] = (item.subject, [text for kind, text in shared if kind == reason])
    if not newest:
        return
    await tx.run(SQL["drop_kin"], tx.organisation, [key[0] for key in newest], [key[1] for key in newest])
    rows: list[tuple[UUID, str, int, UUID]] = []
    for (person, reason), (subject, texts) in newest.items():
        rows += [(person, reason, token, subject) for token in await tx.tokens(f"kin.{reason}", *texts)]
    await tx.run(SQL["put_kin"], tx.organisation, *([row[nth] for row in rows] for nth in range(4)))


def _told_of(event: Any) -> Iterable[str]:
    match event:
        case AccountUpdated():
            return (FAMILY,)
        case EmailChanged() | EmailChangeRevoked():
            return (EMAIL,)
        case _:
            return REASONS


async def _keep_reader(tx: Tx, item: Recorded[Any]) -> None:
    match item.event:
        case AccountCreated(account=account, staff=staff, role=role):
            await tx.run(SQL["keep_reader"], tx.organisation, account, item.subject, staff, role)
        case MembershipOffered(account=account, staff=staff, role=role):
            await tx.run(SQL["keep_reader"], tx.organisation, account, item.subject, staff, role)
        case AccountUpdated(account=account, staff=staff):
            await tx.run(SQL["keep_reader"], tx.organisation, account, item.subject, staff, "")
        case AccountRoleChanged(account=account, role=role) | MemberRoleChanged(account=account, role=role):
            await tx.run(SQL["keep_role"], tx.organisation, account, role)


def _kin_of(event: Any) -> Kin | None:
    match event:
        case AccountCreated(role="PATIENT"):
            return None
        case AccountCreated():
            return event.account, shared_of(event.family_name, (), (event.email,))
        case AccountUpdated():
            return event.account, shared_of(event.family_name, (), ())
        case EmailChanged() | EmailChangeRevoked():
            return event.account, shared_of("", (), (event.email,))
        case MembershipOffered():
            return event.account, shared_of(last_word(event.full_name), (), (event.email,))
        case StaffMemberAdded() | StaffMemberUpdated():
            return event.staff, shared_of(event.family_name, (event.phone,), (event.email,))
        case PatientRegistered() | PatientUpdated():
            at = event.address
            homes = [home(at.line1, at.line2, at.postal_code, at.city)]
            return event.patient, shared_of(event.family_name or last_word(event.full_name), *_reached_at(event), homes)
        case _:
            return None


def _reached_at(event: PatientRegistered | PatientUpdated) -> tuple[list[str], list[str]]:
    """Telephones and e-mail addresses of the patient, and of those whom to call."""
    phones = [event.phone, *(one.value for one in event.contacts if one.kind == "phone")]
    emails = [event.email, *(one.value for one in event.contacts if one.kind == "email")]
    return (
        [*phones, *(one.phone for one in event.emergency_contacts)],
        [*emails, *(one.email for one in event.emergency_contacts)],
    )


async def keep_care(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    found = [(item.event.patient, at) for item in items for at in _care_in(item)]
    await tx.run(SQL["put_care"], tx.organisation, [one[0] for one in found], [one[1] for one in found])


def _care_in(item: Recorded[Any]) -> Iterable[datetime]:
    match item.event:
        case AppointmentCreated(starts_at=at) | AppointmentUpdated(starts_at=at) | VisitStarted(started_at=at):
            return (at, item.origin.recorded_at)
        case _:
            return (item.origin.recorded_at,)


async def keep_practice(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        chosen = item.event.settings
        await tx.run(SQL["keep_practice"], tx.organisation, chosen.timezone, chosen.country)


KIN = Projection(
    name="vigilance.kin",
    tables=("readers", "kin_tokens"),
    events=(
        AccountCreated, AccountUpdated, AccountRoleChanged, MembershipOffered, MemberRoleChanged,
        EmailChanged, EmailChangeRevoked, StaffMemberAdded, StaffMemberUpdated, PatientRegistered, PatientUpdated,
    ),
    apply=keep_kin,
)  # fmt: skip
CARE = Projection(
    name="vigilance.care",
    tables=("care",),
    events=(PatientRegistered, AppointmentCreated, AppointmentUpdated, VisitStarted),
    apply=keep_care,
)
PRACTICE = Projection(
    name="vigilance.practices",
    tables=("practices",),
    events=(OrganisationRegistered, OrganisationSettingsChanged),
    apply=keep_practice,
)
