"""Problems put on the list and changed there."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.encounters.commands import ICD_10_CM
from salerno.contexts.encounters.queries import FindDiagnosisCodes
from salerno.contexts.records.commands import (
    ChangeProblem,
    RecordProblem,
)
from salerno.contexts.records.events import (
    ClinicalStatus,
    Coded,
    PartialDate,
    Severity,
    Verification,
)
from salerno.contexts.records.queries import Problems
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    ask,
    from_form,
    get,
    post,
    read_form,
)
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.chart.entry import CHART, ENTRY, HTML, Said, form, one_of, patient_of, write
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import render
from salerno.interfaces.web.rights import require


class ProblemForm(Body):
    """A problem as typed: chosen from the classification, or in one's own words."""

    code: Annotated[str, Meta(max_length=40)] = ""
    words: Said = ""
    clinical_status: ClinicalStatus = "active"
    verification: Verification = "confirmed"
    severity: Severity = ""
    onset: PartialDate = ""
    comment: Said = ""


class ProblemChange(Body):
    """How a problem stands now."""

    clinical_status: ClinicalStatus
    verification: Verification = "confirmed"
    abated: PartialDate = ""
    reason: Said = ""
    in_error: bool = False
    version: int | None = None


@get("/chart/codes", of=FindDiagnosisCodes, media=HTML)
async def codes(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the classification calls it, for the field that looks it up."""
    q = request.query_params.get("q", "")[:200]
    found = await ask(request, FindDiagnosisCodes(q=q, limit=12))
    italian = look_of(request).language == "it"
    options = [(one.code, f"{one.code} {(one.italian if italian else '') or one.display}") for one in found]
    return render(request, "parts/options.html", options=options)


@get(f"{CHART}/problems/new", of=RecordProblem, media=HTML)
async def new_problem(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form for a problem."""
    return await form(request, RecordProblem, "problem_form", {}, [], status=200)


@post(f"{CHART}/problems/new", of=RecordProblem, media=HTML)
async def add_problem(request: Request[Any, Any, Any]) -> Response[Any]:
    """Put a problem on the list."""
    filled = await read_form(request)
    typed, mistakes = from_form(ProblemForm, filled)
    if typed is None:
        return await form(request, RecordProblem, "problem_form", filled, mistakes)
    named = await _named(request, typed)
    if named is None:
        error = field_error("code" if typed.code else "words", "missing" if not typed.code else "not-a-choice", "")
        return await form(request, RecordProblem, "problem_form", filled, [error])
    wish = RecordProblem(
        patient_id=patient_of(request),
        code=named.code,
        system=named.system,
        display=typed.words or named.display,
        clinical_status=typed.clinical_status,
        verification=typed.verification,
        severity=typed.severity,
        onset=typed.onset,
        comment=typed.comment,
    )
    return await write(request, wish, "problems", "problem_form", filled)


async def _named(request: Request[Any, Any, Any], typed: ProblemForm) -> Coded | None:
    """The chosen code with its words; free words stand for themselves."""
    if not typed.code:
        return Coded(display=typed.words) if typed.words else None
    found = await ask(request, FindDiagnosisCodes(q=typed.code, limit=5))
    chosen = next((one for one in found if one.code == typed.code), None)
    return Coded(code=chosen.code, system=ICD_10_CM, display=chosen.display) if chosen else None


@get(f"{CHART}/problems/{ENTRY}", of=ChangeProblem, media=HTML)
async def one_problem(request: Request[Any, Any, Any]) -> Response[Any]:
    """How a problem stands, to be changed."""
    require(request, ChangeProblem)
    entry = await _problem(request)
    values = {
        "clinical_status": entry.content.clinical_status,
        "verification": entry.content.verification,
        "abated": entry.content.abated,
    }
    return await form(request, ChangeProblem, "problem_change", values, [], status=200, entry=entry)


@post(f"{CHART}/problems/{ENTRY}", of=ChangeProblem, media=HTML)
async def change_problem(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say how a problem stands now, or that it was an error."""
    filled, entry = await read_form(request), await _problem(request)
    typed, mistakes = from_form(ProblemChange, filled)
    if typed is None:
        return await form(request, ChangeProblem, "problem_change", filled, mistakes, entry=entry)
    wish = ChangeProblem(
        problem_id=entry.id,
        clinical_status=typed.clinical_status,
        verification=typed.verification,
        abated=typed.abated,
        entered_in_error=typed.in_error,
        reason=typed.reason,
    )
    return await write(request, wish, "problems", "problem_change", filled, entry=entry)


async def _problem(request: Request[Any, Any, Any]) -> Any:
    found = await ask(request, Problems(patient_id=patient_of(request), all=True))
    return one_of(request, found)


PAGES = [codes, new_problem, add_problem, one_problem, change_problem]
