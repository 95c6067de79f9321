"""One problem on the list: recorded by hand, by an import, or because a visit diagnosed it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.records.commands import ChangeProblem, ListDiagnosis, RecordProblem, UnlistDiagnosis
from salerno.contexts.records.errors import AlreadyOnTheList, NoSuchRecord, ReasonNeeded, WasEnteredInError
from salerno.contexts.records.events import (
    ClinicalStatus,
    ProblemBacked,
    ProblemChanged,
    ProblemContent,
    ProblemEvent,
    ProblemRecorded,
    ProblemUnbacked,
)
from salerno.contexts.records.rules.dates import refuse_impossible
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin

OVER = ("inactive", "remission", "resolved")


@dataclass(frozen=True, slots=True)
class Problem:
    """`backing` are the diagnoses that say so; `by_hand` that a person put it on the list."""

    recorded: ProblemRecorded | None = None
    clinical_status: ClinicalStatus = "active"
    verification: str = "confirmed"
    abated: str = ""
    by_hand: bool = False
    backing: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """The wish with the problem's id."""

    command: RecordProblem
    problem: UUID


@dataclass(frozen=True, slots=True)
class Listing:
    """The wish with the id of the problem that this code has."""

    command: ListDiagnosis
    problem: UUID


Wish: TypeAlias = Recording | ChangeProblem | Listing | UnlistDiagnosis


def decide(problem: Problem, wish: Wish, origin: Origin) -> Sequence[ProblemEvent]:
    match wish:
        case Recording():
            return _record(problem, wish, origin)
        case ChangeProblem():
            return _change(problem, wish, origin)
        case Listing():
            return _list(problem, wish)
        case UnlistDiagnosis():
            return _unlist(problem, wish)
        case _:
            assert_never(wish)


def evolve(problem: Problem, event: ProblemEvent) -> Problem:
    match event:
        case ProblemRecorded():
            return Problem(
                recorded=event,
                clinical_status=event.clinical_status,
                verification=event.verification,
                abated=event.abated,
                by_hand=event.diagnosis is None,
                backing=(event.diagnosis,) if event.diagnosis else (),
            )
        case ProblemChanged():
            return replace(
                problem, clinical_status=event.clinical_status, verification=event.verification, abated=event.abated
            )
        case ProblemBacked():
            return replace(problem, backing=(*problem.backing, event.diagnosis))
        case ProblemUnbacked():
            return replace(problem, backing=tuple(d for d in problem.backing if d != event.diagnosis))
        case _:
            assert_never(event)


def _record(problem: Problem, wish: Recording, origin: Origin) -> list[ProblemEvent]:
    asked = wish.command
    refuse_impossible("onset", asked.onset, origin)
    refuse_impossible("abated", asked.abated, origin)
    content = {name: getattr(asked, name) for name in ProblemContent.__struct_fields__}
    event = ProblemRecorded(problem=wish.problem, patient=asked.patient_id, visit=asked.visit_id, **content)
    if problem.recorded is None or problem.verification == "entered-in-error":
        return [event]
    if problem.recorded == event:
        return []
    raise AlreadyOnTheList(record_id=str(wish.problem), clinical_status=problem.clinical_status)


def _change(problem: Problem, wish: ChangeProblem, origin: Origin) -> list[ProblemEvent]:
    known = _known(problem)
    refuse_impossible("abated", wish.abated, origin)
    if problem.verification == "entered-in-error":
        if wish.entered_in_error:
            return []
        raise WasEnteredInError()
    if wish.entered_in_error and len(wish.reason.strip()) < 3:
        raise ReasonNeeded(errors=[{"path": "reason", "code": "missing", "message": "Say why it was an error."}])
    status = wish.clinical_status or problem.clinical_status
    verification = "entered-in-error" if wish.entered_in_error else wish.verification or problem.verification
    abated = (wish.abated or problem.abated) if status in OVER else ""
    if (status, verification, abated) == (problem.clinical_status, problem.verification, problem.abated):
        return []
    return [_changed(known, status, verification, abated, wish.reason)]


def _changed(
    known: ProblemRecorded, status: ClinicalStatus, verification: str, abated: str, reason: str
) -> ProblemChanged:
    return ProblemChanged(
        problem=known.problem,
        patient=known.patient,
        clinical_status=status,
        verification=verification,  # type: ignore[arg-type]
        abated=abated,
        reason=reason,
    )


def _list(problem: Problem, wish: Listing) -> list[ProblemEvent]:
    asked = wish.command
    if problem.recorded is None or problem.verification == "entered-in-error":
        return [
            ProblemRecorded(
                problem=wish.problem,
                patient=asked.patient_id,
                visit=asked.visit_id,
                diagnosis=asked.diagnosis_id,
                code=asked.code,
                system=asked.system,
                display=asked.display or asked.code,
                verification=asked.verification,
                onset=asked.onset,
            )
        ]
    known = problem.recorded
    news: list[ProblemEvent] = []
    if asked.diagnosis_id not in problem.backing:
        news.append(ProblemBacked(problem=known.problem, patient=known.patient, diagnosis=asked.diagnosis_id))
    again = "recurrence" if problem.clinical_status in OVER else problem.clinical_status
    surer = asked.verification if problem.verification in ("unconfirmed", "provisional") else problem.verification
    if (again, surer) != (problem.clinical_status, problem.verification):
        news.append(_changed(known, again, surer, "", "diagnosed in a visit"))
    return news


def _unlist(problem: Problem, wish: UnlistDiagnosis) -> list[ProblemEvent]:
    """What nobody says any more was an error; what a person put on the list stays."""
    if problem.recorded is None or wish.diagnosis_id not in problem.backing:
        return []
    known = problem.recorded
    news: list[ProblemEvent] = [
        ProblemUnbacked(problem=known.problem, patient=known.patient, diagnosis=wish.diagnosis_id)
    ]
    if not problem.by_hand and problem.backing == (wish.diagnosis_id,):
        news.append(_changed(known, problem.clinical_status, "entered-in-error", problem.abated, wish.reason))
    return news


def _known(problem: Problem) -> ProblemRecorded:
    if problem.recorded is None:
        raise NoSuchRecord()
    return problem.recorded


PROBLEM = Decider(kind="records.problem", initial=Problem(), decide=decide, evolve=evolve, events=ProblemEvent)
