"""What is written into a record over REST: problems, allergies, vital signs, results, history and the rest."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, field
from msgspec.structs import asdict

from salerno.contexts.records.commands import (
    ChangeAllergy,
    ChangeProblem,
    ChangeStatementStatus,
    Reason,
    RecordAllergy,
    RecordCarePlan,
    RecordGoal,
    RecordHistory,
    RecordImmunization,
    RecordObservation,
    RecordProblem,
    RecordProcedure,
    RecordReport,
    RecordVitals,
    RemoveAllergy,
    StateNoKnownAllergies,
    VoidVitals,
    WithdrawStatement,
)
from salerno.contexts.records.events import (
    AllergyContent,
    CarePlanContent,
    ClinicalStatus,
    GoalContent,
    HistoryContent,
    ImmunizationContent,
    Instant,
    Measures,
    ObservationContent,
    PartialDate,
    ProblemContent,
    ProcedureContent,
    ReportContent,
    StatementKind,
    Verification,
    Words,
)
from salerno.contexts.records.queries import (
    StatementsOfPatient,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    Route,
    answer,
    ask,
    get,
    patch,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Command, Receipt

PATIENT = "/patients/{patient_id:uuid}"
TAGS = ("records",)
KINDS: dict[str, StatementKind] = {
    "observations": "observation",
    "history": "history",
    "immunizations": "immunization",
    "procedures": "procedure",
    "reports": "report",
    "care-plans": "care_plan",
    "goals": "goal",
}


class ProblemBody(ProblemContent, Body):
    problem_id: UUID | None = None
    visit_id: UUID | None = None


class AllergyBody(AllergyContent, Body):
    allergy_id: UUID | None = None
    visit_id: UUID | None = None


class VitalsBody(Measures, Body):
    vitals_id: UUID | None = None
    visit_id: UUID | None = None
    measured_at: Instant | None = None
    units: dict[str, str] = field(default_factory=dict)
    comment: Words = ""


class ObservationBody(ObservationContent, Body):
    observation_id: UUID | None = None
    visit_id: UUID | None = None


class HistoryBody(HistoryContent, Body):
    history_id: UUID | None = None
    visit_id: UUID | None = None


class ImmunizationBody(ImmunizationContent, Body):
    immunization_id: UUID | None = None
    visit_id: UUID | None = None


class ProcedureBody(ProcedureContent, Body):
    procedure_id: UUID | None = None
    visit_id: UUID | None = None


class ReportBody(ReportContent, Body):
    report_id: UUID | None = None
    visit_id: UUID | None = None


class CarePlanBody(CarePlanContent, Body):
    care_plan_id: UUID | None = None
    visit_id: UUID | None = None


class GoalBody(GoalContent, Body):
    goal_id: UUID | None = None
    visit_id: UUID | None = None


class NoKnownAllergies(Body):
    allergy_id: UUID | None = None


class ProblemChange(Body):
    clinical_status: ClinicalStatus | None = None
    verification: Verification | None = None
    abated: PartialDate = ""
    entered_in_error: bool = False
    reason: Words = ""


class AllergyChange(AllergyContent, Body):
    reason: Words = ""


class Because(Body):
    reason: Reason


class StatusBody(Body):
    status: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Words = ""


def _patient(request: Request[Any, Any, Any]) -> UUID:
    found: UUID = request.path_params["patient_id"]
    return found


async def _done(request: Request[Any, Any, Any], command: Command, status: int = 200) -> Response[Any]:
    receipt = await submit(request, command)
    return answer(request, receipt, status, etag=receipt.version)


def _recording(path: str, command: Callable[..., Command], body: type[Body], words: str) -> Route:
    """POST of one kind of entry about a patient."""

    async def record(request: Request[Any, Any, Any]) -> Response[Any]:
        said = await read_body(request, body)
        return await _done(request, command(patient_id=_patient(request), **asdict(said)), 201)

    declared = post(f"{PATIENT}/{path}", of=command, takes=body, gives=Receipt, status=201, tags=TAGS, summary=words)
    return declared(record)


def _changing(method: Any, path: str, id: str, command: Callable[..., Command], body: type[Body], words: str) -> Route:
    """A change to one entry that has an id of its own."""

    async def change(request: Request[Any, Any, Any]) -> Response[Any]:
        said = await read_body(request, body)
        return await _done(request, command(**{id: request.path_params[id]}, **asdict(said)))

    declared: Route = method(path, of=command, takes=body, gives=Receipt, tags=TAGS, summary=words)(change)
    return declared


def _statements(path: str, kind: StatementKind) -> list[Route]:
    """List, change of status and withdrawal of one kind of statement."""

    async def listed(request: Request[Any, Any, Any]) -> Response[Any]:
        wanted = read_query(request, Paging)
        query = StatementsOfPatient(patient_id=_patient(request), kind=kind, limit=wanted.limit, offset=wanted.offset)
        return answer(request, await ask(request, query))

    async def status(request: Request[Any, Any, Any]) -> Response[Any]:
        said, id = await read_body(request, StatusBody), request.path_params["record_id"]
        return await _done(request, ChangeStatementStatus(kind=kind, record_id=id, **asdict(said)))

    async def withdraw(request: Request[Any, Any, Any]) -> Response[Any]:
        said, id = await read_body(request, Because), request.path_params["record_id"]
        return await _done(request, WithdrawStatement(kind=kind, record_id=id, reason=said.reason))

    named, one = path.replace("-", " "), f"/{path}/{{record_id:uuid}}"
    changes: dict[str, Any] = {"gives": Receipt, "tags": TAGS}
    routes = [
        put(
            f"{one}/status",
            of=ChangeStatementStatus,
            takes=StatusBody,
            summary=f"How it stands now: {named}.",
            **changes,
        )(status),
        post(f"{one}/withdraw", of=WithdrawStatement, takes=Because, summary=f"Entered in error: {named}.", **changes)(
            withdraw
        ),
    ]
    if kind != "observation":
        listing = get(
            f"{PATIENT}/{path}", of=StatementsOfPatient, query=Paging, tags=TAGS, summary=f"A patient's {named}."
        )
        routes.append(listing(listed))
    return routes


@post(
    f"{PATIENT}/allergies/none-known",
    of=StateNoKnownAllergies,
    takes=NoKnownAllergies,
    gives=Receipt,
    status=201,
    tags=TAGS,
)
async def no_known_allergies(request: Request[Any, Any, Any]) -> Response[Any]:
    """The person was asked and knows of none."""
    said = await read_body(request, NoKnownAllergies)
    command = StateNoKnownAllergies(patient_id=_patient(request), allergy_id=said.allergy_id)
    return await _done(request, command, 201)


ROUTES = [
    no_known_allergies,
    _recording("problems", RecordProblem, ProblemBody, "Put a problem on the list."),
    _recording("allergies", RecordAllergy, AllergyBody, "Record an allergy or intolerance."),
    _recording("vitals", RecordVitals, VitalsBody, "Record a round of measurements."),
    _recording("observations", RecordObservation, ObservationBody, "Record a result or finding."),
    _recording("history", RecordHistory, HistoryBody, "Add to the history."),
    _recording("immunizations", RecordImmunization, ImmunizationBody, "Record a vaccination."),
    _recording("procedures", RecordProcedure, ProcedureBody, "Record what was done."),
    _recording("reports", RecordReport, ReportBody, "Record a diagnostic report."),
    _recording("care-plans", RecordCarePlan, CarePlanBody, "Record a plan of care."),
    _recording("goals", RecordGoal, GoalBody, "Record what is to be reached."),
    _changing(
        patch, "/problems/{problem_id:uuid}", "problem_id", ChangeProblem, ProblemChange, "How a problem stands now."
    ),
    _changing(put, "/allergies/{allergy_id:uuid}", "allergy_id", ChangeAllergy, AllergyChange, "What is known now."),
    _changing(
        post, "/allergies/{allergy_id:uuid}/remove", "allergy_id", RemoveAllergy, Because, "It was entered in error."
    ),
    _changing(post, "/vitals/{vitals_id:uuid}/void", "vitals_id", VoidVitals, Because, "It was entered in error."),
    *(route for path, kind in KINDS.items() for route in _statements(path, kind)),
]
