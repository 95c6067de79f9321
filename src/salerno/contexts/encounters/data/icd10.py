"""ICD-10-CM in memory: find a code by its letters, by words, by beginnings of words, or in spite of a slip.

The index is one file, made by scripts/icd10.py. Its nodes lie in order of how often they are used in
ambulatory care, so that a smaller number is always the better answer.
"""

import gzip
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from heapq import nsmallest
from importlib import resources

import msgspec
from msgspec import Struct
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

FILE = "icd10cm.index.gz"
CODE = re.compile(r"[A-Z][0-9][0-9A-Z]{0,5}")
STOP = frozenset((resources.files(__package__) / "stop_words.txt").read_text("utf-8").split())
SEPARATOR = "\n"
SHORTEST_SLIP = 4  # letters; in a shorter word one slip makes another word


class NoIndex(RuntimeError):
    """The index file was not built."""

    def __init__(self) -> None:
        super().__init__(f"{FILE} is missing: run `python scripts/icd10.py` (make setup does).")


class DiagnosisCode(Struct, frozen=True, kw_only=True):
    """One code as a person picks it. `billable` says that the classification has nothing finer below it."""

    code: str
    display: str
    italian: str = ""
    billable: bool = True


class Packed(Struct, frozen=True, kw_only=True):
    """The file's content. `postings` lists for each word the nodes that hold it; `starts` where each list begins."""

    release: str
    common: int
    codes: str
    displays: str
    italian: str
    leaves: bytes
    words: str
    postings: bytes
    starts: bytes
    by_code: bytes


def words_of(text: str) -> list[str]:
    """Lower-case words without accents and without those that carry no meaning."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return [word for word in re.findall(r"[a-z0-9]+", plain) if word not in STOP]


def bare(code: str) -> str:
    """A code without dots and spaces, in capitals."""
    return re.sub(r"[\s.]", "", code).upper()


class Index:
    """The unpacked file. Nothing in it changes after it was made."""

    def __init__(self, packed: Packed) -> None:
        self.release = packed.release
        self._common = packed.common
        self._codes = packed.codes.split(SEPARATOR)
        self._displays = packed.displays.split(SEPARATOR)
        self._italian = packed.italian.split(SEPARATOR)
        self._leaves = packed.leaves
        self._words = packed.words.split(SEPARATOR)
        self._postings = array("I", packed.postings)
        self._starts = array("I", packed.starts)
        self._by_code = array("I", packed.by_code)

    def __len__(self) -> int:
        return len(self._codes)

    def lookup(self, code: str) -> DiagnosisCode | None:
        """The code as it is officially written, whatever its case, dots and spaces."""
        wanted = bare(code)
        place = self._place_of(wanted)
        if place < len(self._by_code) and bare(self._codes[self._by_code[place]]) == wanted:
            return self._node(self._by_code[place])
        return None

    def find(self, text: str, limit: int = 20) -> list[DiagnosisCode]:
        """The best `limit` answers. Less than two letters find nothing."""
        compact = bare(text)
        if CODE.fullmatch(compact) and (found := self._below(compact, limit)):
            return [self._node(number) for number in found]
        words = [word for word in words_of(text) if len(word) > 1 or word.isdigit()]
        if not any(len(word) > 1 for word in words):
            return []
        return [self._node(number) for number in self._by_words(words, limit)]

    def _place_of(self, compact: str) -> int:
        return bisect_left(self._by_code, compact, key=lambda number: bare(self._codes[number]))

    def _below(self, compact: str, limit: int) -> list[int]:
        place = self._place_of(compact)
        numbers = self._by_code[place : place + limit]
        return [number for number in numbers if bare(self._codes[number]).startswith(compact)]

    def _by_words(self, words: Sequence[str], limit: int) -> list[int]:
        exact = _in_all([self._holding([word]) for word in words])
        wide = _in_all([self._holding(self._like(word)) for word in words])
        return nsmallest(limit, wide, key=lambda number: (number >= self._common, number not in exact, number))

    def _like(self, word: str) -> list[str]:
        """The words that begin so; where there is none, those that differ by a slip or two."""
        place = bisect_left(self._words, word)
        end = bisect_left(self._words, word + "\uffff")
        if end > place:
            return self._words[place : place + 1] if word.isdigit() else self._words[place:end]
        if len(word) < SHORTEST_SLIP:
            return []
        slips = 2 if len(word) > 5 else 1
        return self._near(word, self._words, slips) or self._near(word, self._beginnings(len(word)), slips)

    def _near(self, word: str, among: Sequence[str], slips: int) -> list[str]:
        found = process.extract(word, among, scorer=DamerauLevenshtein.distance, score_cutoff=slips, limit=None)
        nearest = min((distance for _, distance, _ in found), default=0)
        return [self._words[number] for _, distance, number in found if distance == nearest]

    def _beginnings(self, length: int) -> list[str]:
        return [word[:length] for word in self._words]

    def _holding(self, words: Iterable[str]) -> set[int]:
        numbers: set[int] = set()
        for word in words:
            place = bisect_left(self._words, word)
            if place < len(self._words) and self._words[place] == word:
                numbers.update(self._postings[self._starts[place] : self._starts[place + 1]])
        return numbers

    def _node(self, number: int) -> DiagnosisCode:
        return DiagnosisCode(
            code=self._codes[number],
            display=self._displays[number],
            italian=self._italian[number] if number < self._common else "",
            billable=self._leaves[number] == 1,
        )


def _in_all(sets: Sequence[set[int]]) -> set[int]:
    return set.intersection(*sorted(sets, key=len))


@cache
def index() -> Index:
    """The index of this process, read once."""
    file = resources.files(__package__) / FILE
    if not file.is_file():
        raise NoIndex()
    return Index(msgspec.msgpack.decode(gzip.decompress(file.read_bytes()), type=Packed))
