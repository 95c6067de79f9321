"""What may be read of a person's record, in which shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.records.data.laboratory import LaboratoryTest, laboratory_tests
from salerno.contexts.records.data.vital_signs import kind_of_loinc, vital_signs
from salerno.contexts.records.events import (
    CarePlanContent,
    GoalContent,
    HistoryContent,
    ImmunizationContent,
    Instant,
    ProcedureContent,
    ReportContent,
    StatementKind,
)
from salerno.contexts.records.projections import (
    ACTIVE,
    ALLERGIES,
    KEPT_RESOURCES,
    OBSERVATIONS,
    PROBLEMS,
    SECTIONS,
    SQL,
    VITALS,
    AllergyNow,
    Entry,
    KeptResourceView,
    PersonFacts,
    ProblemEntry,
    ProblemNow,
)
from salerno.contexts.records.queries.lines import (
    RecordLine,
    ResultLine,
    VitalsLine,
    result_line,
    vitals_line,
)
from salerno.contexts.records.queries.series import PANELS, Series, of_observations, of_rounds, series_of
from salerno.contexts.records.queries.timeline import RecordTimeline, record_timeline
from salerno.contexts.records.queries.whose import charts_of, told
from salerno.kernel.documents import Documents, Held, as_of_all
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

C = TypeVar("C", bound=Struct)
T = TypeVar("T")
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0)]
VitalKind: TypeAlias = Literal[
    "systolic", "diastolic", "heart_rate", "respiratory_rate", "temperature", "spo2", "weight", "height",
    "head_circumference", "pain", "glucose",
]  # fmt: skip
PREGNANCY = ("O", "Z33", "Z34", "Z3A")  # chapters of ICD-10-CM
SHELVES: dict[str, Documents[Any]] = {shelf.table: shelf for shelf in SECTIONS}
OF_KIND: dict[str, Documents[Any]] = {shelf.kind.removeprefix("records."): shelf for shelf in SECTIONS}


class Problems(Query):
    """The problem list: what is active, or all of it."""

    patient_id: UUID
    all: bool = False


class Allergies(Query):
    patient_id: UUID


class VitalsOfPatient(Query):
    """Rounds of measurements, newest first, each with what follows from it."""

    patient_id: UUID
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = 50


class VitalsSeries(Query):
    """Measurements as series for plots, from bedside rounds and from coded observations alike.

    With `moment`, what had been recorded by then; `by_source` follows the source's recording dates.
    """

    patient_id: UUID
    kinds: tuple[VitalKind, ...] = ()
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Meta(ge=1, le=5_000)] = 500
    moment: Instant | None = None
    by_source: bool = False


class ObservationsOfPatient(Query):
    """Results and findings, newest first; all, or of one code or category."""

    patient_id: UUID
    code: str | None = None
    category: str | None = None
    limit: Limit = 50
    offset: Offset = 0


class StatementsOfPatient(Query):
    """Everything of one kind, newest first."""

    patient_id: UUID
    kind: StatementKind
    limit: Limit = 100
    offset: Offset = 0


class ChartSections(Query):
    """One look at the whole record, for the summary."""

    patient_id: UUID


class RecordsAsOf(Query):
    """The whole record exactly as it stood at a moment; `by_source` follows the source's recording dates."""

    patient_id: UUID
    moment: Instant
    by_source: bool = False


class KeptResources(Query):
    """Resources kept word for word: a patient's, or those that are about no patient."""

    patient_id: UUID | None = None
    resource_type: str | None = None
    limit: Limit = 100
    offset: Offset = 0


class LaboratoryTests(Query):
    """Tests whose name or LOINC code begins so, with their usual intervals."""

    q: str = ""


class AllergyList(Struct, frozen=True, kw_only=True):
    """`none_known` is when the person said that they know of none; absent once there is an active allergy."""

    allergies: Sequence[Entry[AllergyNow]]
    none_known: Entry[AllergyNow] | None = None


class Chart(Struct, frozen=True, kw_only=True):
    problems: Sequence[Entry[ProblemNow]]
    allergies: AllergyList
    vitals: Sequence[VitalsLine]
    results: Sequence[ResultLine]
    histories: Sequence[Entry[HistoryContent]]
    immunizations: Sequence[Entry[ImmunizationContent]]
    procedures: Sequence[Entry[ProcedureContent]]
    reports: Sequence[Entry[ReportContent]]
    care_plans: Sequence[Entry[CarePlanContent]]
    goals: Sequence[Entry[GoalContent]]


