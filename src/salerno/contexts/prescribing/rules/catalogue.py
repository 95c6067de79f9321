"""Search as you type over names, brands and usual products: by beginning, by word, or in spite of a slip."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from salerno.contexts.prescribing.data.rows import KnownName, Product
from salerno.contexts.prescribing.data.tables import plain, tables

KINDS = {"ingredient": 0, "name": 0, "abbreviation": 1, "brand": 2}
SHORTEST_SLIP = 5  # letters


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name with what it holds and the products of it that are usual."""

    name: KnownName
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`sorted_keys` for beginnings; `by_word` for the other words of a name."""

    keys: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    products: dict[frozenset[str], tuple[Product, ...]]
    containing: dict[str, tuple[Product, ...]]


@cache
def index() -> Index:
    known = tables()
    products: dict[frozenset[str], list[Product]] = {}
    containing: dict[str, list[Product]] = {}
    for one in known.products:
        products.setdefault(frozenset(one.means), []).append(one)
        for part in one.means:
            containing.setdefault(part, []).append(one)
    words = sorted((word, key) for key in known.names for word in key.split()[1:])
    return Index(
        tuple(sorted(known.names)),
        tuple(words),
        {means: tuple(found) for means, found in products.items()},
        {part: tuple(found) for part, found in containing.items()},
    )


def find(text: str, limit: int) -> list[Suggestion]:
    """The best `limit` names for what was typed; names that mean the same stand once, the plainest first."""
    typed = plain(text)
    if not typed:
        return []
    known = tables()
    shown: dict[tuple[tuple[str, ...], str], KnownName] = {}
    for key in _keys(typed):
        name = known.names[key]
        shown.setdefault((name.means, name.text if name.kind == "brand" else ""), name)
        if len(shown) >= limit:
            break
    return [Suggestion(name, _products(name)) for name in shown.values()]


def _keys(typed: str) -> Iterator[str]:
    """Exact beginnings first, plain names before brands; then inner words; then slips, if there was nothing."""
    known = tables()
    begun = sorted(
        (key for key in _beginning(index().keys, typed)),
        key=lambda key: (key != typed, KINDS[known.names[key].kind], len(key), key),
    )
    found = list(islice(chain(begun, _inner(typed)), 200))
    yield from found
    if not found:
        yield from _slips(typed)


def _beginning(keys: tuple[str, ...], typed: str) -> Iterator[str]:
    for at in range(bisect_left(keys, typed), len(keys)):
        if not keys[at].startswith(typed):
            return
        yield keys[at]


def _inner(typed: str) -> Iterator[str]:
    words = index().words
    for at in range(bisect_left(words, (typed, "")), len(words)):
        if not words[at][0].startswith(typed):
            return
        yield words[at][1]


def _slips(typed: str) -> Iterator[str]:
    """Names within a slip or two of the whole, or whose beginning is."""
    if len(typed) < SHORTEST_SLIP:
        return
    reach = 1 if len(typed) < 8 else 2
    starts = [key[: len(typed) + 1] for key in index().keys]
    near = process.extract(typed, starts, scorer=DamerauLevenshtein.distance, score_cutoff=reach, limit=20)
    for _, _, at in near:
        yield index().keys[at]


def _products(name: KnownName) -> tuple[Product, ...]:
    exact = index().products.get(frozenset(name.means), ())
    if exact or len(name.means) > 1:
        return tuple(one for one in exact if not name.route or one.route == name.route) or exact
    return index().containing.get(name.means[0], ())
