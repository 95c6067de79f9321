"""Doses in words, English and Italian, read as numbers: how much, how often, for how many days.

Whatever cannot be read is None. It is never guessed: the screening says that the dose was not checked.
"""

import re
from dataclasses import dataclass

from salerno.contexts.prescribing.data.tables import plain
from salerno.contexts.prescribing.events import Medication

MASS = {"g": 1000.0, "mg": 1.0, "mcg": 0.001, "ug": 0.001, "microgram": 0.001, "micrograms": 0.001, "gr": 1000.0}
UNITS = {"iu", "ui", "u", "unit", "units", "unita"}
IU_PER_MG = {"enoxaparin": 100.0}
NUMBER_WORDS = {
    "half": 0.5, "mezza": 0.5, "mezzo": 0.5, "one": 1, "a": 1, "an": 1, "una": 1, "un": 1, "uno": 1, "two": 2, "due": 2,
    "three": 3, "tre": 3, "four": 4, "quattro": 4, "five": 5, "cinque": 5, "six": 6, "sei": 6, "once": 1, "twice": 2,
    "thrice": 3, "1/2": 0.5, "1/4": 0.25,
}  # fmt: skip
NUM = r"(\d+(?:[.,]\d+)?(?:/\d+)?|" + "|".join(sorted(map(re.escape, NUMBER_WORDS), key=len, reverse=True)) + ")"
RANGE = rf"{NUM}(?:\s*(?:-|to|or|o|a)\s*{NUM})?"
MASS_NAMES = "|".join(sorted(MASS, key=len, reverse=True))
COUNTED = (
    r"(?:tablets?|tabs?|capsules?|caps|sachets?|vials?|ampoules?|suppositor(?:y|ies)|puffs?|patch(?:es)?|doses?|pills?"
    r"|compress[ae]|cpr|cp|capsul[ae]|cps|bustin[ae]|fial[ae]|suppost[ae]|cerott[io]|dos[ei]|pastigli[ae]|confett[io])"
)
STRENGTH = re.compile(
    rf"(\d+(?:[.,]\d+)?)\s*(?:/\s*(\d+(?:[.,]\d+)?)\s*)?({MASS_NAMES}|iu|ui)\b"
    r"(\s*/\s*\d*(?:[.,]\d+)?\s*(?:ml|h|actuat|dose)\b)?"
)
AMOUNT = re.compile(rf"{RANGE}\s*({MASS_NAMES}|iu|ui|units?|unita)\b(\s*/\s*kg)?(?!\s*/\s*\d*\s*(?:ml|h)\b)")
PIECES = re.compile(rf"\b{RANGE}\s*{COUNTED}\b")
SIZED_PIECES = re.compile(rf"\b{NUM}\s*{COUNTED}\s*(?:da|of|x|di)\s*{NUM}\s*({MASS_NAMES})\b")
PATTERN = re.compile(r"\b(\d(?:[.,]\d)?)\s*[-+]\s*(\d(?:[.,]\d)?)\s*[-+]\s*(\d(?:[.,]\d)?)(?:\s*[-+]\s*(\d))?\b")
DAY = (
    r"(?:(?:per|a|an|al|ogni|every|each|in a|il)\s+(?:day|die|di|giorno|24\s*h(?:ours)?)"
    r"|/\s*(?:day|die|giorno|24\s*h)|daily|die|giornalier[aeoi])"
)
WEEK = r"(?:(?:per|a|alla|ogni|every|each|la)\s+(?:week|settimana)|/\s*(?:week|settimana)|weekly|settimanal[ei])"
LASTING = re.compile(
    rf"\b(?:for|per|x|during|durante)\s+{RANGE}\s*(?:days?|giorn[io]|gg|weeks?|settiman[ae]|months?|mes[ei])\b"
)
LATIN = {
    "od": 1,
    "qd": 1,
    "bd": 2,
    "bid": 2,
    "b.i.d": 2,
    "tid": 3,
    "tds": 3,
    "t.i.d": 3,
    "qid": 4,
    "qds": 4,
    "q.i.d": 4,
}
MOMENTS = (
    "morning", "noon", "midday", "lunch", "afternoon", "evening", "bedtime", "night", "breakfast", "dinner", "supper",
    "mattina", "mattino", "pranzo", "mezzogiorno", "pomeriggio", "sera", "notte", "colazione", "cena", "coricarsi",
)  # fmt: skip
SAME_MOMENT = {"mattino": "mattina", "midday": "noon", "night": "bedtime", "lunch": "noon", "notte": "coricarsi"}
DURATION = re.compile(
    rf"\b{RANGE}\s*(days?|giorn[io]|gg|d|weeks?|settiman[ae]|sett|w|months?|mes[ei]|years?|ann[io])\b"
)
DAYS_IN = {"d": 1, "g": 1, "w": 7, "s": 7, "m": 30, "y": 365, "a": 365}