async def problems(tx: Tx, query: Problems, caller: Caller) -> Disclosure[list[Entry[ProblemNow]]]:
    charts = await charts_of(tx, query.patient_id)
    rows = await tx.fetch(SQL["problems"], tx.organisation, charts, query.all)
    return told(_entries(await PROBLEMS.open(tx, rows)), charts, caller)


async def allergies(tx: Tx, query: Allergies, caller: Caller) -> Disclosure[AllergyList]:
    charts = await charts_of(tx, query.patient_id)
    rows = await tx.fetch(SQL["allergies"], tx.organisation, charts)
    return told(_allergy_list(await ALLERGIES.open(tx, rows)), charts, caller)


async def vitals_of_patient(tx: Tx, query: VitalsOfPatient, caller: Caller) -> Disclosure[list[VitalsLine]]:
    charts, person = await _charts_and_person(tx, query.patient_id)
    rows = await tx.fetch(SQL["vitals"], tx.organisation, charts, query.since, query.until, query.limit)
    pregnant = await _is_pregnant(tx, charts)
    lines = [vitals_line(held, person, pregnant=pregnant) for held in await VITALS.open(tx, rows)]
    return told(lines, charts, caller)


async def vitals_series(tx: Tx, query: VitalsSeries, caller: Caller) -> Disclosure[list[Series]]:
    charts, person = await _charts_and_person(tx, query.patient_id)
    codes = [*kind_of_loinc(), *PANELS]
    if query.moment is None:
        span = (query.since, query.until, query.limit)
        rounds = await VITALS.open(tx, await tx.fetch(SQL["vitals"], tx.organisation, charts, *span))
        rows = await tx.fetch(SQL["observations_with_codes"], tx.organisation, charts, codes, *span)
        coded = await OBSERVATIONS.open(tx, rows)
    else:
        past = await as_of_all(tx, [VITALS, OBSERVATIONS], charts, query.moment, by_source=query.by_source)
        rounds, coded = ([one for one in held if _measured_then(one, query)] for held in past)
    points = of_rounds(rounds) + of_observations(coded)
    kinds: Sequence[str] = query.kinds or tuple(vital_signs())
    series = [series_of(kind, [point for of, point in points if of == kind], person, query.limit) for kind in kinds]
    return told([one for one in series if one.points], charts, caller)


def _measured_then(held: Held[Any], query: VitalsSeries) -> bool:
    stands = not held.doc.in_error and getattr(held.doc.content, "status", "") != "cancelled"
    since, until = query.since or held.doc.at, query.until or held.doc.at
    return stands and since <= held.doc.at <= until


async def observations_of_patient(tx: Tx, query: ObservationsOfPatient, caller: Caller) -> Disclosure[Page[ResultLine]]:
    charts, person = await _charts_and_person(tx, query.patient_id)
    wanted = (tx.organisation, charts, query.code, query.category, query.limit, query.offset)
    rows = await tx.fetch(SQL["page_of_observations"], *wanted)
    total = rows[0]["total"] if rows else await tx.fetchval(SQL["count_observations"], *wanted[:4])
    lines = [result_line(held, person) for held in await OBSERVATIONS.open(tx, rows)]
    return told(Page(items=lines, total=total, limit=query.limit, offset=query.offset), charts, caller)


async def statements_of_patient(tx: Tx, query: StatementsOfPatient, caller: Caller) -> Disclosure[Page[Entry[Any]]]:
    charts = await charts_of(tx, query.patient_id)
    held = [one for one in await OF_KIND[query.kind].of_subject(tx, charts) if not one.doc.in_error]
    held.sort(key=_newest, reverse=True)
    page = held[query.offset : query.offset + query.limit]
    return told(Page(items=_entries(page), total=len(held), limit=query.limit, offset=query.offset), charts, caller)


async def chart_sections(tx: Tx, query: ChartSections, caller: Caller) -> Disclosure[Chart]:
    charts, person = await _charts_and_person(tx, query.patient_id)
    rows = await tx.fetch(SQL["chart_sections"], tx.organisation, charts)
    parts = {
        part: await shelf.open(tx, [row for row in rows if row["part"] == part]) for part, shelf in SHELVES.items()
    }
    return told(_chart(parts, person), charts, caller)


async def records_as_of(tx: Tx, query: RecordsAsOf, caller: Caller) -> Disclosure[Chart]:
    charts, person = await _charts_and_person(tx, query.patient_id)
    folded = await as_of_all(tx, SECTIONS, charts, query.moment, by_source=query.by_source)
    parts = {
        shelf.table: sorted((one for one in held if not one.doc.in_error), key=_newest, reverse=True)
        for shelf, held in zip(SECTIONS, folded, strict=True)
    }
    return told(_chart(parts, person), charts, caller)


