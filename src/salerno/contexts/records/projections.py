"""The room's views: one sealed document per entry, who the person is, and which charts are one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct, field

from salerno.contexts.patients.events import PatientRegistered, PatientsMerged, PatientsUnmerged, PatientUpdated
from salerno.contexts.records.events import (
    AllergyChanged,
    AllergyContent,
    AllergyRecorded,
    AllergyRemoved,
    CarePlanContent,
    GoalContent,
    HistoryContent,
    ImmunizationContent,
    Measures,
    NoKnownAllergiesStated,
    ObservationContent,
    ProblemBacked,
    ProblemChanged,
    ProblemContent,
    ProblemRecorded,
    ProblemUnbacked,
    ProcedureContent,
    Quantity,
    ReportContent,
    ResourceKept,
    StatementStatusChanged,
    StatementWithdrawn,
    VitalsRecorded,
    VitalsVoided,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)
ERROR = "entered-in-error"
ACTIVE = ("active", "recurrence", "relapse")


C = TypeVar("C", bound=Struct)


class Entry(Struct, Generic[C], frozen=True, kw_only=True, omit_defaults=True):
    """What every entry of a record has. `at` is when it was so; `because` why it was withdrawn or changed."""

    id: UUID
    patient: UUID
    version: int
    visit: UUID | None = None
    at: datetime
    recorded_by: UUID
    recorded_at: datetime
    in_error: bool = False
    because: str = ""
    content: C


class ProblemNow(ProblemContent, frozen=True, kw_only=True, omit_defaults=True):
    """`diagnoses` are the visits' diagnoses that say so."""

    diagnoses: tuple[UUID, ...] = ()


class AllergyNow(AllergyContent, frozen=True, kw_only=True, omit_defaults=True):
    """`none_known` marks the statement that the person knows of no allergy."""

    reaction: str = ""
    severity: str = ""
    none_known: bool = False


class VitalsNow(Measures, frozen=True, kw_only=True, omit_defaults=True):
    """`as_entered` keeps what was typed in another unit."""

    as_entered: dict[str, Quantity] = field(default_factory=dict)
    comment: str = ""


ProblemEntry: TypeAlias = Entry[ProblemNow]
AllergyEntry: TypeAlias = Entry[AllergyNow]
VitalsEntry: TypeAlias = Entry[VitalsNow]
ObservationEntry: TypeAlias = Entry[ObservationContent]


class KeptResourceView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: UUID
    patient: UUID | None = None
    resource_type: str
    resource_id: str
    content: str
    recorded_at: datetime


class PersonFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ranges and scores depend on."""

    birth_date: date | None = None
    gender: str = "unknown"


def _entered(item: Recorded[Any], content: C, at: datetime | str | None) -> Entry[C]:
    return Entry(
        id=item.stream,
        patient=item.event.patient,
        version=item.version,
        visit=getattr(item.event, "visit", None),
        at=_instant(at) or item.origin.happened_at,
        recorded_by=item.origin.actor,
        recorded_at=item.origin.recorded_at,
        content=content,
    )


def _told(event: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(event, name) for name in names}


def _changed(before: Entry[C], item: Recorded[Any], because: str = "", **changes: Any) -> Entry[C]:
    content = msgspec.structs.replace(before.content, **changes)
    return msgspec.structs.replace(before, version=item.version, because=because or before.because, content=content)


def _erred(before: Entry[C], item: Recorded[Any]) -> Entry[C]:
    return msgspec.structs.replace(before, version=item.version, in_error=True, because=item.event.reason)


def _instant(moment: datetime | str | None) -> datetime | None:
    """A partial date stands for its first instant."""
    if not isinstance(moment, str) or not moment:
        return moment or None
    if "T" in moment:
        return datetime.fromisoformat(moment)
    year, month, day = (*(int(part) for part in moment.split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)


def problem_view(before: ProblemEntry | None, item: Recorded[Any]) -> ProblemEntry | None:
    event = item.event
    if isinstance(event, ProblemRecorded):
        diagnoses = (event.diagnosis,) if event.diagnosis else ()
        told = _told(event, ProblemContent.__struct_fields__)
        return _entered(item, ProblemNow(diagnoses=diagnoses, **told), event.onset)
    if before is None:
        return None
    said = before.content.diagnoses
    match event:
        case ProblemChanged(verification="entered-in-error"):
            return _erred(before, item)
        case ProblemChanged():
            return _changed(
                before,
                item,
                event.reason,
                clinical_status=event.clinical_status,
                verification=event.verification,
                abated=event.abated,
            )
        case ProblemBacked():
            return _changed(before, item, diagnoses=(*said, event.diagnosis))
        case ProblemUnbacked():
            return _changed(before, item, diagnoses=tuple(d for d in said if d != event.diagnosis))
        case _:
            return before


def allergy_view(before: AllergyEntry | None, item: Recorded[Any]) -> AllergyEntry | None:
    event = item.event
    names = (*AllergyContent.__struct_fields__, "reaction", "severity")
    match event:
        case AllergyRecorded():
            return _entered(item, AllergyNow(**_told(event, names)), event.onset)
        case NoKnownAllergiesStated():
            return _entered(item, AllergyNow(substance="-", none_known=True), None)
        case AllergyChanged() if before is not None:
            return _changed(before, item, event.reason, **_told(event, names))
        case AllergyRemoved() if before is not None:
            return _erred(before, item)
        case _:
            return before


def vitals_view(before: VitalsEntry | None, item: Recorded[Any]) -> VitalsEntry | None:
    event = item.event
    if isinstance(event, VitalsRecorded):
        names = (*Measures.__struct_fields__, "as_entered", "comment")
        return _entered(item, VitalsNow(**_told(event, names)), event.measured_at)
    if isinstance(event, VitalsVoided) and before is not None:
        return _erred(before, item)
    return before


def statement_view(
    content: type[C], moments: Sequence[str]
) -> Callable[[Entry[C] | None, Recorded[Any]], Entry[C] | None]:
    """The reducer of one kind of statement; `moments` are the fields that say when it was so, best first."""

    def view(before: Entry[C] | None, item: Recorded[Any]) -> Entry[C] | None:
        event = item.event
        match event:
            case StatementStatusChanged():
                return before and _changed(before, item, event.reason, status=event.status)
            case StatementWithdrawn():
                return before and _erred(before, item)
            case _:
                at = next((found for name in moments if (found := getattr(event, name))), None)
                return _entered(item, content(**_told(event, content.__struct_fields__)), at)

    return view


def kept_view(before: KeptResourceView | None, item: Recorded[ResourceKept]) -> KeptResourceView:
    event = item.event
    return KeptResourceView(
        id=item.stream,
        patient=event.patient,
        resource_type=event.resource_type,
        resource_id=event.resource_id,
        content=event.content,
        recorded_at=item.origin.recorded_at,
    )


def _columns(entry: Entry[Any]) -> dict[str, Any]:
    content = entry.content
    status = getattr(content, "clinical_status", "") or getattr(content, "status", "active")
    if getattr(content, "none_known", False):
        status = "none-known"
    return {"code": getattr(content, "code", ""), "status": ERROR if entry.in_error else status, "at": entry.at}


def _observation_columns(entry: ObservationEntry) -> dict[str, Any]:
    category = entry.content.category
    return _columns(entry) | {"category": category[0] if category else ""}


def _shelf(table: str, kind: str, content: type[C], *moments: str) -> Documents[Entry[C]]:
    return Documents(
        table=table,
        kind=f"records.{kind}",
        shape=Entry[content],  # type: ignore[valid-type]
        evolve=statement_view(content, moments),
        columns=_columns,
    )


PROBLEMS = Documents(
    table="problems", kind="records.problem", shape=ProblemEntry, evolve=problem_view, columns=_columns
)
ALLERGIES = Documents(
    table="allergies", kind="records.allergy", shape=AllergyEntry, evolve=allergy_view, columns=_columns
)
VITALS = Documents(table="vitals", kind="records.vitals", shape=VitalsEntry, evolve=vitals_view, columns=_columns)
OBSERVATIONS = Documents(
    table="observations",
    kind="records.observation",
    shape=ObservationEntry,
    evolve=statement_view(ObservationContent, ("effective_at", "issued_at")),
    columns=_observation_columns,
)
HISTORIES = _shelf("histories", "history", HistoryContent, "onset")
IMMUNIZATIONS = _shelf("immunizations", "immunization", ImmunizationContent, "given_at")
PROCEDURES = _shelf("procedures", "procedure", ProcedureContent, "started_at", "ended_at")
REPORTS = _shelf("reports", "report", ReportContent, "effective_at", "issued_at")
CARE_PLANS = _shelf("care_plans", "care_plan", CarePlanContent, "started_at")
GOALS = _shelf("goals", "goal", GoalContent, "started_on")
KEPT_RESOURCES = Documents(
    table="kept_resources",
    kind="records.kept_resource",
    shape=KeptResourceView,
    evolve=kept_view,
    columns=lambda kept: {"resource_type": kept.resource_type},
)
SECTIONS: tuple[Documents[Any], ...] = (
    PROBLEMS,
    ALLERGIES,
    VITALS,
    OBSERVATIONS,
    HISTORIES,
    IMMUNIZATIONS,
    PROCEDURES,
    REPORTS,
    CARE_PLANS,
    GOALS,
)


async def keep_people(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    newest = {item.event.patient: item.event for item in items}
    docs = [
        await tx.seal_doc("people", patient, patient, PersonFacts(birth_date=said.birth_date, gender=said.gender))
        for patient, said in newest.items()
    ]
    await tx.run(SQL["remember_people"], tx.organisation, list(newest), docs)


async def keep_merges(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """After a merge, one chart shows both; after an un-merge, each its own again."""
    for item in items:
        match item.event:
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["remember_merge"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["forget_merge"], tx.organisation, patient)
            case _:
                pass


PEOPLE = Projection(name="people", tables=("people",), events=(PatientRegistered, PatientUpdated), apply=keep_people)
MERGED_CHARTS = Projection(
    name="merged_charts", tables=("merged_charts",), events=(PatientsMerged, PatientsUnmerged), apply=keep_merges
)
