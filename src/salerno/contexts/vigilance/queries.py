"""What may be read of alerts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from salerno.contexts.vigilance.errors import NoSuchAlert
from salerno.contexts.vigilance.events import Kind
from salerno.contexts.vigilance.projections import ALERTS, SQL, AlertView
from salerno.kernel.desk import Desk
from salerno.kernel.documents import Held
from salerno.kernel.messages import INSTALLATION, Caller, Disclosure, Errand, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

MINE = 100


class Alerts(Query):
    """The organisation's alerts, newest first, narrowed by whatever is named."""

    status: Literal["open", "reviewed"] | None = None
    kind: Kind | None = None
    account_id: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AlertById(Query):
    alert_id: UUID


class MyAlerts(Errand):
    """The newest hundred alerts about the caller, here and above all organisations."""


class AlertLine(Struct, frozen=True, kw_only=True):
    """An alert with its cause. `patient_id` is whose chart it was about; the rest as in the event.

    `status` is open or reviewed; `own` where it is for its person only.
    """

    alert_id: UUID
    kind: str
    status: str
    at: datetime
    account_id: UUID
    role: str = ""
    patient_id: UUID | None = None
    reasons: Sequence[str] = ()
    count: int = 0
    since: datetime | None = None
    address: str = ""
    agent: str = ""
    country: str = ""
    before: str = ""
    outcome: str = ""
    note: str = ""
    reviewed_by: UUID | None = None
    reviewed_at: datetime | None = None
    version: int = 0


async def alerts(tx: Tx, query: Alerts, caller: Caller) -> Disclosure[Page[AlertLine]]:
    wanted = (query.status, query.kind, query.account_id)
    held = await ALERTS.open(tx, await tx.fetch(SQL["alerts"], tx.organisation, *wanted, query.limit, query.offset))
    total = await tx.fetchval(SQL["count_alerts"], tx.organisation, *wanted)
    lines = [line_of(one) for one in held]
    page = Page(items=lines, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=sorted({one.patient_id for one in lines if one.patient_id}))


async def alert_by_id(tx: Tx, query: AlertById, caller: Caller) -> Disclosure[AlertLine]:
    held = await ALERTS.get(tx, query.alert_id)
    if held is None or held.doc.status == "own":
        raise NoSuchAlert()
    line = line_of(held)
    return Disclosure(value=line, subjects=[line.patient_id] if line.patient_id else [])


async def my_alerts(desk: Desk, errand: MyAlerts, caller: Caller) -> list[AlertLine]:
    """Who administers the installation signs in above all organisations: what is said of that lies there.

    What a reviewer noted is for reviewers.
    """
    found: list[AlertLine] = []
    for organisation in sorted({caller.organisation, INSTALLATION}):
        async with desk.bus.reading("vigilance", organisation) as tx:
            held = await ALERTS.open(tx, await tx.fetch(SQL["alerts_of"], organisation, caller.actor, MINE))
            found += [replace(line_of(one), note="") for one in held]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MINE]


def line_of(held: Held[AlertView]) -> AlertLine:
    view, seen = held.doc, held.doc.seen
    return AlertLine(
        alert_id=held.id,
        kind=seen.kind,
        status=view.status,
        at=seen.at,
        account_id=seen.account,
        role=seen.role,
        patient_id=seen.patient,
        reasons=seen.reasons,
        count=seen.count,
        since=seen.since,
        address=seen.address,
        agent=seen.agent,
        country=seen.country,
        before=seen.before,
        outcome=view.outcome,
        note=view.note,
        reviewed_by=view.reviewed_by,
        reviewed_at=view.reviewed_at,
        version=held.version,
    )


ANSWERS: dict[type[Query], Answer] = {Alerts: alerts, AlertById: alert_by_id, MyAlerts: my_alerts}