async def kept_resources(tx: Tx, query: KeptResources, caller: Caller) -> Disclosure[Page[KeptResourceView]]:
    charts = await charts_of(tx, query.patient_id) if query.patient_id else [tx.organisation]
    wanted = (tx.organisation, charts, query.resource_type)
    rows = await tx.fetch(SQL["kept_resources"], *wanted, query.limit, query.offset)
    total = await tx.fetchval(SQL["count_kept_resources"], *wanted)
    items = [held.doc for held in await KEPT_RESOURCES.open(tx, rows)]
    page = Page(items=items, total=total, limit=query.limit, offset=query.offset)
    return Disclosure(value=page, subjects=charts if query.patient_id else [])


async def find_laboratory_tests(tx: Tx, query: LaboratoryTests, caller: Caller) -> list[LaboratoryTest]:
    wanted = query.q.casefold().strip()
    return [
        test
        for test in laboratory_tests().values()
        if test.loinc.startswith(wanted) or any(word.startswith(wanted) for word in test.name.casefold().split())
    ]


def _chart(parts: dict[str, list[Held[Any]]], person: PersonFacts) -> Chart:
    pregnant = _pregnant(
        held.doc.content.code for held in parts["problems"] if held.doc.content.clinical_status in ACTIVE
    )
    return Chart(
        problems=_entries(parts["problems"]),
        allergies=_allergy_list(parts["allergies"]),
        vitals=[vitals_line(held, person, pregnant=pregnant) for held in parts["vitals"]],
        results=[result_line(held, person) for held in parts["observations"]],
        histories=_entries(parts["histories"]),
        immunizations=_entries(parts["immunizations"]),
        procedures=_entries(parts["procedures"]),
        reports=_entries(parts["reports"]),
        care_plans=_entries(parts["care_plans"]),
        goals=_entries(parts["goals"]),
    )


def _entries(held: Sequence[Held[Entry[C]]]) -> list[Entry[C]]:
    return [one.doc for one in held]


def _allergy_list(held: Sequence[Held[Entry[AllergyNow]]]) -> AllergyList:
    real = [one for one in held if not one.doc.content.none_known]
    said = [one for one in held if one.doc.content.none_known]
    active = any(one.doc.content.clinical_status == "active" for one in real)
    return AllergyList(allergies=_entries(real), none_known=None if active or not said else _entries(said)[0])


def _newest(held: Held[Any]) -> datetime:
    at: datetime = held.doc.at
    return at


async def _charts_and_person(tx: Tx, patient: UUID) -> tuple[list[UUID], PersonFacts]:
    rows = await tx.fetch(SQL["charts_and_person"], tx.organisation, patient)
    found = await tx.open_docs("people", [row for row in rows if row["doc"] is not None], PersonFacts)
    others = [UUID(bytes=row["patient"].bytes) for row in rows]
    return [patient, *(other for other in others if other != patient)], found[0] if found else PersonFacts()


async def _is_pregnant(tx: Tx, charts: Sequence[UUID]) -> bool:
    rows = await tx.fetch(SQL["active_problem_codes"], tx.organisation, list(charts))
    return _pregnant(row["code"] for row in rows)


def _pregnant(codes: Any) -> bool:
    return any(code.startswith(PREGNANCY) for code in codes)


ANSWERS: dict[type[Query], Answer] = {
    Problems: problems,
    Allergies: allergies,
    VitalsOfPatient: vitals_of_patient,
    VitalsSeries: vitals_series,
    ObservationsOfPatient: observations_of_patient,
    StatementsOfPatient: statements_of_patient,
    ChartSections: chart_sections,
    RecordTimeline: record_timeline,
    RecordsAsOf: records_as_of,
    KeptResources: kept_resources,
    LaboratoryTests: find_laboratory_tests,
}

__all__ = [
    "ANSWERS",
    "Allergies",
    "AllergyList",
    "Chart",
    "ChartSections",
    "Entry",
    "KeptResources",
    "LaboratoryTest",
    "LaboratoryTests",
    "ObservationsOfPatient",
    "ProblemEntry",
    "Problems",
    "RecordLine",
    "RecordTimeline",
    "RecordsAsOf",
    "ResultLine",
    "Series",
    "StatementsOfPatient",
    "VitalKind",
    "VitalsLine",
    "VitalsOfPatient",
    "VitalsSeries",
]