@dataclass(frozen=True, slots=True)
class Amount:
    """`pieces` counts tablets and the like; otherwise `value` is in mg, IU or (with `per_kg`) mg for each kilogram."""

    value: float
    unit: str
    per_kg: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Doses in `every_days` days."""

    times: float
    every_days: int = 1

    @property
    def per_day(self) -> float:
        return self.times / self.every_days


@dataclass(frozen=True, slots=True)
class Regimen:
    """One line's dose as understood: what at once, how often, for how long."""

    amount: Amount | None
    rhythm: Rhythm | None
    days: float | None


def regimen(line: Medication) -> Regimen:
    """The numbers if the line brings them, else what its words say."""
    days = days_of(line.duration)
    if line.dose is not None:
        given = _structured(line.dose.amount, line.dose.unit)
        often = line.dose.times_per_day
        rhythm = Rhythm(often, line.dose.every_days) if often is not None else rhythm_of(line.frequency)
        return Regimen(given, rhythm, days)
    texts = (line.frequency, line.dosage, line.instructions)
    rhythm = next((found for text in texts if (found := rhythm_of(text))), None)
    amount = amount_of(line.dosage) or amount_of(line.instructions) or amount_of(line.frequency)
    if amount is None and not line.dosage.strip():
        amount = Amount(1, "piece")
    return Regimen(_bundled(amount, line), rhythm, days)


def _bundled(amount: Amount | None, line: Medication) -> Amount | None:
    """In "1-0-1" the numbers count pieces already, whatever strength stands beside them."""
    if amount and amount.unit == "piece" and any(PATTERN.search(plain(t)) for t in (line.frequency, line.dosage)):
        return Amount(1, "piece")
    return amount


def _structured(amount: float, unit: str) -> Amount | None:
    name = plain(unit)
    if name in MASS:
        return Amount(amount * MASS[name], "mg")
    if name == "mg/kg":
        return Amount(amount, "mg", per_kg=True)
    if name in UNITS:
        return Amount(amount, "IU")
    return Amount(amount, "piece") if re.fullmatch(COUNTED, name) else None


def amount_of(text: str) -> Amount | None:
    """ "500 mg", "1-2 compresse", "1 g": the larger end of a range."""
    words = plain(text)
    if found := SIZED_PIECES.search(words):
        return Amount(_number(found[1]) * _number(found[2]) * MASS[found[3]], "mg")
    if found := AMOUNT.search(words):
        value = max(_number(found[1]), _number(found[2] or "0"))
        if found[3] in MASS:
            return Amount(value * MASS[found[3]], "mg", per_kg=bool(found[4]))
        return Amount(value, "IU")
    if found := PIECES.search(words):
        return Amount(max(_number(found[1]), _number(found[2] or "0")), "piece")
    if re.fullmatch(NUM, words):
        return Amount(_number(words), "piece")
    return Amount(1, "piece") if PATTERN.search(words) else None


def _number(text: str) -> float:
    if text in NUMBER_WORDS:
        return float(NUMBER_WORDS[text])
    whole, _, part = text.replace(",", ".").partition("/")
    return float(whole) / float(part) if part and float(part) else float(whole)


def rhythm_of(text: str) -> Rhythm | None:
    """How often: "three times a day", "ogni 8 ore", "1-0-1", "tid", "una volta a settimana"."""
    words = LASTING.sub(" ", plain(text))
    if not words.strip():
        return None
    for read in (_pattern, _weekly, _hours, _times, _latin, _alternate, _moments, _plain_daily):
        if found := read(words):
            return found
    return None


