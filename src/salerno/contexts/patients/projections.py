"""What is kept from events: the sealed patient, the search card with its tokens, who is linked to whom."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct, structs

from salerno.contexts.organisations.events import OrganisationRegistered, OrganisationSettingsChanged
from salerno.contexts.patients.events import (
    ConsentGiven,
    ConsentWithdrawn,
    Identifier,
    PatientRegistered,
    PatientRemoved,
    PatientRestored,
    PatientsEvent,
    PatientsMerged,
    PatientsUnmerged,
    PatientUpdated,
    Person,
)
from salerno.contexts.patients.rules.patient import person_of
from salerno.contexts.patients.rules.searching import Findable, findable_texts
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.events import SubjectErased
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)
CARDS = "cards"
TOKENS = "patients.search"
MRNS = "patients.mrn"


class ConsentHeld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A consent from the day it was given; `withdrawn_on` where it no longer holds."""

    scope: str
    version: str
    given_on: date
    expires_on: date | None = None
    withdrawn_on: date | None = None
    document: UUID | None = None
    note: str = ""
    reason: str = ""


class PatientRecord(Person, frozen=True, kw_only=True, omit_defaults=True):
    """A patient as the chart shows them. `created_at` and `updated_at` are when Salerno recorded it."""

    id: UUID
    mrn: str
    status: str
    created_at: datetime
    updated_at: datetime
    merged_into: UUID | None = None
    consents: tuple[ConsentHeld, ...] = ()
    confirmed_not_duplicate: bool = False
    resembles: tuple[UUID, ...] = ()


def view(before: PatientRecord | None, item: Recorded[PatientsEvent]) -> PatientRecord | None:
    event, at = item.event, item.origin.recorded_at
    if isinstance(event, PatientRegistered):
        return _registered(event, at)
    assert before is not None
    change = partial(structs.replace, before)
    match event:
        case PatientUpdated():
            return change(**structs.asdict(person_of(event)), updated_at=at)
        case PatientRemoved():
            return change(status="removed", updated_at=at)
        case PatientRestored():
            return change(status="active", updated_at=at)
        case PatientsMerged():
            return change(status="merged", merged_into=event.into)
        case PatientsUnmerged():
            return change(status="active", merged_into=None)
        case ConsentGiven():
            return change(consents=(*before.consents, _given(event)))
        case ConsentWithdrawn():
            return change(consents=_withdrawn(before.consents, event))
        case _:
            assert_never(event)


def _registered(event: PatientRegistered, at: datetime) -> PatientRecord:
    return PatientRecord(
        id=event.patient,
        mrn=event.mrn,
        status="active",
        created_at=at,
        updated_at=at,
        confirmed_not_duplicate=event.confirmed_not_duplicate,
        resembles=event.resembles,
        **structs.asdict(person_of(event)),
    )


def _given(event: ConsentGiven) -> ConsentHeld:
    return ConsentHeld(
        scope=event.scope,
        version=event.version,
        given_on=event.given_on,
        expires_on=event.expires_on,
        document=event.document,
        note=event.note,
    )


def _withdrawn(held: tuple[ConsentHeld, ...], event: ConsentWithdrawn) -> tuple[ConsentHeld, ...]:
    """Every consent of this scope that still held ends on that day."""
    return tuple(
        structs.replace(one, withdrawn_on=event.withdrawn_on, reason=event.reason)
        if one.scope == event.scope and one.withdrawn_on is None
        else one
        for one in held
    )


PATIENTS_TABLE = Documents(
    table="patients",
    kind="patients.patient",
    shape=PatientRecord,
    evolve=view,
    columns=lambda doc: {"status": doc.status, "touched_at": doc.updated_at},
)


# ------------------------------------------------------------------ the search card
class Card(Struct, frozen=True, kw_only=True, omit_defaults=True, array_like=True):
    """The little that a list of results, a banner and the comparison of duplicates need."""

    given_name: str
    family_name: str
    full_name: str
    birth_date: date | None
    gender: str
    mrn: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    deceased: bool = False


