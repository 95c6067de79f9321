"""Judging what was looked at: how much, whose, and at what hour."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from salerno.contexts.vigilance.events import AlertRaised, Kind
from salerno.contexts.vigilance.handlers.probes import judge_exports, judge_probes
from salerno.contexts.vigilance.handlers.raising import alert_id, raise_alert, watchfulness_of
from salerno.contexts.vigilance.projections import SQL, hours_from
from salerno.contexts.vigilance.rules import bulk, hours, kin
from salerno.kernel.following import Look
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.transactions import Tx

CLINICAL = frozenset({"clinical", "medication"})
OPEN_A_CHART = frozenset({"PatientBanner", "PatientById", "PatientAsOf"})  # of demographics; others list names
NOBODYS_CHART_BUT_THEIR_OWN = frozenset({"PATIENT", "SYSTEM"})
ONE_CHART = 3  # a chart with what was merged into it; a list shows more people than that
DAYS_AROUND, HOURS_AROUND = timedelta(days=7), timedelta(hours=4)
SAID_ONCE: Mapping[Kind, timedelta] = {"own-family": timedelta(days=1), "after-hours": timedelta(hours=12)}


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody of the staff opened a chart."""

    look: Look
    patient: UUID
    staff: UUID | None

    @property
    def readers(self) -> tuple[UUID, ...]:
        """The account and the record of staff that belongs to it: both say something of who it is."""
        return (self.look.user,) if self.staff is None else (self.look.user, self.staff)


async def judge(tx: Tx, looks: Sequence[Look]) -> None:
    """Raise what a batch of one organisation's access log is worth."""
    await judge_probes(tx, looks)
    await judge_exports(tx, looks)
    of_charts = [look for look in looks if _opens_a_chart(look)]
    if not of_charts:
        return
    rows = await tx.fetch(SQL["readers"], tx.organisation, list({look.user for look in of_charts}))
    staff = {UUID(bytes=row["id"].bytes): row["staff"] and UUID(bytes=row["staff"].bytes) for row in rows}
    opened = [Opened(look, patient, staff.get(look.user)) for look in of_charts for patient in look.subjects]
    await _how_much(tx, opened)
    await _whose(tx, opened)
    await _when(tx, [one for one in opened if one.look.category in CLINICAL])


def _opens_a_chart(look: Look) -> bool:
    """Lists, refusals, patients' own charts, and what the command line does by itself are none."""
    return (
        look.outcome == "disclosed"
        and (look.category in CLINICAL or look.action in OPEN_A_CHART)
        and 0 < len(look.subjects) <= ONE_CHART
        and look.role not in NOBODYS_CHART_BUT_THEIR_OWN
    )


# ------------------------------------------------------------------ how much
async def _how_much(tx: Tx, opened: Sequence[Opened]) -> None:
    limit = watchfulness_of(tx.bus).bulk_charts
    by_account: dict[UUID, list[Opened]] = defaultdict(list)
    for one in opened:
        by_account[one.look.user].append(one)
    for account, theirs in by_account.items():
        start = min(one.look.at for one in theirs) - bulk.WINDOW
        end = max(one.look.at for one in theirs)
        quiet = await _silence(tx, account, "bulk-reads", INSTALLATION)
        if quiet is not None and end < quiet:
            continue
        rows = await tx.fetch(SQL["opened_lately"], tx.organisation, account, start, end)
        window = {UUID(bytes=row["patient"].bytes): row["at"] for row in rows}
        found, after = bulk.crossings(window, [(one.look.at, one.patient) for one in theirs], limit, quiet)
        for crossing in found:
            seen = AlertRaised(
                alert=alert_id("bulk-reads", account, crossing.at.isoformat()),
                account=account,
                kind="bulk-reads",
                at=crossing.at,
                role=theirs[-1].look.role,
                address=theirs[-1].look.address,
                count=crossing.count,
                since=crossing.since,
            )
            await raise_alert(tx, seen)
            await _keep_silent(tx, account, "bulk-reads", INSTALLATION, crossing.at + bulk.WINDOW)
        new = {one.patient: after[one.patient] for one in theirs if one.patient in after}
        await tx.run(SQL["put_opened"], tx.organisation, account, list(new), list(new.values()))
        await tx.run(SQL["forget_opened"], tx.organisation, account, start, [one for one in window if one not in after])


