"""What a patient can be found by, and what somebody who types is looking for.

Everything searchable becomes short texts, each marked with its kind; only their keyed tokens are stored.

    w:rossi         a word of the name          s:rs      how it sounds (Italian and English)
    p:ros           its beginnings, 3 to 6      q:mr rs   how two of them sound together
    b:1948-03-12    birth date                  t:123456  the last six digits of a phone
    n:142 m:…       MRN of our shape, others    e:… i:…   e-mail, any other identifier
    1:1948-03-12 rs birth date with the sound of a name: duplicates have one of these in common

Each costs a row of the index at every registration: what can be told when a card is opened is not kept here, and
a typing error is looked for in every way in which it may have come about, rather than kept in all of them.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from rapidfuzz.distance import DamerauLevenshtein

from salerno.contexts.patients.rules.names import sound_of, words_of

SHORTEST_BEGINNING, LONGEST_BEGINNING = 3, 6
LONGEST_WORD = 14  # letters of a word in which a slip is looked for
ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρσςτυφχψω", "абвгдежзийклмнопрстуфхцчшщъыьэюя")
MOST_WORDS = 8
MOST_IN_PAIRS = 4
LAST_DIGITS = 6
GOOD_ENOUGH = 0.6
NO_DIGITS = re.compile(r"\D+")
MRN = re.compile(r"\bMRN-?(\d{4})-?(\d{1,6})\b", re.IGNORECASE)
ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
TYPED = re.compile(r"\b(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b")
EMAIL = re.compile(r"\S+@\S+")
NUMBER = re.compile(r"(?<![\w-])\+?\d[\d\s()./-]{4,}\d(?![\w-])")


@dataclass(frozen=True, slots=True)
class Findable:
    """What a card offers to a search."""

    full_name: str
    birth_date: date | None
    mrn: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing looked for: a word of a name, or something that matches in one of several ways.

    `digits` are those of a number as typed: a phone must end in all of them, not in the last six only.
    """

    word: str = ""
    exactly: tuple[str, ...] = ()
    digits: str = ""
    mrn: str = ""


# ------------------------------------------------------------------ what is kept
def findable_texts(one: Findable) -> list[str]:
    texts: list[str] = []
    words = words_of(one.full_name)[:MOST_WORDS]
    for word in words:
        texts += [f"w:{word}", f"s:{sound_of(word)}", *beginnings(word)]
    texts += pair_texts(words)
    texts += number_texts(one)
    texts += duplicate_texts(one.full_name, one.birth_date)
    return sorted(set(texts))


def pair_texts(words: Iterable[str]) -> list[str]:
    sounds = sorted({sound_of(word) for word in words if len(word) >= SHORTEST_BEGINNING})[:MOST_IN_PAIRS]
    return [f"q:{one} {other}" for one, other in combinations(sounds, 2)]


def number_texts(one: Findable) -> list[str]:
    texts = [phone_text(phone) for phone in one.phones]
    texts += [f"e:{email.casefold()}" for email in one.emails]
    texts += [f"i:{plain_number(number)}" for number in one.identifiers]
    if one.mrn:
        texts.append(mrn_text(one.mrn))
    if one.birth_date:
        texts.append(f"b:{one.birth_date.isoformat()}")
    return texts


def beginnings(word: str) -> list[str]:
    return [f"p:{word[:length]}" for length in range(SHORTEST_BEGINNING, min(len(word), LONGEST_BEGINNING) + 1)]


def one_slip_from(word: str) -> set[str]:
    """Every word that one slip of the finger turns into this: a letter wrong, missing, too many, or two swapped."""
    if len(word) < 4:
        return set()
    letters = "".join(alphabet for alphabet in ALPHABETS if any(letter in alphabet for letter in word)) or word
    ways: set[str] = set()
    for at in range(min(len(word), LONGEST_WORD) + 1):
        head, tail = word[:at], word[at:]
        ways.update(f"{head}{letter}{tail}" for letter in letters)
        if tail:
            ways.add(f"{head}{tail[1:]}")
            ways.update(f"{head}{letter}{tail[1:]}" for letter in letters)
        if len(tail) > 1:
            ways.add(f"{head}{tail[1]}{tail[0]}{tail[2:]}")
    return ways - {word}