def card_of(person: Person, mrn: str) -> Card:
    phones = [person.phone, *(c.value for c in person.contacts if c.kind in ("phone", "fax"))]
    emails = [person.email, *(c.value for c in person.contacts if c.kind == "email")]
    return Card(
        given_name=person.given_name,
        family_name=person.family_name,
        full_name=person.full_name,
        birth_date=person.birth_date,
        gender=person.gender,
        mrn=mrn,
        phones=tuple(dict.fromkeys(phone for phone in phones if phone)),
        emails=tuple(dict.fromkeys(email for email in emails if email)),
        identifiers=person.identifiers,
        deceased=person.deceased,
    )


def findable(card: Card) -> Findable:
    return Findable(
        full_name=f"{card.full_name} {card.given_name} {card.family_name}",
        birth_date=card.birth_date,
        mrn=card.mrn,
        phones=card.phones,
        emails=card.emails,
        identifiers=tuple(one.value for one in card.identifiers),
    )


async def keep_cards(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await _keep_card(tx, item)


async def _keep_card(tx: Tx, item: Recorded[Any]) -> None:
    patient = item.stream
    match item.event:
        case PatientRegistered() as event:
            await _new_card(tx, patient, card_of(event, event.mrn))
        case PatientUpdated() as event:
            await _change_card(tx, patient, event)
        case PatientRemoved():
            await tx.run(SQL["hide_card"], tx.organisation, patient)
        case PatientRestored():
            await tx.run(SQL["show_card"], tx.organisation, patient)
        case PatientsMerged():
            await tx.run(SQL["mark_card"], tx.organisation, patient, "merged")
        case PatientsUnmerged():
            await tx.run(SQL["mark_card"], tx.organisation, patient, "active")
        case _:
            pass


async def _new_card(tx: Tx, patient: UUID, card: Card) -> None:
    (mrn,) = await tx.tokens(MRNS, card.mrn.casefold())
    sealed = await tx.seal_doc(CARDS, patient, patient, card)
    tokens = as_text(await _tokens(tx, card))
    tx.later(SQL["new_card"], [(tx.organisation, patient, sealed, mrn, tokens)])
    tx.later(SQL["new_tokens"], [(tx.organisation, patient, tokens)])


async def _change_card(tx: Tx, patient: UUID, event: PatientUpdated) -> None:
    rows = await tx.fetch(SQL["cards_of"], tx.organisation, [patient])
    for before in await tx.open_docs(CARDS, rows, Card):
        card = card_of(event, before.mrn)
        sealed = await tx.seal_doc(CARDS, patient, patient, card)
        await tx.run(SQL["change_card"], tx.organisation, patient, sealed, await _tokens(tx, card))


def as_text(tokens: Sequence[int]) -> str:
    """A list of numbers as PostgreSQL reads it."""
    return f"{{{','.join(map(str, tokens))}}}"


async def _tokens(tx: Tx, card: Card) -> list[int]:
    return sorted(set(await tx.tokens(TOKENS, *findable_texts(findable(card)))))


async def keep_links(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case PatientsMerged() as event:
                at = item.origin.recorded_at
                await tx.run(SQL["link"], tx.organisation, event.patient, event.into, at, item.version)
            case PatientsUnmerged() as event:
                await tx.run(SQL["unlink"], tx.organisation, event.patient, item.origin.recorded_at)
            case _:
                pass


PROJECTIONS = (
    Projection(
        name="patients.cards",
        tables=("cards", "search_tokens"),
        events=(
            PatientRegistered,
            PatientUpdated,
            PatientRemoved,
            PatientRestored,
            PatientsMerged,
            PatientsUnmerged,
        ),
        apply=keep_cards,
    ),
    Projection(name="patients.links", tables=("links",), events=(PatientsMerged, PatientsUnmerged), apply=keep_links),
)


# ------------------------------------------------------------------ what is known of the organisation
async def keep_practice(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        settings = item.event.settings
        known = (settings.country, settings.timezone, settings.duplicate_threshold)
        await tx.run(SQL["put_practice"], tx.organisation, *known)


async def count_again(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """An erasure takes rows away without a word to anybody: the count is made anew from what is left."""
    await tx.run(SQL["lock_tallies"], tx.organisation)
    await tx.run(SQL["count_again"], tx.organisation)


LISTENS = (
    Projection(
        name="patients.practices",
        tables=("practices",),
        events=(OrganisationRegistered, OrganisationSettingsChanged),
        apply=keep_practice,
    ),
    Projection(name="patients.tallies", tables=(), events=(SubjectErased,), apply=count_again),
)