# ------------------------------------------------------------------ whose
async def _whose(tx: Tx, opened: Sequence[Opened]) -> None:
    pairs = {(person, one.patient) for one in opened for person in one.readers}
    rows = await tx.fetch(SQL["shared"], tx.organisation, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    if not rows:
        return
    reasons: dict[tuple[UUID, UUID], set[str]] = defaultdict(set)
    for row in rows:
        reasons[UUID(bytes=row["reader"].bytes), UUID(bytes=row["patient"].bytes)].add(row["reason"])
    in_care = await _explained(tx, opened, DAYS_AROUND)
    for nth, one in enumerate(opened):
        shared = {reason for person in one.readers for reason in reasons.get((person, one.patient), ())}
        said = tuple(reason for reason in kin.REASONS if reason in shared)
        if kin.is_unusual(said, in_care=nth in in_care):
            await _once(tx, one, "own-family", one.patient, said)


async def _explained(tx: Tx, opened: Sequence[Opened], around: timedelta) -> set[int]:
    """Which of these, by number, fall near an appointment, a visit or the registration of the patient."""
    rows = await tx.fetch(
        SQL["in_care"], tx.organisation, list(range(len(opened))), [one.patient for one in opened],
        [one.look.at - around for one in opened], [one.look.at + around for one in opened],
    )  # fmt: skip
    return {row["number"] for row in rows}


# ------------------------------------------------------------------ when
async def _when(tx: Tx, opened: Sequence[Opened]) -> None:
    late = [one for one, outside in zip(opened, await _outside(tx, opened), strict=True) if outside]
    if not late:
        return
    explained = await _explained(tx, late, HOURS_AROUND)
    for nth, one in enumerate(late):
        if nth not in explained:
            await _once(tx, one, "after-hours", INSTALLATION, ())


async def _outside(tx: Tx, opened: Sequence[Opened]) -> list[bool]:
    """By each reader's own hours; where nobody here has any, by the night of the practice."""
    if not await tx.fetchval(SQL["any_hours"], tx.organisation):
        row = await tx.fetchrow(SQL["practice"], tx.organisation)
        return [row is not None and hours.is_night(one.look.at, row["zone"]) for one in opened]
    rows = await tx.fetch(SQL["hours"], tx.organisation, list({one.staff for one in opened if one.staff}))
    planned = {UUID(bytes=row["staff"].bytes): hours_from(row["planned"]) for row in rows}
    return [
        one.staff is not None and one.staff in planned and bool(hours.is_outside(planned[one.staff], one.look.at))
        for one in opened
    ]


# ------------------------------------------------------------------ once
async def _once(tx: Tx, one: Opened, kind: Kind, about: UUID, reasons: tuple[str, ...]) -> None:
    account, at = one.look.user, one.look.at
    quiet = await _silence(tx, account, kind, about)
    if quiet is not None and at < quiet:
        return
    seen = AlertRaised(
        alert=alert_id(kind, account, about, at.isoformat()),
        account=account,
        kind=kind,
        at=at,
        role=one.look.role,
        patient=one.patient,
        reasons=reasons,
        address=one.look.address,
    )
    await raise_alert(tx, seen)
    await _keep_silent(tx, account, kind, about, at + SAID_ONCE[kind])


async def _silence(tx: Tx, account: UUID, kind: str, about: UUID) -> datetime | None:
    until: datetime | None = await tx.fetchval(SQL["silence"], tx.organisation, account, kind, about)
    return until


async def _keep_silent(tx: Tx, account: UUID, kind: str, about: UUID, until: datetime) -> None:
    await tx.run(SQL["forget_silences"], tx.organisation, account, tx.now - timedelta(days=2))
    await tx.run(SQL["keep_silence"], tx.organisation, account, kind, about, until)