def phone_text(phone: str) -> str:
    return f"t:{digits_of(phone)[-LAST_DIGITS:]}"


def digits_of(phone: str) -> str:
    return NO_DIGITS.sub("", phone.partition(";")[0])


def mrn_text(mrn: str) -> str:
    found = MRN.fullmatch(mrn)
    return f"n:{int(found[2])}" if found else f"m:{mrn.casefold()}"


def plain_number(number: str) -> str:
    return re.sub(r"[\s./-]", "", number).casefold()


def duplicate_texts(name: str, born: date | None) -> list[str]:
    """Few people share one of these, so that looking for duplicates opens few cards."""
    if born is None:
        return []
    return [f"1:{born} {sound}" for sound in {sound_of(word) for word in words_of(name)[:MOST_WORDS]}]


def suspect_texts(one: Findable) -> list[str]:
    """Under which a duplicate of this person would be kept."""
    texts = duplicate_texts(one.full_name, one.birth_date)
    if one.birth_date and (swapped := _day_and_month_swapped(one.birth_date)):
        texts += duplicate_texts(one.full_name, swapped)
    texts += [phone_text(phone) for phone in one.phones]
    texts += [f"e:{email.casefold()}" for email in one.emails]
    texts += [f"i:{plain_number(number)}" for number in one.identifiers]
    return sorted(set(texts))


def lock_texts(name: str, born: date | None, numbers: list[str]) -> list[str]:
    """Two registrations that share one of these wait for each other, so that the second sees the first."""
    sounds = " ".join(sorted({sound_of(word) for word in words_of(name)[:MOST_WORDS]}))
    return sorted({f"l:{born} {sounds}", *(f"l:{plain_number(number)}" for number in numbers)})


def _day_and_month_swapped(born: date) -> date | None:
    return born.replace(month=born.day, day=born.month) if born.day <= 12 and born.day != born.month else None


# ------------------------------------------------------------------ what is asked
def terms_of(asked: str) -> list[Term]:
    """Dates, numbers, addresses and words, in whatever order they were typed."""
    terms: list[Term] = []

    def take(pattern: re.Pattern[str], read: Callable[[re.Match[str]], Term | None], text: str) -> str:
        while found := pattern.search(text):
            if term := read(found):
                terms.append(term)
            text = f"{text[: found.start()]} {text[found.end() :]}"
        return text

    rest = asked
    for pattern, read in PATTERNS:
        rest = take(pattern, read, rest)
    for piece in rest.split():
        if any(letter.isdigit() for letter in piece):
            terms.append(number_term(piece))
        else:
            terms += [Term(word=word) for word in words_of(piece)]
    return terms


def date_term(year: str, month: str, day: str, *, or_swapped: bool) -> Term | None:
    readings = [_date(year, month, day), *([_date(year, day, month)] if or_swapped else [])]
    texts = tuple(dict.fromkeys(f"b:{reading}" for reading in readings if reading))
    return Term(exactly=texts) if texts else None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def number_term(typed: str) -> Term:
    """A number may be a phone, the end of an MRN, or any identifier."""
    plain = plain_number(typed)
    texts = [f"i:{plain}", f"m:{typed.strip().casefold()}"]
    digits = NO_DIGITS.sub("", typed)
    if digits and len(digits) <= 6 and digits == plain:
        texts.append(f"n:{int(digits)}")
    if len(digits) >= LAST_DIGITS and not any(letter.isalpha() for letter in plain):
        texts.append(f"t:{digits[-LAST_DIGITS:]}")
    return Term(exactly=tuple(texts), digits=digits.lstrip("0"))


