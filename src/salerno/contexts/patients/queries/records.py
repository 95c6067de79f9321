"""One patient's record, now or as of a moment; lists, names and banners."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from salerno.contexts.patients.errors import MergedAway, NoSuchPatient
from salerno.contexts.patients.projections import (
    CARDS,
    PATIENTS_TABLE,
    SQL,
    Card,
    ConsentHeld,
    PatientRecord,
)
from salerno.contexts.patients.queries.groups import opened_for, withheld_from
from salerno.contexts.patients.rules.fields import CONTACT, group, without
from salerno.contexts.patients.rules.person import Place, doubts_about
from salerno.kernel.database import Row
from salerno.kernel.documents import Held
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Disclosure, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import is_shown, only_of

LONGEST_PAGE = 100
MOST_NAMES = 1000


class PatientById(Query):
    patient_id: UUID


class PatientAsOf(Query):
    """`by_source` follows the recording date that an imported fact brought along, where it has one."""

    patient_id: UUID
    moment: datetime
    by_source: bool = False


class PatientBanner(Query):
    """The little that stands above a chart."""

    patient_id: UUID


class PatientNames(Query):
    """Names for lists that know only ids; the removed and the merged included."""

    patient_ids: tuple[UUID, ...]


class ListPatients(Query):
    """The most recently registered or changed first."""

    limit: int = 20
    offset: int = 0


class RemovedPatients(Query):
    limit: int = 20
    offset: int = 0


class ConsentsOf(Query):
    patient_id: UUID


class LinkedSubjects(Query):
    """Whose data belongs to this chart: the patient first, then every record that was merged into it."""

    patient_id: UUID
    as_of: datetime | None = None


class PatientSheet(Struct, frozen=True, kw_only=True):
    """`doubts` deserve a second look, such as a codice fiscale that speaks of another birth date.

    `withheld` are the groups of fields that are not for who asks: they are empty here, whatever is on file.
    """

    patient: PatientRecord
    version: int
    recorded_at: datetime
    doubts: tuple[dict[str, str], ...] = ()
    linked: tuple[UUID, ...] = ()
    withheld: tuple[str, ...] = ()


class PatientLine(Struct, frozen=True, kw_only=True):
    id: UUID
    mrn: str
    full_name: str
    date_of_birth: date | None
    gender: str
    phone: str
    email: str
    created_at: datetime
    updated_at: datetime


class PatientName(Struct, frozen=True, kw_only=True):
    id: UUID
    full_name: str
    given_name: str
    family_name: str
    birth_date: date | None
    gender: str
    mrn: str


class Banner(Struct, frozen=True, kw_only=True):
    """`age` is in whole years, or at death; `flags` are words such as deceased or minor."""

    id: UUID
    full_name: str
    birth_date: date | None
    age: int | None
    gender: str
    mrn: str
    flags: tuple[str, ...]
    consents: tuple[str, ...]


# ------------------------------------------------------------------ one record
async def patient_by_id(tx: Tx, query: PatientById, caller: Caller) -> Disclosure[PatientSheet]:
    fresh = PATIENTS_TABLE.just_written(tx, query.patient_id)
    if fresh and fresh.version == 1:  # nothing can have been merged into it yet
        return Disclosure(value=await _sheet(tx, caller, fresh), subjects=[fresh.id])
    row = await tx.fetchrow(SQL["patient_with_links"], tx.organisation, query.patient_id)
    held = await PATIENTS_TABLE.open(tx, [row] if row else [])
    if row is None or not held:
        raise NoSuchPatient()
    patient = await _in_use(tx, held[0])
    linked = await _linked(tx, query.patient_id, None) if row["has_links"] else []
    return Disclosure(value=await _sheet(tx, caller, held[0], tuple(linked[1:])), subjects=[patient.id])


async def _in_use(tx: Tx, held: Held[PatientRecord]) -> PatientRecord:
    if held.doc.status == "merged":
        raise MergedAway((await survivors(tx, [held.id]))[held.id])
    if held.doc.status == "removed":
        raise NoSuchPatient()
    return held.doc


async def _sheet(tx: Tx, caller: Caller, held: Held[PatientRecord], linked: tuple[UUID, ...] = ()) -> PatientSheet:
    withheld = await withheld_from(tx, caller, held.id)
    shown = without(held.doc, withheld)
    return PatientSheet(
        patient=shown,
        version=held.version,
        recorded_at=held.recorded_at,
        doubts=tuple(doubts_about(shown)),
        linked=linked,
        withheld=tuple(sorted(withheld)),
    )


async def patient_as_of(tx: Tx, query: PatientAsOf, caller: Caller) -> Disclosure[PatientSheet]:
    past = await PATIENTS_TABLE.as_of(tx, [query.patient_id], query.moment, by_source=query.by_source)
    held = await PATIENTS_TABLE.get(tx, query.patient_id)
    if not past or held is None or held.doc.status == "removed":
        raise NoSuchPatient()
    linked = await _linked(tx, query.patient_id, query.moment)
    return Disclosure(value=await _sheet(tx, caller, past[0], tuple(linked[1:])), subjects=[query.patient_id])


async def patient_banner(tx: Tx, query: PatientBanner, caller: Caller) -> Disclosure[Banner]:
    held = await PATIENTS_TABLE.get(tx, query.patient_id)
    if held is None:
        raise NoSuchPatient()
    patient = await _in_use(tx, held)
    return Disclosure(value=_banner(patient, (await place_of(tx)).today), subjects=[patient.id])


def _banner(patient: PatientRecord, today: date) -> Banner:
    age = age_at(patient.birth_date, patient.deceased_on or today)
    flags = ["deceased"] * patient.deceased + ["minor"] * (age is not None and age < 18)
    held = (one for one in patient.consents if _holds(one, today))
    return Banner(
        id=patient.id,
        full_name=patient.full_name,
        birth_date=patient.birth_date,
        age=age,
        gender=patient.gender,
        mrn=patient.mrn,
        flags=tuple(flags),
        consents=tuple(sorted({one.scope for one in held})),
    )


def age_at(born: date | None, day: date) -> int | None:
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _holds(consent: ConsentHeld, today: date) -> bool:
    return consent.withdrawn_on is None and (consent.expires_on is None or consent.expires_on >= today)


async def consents_of(tx: Tx, query: ConsentsOf, caller: Caller) -> Disclosure[list[ConsentHeld]]:
    held = await PATIENTS_TABLE.get(tx, query.patient_id)
    if held is None:
        raise NoSuchPatient()
    patient = await _in_use(tx, held)
    return Disclosure(value=list(patient.consents), subjects=[patient.id])


# ------------------------------------------------------------------ many
async def list_patients(tx: Tx, query: ListPatients, caller: Caller) -> Disclosure[Page[PatientLine]]:
    return await _page(tx, caller, "newest_patients", "active", query.limit, query.offset)


async def removed_patients(tx: Tx, query: RemovedPatients, caller: Caller) -> Disclosure[Page[PatientLine]]:
    return await _page(tx, caller, "removed_patients", "removed", query.limit, query.offset)


async def _page(
    tx: Tx, caller: Caller, statement: str, status: str, limit: int, offset: int
) -> Disclosure[Page[PatientLine]]:
    check_page(limit, offset)
    total = await _how_many(tx, status)
    rows = await tx.fetch(SQL[statement], tx.organisation, limit, offset, list(tx.hidden), only_of(tx))
    held = await PATIENTS_TABLE.open(tx, rows)
    reachable = await opened_for(tx, group(CONTACT), caller, [one.id for one in held])
    lines = [_line(one.doc if one.id in reachable else without(one.doc, (CONTACT,))) for one in held]
    return Disclosure(
        value=Page(items=lines, total=total, limit=limit, offset=offset), subjects=[line.id for line in lines]
    )


async def _how_many(tx: Tx, status: str) -> int:
    """Of those that whoever asks may learn of."""
    if tx.only is not None:
        return int(await tx.fetchval(SQL["how_many_of"], tx.organisation, status, list(tx.only - tx.hidden)))
    total = int(await tx.fetchval(SQL["how_many"], tx.organisation, status))
    if tx.hidden:
        total -= int(await tx.fetchval(SQL["how_many_of"], tx.organisation, status, list(tx.hidden)))
    return total


def check_page(limit: int, offset: int) -> None:
    if not 1 <= limit <= LONGEST_PAGE:
        raise Invalid.field("limit", "out-of-range", f"Between 1 and {LONGEST_PAGE}.")
    if not 0 <= offset <= 10_000_000:
        raise Invalid.field("offset", "out-of-range", "Not below 0, and not beyond ten million.")


def _line(patient: PatientRecord) -> PatientLine:
    return PatientLine(
        id=patient.id,
        mrn=patient.mrn,
        full_name=patient.full_name,
        date_of_birth=patient.birth_date,
        gender=patient.gender,
        phone=patient.phone,
        email=patient.email,
        created_at=patient.created_at,
        updated_at=patient.updated_at,
    )


async def patient_names(tx: Tx, query: PatientNames, caller: Caller) -> Disclosure[list[PatientName]]:
    if len(query.patient_ids) > MOST_NAMES:
        raise Invalid.field("patient_ids", "too-many", f"At most {MOST_NAMES}.")
    cards = await cards_of(tx, [id for id in query.patient_ids if is_shown(tx, id)])
    names = [_name(id, card) for id, card in cards.items()]
    return Disclosure(value=names, subjects=[name.id for name in names])


def _name(id: UUID, card: Card) -> PatientName:
    return PatientName(
        id=id,
        full_name=card.full_name,
        given_name=card.given_name,
        family_name=card.family_name,
        birth_date=card.birth_date,
        gender=card.gender,
        mrn=card.mrn,
    )


async def cards_of(tx: Tx, patients: list[UUID]) -> dict[UUID, Card]:
    rows = await tx.fetch(SQL["cards_of"], tx.organisation, patients)
    keys = await tx.keys_of({row["subject"] for row in rows})
    known = [row for row in rows if row["subject"] in keys]
    cards = await tx.open_docs(CARDS, known, Card)
    return {row["id"]: card for row, card in zip(known, cards, strict=True)}


# ------------------------------------------------------------------ linked charts
async def linked_subjects(tx: Tx, query: LinkedSubjects, caller: Caller) -> list[UUID]:
    return await _linked(tx, query.patient_id, query.as_of)


async def _linked(tx: Tx, patient: UUID, moment: datetime | None) -> list[UUID]:
    rows = await tx.fetch(SQL["linked_subjects"], tx.organisation, patient, moment)
    return [row["patient"] for row in rows]


async def survivors(tx: Tx, patients: list[UUID]) -> dict[UUID, UUID]:
    """Where each of these charts is read today: itself, or the end of its way through merges."""
    rows = await tx.fetch(SQL["survivors"], tx.organisation, patients)
    return {row["patient"]: row["survivor"] for row in rows}


# ------------------------------------------------------------------ the practice
class Practice(Struct, frozen=True):
    """What this room knows of its organisation; a practice not heard of yet is taken for an Italian one."""

    country: str = "IT"
    timezone: str = "Europe/Rome"
    duplicate_threshold: float = 0.9

    def place(self, now: datetime) -> Place:
        return Place(region=self.country, today=now.astimezone(ZoneInfo(self.timezone)).date())


async def practice_of(tx: Tx) -> Practice:
    row = await tx.fetchrow(SQL["practice"], tx.organisation)
    return practice_in(row)


def practice_in(row: Row | None) -> Practice:
    if row is None or row["country"] is None:
        return Practice()
    return Practice(row["country"], row["timezone"], row["duplicate_threshold"])


async def place_of(tx: Tx) -> Place:
    return (await practice_of(tx)).place(tx.now)


ANSWERS: Mapping[type[Query], Answer] = {
    PatientById: patient_by_id,
    PatientAsOf: patient_as_of,
    PatientBanner: patient_banner,
    PatientNames: patient_names,
    ListPatients: list_patients,
    RemovedPatients: removed_patients,
    ConsentsOf: consents_of,
    LinkedSubjects: linked_subjects,
}
