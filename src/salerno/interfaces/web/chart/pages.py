"""The sections of a chart, now and as of a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from salerno.contexts.audit.queries import AccessesOfPatient
from salerno.contexts.encounters.queries import EncountersOfPatient, EncounterTimeline
from salerno.contexts.patients.errors import MergedAway
from salerno.contexts.patients.queries import PatientBanner, PatientById, PatientNames
from salerno.contexts.prescribing.queries import MedicinesOfPatient, PrescriptionsOfPatient
from salerno.contexts.records.queries import Allergies, ObservationsOfPatient, Problems, RecordTimeline, VitalsSeries
from salerno.contexts.scheduling.queries import AppointmentsOfPatient
from salerno.interfaces.http import Request, Response, ask, bus_of, get
from salerno.interfaces.http.routes import Route
from salerno.interfaces.web.chart.figures import NUMBERED, groups_of, latest_of, readable
from salerno.interfaces.web.chart.gaps import gaps_of
from salerno.interfaces.web.chart.heading import heading
from salerno.interfaces.web.chart.moment import Moment, Shown, shown_in, spoken
from salerno.interfaces.web.chart.reading import ACTIVE, ENCOUNTER_KINDS, RECORD_KINDS, Reading
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.rights import may, require
from salerno.kernel.errors import NotAllowed, NotFound

HTML = "text/html"
TURN = 50
Show = Callable[[Request[Any, Any, Any], Reading, Shown], Awaitable[dict[str, Any]]]


def section(name: str, of: type[Any]) -> Callable[[Show], Route]:
    """A page of the chart: what `show` reads beside what stands above every page."""

    def declare(show: Show) -> Route:
        async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
            shown, moment = shown_in(request)
            reading = Reading(request, request.path_params["patient_id"], moment)
            try:
                above = await heading(request, reading, name)
            except MergedAway as gone:
                return go_to(request, f"/chart/{gone.details['merged_into']}{'/' + name if name else ''}{moment.query}")
            if above["patient"] is None:
                return await _not_yet(request, reading, above)
            return render(request, f"chart/{name or 'summary'}.html", **above, **await show(request, reading, shown))

        path = "/chart/{patient_id:uuid}" + (f"/{name}" if name else "")
        return get(path, of=of, query=Shown, media=HTML, summary=show.__doc__)(handle)

    return declare


async def _not_yet(request: Request[Any, Any, Any], reading: Reading, above: dict[str, Any]) -> Response[Any]:
    """A moment before the registration; a stranger's chart is still not there."""
    if reading.moment.at is None:
        raise NotFound()
    if await Reading(request, reading.patient, Moment()).banner() is None:
        raise NotAllowed()
    return render(request, "chart/not_yet.html", **above)


def _for(found: Any) -> Any:
    """What the reader may not ask is a page they may not see."""
    if found is None:
        raise NotAllowed()
    return found


