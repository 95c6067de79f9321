"""What may be read of prescriptions and medicines, in which shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.prescribing.data.tables import tables
from salerno.contexts.prescribing.errors import NoSuchPrescription
from salerno.contexts.prescribing.events import Alert, Medication
from salerno.contexts.prescribing.projections import (
    MEDICINES,
    PRESCRIPTIONS,
    SQL,
    LineView,
    MedicineView,
    OverrideView,
    PrescriptionView,
)
from salerno.contexts.prescribing.queries.known import (
    TakenMedicine,
    charts_of,
    facts_of,
    ingredients_of,
    medicine_list,
    medicines_of,
)
from salerno.contexts.prescribing.rules.catalogue import Suggestion, find
from salerno.contexts.prescribing.rules.facts import Facts
from salerno.contexts.prescribing.rules.screening import screen
from salerno.kernel.documents import Held, as_of_all
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import only_of, reads_as_patient

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Meta(ge=0)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
Status: TypeAlias = Literal["draft", "signed", "cancelled"]


class ScreenPrescription(Query):
    """What the tables would say against these medicines for this patient, now. Nothing is written."""

    patient_id: UUID
    medications: Annotated[tuple[Medication, ...], Meta(max_length=50)]
    prescription_id: UUID | None = None


class PrescriptionById(Query):
    """A prescription; a draft with what the tables say against it now, a signed one with what they said then."""

    prescription_id: UUID


class PrescriptionsOfPatient(Query):
    """The prescriptions of a chart, newest first."""

    patient_id: UUID
    limit: Limit = 50
    offset: Offset = 0


class Prescriptions(Query):
    """Prescriptions, newest first: everybody's, or those of a patient, a prescriber, a visit, a status."""

    patient_id: UUID | None = None
    prescriber_id: UUID | None = None
    visit_id: UUID | None = None
    status: Status | None = None
    limit: Limit = 50
    offset: Offset = 0


class PrescriptionsAsOf(Query):
    """The signed and cancelled prescriptions of a chart exactly as they stood at a moment, newest first."""

    patient_id: UUID
    moment: Instant
    by_source: bool = False


class MedicinesOfPatient(Query):
    """What the patient takes now; with `ended`, what was taken too."""

    patient_id: UUID
    ended: bool = False


class MedicinesAsOf(Query):
    """The medicine list exactly as it stood at a moment; `by_source` follows the source's recording dates."""

    patient_id: UUID
    moment: Instant
    by_source: bool = False
    ended: bool = False


