"""Numbers that others gave a person: which are known, how each is checked, and what they betray of birth and sex."""

import csv
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module, resources
from typing import Any

from codicefiscale import codicefiscale
from stdnum.exceptions import ValidationError

from salerno.contexts.patients.events import Person

FISCAL_CODE = "codice-fiscale"
SYSTEM = re.compile(r"[a-z][a-z0-9-]{1,39}|https?://\S{1,190}|urn:\S{1,190}")
VALUE_LENGTH = 64
MONTHS = "ABCDEHLMPRST"
DIGITS_OF_HOMONYMS = str.maketrans("LMNPQRSTUV", "0123456789")


@dataclass(frozen=True, slots=True)
class System:
    """A numbering scheme with a check: `module` is python-stdnum's; `also` is under which names it travels."""

    code: str
    name: str
    country: str
    module: str
    also: tuple[str, ...] = ()


class BadIdentifier(ValueError):
    """`code` for programs, the sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@cache
def systems() -> dict[str, System]:
    """Every known scheme, by its code and by each other name under which it travels."""
    text = (resources.files("salerno.contexts.patients") / "data" / "identifier_systems.csv").read_text("utf-8")
    found: dict[str, System] = {}
    for row in csv.DictReader(text.splitlines()):
        system = System(row["code"], row["name"], row["country"], row["module"], tuple(row["also"].split()))
        for name in (system.code, *system.also):
            found[name.casefold()] = system
    return found


def uri_of_system(system: str) -> str:
    """The URI under which others know a numbering scheme: its official one, or one of ours."""
    known = systems().get(system.casefold())
    names = known.also if known else ()
    official = [name for name in names if "://" in name] or [name for name in names if name.startswith("urn:")]
    return official[0] if official else system if ":" in system else f"urn:salerno:identifier:{system}"


def clean_identifier(system: str, value: str, country: str) -> tuple[str, str, str]:
    """System, value and country in their canonical spelling, or BadIdentifier."""
    known = systems().get(system.strip().casefold())
    if known is None:
        return _unknown(system.strip(), value.strip(), country)
    try:
        return known.code, str(_checker(known.module).validate(value)), known.country
    except ValidationError:
        raise BadIdentifier("not-valid", f"This is not a valid {known.name}.") from None


def _unknown(system: str, value: str, country: str) -> tuple[str, str, str]:
    if not SYSTEM.fullmatch(system):
        raise BadIdentifier("unknown-system", "Name the numbering system: a short code or an address (URI).")
    if not value or len(value) > VALUE_LENGTH or not value.isprintable():
        raise BadIdentifier("not-valid", f"An identifier has 1 to {VALUE_LENGTH} characters.")
    return system, value, country


@cache
def _checker(module: str) -> Any:
    return import_module(f"stdnum.{module}")


def fiscal_code_of(person: Person) -> str:
    return next((one.value for one in person.identifiers if one.system == FISCAL_CODE and len(one.value) == 16), "")


def fiscal_code_doubts(person: Person) -> list[str]:
    """Which of name, birth date and sex a fiscal code contradicts. Never a refusal: registry offices err too."""
    code = fiscal_code_of(person)
    if not code:
        return []
    doubts = []
    names = codicefiscale.encode_lastname(person.family_name) + codicefiscale.encode_firstname(person.given_name)
    if code[:6] != names:
        doubts.append("name")
    born, sex = born_and_sex(code, person.birth_date)
    if person.birth_date and born and born != person.birth_date:
        doubts.append("date_of_birth")
    if person.gender in ("male", "female") and sex != person.gender:
        doubts.append("gender")
    return doubts


def born_and_sex(code: str, near: date | None) -> tuple[date | None, str]:
    """The birth date (its century as in `near`) and sex that a fiscal code carries."""
    year = int(code[6:8].translate(DIGITS_OF_HOMONYMS))
    month = MONTHS.index(code[8]) + 1
    day = int(code[9:11].translate(DIGITS_OF_HOMONYMS))
    century = (near.year if near else 2000) // 100 * 100
    try:
        born = date(century + year, month, day - 40 if day > 40 else day)
    except ValueError:
        born = None
    return born, "female" if day > 40 else "male"