# ------------------------------------------------------------------ the sections
@section("", PatientBanner)
async def summary(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """One look at the whole chart."""
    sheet, allergies, (record, visits, series, appointments, medicines) = await asyncio.gather(
        reading.sheet(), reading.allergies(), asyncio.gather(
            reading.record(), reading.visits(30), reading.series(), reading.appointments(), reading.medicines()
        ),
    )  # fmt: skip
    now = _now(request, reading)
    notes = [(visit, page) for visit in visits or [] for page in visit.notes if page.note.status != "void"]
    notes.sort(key=lambda pair: pair[1].note.started_at, reverse=True)
    coming = [one for one in appointments or [] if one.appointment_datetime >= now and one.status in COMING]
    rounds = record.vitals if record else await reading.rounds()
    active = [one for one in record.problems if one.content.clinical_status in ACTIVE] if record else None
    return {
        "gaps": gaps_of(now, allergies=allergies, problems=active, visits=visits, medicines=medicines),
        "sheet": sheet,
        "record": record,
        "problems": active,
        "allergies": allergies,
        "medicines": None if medicines is None else [one for one in medicines if one.status == "active"],
        "latest": latest_of(series) if series is not None else None,
        "round": next((line for line in rounds or [] if line.news2), None),
        "notes": notes[:3] if visits is not None else None,
        "appointments": None if appointments is None else sorted(coming, key=lambda a: a.appointment_datetime)[:4],
        "last_visits": [page.visit for page in visits or [] if page.visit.status != "cancelled"][:3],
        "names": await reading.names([page.note.author for _, page in notes[:3]]),
    }


COMING = ("scheduled", "confirmed", "checked-in")


def _now(request: Request[Any, Any, Any], reading: Reading) -> Any:
    return reading.moment.at or bus_of(request).clock.now()


@section("problems", Problems)
async def problems(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """The problem list: what is active first."""
    found = list(_for(await reading.problems()))
    found.sort(key=lambda one: one.content.clinical_status not in ACTIVE)
    return {"problems": found, "active": ACTIVE, "names": await reading.names(one.recorded_by for one in found)}


@section("allergies", Allergies)
async def allergies(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Allergies and intolerances with their reactions."""
    found = _for(await reading.allergies())
    entries = sorted(found.allergies, key=lambda one: one.content.clinical_status != "active")
    ids = [one.recorded_by for one in entries] + ([found.none_known.recorded_by] if found.none_known else [])
    return {"entries": entries, "none_stated": found.none_known, "names": await reading.names(ids)}


@section("medicines", MedicinesOfPatient)
async def medicines(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """What the patient takes, and what was taken."""
    found = _for(await reading.medicines())
    return {"medicines": found, "names": await reading.names(one.prescriber for one in found)}


@section("vitals", VitalsSeries)
async def vitals(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Measurements drawn, and tabulated beneath."""
    series, rounds = _for(await reading.series()), await reading.rounds() or []
    return {
        "groups": groups_of(series),
        "rounds": rounds[:100],
        "numbered": NUMBERED,
        "names": await reading.names(line.entry.recorded_by for line in rounds[:100]),
    }


@section("results", ObservationsOfPatient)
async def results(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Results and findings, the newest first."""
    items, total = _for(await reading.results(shown.limit, shown.offset))
    return {"results": items, "total": total, "limit": shown.limit, "offset": shown.offset}


@section("notes", EncountersOfPatient)
async def notes(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Notes with their four parts and addenda, the newest first."""
    visits = _for(await reading.visits())
    found = [(page.visit, note) for page in visits for note in page.notes]
    found.sort(key=lambda pair: pair[1].note.started_at, reverse=True)
    ids = [note.note.author for _, note in found] + [a.author for _, note in found for a in note.note.addenda]
    return {"notes": found, "names": await reading.names(ids)}


@section("prescriptions", PrescriptionsOfPatient)
async def prescriptions(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Prescriptions, the newest first."""
    found = _for(await reading.prescriptions())
    return {"prescriptions": found, "names": await reading.names(one.prescription.prescriber for one in found)}


@section("visits", EncountersOfPatient)
async def visits(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Visits with their diagnoses, the newest first."""
    found = _for(await reading.visits())
    return {"visits": found, "names": await reading.names(page.visit.practitioner for page in found)}


@section("appointments", AppointmentsOfPatient)
async def appointments(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Appointments to come and past."""
    found, now = _for(await reading.appointments()), _now(request, reading)
    coming = [one for one in found if one.ends_at >= now and one.status in COMING]
    past = [one for one in found if one not in coming]
    return {"coming": sorted(coming, key=lambda one: one.appointment_datetime), "past": past}


@section("person", PatientById)
async def person(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Personal details, contacts, insurance, consents, and records that were merged into this one."""
    sheet = _for(await reading.sheet())
    merged = await ask(request, PatientNames(patient_ids=sheet.linked)) if sheet.linked else []
    return {"sheet": sheet, "merged": merged}


@section("access", AccessesOfPatient)
async def access(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Who has looked at this chart."""
    query = AccessesOfPatient(patient_id=reading.patient, limit=shown.limit, offset=shown.offset)
    return {"looks": await ask(request, query)}


@section("timeline", EncounterTimeline)
async def timeline(request: Request[Any, Any, Any], reading: Reading, shown: Shown) -> dict[str, Any]:
    """Everything that happened, newest first, by kind where one is chosen."""
    return await _turn(reading, shown)


async def _turn(reading: Reading, shown: Shown) -> dict[str, Any]:
    if not may(reading.request, RecordTimeline, reading.patient):
        require(reading.request, EncounterTimeline, reading.patient)
    kind = shown.kind if shown.kind in (*RECORD_KINDS, *ENCOUNTER_KINDS) else ""
    lines = await reading.timeline(kind, shown.before, shown.beyond, TURN + 1)
    names = await reading.names(line.by for line in lines)
    last = lines[TURN - 1] if len(lines) > TURN else None
    goes_on = reading.moment.with_(kind=kind, before=spoken(last.at), beyond=last.id) if last else ""
    language = look_of(reading.request).language
    return {
        "lines": lines[:TURN],
        "details": {one.id: readable(one.kind, getattr(one, "detail", ""), language) for one in lines},
        "goes_on": goes_on,
        "names": names,
        "kind": kind,
        "kinds": (*ENCOUNTER_KINDS, *RECORD_KINDS),
    }


@get("/chart/{patient_id:uuid}/timeline/more", of=EncounterTimeline, query=Shown, media=HTML)
async def more(request: Request[Any, Any, Any]) -> Response[Any]:
    """The next lines of the timeline, for the page that shows the first; a page of its own without a script."""
    shown, moment = shown_in(request)
    id: UUID = request.path_params["patient_id"]
    reading = Reading(request, id, moment)
    turn = await _turn(reading, shown)
    if wants_part(request):
        return render(request, "chart/timeline_part.html", id=id, moment=moment, **turn)
    return render(request, "chart/timeline.html", **await heading(request, reading, "timeline"), **turn)


PAGES = [
    summary, timeline, more, problems, allergies, medicines, vitals, results, notes, prescriptions, visits,
    appointments, person, access,
]  # fmt: skip
