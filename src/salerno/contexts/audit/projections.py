"""Names of those who look and write, and which charts are one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.events import AccountCreated, AccountUpdated
from salerno.contexts.patients.events import PatientsMerged, PatientsUnmerged
from salerno.contexts.staff.events import StaffMemberAdded, StaffMemberUpdated
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)
ACTORS = "actors"
OWNER_OF_A_CHART = "PATIENT"


class Actor(Struct, frozen=True, kw_only=True):
    name: str


async def keep_actors(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Staff only: a patient who signs in is named by the chart, and only there."""
    for item in items:
        match item.event:
            case AccountCreated(role=role) if role == OWNER_OF_A_CHART:
                continue
            case AccountCreated(account=id, full_name=name) | AccountUpdated(account=id, full_name=name):
                await _keep(tx, item.subject, id, name)
            case StaffMemberAdded(staff=id, full_name=name) | StaffMemberUpdated(staff=id, full_name=name):
                await _keep(tx, item.subject, id, name)
            case _:
                continue


async def _keep(tx: Tx, subject: UUID, id: UUID, name: str) -> None:
    sealed = await tx.seal_doc(ACTORS, id, subject, Actor(name=name))
    await tx.run(SQL["keep_actor"], tx.organisation, id, subject, sealed)


async def keep_merges(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """After a merge, one chart shows both; after an un-merge, each its own again."""
    for item in items:
        match item.event:
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["remember_merge"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["forget_merge"], tx.organisation, patient)
            case _:
                continue


NAMES = Projection(
    name="audit.actors",
    tables=(ACTORS,),
    events=(AccountCreated, AccountUpdated, StaffMemberAdded, StaffMemberUpdated),
    apply=keep_actors,
)
MERGED_CHARTS = Projection(
    name="audit.merged_charts",
    tables=("merged_charts",),
    events=(PatientsMerged, PatientsUnmerged),
    apply=keep_merges,
)
LISTENS = (NAMES, MERGED_CHARTS)