def _pattern(words: str) -> Rhythm | None:
    found = PATTERN.search(words)
    total = sum(_number(part) for part in found.groups() if part) if found else 0.0
    return Rhythm(total) if total else None


def _weekly(words: str) -> Rhythm | None:
    if found := re.search(rf"\b{RANGE}\s*(?:times?|volt[ae]|x|doses?|dos[ei]|{COUNTED})?\s*{WEEK}\b", words):
        return Rhythm(max(_number(found[1]), _number(found[2] or "0")), 7)
    if found := re.search(rf"\b(?:every|ogni)\s+{NUM}\s+(?:weeks|settimane)\b", words):
        return Rhythm(1, int(7 * _number(found[1])))
    if re.search(rf"(?<!\w){WEEK}\b", words):
        return Rhythm(1, 7)
    if re.search(r"\b(?:monthly|mensile|al mese|(?:a|per) month|every month|ogni mese)\b", words):
        return Rhythm(1, 30)
    return None


def _hours(words: str) -> Rhythm | None:
    found = re.search(rf"\b(?:every|ogni|q)\s*{RANGE}\s*(?:h|hr|hrs|hours?|or[ae])\b", words)
    hours = _number(found[1]) if found else 0.0
    return Rhythm(24 / hours) if hours else None


def _times(words: str) -> Rhythm | None:
    if found := re.search(rf"\b{RANGE}\s*(?:times?|volt[ae]|x|dos[ei]|doses?|{COUNTED})?\s*(?:{DAY})\b", words):
        count = max(_number(found[1]), _number(found[2] or "0"))
        return Rhythm(1 if re.search(rf"{COUNTED}\s*(?:{DAY})\b", words) else count)
    if found := re.search(rf"\bx\s*{NUM}\b(?:\s*(?:{DAY}))?", words):
        return Rhythm(_number(found[1]))
    return None


def _latin(words: str) -> Rhythm | None:
    return next((Rhythm(LATIN[word]) for word in words.split() if word in LATIN), None)


def _alternate(words: str) -> Rhythm | None:
    if re.search(r"\b(?:every other day|alternate days|on alternate|giorni alterni|qod)\b", words):
        return Rhythm(1, 2)
    found = re.search(rf"\b(?:every|ogni)\s+{NUM}\s+(?:days|giorni)\b", words)
    return Rhythm(1, max(int(_number(found[1])), 1)) if found else None


def _moments(words: str) -> Rhythm | None:
    found = {SAME_MOMENT.get(moment, moment) for moment in MOMENTS if re.search(rf"\b{moment}\b", words)}
    return Rhythm(len(found)) if found else None


def _plain_daily(words: str) -> Rhythm | None:
    if re.search(r"\b(?:once|una tantum|single dose|dose unica|stat)\b", words):
        return Rhythm(1)
    return Rhythm(1) if re.search(rf"(?<!\w)(?:{DAY})\b", words) else None


def days_of(text: str) -> float | None:
    found = DURATION.search(plain(text))
    if not found:
        return None
    return max(_number(found[1]), _number(found[2] or "0")) * DAYS_IN[found[3][0]]


def strengths_of(name: str) -> tuple[float, ...]:
    """What one piece holds of each ingredient in mg, in the order written: "875/125 mg" is two; none in a solution."""
    found: list[float] = []
    for one in STRENGTH.finditer(plain(name)):
        if one[4] or one[3] not in MASS:
            return ()
        found += [_number(part) * MASS[one[3]] for part in one.group(1, 2) if part]
    return tuple(found)


def milligrams(amount: Amount, ingredient: str, strength: float | None, weight: float | None) -> float | None:
    """The dose at once in mg, if it can be told."""
    if amount.per_kg:
        return amount.value * weight if weight else None
    if amount.unit == "mg":
        return amount.value
    if amount.unit == "IU":
        return amount.value / IU_PER_MG[ingredient] if ingredient in IU_PER_MG else None
    return amount.value * strength if strength else None
