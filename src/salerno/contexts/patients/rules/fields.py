"""Groups of fields of a patient's sheet, and the permission that opens each: one readable table, `data/fields.csv`.

What stands in no group is the sheet itself: who the patient is. `patients.read` opens it.
"""

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeVar

from msgspec import UNSET, structs

from salerno.contexts.patients.commands import PersonWish, SetEmergencyContacts, SetInsurance
from salerno.contexts.patients.events import Person

T = TypeVar("T", bound=Person)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of the sheet that are seen and changed together, by whoever holds the permission."""

    name: str
    fields: tuple[str, ...]
    permission: str


def _groups() -> tuple[Group, ...]:
    text = (resources.files("salerno.contexts.patients") / "data" / "fields.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Group(row["group"], tuple(row["fields"].split()), row["permission"]) for row in rows)


GROUPS = _groups()
CONTACT = "contact"
EMPTY: dict[str, Any] = structs.asdict(Person()) | {"consents": ()}


def group(name: str) -> Group:
    return next(one for one in GROUPS if one.name == name)


def fields_of(names: Collection[str]) -> tuple[str, ...]:
    """The fields of these groups."""
    return tuple(field for one in GROUPS if one.name in names for field in one.fields)


def without(record: T, names: Collection[str]) -> T:
    """The record as if nothing had been said in these groups."""
    return structs.replace(record, **{field: EMPTY[field] for field in fields_of(names)}) if names else record


def said_in(wish: PersonWish | SetEmergencyContacts | SetInsurance, names: Collection[str]) -> Iterable[str]:
    """The fields of these groups that a wish says anything of."""
    return (field for field in fields_of(names) if getattr(wish, field, UNSET) is not UNSET)
