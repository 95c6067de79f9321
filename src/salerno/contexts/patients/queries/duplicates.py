"""Who is likely to be the same person as somebody about to be registered, or as a patient on file."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct

from salerno.contexts.patients.commands import GivenIdentifier
from salerno.contexts.patients.events import Identifier, Person
from salerno.contexts.patients.projections import CARDS, SQL, TOKENS, Card, card_of, findable
from salerno.contexts.patients.queries.groups import opened_for
from salerno.contexts.patients.queries.records import practice_of, survivors
from salerno.contexts.patients.rules.fields import CONTACT, group
from salerno.contexts.patients.rules.identifiers import BadIdentifier, clean_identifier
from salerno.contexts.patients.rules.likeness import Traits, likeness
from salerno.contexts.patients.rules.names import split_full_name
from salerno.contexts.patients.rules.patient import Duplicate
from salerno.contexts.patients.rules.person import doubts_about, spoken_gender, spoken_phone
from salerno.contexts.patients.rules.searching import suspect_texts
from salerno.kernel.database import Row
from salerno.kernel.messages import Caller, Disclosure, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import is_shown, only_of

MOST_SUSPECTS = 50
WORTH_SHOWING = 0.2


class LikelyDuplicates(Query):
    """As typed so far: what cannot be understood yet is left aside. `patient_id` is left out of the answer."""

    full_name: str = ""
    given_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    gender: str = ""
    phone: str = ""
    email: str = ""
    identifiers: tuple[GivenIdentifier, ...] = ()
    patient_id: UUID | None = None


class DuplicateFound(Struct, frozen=True, kw_only=True):
    """`strong` holds a registration back until somebody confirms that it is another person."""

    id: UUID
    mrn: str
    full_name: str
    birth_date: date | None
    gender: str
    phone: str
    score: float
    reasons: tuple[str, ...]
    strong: bool


class DuplicatesFound(Struct, frozen=True, kw_only=True):
    duplicates: tuple[DuplicateFound, ...]
    doubts: tuple[dict[str, str], ...]


async def likely_duplicates(tx: Tx, query: LikelyDuplicates, caller: Caller) -> Disclosure[DuplicatesFound]:
    practice = await practice_of(tx)
    person = _spoken(query, practice.country)
    found = await alike_to(tx, person, query.patient_id)
    worth = [(one, card) for one, card in found if one.score >= WORTH_SHOWING]
    reachable = await opened_for(tx, group(CONTACT), caller, [one.patient for one, _ in worth])
    shown = tuple(_shown(one, card, practice.duplicate_threshold, one.patient in reachable) for one, card in worth)
    answer = DuplicatesFound(duplicates=shown, doubts=tuple(doubts_about(person)))
    return Disclosure(value=answer, subjects=[one.id for one in shown])


def _spoken(query: LikelyDuplicates, region: str) -> Person:
    given, family = query.given_name.strip(), query.family_name.strip()
    if not given and not family:
        given, family = split_full_name(query.full_name)
    return Person(
        given_name=given,
        family_name=family,
        full_name=f"{given} {family}".strip(),
        birth_date=query.birth_date,
        gender=spoken_gender(query.gender),
        phone=spoken_phone(query.phone, region),
        email=query.email.strip(),
        identifiers=tuple(_understood(query.identifiers)),
    )


def _understood(given: tuple[GivenIdentifier, ...]) -> list[Identifier]:
    understood = []
    for one in given:
        try:
            system, value, country = clean_identifier(one.system, one.value, one.country)
        except BadIdentifier:
            continue
        understood.append(Identifier(system=system, value=value, country=country))
    return understood


def _shown(one: Duplicate, card: Card, threshold: float, reachable: bool) -> DuplicateFound:
    return DuplicateFound(
        id=one.patient,
        mrn=card.mrn,
        full_name=card.full_name,
        birth_date=card.birth_date,
        gender=card.gender,
        phone=card.phones[0] if card.phones and reachable else "",
        score=one.score,
        reasons=one.reasons,
        strong=one.score >= threshold,
    )


async def alike_to(tx: Tx, person: Person, except_: UUID | None) -> list[tuple[Duplicate, Card]]:
    """Everybody on file who may be this person, the likeliest first; merged charts count for their survivor."""
    tokens = await suspect_tokens(tx, person)
    rows = await tx.fetch(SQL["suspects"], tx.organisation, tokens, MOST_SUSPECTS, only_of(tx))
    return await score(tx, person, [row for row in rows if row["id"] != except_])


async def suspect_tokens(tx: Tx, person: Person) -> list[int]:
    return await tx.tokens(TOKENS, *suspect_texts(findable(card_of(person, ""))))


async def score(tx: Tx, person: Person, rows: list[Row]) -> list[tuple[Duplicate, Card]]:
    return await _scored(tx, traits_of(card_of(person, "")), rows) if rows else []


async def _scored(tx: Tx, traits: Traits, rows: list[Row]) -> list[tuple[Duplicate, Card]]:
    keys = await tx.keys_of({row["subject"] for row in rows})
    rows = [row for row in rows if row["subject"] in keys and is_shown(tx, row["id"])]
    cards = await tx.open_docs(CARDS, rows, Card)
    merged = [row["id"] for row in rows if row["status"] == "merged"]
    way = await survivors(tx, merged) if merged else {}
    best: dict[UUID, tuple[Duplicate, Card]] = {}
    for row, card in zip(rows, cards, strict=True):
        alike = likeness(traits, traits_of(card))
        one = Duplicate(way.get(row["id"], row["id"]), alike.score, alike.reasons)
        if one.patient not in best or best[one.patient][0].score < one.score:
            best[one.patient] = (one, card)
    return sorted(best.values(), key=lambda pair: (-pair[0].score, pair[0].patient))


def traits_of(card: Card) -> Traits:
    return Traits(
        given_name=card.given_name,
        family_name=card.family_name,
        birth_date=card.birth_date,
        gender=card.gender,
        phones=frozenset(card.phones),
        email=card.emails[0] if card.emails else "",
        identifiers=frozenset((one.system, one.value) for one in card.identifiers),
    )


ANSWERS: Mapping[type[Query], Answer] = {LikelyDuplicates: likely_duplicates}
