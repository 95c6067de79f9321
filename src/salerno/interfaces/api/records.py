"""Problems, allergies, vital signs, results and the chart over REST (REC-01 … REC-06, PAT-16)."""

from collections.abc import Sequence
from typing import Annotated, Any, get_args
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from salerno.contexts.encounters.queries import EncountersAsOf, EncountersOfPatient, EncounterTimeline, VisitPage
from salerno.contexts.records.events import (
    Instant,
)
from salerno.contexts.records.queries import (
    Allergies,
    AllergyList,
    Chart,
    ChartSections,
    LaboratoryTest,
    LaboratoryTests,
    ObservationsOfPatient,
    ProblemEntry,
    Problems,
    RecordsAsOf,
    RecordTimeline,
    ResultLine,
    Series,
    VitalKind,
    VitalsLine,
    VitalsOfPatient,
    VitalsSeries,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    get,
    invalid,
    read_query,
)
from salerno.interfaces.http.problems import field_error
from salerno.kernel.messages import Page, Query

PATIENT = "/patients/{patient_id:uuid}"
TAGS = ("records",)


class ProblemsWanted(Body):
    all: bool = False


class Between(Body):
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50


class SeriesWanted(Body):
    """`kinds` are names with commas between them; all where it is left out."""

    kinds: Annotated[str, Meta(pattern="^[a-z0-9_]+(,[a-z0-9_]+)*$")] | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Meta(ge=1, le=5_000)] = 500


class ObservationsWanted(Paging):
    code: Annotated[str, Meta(max_length=100)] | None = None
    category: Annotated[str, Meta(max_length=100)] | None = None


class MomentWanted(Body):
    """`as_of` shows what had been recorded by then; `by_source` goes by the source's recording dates."""

    as_of: Instant | None = None
    by_source: bool = False


class TimelineWanted(Body):
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    before: Instant | None = None


class TestsWanted(Body):
    q: Annotated[str, Meta(max_length=100)] = ""


class ProblemList(Struct, frozen=True, kw_only=True):
    problems: Sequence[ProblemEntry]


class VitalsList(Struct, frozen=True, kw_only=True):
    vitals: Sequence[VitalsLine]


class SeriesList(Struct, frozen=True, kw_only=True):
    series: Sequence[Series]


class WholeChart(Struct, frozen=True, kw_only=True):
    """Records and visits of one chart; `as_of` is the moment that is shown, absent for now."""

    records: Chart
    visits: Sequence[VisitPage]
    as_of: Instant | None = None


class Line(Struct, frozen=True, kw_only=True):
    """One line of the whole history."""

    at: Instant
    kind: str
    id: UUID
    visit: UUID | None
    title: str
    detail: str
    status: str
    by: UUID | None


class Timeline(Struct, frozen=True, kw_only=True):
    items: Sequence[Line]


class TestList(Struct, frozen=True, kw_only=True):
    tests: Sequence[LaboratoryTest]


def _patient(request: Request[Any, Any, Any]) -> UUID:
    found: UUID = request.path_params["patient_id"]
    return found


def _asked(query: type[Query], wanted: Any, request: Request[Any, Any, Any]) -> Query:
    return query(patient_id=_patient(request), **asdict(wanted))


@get(f"{PATIENT}/problems", of=Problems, query=ProblemsWanted, gives=ProblemList, tags=TAGS)
async def problems(request: Request[Any, Any, Any]) -> Response[Any]:
    """The problem list: what is active, or all of it."""
    found = await ask(request, _asked(Problems, read_query(request, ProblemsWanted), request))
    return answer(request, ProblemList(problems=found))


@get(f"{PATIENT}/allergies", of=Allergies, gives=AllergyList, tags=TAGS)
async def allergies(request: Request[Any, Any, Any]) -> Response[Any]:
    """Allergies and intolerances, or when the person said that they know of none."""
    return answer(request, await ask(request, Allergies(patient_id=_patient(request))))


