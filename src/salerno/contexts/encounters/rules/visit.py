"""One visit: started, coded, planned, completed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.encounters.commands import (
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SetTreatmentPlan,
    StartVisit,
)
from salerno.contexts.encounters.errors import (
    AlreadyDiagnosed,
    NoSuchDiagnosis,
    NoSuchVisit,
    OnePrimaryDiagnosis,
    VisitExists,
    VisitHasSignedNotes,
    VisitIsOver,
)
from salerno.contexts.encounters.events import (
    DiagnosisRecorded,
    DiagnosisRemoved,
    DiagnosisRole,
    PlanItem,
    TreatmentPlanSet,
    VisitCancelled,
    VisitCompleted,
    VisitEvent,
    VisitStarted,
)
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin


class Status(StrEnum):
    UNKNOWN = "unknown"
    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Visit:
    status: Status = Status.UNKNOWN
    started: VisitStarted | None = None
    ended_at: datetime | None = None
    diagnoses: tuple[DiagnosisRecorded, ...] = ()
    plan: tuple[PlanItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Starting:
    """The wish with the id that its visit has."""

    command: StartVisit
    visit: UUID


@dataclass(frozen=True, slots=True)
class Diagnosing:
    """The wish with the code as the index writes it."""

    command: RecordDiagnosis
    diagnosis: UUID
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Cancelling:
    """The wish, and whether somebody has signed a note about this visit."""

    command: CancelVisit
    has_signed_notes: bool


Wish: TypeAlias = Starting | CompleteVisit | Cancelling | Diagnosing | RemoveDiagnosis | SetTreatmentPlan


def decide(visit: Visit, wish: Wish, origin: Origin) -> Sequence[VisitEvent]:
    match wish:
        case Starting():
            return _start(visit, wish, origin)
        case CompleteVisit():
            return _complete(visit, wish, origin)
        case Cancelling():
            return _cancel(visit, wish)
        case Diagnosing():
            return _diagnose(visit, wish)
        case RemoveDiagnosis():
            return _remove(visit, wish)
        case SetTreatmentPlan():
            return _plan(visit, wish)
        case _:
            assert_never(wish)


def evolve(visit: Visit, event: VisitEvent) -> Visit:
    match event:
        case VisitStarted():
            return replace(visit, status=Status.OPEN, started=event)
        case VisitCompleted():
            return replace(visit, status=Status.COMPLETED, ended_at=event.ended_at)
        case VisitCancelled():
            return replace(visit, status=Status.CANCELLED)
        case DiagnosisRecorded():
            return replace(visit, diagnoses=(*visit.diagnoses, event))
        case DiagnosisRemoved():
            return replace(
                visit,
                diagnoses=tuple(d for d in visit.diagnoses if d.diagnosis != event.diagnosis),
            )
        case TreatmentPlanSet():
            return replace(visit, plan=event.items)
        case _:
            assert_never(event)


def _start(visit: Visit, wish: Starting, origin: Origin) -> list[VisitEvent]:
    asked = wish.command
    started = VisitStarted(
        visit=wish.visit,
        patient=asked.patient_id,
        practitioner=asked.practitioner_id,
        appointment=asked.appointment_id,
        location=asked.location_id,
        class_=asked.visit_class,
        visit_type=asked.visit_type,
        reason=asked.reason,
        reason_code=asked.reason_code,
        started_at=asked.started_at or origin.happened_at,
    )
    if visit.started is not None:
        return _again(visit, visit.started, started, asked)
    _refuse_the_future("started_at", started.started_at, origin)
    return [started, *_over(started, asked.ended_at, origin)]


def _again(visit: Visit, first: VisitStarted, second: VisitStarted, asked: StartVisit) -> list[VisitEvent]:
    """The check-in and the doctor may both open the visit of one appointment; an import may be repeated."""
    of_one_appointment = first.appointment is not None and first.appointment == second.appointment
    same_time = asked.started_at is None or second.started_at == first.started_at
    identical = same_time and replace_start(second, first.started_at) == first and _same_end(visit, asked.ended_at)
    if first.patient == second.patient and (of_one_appointment or identical):
        return []
    raise VisitExists()


def replace_start(event: VisitStarted, started_at: datetime) -> VisitStarted:
    return VisitStarted(**{f: getattr(event, f) for f in event.__struct_fields__} | {"started_at": started_at})


def _same_end(visit: Visit, ended_at: datetime | None) -> bool:
    return ended_at is None or ended_at == visit.ended_at


def _over(started: VisitStarted, ended_at: datetime | None, origin: Origin) -> list[VisitEvent]:
    return [] if ended_at is None else [_end(started, ended_at, origin)]


def _complete(visit: Visit, wish: CompleteVisit, origin: Origin) -> list[VisitEvent]:
    started = _known(visit)
    if visit.status is Status.COMPLETED and _same_end(visit, wish.ended_at):
        return []
    if visit.status is not Status.OPEN:
        raise VisitIsOver(status=visit.status)
    return [
        _end(
            started,
            wish.ended_at or max(origin.happened_at, started.started_at),
            origin,
        )
    ]


def _end(started: VisitStarted, ended_at: datetime, origin: Origin) -> VisitCompleted:
    _refuse_the_future("ended_at", ended_at, origin)
    if ended_at < started.started_at:
        raise Invalid.field("ended_at", "before-start", "A visit cannot end before it started.")
    return VisitCompleted(
        visit=started.visit,
        patient=started.patient,
        practitioner=started.practitioner,
        appointment=started.appointment,
        ended_at=ended_at,
    )


def _cancel(visit: Visit, wish: Cancelling) -> list[VisitEvent]:
    started = _known(visit)
    if visit.status is Status.CANCELLED:
        return []
    if wish.has_signed_notes:
        raise VisitHasSignedNotes()
    reason = wish.command.reason
    return [
        VisitCancelled(
            visit=started.visit,
            patient=started.patient,
            appointment=started.appointment,
            reason=reason,
        )
    ]


def _diagnose(visit: Visit, wish: Diagnosing) -> list[VisitEvent]:
    started, asked = _not_cancelled(visit), wish.command
    event = DiagnosisRecorded(
        visit=started.visit,
        patient=started.patient,
        diagnosis=wish.diagnosis,
        code=wish.code,
        system=asked.system,
        display=wish.display,
        certainty=asked.certainty,
        role=asked.role or _next_role(visit),
        onset=asked.onset,
        comment=asked.comment,
    )
    for known in visit.diagnoses:
        if known.diagnosis == event.diagnosis or (known.system, known.code) == (
            event.system,
            event.code,
        ):
            return _repeated(known, event, asked.role)
    if event.role == "primary" and _next_role(visit) != "primary":
        raise OnePrimaryDiagnosis()
    return [event]


def _next_role(visit: Visit) -> DiagnosisRole:
    return "secondary" if any(d.role == "primary" for d in visit.diagnoses) else "primary"


def _repeated(known: DiagnosisRecorded, again: DiagnosisRecorded, role: DiagnosisRole | None) -> list[VisitEvent]:
    same_words = (
        known.system,
        known.code,
        known.certainty,
        known.onset,
        known.comment,
    ) == (
        again.system,
        again.code,
        again.certainty,
        again.onset,
        again.comment,
    )
    if same_words and role in (None, known.role):
        return []
    raise AlreadyDiagnosed(diagnosis_id=str(known.diagnosis))


def _remove(visit: Visit, wish: RemoveDiagnosis) -> list[VisitEvent]:
    started = _not_cancelled(visit)
    for known in visit.diagnoses:
        if known.diagnosis == wish.diagnosis_id:
            return [
                DiagnosisRemoved(
                    visit=started.visit,
                    patient=started.patient,
                    diagnosis=known.diagnosis,
                    code=known.code,
                    system=known.system,
                    reason=wish.reason,
                )
            ]
    raise NoSuchDiagnosis()


def _plan(visit: Visit, wish: SetTreatmentPlan) -> list[VisitEvent]:
    started = _not_cancelled(visit)
    for number, item in enumerate(wish.items):
        if not item.text.strip():
            raise Invalid.field(f"items[{number}].text", "empty", "Say what is to be done.")
    if wish.items == visit.plan:
        return []
    return [TreatmentPlanSet(visit=started.visit, patient=started.patient, items=wish.items)]


def _known(visit: Visit) -> VisitStarted:
    if visit.started is None:
        raise NoSuchVisit()
    return visit.started


def _not_cancelled(visit: Visit) -> VisitStarted:
    started = _known(visit)
    if visit.status is Status.CANCELLED:
        raise VisitIsOver(status=visit.status)
    return started


def _refuse_the_future(field: str, moment: datetime, origin: Origin) -> None:
    if moment > origin.recorded_at:
        raise Invalid.field(field, "in-the-future", "This moment has not come yet.")


VISIT = Decider(
    kind="encounters.visit",
    initial=Visit(),
    decide=decide,
    evolve=evolve,
    events=VisitEvent,
)
