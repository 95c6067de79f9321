"""Roles, what they may do (`data/roles.csv`) and whom they may appoint (`data/grants.csv`): two readable tables."""

import csv
from collections.abc import Iterator
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


def role_of(text: str) -> Role:
    """A role by its name: DOCTOR, doctor and Lab Technician are understood."""
    try:
        return Role(text.strip().upper().replace(" ", "_").replace("-", "_"))
    except ValueError:
        raise Invalid.field("role", "unknown-role", "There is no such role.") from None


def permissions_of(role: str, *, alone: bool = False) -> frozenset[str]:
    """What a role may do. `alone`: where there is one organisation, its administrator reaches all of it (C-08)."""
    held = _permissions().get(role, frozenset())
    if alone and role == Role.ADMIN:
        return held | _permissions()[Role.SUPER_ADMIN]
    return held


def named_permissions() -> frozenset[str]:
    """Every permission that has a row."""
    return frozenset(row["permission"] for row in _rows("roles.csv"))


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
            match row[role.value]:
                case "yes":
                    held[role].add(name)
                case "own":
                    held[role].add(f"{name}:own")
                case "":
                    pass
                case other:
                    raise BadTable(f"roles.csv: {name} says {other}")
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