@get(f"{PATIENT}/vitals", of=VitalsOfPatient, query=Between, gives=VitalsList, tags=TAGS)
async def vitals(request: Request[Any, Any, Any]) -> Response[Any]:
    """Rounds of measurements, newest first, with BMI, mean pressure and NEWS2."""
    found = await ask(request, _asked(VitalsOfPatient, read_query(request, Between), request))
    return answer(request, VitalsList(vitals=found))


@get(f"{PATIENT}/vitals/series", of=VitalsSeries, query=SeriesWanted, gives=SeriesList, tags=TAGS)
async def vitals_series(request: Request[Any, Any, Any]) -> Response[Any]:
    """Measurements as series for plots."""
    wanted = read_query(request, SeriesWanted)
    query = VitalsSeries(
        patient_id=_patient(request), kinds=_kinds(wanted), since=wanted.since, until=wanted.until, limit=wanted.limit
    )
    return answer(request, SeriesList(series=await ask(request, query)))


def _kinds(wanted: SeriesWanted) -> tuple[VitalKind, ...]:
    if wanted.kinds is None:
        return ()
    kinds = wanted.kinds.split(",")
    known = get_args(VitalKind)
    if odd := [kind for kind in kinds if kind not in known]:
        raise invalid([field_error("kinds", "not-a-choice", f"There is no {odd[0]}; one of {', '.join(known)}")])
    return tuple(kinds)  # type: ignore[arg-type]


@get(f"{PATIENT}/observations", of=ObservationsOfPatient, query=ObservationsWanted, gives=Page[ResultLine], tags=TAGS)
async def observations(request: Request[Any, Any, Any]) -> Response[Any]:
    """Results and findings, newest first; all, or of one code or category."""
    return answer(
        request, await ask(request, _asked(ObservationsOfPatient, read_query(request, ObservationsWanted), request))
    )


@get(f"{PATIENT}/chart", of=ChartSections, query=MomentWanted, gives=WholeChart, tags=TAGS)
async def chart(request: Request[Any, Any, Any]) -> Response[Any]:
    """The whole chart: now, or exactly as it stood at `as_of`."""
    wanted, patient = read_query(request, MomentWanted), _patient(request)
    if wanted.as_of is None:
        records = await ask(request, ChartSections(patient_id=patient))
        visits = await ask(request, EncountersOfPatient(patient_id=patient, limit=100))
    else:
        past: dict[str, Any] = {"patient_id": patient, "moment": wanted.as_of, "by_source": wanted.by_source}
        records, visits = await ask(request, RecordsAsOf(**past)), await ask(request, EncountersAsOf(**past))
    return answer(request, WholeChart(records=records, visits=visits, as_of=wanted.as_of))


@get(f"{PATIENT}/timeline", of=RecordTimeline, query=TimelineWanted, gives=Timeline, tags=TAGS)
async def timeline(request: Request[Any, Any, Any]) -> Response[Any]:
    """Everything that happened, newest first, older than `before`."""
    wanted = read_query(request, TimelineWanted)
    told = await ask(request, _asked(RecordTimeline, wanted, request))
    met = await ask(request, _asked(EncounterTimeline, wanted, request))
    lines = [_line(one, one.detail) for one in told] + [_line(one, "") for one in met]
    lines.sort(key=lambda line: line.at, reverse=True)
    return answer(request, Timeline(items=lines[: wanted.limit]))


def _line(one: Any, detail: str) -> Line:
    return Line(
        at=one.at, kind=one.kind, id=one.id, visit=one.visit, title=one.title, detail=detail, status=one.status,
        by=one.by,
    )  # fmt: skip


@get("/laboratory-tests", of=LaboratoryTests, query=TestsWanted, gives=TestList, tags=TAGS)
async def laboratory_tests(request: Request[Any, Any, Any]) -> Response[Any]:
    """Tests whose name or LOINC code begins so, with their usual intervals."""
    wanted = read_query(request, TestsWanted)
    return answer(request, TestList(tests=await ask(request, LaboratoryTests(q=wanted.q))))


ROUTES = [
    problems,
    allergies,
    vitals,
    vitals_series,
    observations,
    chart,
    timeline,
    laboratory_tests,
]
