"""Names that are taken for others: by characters that nobody sees, or by letters that look like other letters."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

OURS = "Salerno"
CLOSE = 0.8  # of two skeletons: "cardio" and "kardio" are 0.83
SHORTEST = 4  # anything shorter stands in too many names
BASE = re.compile(r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])\b")
# Each sign of the first line is taken for the letter below it: digits, Cyrillic, Greek.
SIGNS = "0135$|!iіїјѕаеорсухкмтвнгпԁһӏαβγεηικμνορστυχωı"
READ_AS = "olessllllljsaeopcyxkmtbhrndhlabyenlkuvopotuxwl"
LIKE = dict(zip(SIGNS, READ_AS, strict=True))
CONFUSED = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"})
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def is_odd(name: str) -> bool:
    """Whether it holds what nobody sees or types, or mixes alphabets that look alike within a word."""
    if any(unicodedata.category(one)[0] in "CZ" and one != " " for one in name):
        return True
    if any(unicodedata.category(one)[0] == "M" for one in unicodedata.normalize("NFC", name)):
        return True  # a mark that belongs to no letter
    return any(len({_alphabet(one) for one in word} & CONFUSED) > 1 for word in name.split())


def _alphabet(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0]


def skeleton(name: str) -> str:
    """What is left of a name for a hasty eye: no case, no accents, no signs between, look-alikes made one."""
    plain = unicodedata.normalize("NFKD", name)
    letters = "".join(_read_as(one) for one in plain)
    for pair, one in PAIRS:
        letters = letters.replace(pair, one)
    return letters


def _read_as(sign: str) -> str:
    if sign.casefold() in LIKE:
        return LIKE[sign.casefold()]
    if base := BASE.match(unicodedata.name(sign, "")):
        return LIKE.get(base[1].lower(), base[1].lower())
    return sign.casefold() if sign.isalnum() else ""


def is_ours(name: str) -> bool:
    """Whether a program calls itself what only we are called."""
    return skeleton(name) == skeleton(OURS)


def alike(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the known names, and ours, for which this one may be taken; in their order, each once."""
    mine = skeleton(name)
    return tuple(dict.fromkeys(one for one in (OURS, *known) if _alike(mine, skeleton(one))))


def _alike(mine: str, other: str) -> bool:
    if not mine or not other:
        return False
    if min(len(mine), len(other)) >= SHORTEST and (mine in other or other in mine):
        return True
    return mine == other or SequenceMatcher(None, mine, other).ratio() >= CLOSE
