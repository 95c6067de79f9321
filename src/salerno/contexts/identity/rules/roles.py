"""Roles, what they may do (`data/roles.csv`) and whom they may appoint (`data/grants.csv`): two readable tables."""

import csv
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache
from importlib import resources

from salerno.kernel.errors import Invalid


class Role(StrEnum):
    SUPER_ADMIN = "SUPER_ADMIN"
    ADMIN = "ADMIN"
    DOCTOR = "DOCTOR"
    NURSE = "NURSE"
    RECEPTIONIST = "RECEPTIONIST"
    PHARMACIST = "PHARMACIST"
    LAB_TECHNICIAN = "LAB_TECHNICIAN"
    PATIENT = "PATIENT"


SENSITIVE = frozenset({Role.SUPER_ADMIN, Role.ADMIN, Role.DOCTOR, Role.PHARMACIST})
ENROLMENT = frozenset({"identity.read_self", "identity.change_self"})


class BadTable(Exception):
    """A table of rights that does not say clearly who may do what. The process does not start."""


OWN = "own"
CONDITIONS = ("care", "location")  # as kernel/wards.py asks them


def cells_of(text: str) -> tuple[str, ...]:
    """A cell in its parts: `yes` alone, or one or several of own, care and location joined by "+". ValueError else."""
    if text in ("", "yes"):
        return (text,) if text else ()
    parts = tuple(text.split("+"))
    if len(set(parts)) != len(parts) or not set(parts) <= {OWN, *CONDITIONS}:
        raise ValueError(text)
    return parts


def spelled(permission: str, cell: str) -> frozenset[str]:
    """A cell as a caller holds it: `records.read`, or `records.read:own` and the like. ValueError for no cell."""
    return frozenset(permission if part == "yes" else f"{permission}:{part}" for part in cells_of(cell))


def cell_in(held: Collection[str], permission: str) -> str:
    """The cell that these names make up for a permission; "yes" says everything."""
    if permission in held:
        return "yes"
    return "+".join(part for part in (OWN, *CONDITIONS) if f"{permission}:{part}" in held)


def role_of(text: str) -> Role:
    """A role by its name: DOCTOR, doctor and Lab Technician are understood."""
    try:
        return Role(text.strip().upper().replace(" ", "_").replace("-", "_"))
    except ValueError:
        raise Invalid.field("role", "unknown-role", "There is no such role.") from None


def is_shipped(role: str) -> bool:
    """Whether it is one of the eight, and none that an organisation made."""
    return role in Role.__members__


def permissions_of(role: str, *, alone: bool = False) -> frozenset[str]:
    """What a role may do. `alone`: where there is one organisation, its administrator reaches all of it (C-08)."""
    held = _permissions().get(role, frozenset())
    if alone and role == Role.ADMIN:
        return held | _permissions()[Role.SUPER_ADMIN]
    return held


@cache
def holders_of(permission: str) -> frozenset[str]:
    """Which of the eight hold a permission in any way; patients apart."""
    return frozenset(
        role.value for role in Role if role is not Role.PATIENT and cell_in(permissions_of(role), permission)
    )


@cache
def of_everybody() -> frozenset[str]:
    """What every role may do: to read and change one's own account, and the like."""
    return frozenset.intersection(*(permissions_of(role) for role in Role))


@cache
def named_permissions() -> frozenset[str]:
    """Every permission that has a row."""
    return frozenset(listed_permissions())


@cache
def listed_permissions() -> tuple[str, ...]:
    """Every permission that has a row, by its name."""
    return tuple(sorted(row["permission"] for row in _rows("roles.csv")))


def may_grant(granter: str, target: str) -> bool:
    """Whether somebody with the first role may give, take or touch the second."""
    return (granter, target) in _grants()


@cache
def _permissions() -> dict[str, frozenset[str]]:
    held: dict[str, set[str]] = {role.value: set() for role in Role}
    seen: set[str] = set()
    for row in _rows("roles.csv"):
        name = row["permission"]
        if name in seen or "." not in name:
            raise BadTable(f"roles.csv: {name} stands twice or is no permission")
        seen.add(name)
        for role in Role:
            try:
                held[role] |= spelled(name, row[role.value])
            except ValueError:
                raise BadTable(f"roles.csv: {name} says {row[role.value]}") from None
    return {role: frozenset(names) for role, names in held.items()}


@cache
def _grants() -> frozenset[tuple[str, str]]:
    return frozenset(
        (row["granter"], role.value) for row in _rows("grants.csv") for role in Role if row[role.value] == "yes"
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files("salerno.contexts.identity") / "data" / name).read_text("utf-8")
    reader = csv.DictReader(line for line in text.splitlines() if line.strip())
    if (reader.fieldnames or [])[1:] != [role.value for role in Role]:
        raise BadTable(f"{name}: the columns are not the eight roles")
    for row in reader:
        if None in row or None in row.values():
            raise BadTable(f"{name}: {row.get('permission') or row.get('granter')} has too few or too many columns")
        yield row
