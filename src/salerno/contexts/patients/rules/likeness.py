"""How strongly two sets of demographics speak for one person: weights of evidence, after Fellegi and Sunter.

Each field compared adds log2(m / u): how much oftener this agreement is seen between two records of one
person (m) than between two people drawn at random (u). The sum, with the odds of meeting the same person
again at all as its starting point, gives a probability. The m and u below are for a practice of some tens
of thousands of patients with Italian and English names; m allows for typing errors of a few in a hundred.

| Agreement                            | m     | u          | bits |
|--------------------------------------|-------|------------|------|
| same national number                 | 0.99  | 1/10^8     | 26.6 |
| another number of the same system    | 0.005 | 1          | -7.6 |
| birth date                           | 0.95  | 1/25 000   | 14.5 |
| birth date, day and month swapped    | 0.01  | 1/80 000   |  9.6 |
| birth date, one part differs         | 0.02  | 1/600      |  3.6 |
| another birth date                   | 0.02  | 1          | -5.6 |
| family name                          | 0.92  | 1/300      |  8.1 |
| given name                           | 0.90  | 1/60       |  5.8 |
| family name, nearly                  | 0.05  | 1/500      |  4.6 |
| given name, nearly                   | 0.06  | 1/150      |  3.2 |
| another family name                  | 0.03  | 1          | -5.1 |
| another given name (twins have one)  | 0.003 | 1          | -8.4 |
| phone, with both names               | 0.60  | 1/2 000    | 10.2 |
| phone or e-mail of a household       | 0.60  | 1/30       |  4.2 |
| e-mail, with both names              | 0.50  | 1/2 000    | 10.0 |
| another sex                          | 0.005 | 1/2        | -6.6 |
"""

from dataclasses import dataclass
from datetime import date
from math import log2

from rapidfuzz.distance import JaroWinkler

from salerno.contexts.patients.rules.names import sound_of, words_of

SAME_PERSON_AGAIN = log2(1 / 50_000)
NEARLY = 0.90
WEIGHTS = {
    "identifier": 26.6, "identifier-differs": -7.6,
    "birth-date": 14.5, "birth-date-swapped": 9.6, "birth-date-nearly": 3.6, "birth-date-differs": -5.6,
    "family-name": 8.1, "given-name": 5.8, "family-name-nearly": 4.6, "given-name-nearly": 3.2,
    "family-name-differs": -5.1, "given-name-differs": -8.4,
    "phone": 10.2, "household": 4.2, "email": 10.0, "gender-differs": -6.6, "names-swapped": -2.0,
}  # fmt: skip
NAMES_AGREE = frozenset({"family-name", "family-name-nearly"}), frozenset({"given-name", "given-name-nearly"})


@dataclass(frozen=True, slots=True)
class Traits:
    """The demographics that tell people apart."""

    given_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    gender: str = "unknown"
    phones: frozenset[str] = frozenset()
    email: str = ""
    identifiers: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score` is the probability of being one person; `reasons` are the fields that spoke, for and against."""

    score: float
    reasons: tuple[str, ...]


def likeness(one: Traits, other: Traits) -> Likeness:
    reasons = _names(one, other)
    reasons += _birth_dates(one.birth_date, other.birth_date)
    reasons += _numbers(one, other, both_names=all(found & set(reasons) for found in NAMES_AGREE))
    if {one.gender, other.gender} == {"male", "female"}:
        reasons.append("gender-differs")
    bits = SAME_PERSON_AGAIN + sum(WEIGHTS[reason] for reason in reasons)
    return Likeness(round(1 / (1 + 2.0**-bits), 4), tuple(reasons))


def _names(one: Traits, other: Traits) -> list[str]:
    straight = _name_pair(one.given_name, one.family_name, other)
    swapped = _name_pair(one.family_name, one.given_name, other)
    if len(swapped) < 2 or any(reason.endswith("-differs") for reason in swapped):
        return straight
    exact = all(reason in ("given-name", "family-name") for reason in swapped)
    swapped = [
        *(("given-name", "family-name") if exact else ("given-name-nearly", "family-name-nearly")),
        "names-swapped",
    ]
    return max(straight, swapped, key=lambda reasons: sum(WEIGHTS[reason] for reason in reasons))


def _name_pair(given: str, family: str, other: Traits) -> list[str]:
    return _name("given-name", given, other.given_name) + _name("family-name", family, other.family_name)


def _name(field: str, one: str, other: str) -> list[str]:
    first, second = words_of(one), words_of(other)
    if not first or not second:
        return []
    if first == second or "".join(first) == "".join(second):
        return [field]
    if set(first) & set(second) and field == "given-name":
        return [f"{field}-nearly"]
    near = JaroWinkler.similarity("".join(first), "".join(second))
    alike = near >= NEARLY or (near >= 0.8 and [*map(sound_of, first)] == [*map(sound_of, second)])
    return [f"{field}-nearly" if alike else f"{field}-differs"]


def _birth_dates(one: date | None, other: date | None) -> list[str]:
    if one is None or other is None:
        return []
    if one == other:
        return ["birth-date"]
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return ["birth-date-swapped"]
    parts = (one.year == other.year) + (one.month == other.month) + (one.day == other.day)
    return ["birth-date-nearly" if parts == 2 else "birth-date-differs"]


def _numbers(one: Traits, other: Traits, *, both_names: bool) -> list[str]:
    reasons: list[str] = []
    if one.identifiers & other.identifiers:
        reasons.append("identifier")
    elif {system for system, _ in one.identifiers} & {system for system, _ in other.identifiers}:
        reasons.append("identifier-differs")
    phone = bool(one.phones & other.phones)
    email = bool(one.email) and one.email.casefold() == other.email.casefold()
    if not both_names:
        return [*reasons, "household"] if phone or email else reasons
    return reasons + ["phone"] * phone + ["email"] * email
