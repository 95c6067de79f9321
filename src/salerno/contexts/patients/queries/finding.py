"""Finding patients by whatever is known of them, typing errors included."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct, structs

from salerno.contexts.patients.projections import CARDS, SQL, TOKENS, Card, as_text, findable
from salerno.contexts.patients.queries.groups import opened_for
from salerno.contexts.patients.queries.records import cards_of, check_page, survivors
from salerno.contexts.patients.rules.fields import CONTACT, group
from salerno.contexts.patients.rules.searching import (
    SHORTEST_BEGINNING,
    Term,
    beginning_texts,
    exact_term,
    exact_texts,
    fit,
    pair_texts_of,
    slip_texts,
    sound_texts,
    terms_of,
)
from salerno.kernel.database import Row
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Disclosure, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import is_shown, only_of

LONGEST_QUESTION = 200
MOST_CANDIDATES = 300
REACH = 300  # so many people who have one of the ways of writing something are looked at, the newest first
HEARD = 60  # whose names sound alike: so many are compared
FEW = 5  # who were found to the letter, before typing errors are thought of
Net: TypeAlias = tuple[tuple[str, ...], ...]  # for each of one or two things, the ways in which it may be kept
Cast: TypeAlias = Callable[[Term, Term | None], Net]


def _pair(first: Callable[[Term], tuple[str, ...]], second: Callable[[Term], tuple[str, ...]]) -> Cast:
    return lambda one, other: (first(one),) if other is None else (first(one), second(other))


def _heard(one: Term, other: Term | None) -> Net:
    """Names that sound alike: two words together, so that few others do."""
    if other is None:
        return (sound_texts(one),)
    if one.exactly or other.exactly:
        return sound_texts(one), sound_texts(other)
    return (pair_texts_of(one, other),)


# Each net with how many, found already, make it needless (None: as many as were asked for), from the letter to the
# sound. Slips in one of two words are thought of only where nobody sounds alike: many lists are read for them.
NETS: tuple[tuple[Cast, int | None], ...] = (
    (_pair(exact_texts, exact_texts), None),
    (_pair(beginning_texts, beginning_texts), None),
    (lambda one, other: (slip_texts(one),) if other is None else _heard(one, other), FEW),
    (_pair(slip_texts, beginning_texts), 1),
    (_pair(beginning_texts, slip_texts), 1),
    (_heard, 1),
)


class FindPatients(Query):
    """`q` is whatever was typed; the named fields narrow it down. All that is given must match."""

    q: str = ""
    name: str = ""
    birth_date: date | None = None
    phone: str = ""
    identifier: str = ""
    limit: int = 20
    offset: int = 0


class PatientMatch(Struct, frozen=True, kw_only=True):
    """`score` is 1 where everything agrees to the letter. `found_as` is a merged record by which it was found."""

    id: UUID
    mrn: str
    full_name: str
    birth_date: date | None
    gender: str
    phone: str
    score: float
    reasons: tuple[str, ...]
    deceased: bool = False
    found_as: UUID | None = None


class PatientsFound(Struct, frozen=True, kw_only=True):
    results: tuple[PatientMatch, ...]
    limit: int
    offset: int
    more: bool


async def find_patients(tx: Tx, query: FindPatients, caller: Caller) -> Disclosure[PatientsFound]:
    check_page(query.limit, query.offset)
    asked = f"{query.q} {query.name} {query.phone} {query.identifier}"
    if len(asked) > LONGEST_QUESTION:
        raise Invalid.field("q", "too-long", f"At most {LONGEST_QUESTION} characters.")
    terms = _terms(query)
    wanted = min(query.offset + query.limit + 1, MOST_CANDIDATES)
    matches = await _matches(tx, terms, wanted) if terms else []
    page = matches[query.offset : query.offset + query.limit]
    reachable = await opened_for(tx, group(CONTACT), caller, [match.id for _, match in page])
    page = [(score, match if match.id in reachable else structs.replace(match, phone="")) for score, match in page]
    found = PatientsFound(
        results=tuple(match for _, match in page),
        limit=query.limit,
        offset=query.offset,
        more=len(matches) > query.offset + query.limit,
    )
    return Disclosure(value=found, subjects=[match.id for match in found.results])


def _terms(query: FindPatients) -> list[Term]:
    terms = terms_of(f"{query.q} {query.name}")
    if query.birth_date:
        terms.append(Term(exactly=(f"b:{query.birth_date.isoformat()}",)))
    terms += [exact_term(typed) for typed in (query.phone, query.identifier) if typed.strip()]
    # Whatever is exact, and then the longest words, leave the fewest candidates.
    return sorted(dict.fromkeys(terms), key=lambda term: (not term.exactly, -len(term.word)))


# ------------------------------------------------------------------ candidates
async def _matches(tx: Tx, terms: list[Term], wanted: int) -> list[tuple[tuple[float, int], PatientMatch]]:
    """From the letter to the sound: a wider net is cast only where the narrower caught too few."""
    best: dict[UUID, tuple[tuple[float, int], PatientMatch]] = {}
    seen: set[UUID] = set()
    tried: set[Net] = set()
    for cast, enough in NETS:
        if len(best) >= (enough or wanted):
            break
        net = cast(*_narrowing(terms, to_the_letter=not tried))
        if net in tried or not all(net):
            continue
        tried.add(net)
        rows = [row for row in await _candidates(tx, net, wanted) if row["id"] not in seen and is_shown(tx, row["id"])]
        seen.update(row["id"] for row in rows)
        for match in await _compared(tx, terms, rows):
            order = (match.score, match.id.int)
            if match.id not in best or best[match.id][0] < order:
                best[match.id] = (order, match)
    return sorted(best.values(), key=lambda pair: pair[0], reverse=True)


def _narrowing(terms: list[Term], *, to_the_letter: bool) -> tuple[Term, Term | None]:
    """The two terms that narrow down most; the others count when a card is compared.

    A word too short to begin another narrows down to the letter only.
    """
    long = [term for term in terms if to_the_letter or term.exactly or len(term.word) >= SHORTEST_BEGINNING]
    first, *rest = long or terms
    return first, rest[0] if rest else None


async def _candidates(tx: Tx, net: Net, wanted: int) -> list[Row]:
    tokens = [await tx.tokens(TOKENS, *ways) for ways in net]
    if (only := only_of(tx)) is not None:
        these, those = as_text(tokens[0]), as_text(tokens[1]) if len(tokens) == 2 else None
        return await tx.fetch(SQL["find_among"], tx.organisation, only, these, those, MOST_CANDIDATES)
    if len(tokens) == 1:
        return await tx.fetch(
            SQL["find_one"], tx.organisation, as_text(tokens[0]), max(wanted, HEARD if net[0][0][0] == "q" else 0)
        )
    if all(len(ways) == 1 for ways in tokens):
        return await tx.fetch(SQL["find_two"], tx.organisation, tokens[0][0], tokens[1][0], wanted)
    return await tx.fetch(SQL["find_both"], tx.organisation, *map(as_text, tokens), REACH, wanted)


async def _compared(tx: Tx, terms: list[Term], rows: Sequence[Row]) -> list[PatientMatch]:
    keys = await tx.keys_of({row["subject"] for row in rows})
    rows = [row for row in rows if row["subject"] in keys]
    cards = await tx.open_docs(CARDS, rows, Card)
    merged = [row["id"] for row in rows if row["status"] == "merged"]
    way = await survivors(tx, merged) if merged else {}
    known = await cards_of(tx, list(way.values())) if way else {}
    matches = []
    for row, card in zip(rows, cards, strict=True):
        score, reasons = fit(terms, findable(card))
        if not score:
            continue
        survivor = way.get(row["id"])
        if survivor is None:
            matches.append(_match(row["id"], card, score, reasons))
        elif survivor in known:
            matches.append(_match(survivor, known[survivor], score, reasons, found_as=row["id"]))
    return matches


def _match(id: UUID, card: Card, score: float, reasons: list[str], *, found_as: UUID | None = None) -> PatientMatch:
    return PatientMatch(
        id=id,
        mrn=card.mrn,
        full_name=card.full_name,
        birth_date=card.birth_date,
        gender=card.gender,
        phone=card.phones[0] if card.phones else "",
        score=score,
        reasons=tuple(reasons),
        deceased=card.deceased,
        found_as=found_as,
    )


ANSWERS: Mapping[type[Query], Answer] = {FindPatients: find_patients}
