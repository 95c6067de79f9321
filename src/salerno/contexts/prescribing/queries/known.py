"""What the room knows of a patient at a moment: the facts that screening asks, and the medicines taken."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.projections import (
    FACTS,
    MEDICINES,
    PRESCRIPTIONS,
    SQL,
    LineView,
    MedicineView,
    PatientFact,
    PrescriptionView,
)
from salerno.contexts.prescribing.rules.dosing import days_of
from salerno.contexts.prescribing.rules.facts import Allergy, Facts, Problem
from salerno.contexts.prescribing.rules.naming import resolve
from salerno.kernel.database import Row
from salerno.kernel.documents import Held
from salerno.kernel.transactions import Tx

YEAR = 365.25
TAKEN = ("active", "on-hold", "unknown")


class TakenMedicine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the medicine list. `origin` is prescription or recorded; `id` and `line` say where it stands."""

    id: UUID
    line: int = 0
    origin: str
    patient: UUID
    medication: Medication
    ingredients: tuple[str, ...] = ()
    status: str
    since: datetime | None = None
    until: datetime | None = None
    prescriber: UUID | None = None
    visit: UUID | None = None
    because: str = ""


async def charts_of(tx: Tx, patient: UUID) -> list[UUID]:
    rows = await tx.fetch(SQL["charts_of"], tx.organisation, patient)
    return [UUID(bytes=row["patient"].bytes) for row in rows]


async def facts_of(tx: Tx, patient: UUID, without: UUID | None = None) -> Facts:
    """Everything known now; `without` leaves out the prescription that is being screened."""
    charts = await charts_of(tx, patient)
    told = await _told(tx, charts)
    taken = [one for one in await medicines_of(tx, charts) if one.status == "active" and one.id != without]
    return _facts(told, patient, tx.now, [one.medication for one in taken])


async def _told(tx: Tx, charts: Sequence[UUID]) -> list[tuple[Row, PatientFact]]:
    """Facts with their rows; those of an erased chart are gone with its key."""
    rows = await tx.fetch(SQL["facts_of"], tx.organisation, list(charts))
    told: list[tuple[Row, PatientFact]] = []
    for chart in charts:
        mine = [row for row in rows if row["subject"] == chart]
        docs = await tx.open_docs(FACTS, mine, PatientFact)
        told += zip(mine, docs, strict=False)
    return told


def _facts(
    told: Sequence[tuple[Row, PatientFact]], patient: UUID, now: datetime, medicines: Sequence[Medication]
) -> Facts:
    person = next((fact for row, fact in told if row["kind"] == "person" and row["id"] == patient), PatientFact())
    measured = {row["kind"]: (fact.value, row["at"]) for row, fact in told if fact.value is not None}
    creatinine = measured.get("creatinine")
    return Facts(
        age=age_of(person.birth_date, now.date()) if person.birth_date else None,
        sex=person.gender,
        weight=_value(measured.get("weight")),
        creatinine=_value(creatinine),
        creatinine_days=(now - creatinine[1]).days if creatinine else None,
        egfr_measured=_value(measured.get("egfr")),
        potassium=_value(measured.get("potassium")),
        allergies=tuple(_allergy(fact) for row, fact in told if row["kind"] == "allergy"),
        asked_about_allergies=any(row["kind"] == "no_allergies" for row, _ in told),
        problems=tuple(_problem(fact) for row, fact in told if row["kind"] == "problem"),
        medicines=tuple(medicines),
    )


def _value(measured: tuple[float | None, datetime] | None) -> float | None:
    return measured[0] if measured else None


def _allergy(fact: PatientFact) -> Allergy:
    return Allergy(fact.substance, fact.class_, fact.reaction, fact.severity, fact.certainty, fact.category)


def _problem(fact: PatientFact) -> Problem:
    return Problem(fact.code, fact.system, fact.display)


def age_of(born: date, on: date) -> float:
    """Whole years, and the part of the running one."""
    had = (on.month, on.day) >= (born.month, born.day)
    years = on.year - born.year - (not had)
    last = _same_day(born, born.year + years)
    return years + (on - last).days / YEAR


def _same_day(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


async def medicines_of(tx: Tx, charts: Sequence[UUID]) -> list[TakenMedicine]:
    prescriptions = await PRESCRIPTIONS.of_subject(tx, charts)
    recorded = await MEDICINES.of_subject(tx, charts)
    return medicine_list(prescriptions, recorded, tx.now)


def medicine_list(
    prescriptions: Iterable[Held[PrescriptionView]], recorded: Iterable[Held[MedicineView]], moment: datetime
) -> list[TakenMedicine]:
    """All medicines of a chart as they stood at that moment, those in use first, the newest first."""
    found = [
        _line(held.doc, line, nth, moment)
        for held in prescriptions
        if held.doc.signed_at is not None
        for nth, line in enumerate(held.doc.medications)
    ]
    found += [_recorded(held.doc, moment) for held in recorded if held.doc.status != "entered-in-error"]
    found.sort(key=lambda one: one.since.timestamp() if one.since else 0.0, reverse=True)
    return sorted(found, key=lambda one: one.status != "active")


def _line(doc: PrescriptionView, line: LineView, nth: int, moment: datetime) -> TakenMedicine:
    status, until, because = _line_status(doc, line, moment)
    return TakenMedicine(
        id=doc.prescription,
        line=nth,
        origin="prescription",
        patient=doc.patient,
        medication=line.medication,
        ingredients=ingredients_of(line.medication),
        status=status,
        since=doc.signed_at,
        until=until,
        prescriber=doc.prescriber,
        visit=doc.visit,
        because=because,
    )


def _line_status(doc: PrescriptionView, line: LineView, moment: datetime) -> tuple[str, datetime | None, str]:
    """A course that has run its days is over, whether anybody said so or not."""
    if doc.status == "cancelled":
        return "cancelled", doc.cancelled_at, doc.cancelled_because
    if line.stopped_at is not None and line.stopped_at <= moment:
        return "stopped", line.stopped_at, line.stopped_because
    days = days_of(line.medication.duration)
    until = doc.signed_at + timedelta(days=days) if days and doc.signed_at else None
    return ("completed" if until and until <= moment else "active"), until, ""


def _recorded(doc: MedicineView, moment: datetime) -> TakenMedicine:
    status = "active" if doc.status in TAKEN else doc.status
    if status == "active" and doc.ended_at is not None and doc.ended_at <= moment:
        status = "completed"
    return TakenMedicine(
        id=doc.medicine,
        origin="recorded",
        patient=doc.patient,
        medication=doc.medication,
        ingredients=ingredients_of(doc.medication),
        status=status,
        since=doc.started_at,
        until=doc.ended_at,
        prescriber=doc.prescriber,
        visit=doc.visit,
        because=doc.stopped_because,
    )


def ingredients_of(medication: Medication) -> tuple[str, ...]:
    return resolve(medication.name, medication.form, medication.route).ingredients
