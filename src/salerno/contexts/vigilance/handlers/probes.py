"""What the access log says beside charts that were opened: charts that were tried in vain, and exports."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from salerno.contexts.vigilance.events import AlertRaised
from salerno.contexts.vigilance.handlers.raising import alert_id, raise_alert, watchfulness_of
from salerno.contexts.vigilance.projections import SQL
from salerno.contexts.vigilance.rules import bulk
from salerno.kernel.following import Look
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.transactions import Tx

OF_CHARTS = frozenset({"demographics", "clinical", "medication", "appointments"})
EXPORTS = frozenset({"Export"})
BY_ITSELF = "SYSTEM"
ONE_EXPORT = timedelta(hours=1)  # one export is many lines of the log


async def judge_probes(tx: Tx, looks: Sequence[Look]) -> None:
    """How often each account asked for charts that are not there, or not for it: patients' accounts as well."""
    by_account: dict[UUID, list[Look]] = defaultdict(list)
    for look in looks:
        if look.outcome == "denied" and look.category in OF_CHARTS and look.role != BY_ITSELF and look.user.int:
            by_account[look.user].append(look)
    for account, theirs in by_account.items():
        await _how_often(tx, account, theirs)


async def _how_often(tx: Tx, account: UUID, theirs: Sequence[Look]) -> None:
    start, end = min(look.at for look in theirs) - bulk.WINDOW, max(look.at for look in theirs)
    rows = await tx.fetch(SQL["tried_lately"], tx.organisation, account, start, end)
    window = {UUID(int=row["number"]): row["at"] for row in rows}
    tried = [(look.at, UUID(int=look.position)) for look in theirs]
    found, _ = bulk.crossings(window, tried, watchfulness_of(tx.bus).probes, await _silence(tx, account, "probing"))
    for crossing in found:
        last = theirs[-1]
        seen = AlertRaised(
            alert=alert_id("probing", account, crossing.at.isoformat()),
            account=account,
            kind="probing",
            at=crossing.at,
            role=last.role,
            address=last.address,
            count=crossing.count,
            since=crossing.since,
        )
        await raise_alert(tx, seen)
        await _keep_silent(tx, account, "probing", crossing.at + bulk.WINDOW)
    numbers, moments = [look.position for look in theirs], [look.at for look in theirs]
    await tx.run(SQL["put_tried"], tx.organisation, account, numbers, moments)
    await tx.run(SQL["forget_tried"], tx.organisation, account, start)


async def judge_exports(tx: Tx, looks: Sequence[Look]) -> None:
    """An export of everything is rare, and always worth a look."""
    for look in looks:
        if look.action not in EXPORTS or look.outcome != "disclosed":
            continue
        quiet = await _silence(tx, look.user, "exports")
        if quiet is not None and look.at < quiet:
            continue
        seen = AlertRaised(
            alert=alert_id("exports", look.user, look.at.isoformat()),
            account=look.user,
            kind="exports",
            at=look.at,
            role=look.role,
            address=look.address,
            count=sum(len(one.subjects) for one in looks if (one.user, one.action) == (look.user, look.action)),
        )
        await raise_alert(tx, seen)
        await _keep_silent(tx, look.user, "exports", look.at + ONE_EXPORT)


async def _silence(tx: Tx, account: UUID, kind: str) -> datetime | None:
    until: datetime | None = await tx.fetchval(SQL["silence"], tx.organisation, account, kind, INSTALLATION)
    return until


async def _keep_silent(tx: Tx, account: UUID, kind: str, until: datetime) -> None:
    await tx.run(SQL["keep_silence"], tx.organisation, account, kind, INSTALLATION, until)
