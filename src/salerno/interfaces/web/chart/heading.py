"""What stands above every page of a chart: whose it is, as of when, the sections that this reader has, the slider."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.audit.queries import AccessesOfPatient
from salerno.contexts.encounters.queries import EncountersAsOf, EncountersOfPatient, EncounterTimeline
from salerno.contexts.patients.queries import PatientAsOf, PatientById
from salerno.contexts.prescribing.queries import (
    MedicinesAsOf,
    MedicinesOfPatient,
    PrescriptionsAsOf,
    PrescriptionsOfPatient,
)
from salerno.contexts.records.queries import (
    Allergies,
    ObservationsOfPatient,
    Problems,
    RecordsAsOf,
    RecordTimeline,
    VitalsSeries,
)
from salerno.contexts.scheduling.queries import AppointmentsOfPatient
from salerno.interfaces.http import Request
from salerno.interfaces.web.chart.moment import Moment, slider_of, today_in
from salerno.interfaces.web.chart.reading import Reading
from salerno.interfaces.web.rights import may
from salerno.interfaces.web.words import mark

# Path, label, and what may be asked for it now and as of a moment; one of several is enough.
SECTIONS: tuple[tuple[str, str, tuple[type[Any], ...], tuple[type[Any], ...]], ...] = (
    ("", mark("Summary"), (), ()),
    ("timeline", mark("Timeline"), (RecordTimeline, EncounterTimeline), (RecordTimeline, EncounterTimeline)),
    ("problems", mark("Problems"), (Problems,), (RecordsAsOf,)),
    ("allergies", mark("Allergies"), (Allergies,), (RecordsAsOf,)),
    ("medicines", mark("Medicines"), (MedicinesOfPatient,), (MedicinesAsOf,)),
    ("vitals", mark("Vital signs"), (VitalsSeries,), (VitalsSeries,)),
    ("results", mark("Results"), (ObservationsOfPatient,), (RecordsAsOf,)),
    ("notes", mark("Notes"), (EncountersOfPatient,), (EncountersAsOf,)),
    ("prescriptions", mark("Prescriptions"), (PrescriptionsOfPatient,), (PrescriptionsAsOf,)),
    ("visits", mark("Visits"), (EncountersOfPatient,), (EncountersAsOf,)),
    ("appointments", mark("Appointments"), (AppointmentsOfPatient,), (AppointmentsOfPatient,)),
    ("person", mark("Details"), (PatientById,), (PatientAsOf,)),
    ("access", mark("Access"), (AccessesOfPatient,), ()),
)
WRITTEN = (
    ("patients.consent", mark("consent")),
    ("patients.", mark("personal details")),
    ("records.problem", mark("problem")),
    ("records.allergy", mark("allergy")),
    ("records.no_known_allergies", mark("allergy")),
    ("records.vitals", mark("vital signs")),
    ("records.observation", mark("result")),
    ("records.", mark("entry of the record")),
    ("encounters.note", mark("note")),
    ("encounters.draft", mark("note")),
    ("encounters.", mark("visit")),
    ("prescribing.medication_recorded", mark("medicine")),
    ("prescribing.", mark("prescription")),
    ("scheduling.", mark("appointment")),
    ("", mark("other")),
)
SEVERE = ("severe", "high")


class Patient(Struct, frozen=True, kw_only=True):
    """Whose chart it is, as the banner says it. `told` is False where allergies are not for the reader."""

    id: UUID
    name: str
    born: date | None
    years: int | None
    months: int | None
    gender: str
    mrn: str
    allergies: Sequence[dict[str, Any]]
    told: bool
    none_known: bool
    alerts: Sequence[str]
    consents: Sequence[str]


async def heading(request: Request[Any, Any, Any], reading: Reading, section: str) -> dict[str, Any]:
    """The context that chart.html needs, whatever the section. Raises NotFound, Gone, NotAllowed like the rooms."""
    moment, id = reading.moment, reading.patient
    slider = await slider_of(request, id, moment)
    names = await reading.names(slider.written.actors if slider and slider.written else ())
    return {
        "patient": await _patient(request, reading),
        "moment": moment,
        "section": section,
        "sections": [(path, label) for path, label in sections_of(request, id, moment)],
        "slider": slider,
        "written_what": what_was_written(slider.written.kinds) if slider and slider.written else [],
        "writers": [names.get(actor, "") for actor in slider.written.actors] if slider and slider.written else [],
    }


def what_was_written(kinds: Sequence[str]) -> list[str]:
    """What kinds of events are about, each once."""
    words = (next(word for start, word in WRITTEN if kind.startswith(start)) for kind in kinds)
    return list(dict.fromkeys(words))


def sections_of(request: Request[Any, Any, Any], patient: UUID, moment: Moment) -> list[tuple[str, str]]:
    """The sections that have something for this reader."""
    found = []
    for path, label, now, then in SECTIONS:
        wanted = then if moment.at else now
        if path == "" or any(may(request, query, patient) for query in wanted):
            found.append((path, label))
    return found


async def _patient(request: Request[Any, Any, Any], reading: Reading) -> Patient | None:
    """None at a moment at which nobody was registered under this id."""
    today = today_in(request, reading.moment)
    if reading.moment.at is None:
        banner = await reading.banner()
        if banner is None:
            return None
        who = (banner.full_name, banner.birth_date, banner.gender, banner.mrn, banner.flags, banner.consents)
        ended = banner.age
    else:
        sheet = await reading.sheet()
        if sheet is None:
            return None
        one = sheet.patient
        held = [c.scope for c in one.consents if not c.withdrawn_on and (not c.expires_on or c.expires_on >= today)]
        ended = _years(one.birth_date, one.deceased_on or today)
        flags = ("deceased",) if one.deceased else ("minor",) if ended is not None and ended < 18 else ()
        who = (one.full_name, one.birth_date, one.gender, one.mrn, flags, tuple(sorted(set(held))))
    name, born, gender, mrn, alerts, consents = who
    allergies = await reading.allergies()
    return Patient(
        id=reading.patient,
        name=name,
        born=born,
        years=ended,
        months=_months(born, today) if ended is not None and ended < 2 else None,
        gender=gender,
        mrn=mrn,
        allergies=_warnings(allergies.allergies) if allergies else [],
        told=allergies is not None,
        none_known=bool(allergies and allergies.none_known),
        alerts=alerts,
        consents=consents,
    )


def _warnings(entries: Sequence[Any]) -> list[dict[str, Any]]:
    """Allergies that count, the gravest first."""
    active = [one.content for one in entries if one.content.clinical_status == "active"]
    active = [one for one in active if one.certainty != "refuted" and not one.none_known]
    told = [{"text": one.substance, "severe": one.severity in SEVERE or one.criticality in SEVERE} for one in active]
    return sorted(told, key=lambda one: not one["severe"])


def _years(born: date | None, on: date) -> int | None:
    return None if born is None else on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _months(born: date | None, on: date) -> int | None:
    if born is None:
        return None
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
