"""Names of people: taking them apart, and the forms under which they are compared and found."""

import re
import unicodedata
from functools import lru_cache

PARTICLES = frozenset({
    "d", "da", "dal", "dall", "dalla", "dalle", "dallo", "de", "degli", "dei", "del", "dell", "della", "delle", "dello",
    "di", "do", "dos", "du", "el", "la", "le", "li", "lo", "mac", "mc", "o", "of", "san", "santa", "st", "ten", "ter",
    "van", "vande", "vander", "den", "der", "von", "zu",
})  # fmt: skip
APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})
NOT_A_WORD = re.compile(r"[^\w]+|_+")


@lru_cache(maxsize=20_000)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a name as compared: no case, no accents; an apostrophe joins ("D'Angelo" is dangelo)."""
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", text.casefold()).translate(LETTERS).translate(APOSTROPHES)
        text = "".join(letter for letter in folded if not unicodedata.combining(letter))
    plain = text.casefold().replace("'", "").replace("`", "")
    return tuple(word for word in NOT_A_WORD.split(plain) if word)


def split_full_name(full: str) -> tuple[str, str]:
    """Given name and family name of a name written in one go; "Rossi, Maria" and "Maria De Luca" are understood."""
    if "," in full:
        family, _, given = full.partition(",")
        return given.strip(), family.strip()
    parts = full.split()
    if len(parts) < 2:
        return "", full.strip()
    first = len(parts) - 1
    while first > 1 and _is_particle(parts[first - 1]):
        first -= 1
    return " ".join(parts[:first]), " ".join(parts[first:])


def _is_particle(word: str) -> bool:
    plain = word.casefold().translate(APOSTROPHES).rstrip(".'")
    return plain in PARTICLES


# Letters that Italian and English spellings of one sound share. Longest first; what is not named stays.
SOUNDS = (
    ("tsch", "c"), ("sch", "sk"), ("tch", "c"), ("ck", "k"), ("ch", "k"), ("gh", "g"), ("gn", "n"), ("gl", "l"),
    ("ph", "f"), ("pf", "f"), ("th", "t"), ("dh", "t"), ("wh", "v"), ("qu", "k"), ("sh", "s"), ("cz", "s"),
    ("sce", "se"), ("sci", "si"), ("ce", "se"), ("ci", "si"), ("cy", "si"), ("ge", "je"), ("gi", "ji"), ("kn", "n"),
    ("x", "ks"), ("q", "k"), ("c", "k"), ("z", "s"), ("w", "v"), ("d", "t"), ("b", "p"), ("g", "k"), ("j", "j"),
)  # fmt: skip
SOUND = re.compile("|".join(re.escape(spelling) for spelling, _ in SOUNDS))
AS_HEARD = dict(SOUNDS)
VOWELS = str.maketrans("", "", "aeiouyh")
TWICE = re.compile(r"(.)\1+")


@lru_cache(maxsize=20_000)
def sound_of(word: str) -> str:
    """A coarse key under which spellings that sound alike, in Italian or English, fall together.

    Only candidates are found by it; how alike they are is then measured on the names themselves.
    """
    heard = SOUND.sub(lambda found: AS_HEARD[found.group()], TWICE.sub(r"\1", word))
    first = "a" if heard[:1] in set("aeiouyh") else heard[:1]
    rest = heard[1:].translate(VOWELS)
    return TWICE.sub(r"\1", first + rest)[:6]
