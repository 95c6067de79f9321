"""Whatever is stated once, may change its status and may be withdrawn: one rule for the seven kinds of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never, get_args
from uuid import UUID

from salerno.contexts.records.commands import (
    ChangeStatementStatus,
    RecordCarePlan,
    RecordGoal,
    RecordHistory,
    RecordImmunization,
    RecordObservation,
    RecordProcedure,
    RecordReport,
    RecordStatement,
    WithdrawStatement,
)
from salerno.contexts.records.errors import AlreadyRecorded, NoSuchRecord, UnknownStatus, WasEnteredInError
from salerno.contexts.records.events import (
    CarePlanContent,
    CarePlanRecorded,
    CarePlanStatus,
    GoalContent,
    GoalRecorded,
    GoalStatus,
    HistoryContent,
    HistoryRecorded,
    HistoryStatus,
    ImmunizationContent,
    ImmunizationRecorded,
    ImmunizationStatus,
    ObservationContent,
    ObservationRecorded,
    ObservationStatus,
    ProcedureContent,
    ProcedureRecorded,
    ProcedureStatus,
    ReportContent,
    ReportRecorded,
    ReportStatus,
    Stated,
    StatementEvent,
    StatementKind,
    StatementStatusChanged,
    StatementWithdrawn,
)
from salerno.contexts.records.rules.dates import refuse_future, refuse_impossible
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Command, Origin


@dataclass(frozen=True, slots=True)
class Family:
    """How one kind of statement differs: its content, its event, its statuses, which of its dates are past."""

    kind: StatementKind
    content: tuple[str, ...]
    event: Callable[..., Stated]
    statuses: tuple[str, ...]
    past: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    stated: Stated | None = None
    status: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Stating:
    """The wish with the id of its statement, and of which family it is."""

    command: RecordStatement
    record: UUID
    family: Family


@dataclass(frozen=True, slots=True)
class Changing:
    """The wish with its family, which knows the statuses."""

    command: ChangeStatementStatus
    family: Family


Wish: TypeAlias = Stating | Changing | WithdrawStatement

FAMILIES: dict[type[Command], Family] = {
    RecordObservation: Family(
        "observation",
        ObservationContent.__struct_fields__,
        ObservationRecorded,
        get_args(ObservationStatus),
        ("effective_at", "issued_at"),
    ),
    RecordHistory: Family(
        "history", HistoryContent.__struct_fields__, HistoryRecorded, get_args(HistoryStatus), ("onset", "ended")
    ),
    RecordImmunization: Family(
        "immunization",
        ImmunizationContent.__struct_fields__,
        ImmunizationRecorded,
        get_args(ImmunizationStatus),
        ("given_at",),
    ),
    RecordProcedure: Family(
        "procedure", ProcedureContent.__struct_fields__, ProcedureRecorded, get_args(ProcedureStatus)
    ),
    RecordReport: Family(
        "report", ReportContent.__struct_fields__, ReportRecorded, get_args(ReportStatus), ("effective_at", "issued_at")
    ),
    RecordCarePlan: Family("care_plan", CarePlanContent.__struct_fields__, CarePlanRecorded, get_args(CarePlanStatus)),
    RecordGoal: Family("goal", GoalContent.__struct_fields__, GoalRecorded, get_args(GoalStatus), ("started_on",)),
}
OF_KIND: dict[str, Family] = {family.kind: family for family in FAMILIES.values()}


def decide(statement: Statement, wish: Wish, origin: Origin) -> Sequence[StatementEvent]:
    match wish:
        case Stating():
            return _state(statement, wish, origin)
        case Changing():
            return _change(statement, wish)
        case WithdrawStatement():
            return _withdraw(statement, wish)
        case _:
            assert_never(wish)


def evolve(statement: Statement, event: StatementEvent) -> Statement:
    match event:
        case StatementStatusChanged():
            return replace(statement, status=event.status)
        case StatementWithdrawn():
            return replace(statement, withdrawn=True)
        case _:
            return replace(statement, stated=event, status=event.status)


def _state(statement: Statement, wish: Stating, origin: Origin) -> list[StatementEvent]:
    asked, family = wish.command, wish.family
    _refuse_dates(asked, family, origin)
    fields: dict[str, Any] = {name: getattr(asked, name) for name in family.content}
    event = family.event(patient=asked.patient_id, visit=asked.visit_id, **fields | {family.kind: wish.record})
    if statement.stated is None:
        return [event]
    if statement.withdrawn:
        raise WasEnteredInError()
    if statement.stated == event:
        return []
    raise AlreadyRecorded(record_id=str(wish.record))


def _refuse_dates(asked: RecordStatement, family: Family, origin: Origin) -> None:
    for name in family.past:
        value = getattr(asked, name)
        if isinstance(value, str):
            refuse_impossible(name, value, origin)
        else:
            refuse_future(name, value, origin)


def _change(statement: Statement, wish: Changing) -> list[StatementEvent]:
    known, asked = _known(statement), wish.command
    if asked.status not in wish.family.statuses:
        message = f"One of {', '.join(wish.family.statuses)}."
        raise UnknownStatus(errors=[{"path": "status", "code": "unknown-status", "message": message}])
    if statement.withdrawn:
        raise WasEnteredInError()
    if asked.status == statement.status:
        return []
    return [
        StatementStatusChanged(
            record=asked.record_id, patient=known.patient, kind=asked.kind, status=asked.status, reason=asked.reason
        )
    ]


def _withdraw(statement: Statement, wish: WithdrawStatement) -> list[StatementEvent]:
    known = _known(statement)
    if statement.withdrawn:
        return []
    return [StatementWithdrawn(record=wish.record_id, patient=known.patient, kind=wish.kind, reason=wish.reason)]


def _known(statement: Statement) -> Stated:
    if statement.stated is None:
        raise NoSuchRecord()
    return statement.stated


STATEMENTS: dict[str, Decider[Statement, Wish, StatementEvent]] = {
    kind: Decider(kind=f"records.{kind}", initial=Statement(), decide=decide, evolve=evolve, events=StatementEvent)
    for kind in OF_KIND
}