class FindMedicines(Query):
    """Medicines by the beginning of a name or brand, English or Italian, or in spite of a slip."""

    q: Annotated[str, Meta(max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class KnownFacts(Struct, frozen=True, kw_only=True):
    """What screening knew of the patient. None is "not known": the rules that ask for it could not speak."""

    age: float | None
    sex: str
    weight: float | None
    creatinine: float | None
    creatinine_days: int | None
    egfr: float | None
    crcl: float | None
    allergies: int
    problems: int
    medicines: int


class Screened(Struct, frozen=True, kw_only=True):
    """The alerts, gravest first; the version of the tables; and what they knew. No alert does not mean no danger.

    `lines` says for each medicine, in their order, which ingredients were read in it: none means not checked.
    """

    alerts: Sequence[Alert]
    tables: str
    known: KnownFacts
    lines: Sequence[Sequence[str]] = ()


class PrescriptionPage(Struct, frozen=True, kw_only=True):
    """A prescription with its stream's version; `screened` for a draft."""

    prescription: PrescriptionView
    version: int
    screened: Screened | None = None


class UsualProduct(Struct, frozen=True, kw_only=True):
    form: str
    route: str
    strengths: Sequence[str]


class FoundMedicine(Struct, frozen=True, kw_only=True):
    """A name as it may be written, what it holds in both languages, and what is usually prescribed of it."""

    name: str
    kind: str
    ingredients: Sequence[str]
    ingredients_it: Sequence[str]
    atc: Sequence[str]
    products: Sequence[UsualProduct]


async def screen_prescription(tx: Tx, query: ScreenPrescription, caller: Caller) -> Disclosure[Screened]:
    facts = await facts_of(tx, query.patient_id, query.prescription_id)
    return Disclosure(value=_screened(query.medications, facts), subjects=[query.patient_id])


def _screened(medications: Sequence[Medication], facts: Facts) -> Screened:
    return Screened(
        alerts=screen(medications, facts),
        tables=tables().version,
        known=_known(facts),
        lines=[ingredients_of(line) for line in medications],
    )


def _known(facts: Facts) -> KnownFacts:
    return KnownFacts(
        age=facts.age,
        sex=facts.sex,
        weight=facts.weight,
        creatinine=facts.creatinine,
        creatinine_days=facts.creatinine_days,
        egfr=facts.egfr,
        crcl=facts.crcl,
        allergies=len(facts.allergies),
        problems=len(facts.problems),
        medicines=len(facts.medicines),
    )


async def prescription_by_id(tx: Tx, query: PrescriptionById, caller: Caller) -> Disclosure[PrescriptionPage]:
    held = await PRESCRIPTIONS.get(tx, query.prescription_id)
    if held is None or (_is_patient(caller) and held.doc.signed_at is None):
        raise NoSuchPrescription()
    screened = None
    if held.doc.status == "draft":
        facts = await facts_of(tx, held.subject, held.id)
        screened = _screened([line.medication for line in held.doc.medications], facts)
    page = PrescriptionPage(prescription=held.doc, version=held.version, screened=screened)
    return Disclosure(value=page, subjects=[held.subject])


async def prescriptions_of_patient(
    tx: Tx, query: PrescriptionsOfPatient, caller: Caller
) -> Disclosure[Page[PrescriptionPage]]:
    charts = await charts_of(tx, query.patient_id)
    page, _ = await _page(tx, [charts, None, None, None, _is_patient(caller)], query.limit, query.offset)
    return Disclosure(value=page, subjects=_subjects(charts, caller))


async def prescriptions(tx: Tx, query: Prescriptions, caller: Caller) -> Disclosure[Page[PrescriptionPage]]:
    charts = await charts_of(tx, query.patient_id) if query.patient_id else None
    narrowed = [charts, query.status, query.prescriber_id, query.visit_id, _is_patient(caller)]
    page, held = await _page(tx, narrowed, query.limit, query.offset)
    subjects = _subjects(charts, caller) if charts else list({one.subject for one in held})
    return Disclosure(value=page, subjects=subjects)


async def _page(
    tx: Tx, narrowed: Sequence[Any], limit: int, offset: int
) -> tuple[Page[PrescriptionPage], list[Held[PrescriptionView]]]:
    narrowed = [*narrowed, list(tx.hidden), only_of(tx)]
    rows = await tx.fetch(SQL["page_of_prescriptions"], tx.organisation, *narrowed, limit, offset)
    total = await tx.fetchval(SQL["count_prescriptions"], tx.organisation, *narrowed)
    held = await PRESCRIPTIONS.open(tx, rows)
    items = [PrescriptionPage(prescription=one.doc, version=one.version) for one in held]
    return Page(items=items, total=total, limit=limit, offset=offset), held


async def prescriptions_as_of(tx: Tx, query: PrescriptionsAsOf, caller: Caller) -> Disclosure[list[PrescriptionPage]]:
    charts = await charts_of(tx, query.patient_id)
    held = await PRESCRIPTIONS.as_of(tx, charts, query.moment, by_source=query.by_source)
    held.sort(key=lambda one: (one.doc.issued_at, one.id), reverse=True)
    pages = [PrescriptionPage(prescription=one.doc, version=one.version) for one in held if one.doc.signed_at]
    return Disclosure(value=pages, subjects=_subjects(charts, caller))


async def medicines_of_patient(tx: Tx, query: MedicinesOfPatient, caller: Caller) -> Disclosure[list[TakenMedicine]]:
    charts = await charts_of(tx, query.patient_id)
    found = await medicines_of(tx, charts)
    return Disclosure(value=_wanted(found, query.ended), subjects=_subjects(charts, caller))


async def medicines_as_of(tx: Tx, query: MedicinesAsOf, caller: Caller) -> Disclosure[list[TakenMedicine]]:
    charts = await charts_of(tx, query.patient_id)
    past = await as_of_all(tx, [PRESCRIPTIONS, MEDICINES], charts, query.moment, by_source=query.by_source)
    found = medicine_list(past[0], past[1], query.moment)
    return Disclosure(value=_wanted(found, query.ended), subjects=_subjects(charts, caller))


def _wanted(found: list[TakenMedicine], ended: bool) -> list[TakenMedicine]:
    return found if ended else [one for one in found if one.status == "active"]


async def find_medicines(tx: Tx, query: FindMedicines, caller: Caller) -> list[FoundMedicine]:
    return [_found(one) for one in find(query.q, query.limit)]


def _found(one: Suggestion) -> FoundMedicine:
    parts = [tables().ingredients[name] for name in one.name.means]
    return FoundMedicine(
        name=one.name.text,
        kind=one.name.kind,
        ingredients=[part.name for part in parts],
        ingredients_it=[part.name_it for part in parts],
        atc=[code for part in parts for code in part.atc],
        products=[UsualProduct(form=each.form, route=each.route, strengths=each.strengths) for each in one.products],
    )


def _subjects(charts: Sequence[UUID], caller: Caller) -> Sequence[UUID]:
    """Charts that were merged into one's own are one's own."""
    return charts[:1] if _is_patient(caller) else charts


def _is_patient(caller: Caller) -> bool:
    """Patients see what was signed for them, not what somebody is still writing."""
    return reads_as_patient(caller, "prescribing.read")


ANSWERS: dict[type[Query], Answer] = {
    ScreenPrescription: screen_prescription,
    PrescriptionById: prescription_by_id,
    PrescriptionsOfPatient: prescriptions_of_patient,
    Prescriptions: prescriptions,
    PrescriptionsAsOf: prescriptions_as_of,
    MedicinesOfPatient: medicines_of_patient,
    MedicinesAsOf: medicines_as_of,
    FindMedicines: find_medicines,
}

__all__ = [
    "ANSWERS",
    "FindMedicines",
    "FoundMedicine",
    "KnownFacts",
    "LineView",
    "MedicineView",
    "MedicinesAsOf",
    "MedicinesOfPatient",
    "OverrideView",
    "PrescriptionById",
    "PrescriptionPage",
    "PrescriptionView",
    "Prescriptions",
    "PrescriptionsAsOf",
    "PrescriptionsOfPatient",
    "ScreenPrescription",
    "Screened",
    "TakenMedicine",
    "UsualProduct",
]
