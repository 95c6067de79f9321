"""From what was written to what is in it: names, brands, salts, slips of the pen, and the route."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from salerno.contexts.prescribing.data.rows import KnownName, Tables
from salerno.contexts.prescribing.data.tables import plain, tables
from salerno.contexts.prescribing.rules.dosing import MASS, strengths_of

LOCAL = frozenset(
    {"cutaneous", "ophthalmic", "otic", "nasal", "vaginal", "intrauterine", "inhaled"}
)  # routes that act where they are put, unless the ingredient says otherwise
SEPARATORS = re.compile(r"\s[/+]\s|[;+]|\s(?:and|with|e|con)\s|(?<=[a-z]{3})/(?=[a-z]{3})")
LONGEST_NAME = 6  # words
SHORTEST_SLIP = 6  # letters; in a shorter word one slip makes another medicine


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a written name holds. `unread` are its words that no table knows; `read_as` is set after a slip."""

    ingredients: tuple[str, ...]
    strengths: tuple[float, ...]
    route: str
    unread: tuple[str, ...] = ()
    read_as: str = ""


@lru_cache(maxsize=4096)
def resolve(name: str, form: str = "", route: str = "") -> Resolved:
    """The ingredients of a medicine as written, with its route."""
    return _resolve(tables(), name, form, route)


def _resolve(known: Tables, name: str, form: str, route: str) -> Resolved:
    names: list[KnownName] = []
    unread: list[str] = []
    for segment in SEPARATORS.split(plain(name)):
        found, rest = _read(known, _words(segment))
        names += found
        unread += rest if not found else []
    read_as = ""
    if not names and (guess := _guess(known, plain(name))):
        names, unread, read_as = [guess], [], guess.text
    ingredients = tuple(dict.fromkeys(part for one in names for part in one.means))
    written = route_of(known, route) or route_of(known, form) or route_of(known, name)
    brand = next((one.route for one in names if one.route), "")
    usual = known.ingredients[ingredients[0]].usual_route if ingredients else ""
    return Resolved(ingredients, strengths_of(name), written or brand or usual, tuple(unread), read_as)


def _words(segment: str) -> list[str]:
    return [word for word in re.sub(r"[,.](?!\d)|%", " ", segment).split() if word]


def _read(known: Tables, words: list[str]) -> tuple[list[KnownName], list[str]]:
    """The longest known names from the left; the words that mean nothing to the tables."""
    found: list[KnownName] = []
    unread: list[str] = []
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NAME, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + length])
            if _counts(known, phrase, found):
                found.append(known.names[phrase])
                at += length
                break
        else:
            unread += [words[at]] if _means_something(known, words[at]) else []
            at += 1
    return found, unread


def _counts(known: Tables, phrase: str, before: list[KnownName]) -> bool:
    """A salt's word belongs to the name before it: esomeprazole magnesium is one medicine."""
    return phrase in known.names and not (before and (phrase in known.salts or phrase == "magnesium"))


def _means_something(known: Tables, word: str) -> bool:
    letters = re.sub(r"[^a-z]", "", word)
    if len(letters) < 3 or letters in MASS or word in known.fillers or letters in known.fillers:
        return False
    if re.match(r"^[\d.,/]+", word) or word in known.salts:
        return False
    return not any(word in phrase.split() for phrase in known.forms)


def _guess(known: Tables, text: str) -> KnownName | None:
    """One slip in a long word: "warfarine", "paracetamollo". Two names as near as each other are no guess."""
    for word in _words(text):
        if len(word) < SHORTEST_SLIP or not word.isalpha() or not _means_something(known, word):
            continue
        near = process.extract(
            word, _long_names(), scorer=DamerauLevenshtein.distance, score_cutoff=1 + (len(word) >= 9), limit=2
        )
        if near and (len(near) == 1 or near[0][1] < near[1][1] or _same(known, near[0][0], near[1][0])):
            return known.names[near[0][0]]
    return None


def _same(known: Tables, one: str, other: str) -> bool:
    return known.names[one].means == known.names[other].means


@cache
def _long_names() -> tuple[str, ...]:
    return tuple(name for name in tables().names if len(name) >= SHORTEST_SLIP)


def route_of(known: Tables, text: str) -> str:
    """The route that a form or a phrase names; the longest phrase decides ("oral gel" is no gel for the skin)."""
    words = f" {re.sub(r'[^a-z-]', ' ', plain(text))} "
    words = f" {' '.join(words.split())} "
    hits = [phrase for phrase in known.forms if f" {phrase} " in words]
    return known.forms[max(hits, key=len)] if hits else _named_route(known, text)


def _named_route(known: Tables, text: str) -> str:
    wanted = plain(text)
    return wanted if wanted in frozenset(known.forms.values()) else ""