def exact_term(typed: str) -> Term:
    """Of a field that holds one number: it is not taken apart."""
    found = MRN.fullmatch(typed.strip())
    return mrn_term(found) if found else number_term(typed)


def mrn_term(found: re.Match[str]) -> Term:
    number = int(found[2])
    return Term(exactly=(f"n:{number}",), mrn=f"mrn-{found[1]}-{number:06d}")


PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Term | None]], ...] = (
    (EMAIL, lambda found: Term(exactly=(f"e:{found[0].casefold()}",))),
    (MRN, mrn_term),
    (ISO, lambda found: date_term(found[1], found[2], found[3], or_swapped=False)),
    (TYPED, lambda found: date_term(found[3], found[2], found[1], or_swapped=True)),
    (NUMBER, lambda found: number_term(found[0])),
)


def exact_texts(term: Term) -> tuple[str, ...]:
    return term.exactly or (f"w:{term.word}",)


def beginning_texts(term: Term) -> tuple[str, ...]:
    return term.exactly or (f"p:{term.word[:LONGEST_BEGINNING]}",)


def slip_texts(term: Term) -> tuple[str, ...]:
    if term.exactly:
        return term.exactly
    return (f"w:{term.word}", *beginning_texts(term), *sorted(f"w:{way}" for way in one_slip_from(term.word)))


def pair_texts_of(one: Term, other: Term) -> tuple[str, ...]:
    return tuple(pair_texts((one.word, other.word)))


def sound_texts(term: Term) -> tuple[str, ...]:
    return term.exactly or (f"s:{sound_of(term.word)}",)


# ------------------------------------------------------------------ how well it fits
REASONS = {"b": "birth_date", "t": "phone", "e": "email", "m": "mrn", "n": "mrn", "i": "identifier"}


def fit(terms: list[Term], one: Findable) -> tuple[float, list[str]]:
    """How well a card answers what was asked (0 to 1), and by what. 0 where a term finds nothing in it."""
    words = words_of(one.full_name)
    has = set(number_texts(one)) if any(term.exactly for term in terms) else set()
    total, reasons = 0.0, []
    for term in terms:
        score, reason = _fit_exactly(term, one, has) if term.exactly else _fit_word(term.word, words)
        if score < GOOD_ENOUGH:
            return 0.0, []
        total += score
        reasons.append(reason)
    return round(total / len(terms), 4) if terms else 0.0, list(dict.fromkeys(reasons))


def _fit_exactly(term: Term, one: Findable, has: set[str]) -> tuple[float, str]:
    for nth, text in enumerate(term.exactly):
        if text in has and _truly(text, term, one):
            return (0.9 if nth and text[0] == "b" else 1.0), REASONS[text[0]]
    return 0.0, ""


def _truly(text: str, term: Term, one: Findable) -> bool:
    """What is kept of phones and MRNs is their end only: the rest of what was typed must agree as well."""
    if term.mrn:
        return one.mrn.casefold() == term.mrn
    if text[0] != "t":
        return True
    dialled = [digits_of(phone) for phone in one.phones]
    return any(digits.endswith(term.digits) or term.digits.endswith(digits) for digits in dialled)


def _fit_word(typed: str, words: tuple[str, ...]) -> tuple[float, str]:
    if typed in words:
        return 1.0, "name"
    if begun := [word for word in words if word.startswith(typed)]:
        return 0.85 + 0.1 * len(typed) / min(map(len, begun)), "name_begins"
    return max((_alike(typed, word) for word in words), default=(0.0, ""))


def _alike(typed: str, word: str) -> tuple[float, str]:
    alike = DamerauLevenshtein.normalized_similarity(typed, word)
    if len(typed) >= 4 and alike * max(len(typed), len(word)) >= max(len(typed), len(word)) - 1.01:
        return max(0.7, 0.9 * alike), "name_similar"
    if sound_of(typed) == sound_of(word):
        return max(0.6, 0.8 * alike), "name_sounds_alike"
    return 0.8 * alike, "name_similar"
