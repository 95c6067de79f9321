"""Roles that an organisation makes of existing permissions: what may be in one, and what it is afterwards.

What a made role may hold is never more than a role of the organisation holds that its maker may give. The keys of the
house (`KEPT`) are given with the role ADMIN alone, and `own` is for patients, whose accounts have no further roles.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from salerno.contexts.identity.commands.made_roles import ChangeRole, DefineRole, MadeRoleCommand, RetireRole
from salerno.contexts.identity.errors import NoSuchRole, RoleExists
from salerno.contexts.identity.events import MadeRoleEvent, RoleChanged, RoleDefined, RoleRetired
from salerno.contexts.identity.rules.roles import (
    CONDITIONS,
    OWN,
    Role,
    cells_of,
    holders_of,
    listed_permissions,
    may_grant,
    permissions_of,
    spelled,
)
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin

KEPT = frozenset({
    "identity.create_user", "identity.manage_users", "identity.manage_roles", "identity.manage_clients",
})  # fmt: skip
GIVEN_OF = (*(role for role in Role if role not in (Role.SUPER_ADMIN, Role.PATIENT)),)
NAME = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
RESERVED = frozenset({*(role.value for role in Role), "SERVICE", "SYSTEM", "OTHER"})
LONGEST_TITLE = 80


class Status(StrEnum):
    UNKNOWN = "unknown"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class MadeRole:
    """`permissions` says for each permission the cell: yes, care, location or care+location."""

    status: Status = Status.UNKNOWN
    name: str = ""
    title: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)

    @property
    def held(self) -> frozenset[str]:
        """What it gives, as a caller holds it; a retired role gives nothing."""
        return held_of(self.permissions) if self.status is Status.ACTIVE else frozenset()


@dataclass(frozen=True, slots=True)
class AboutRole:
    """The wish with the role's id, and the permissions that may stand under a condition."""

    role: UUID
    command: MadeRoleCommand
    about_charts: frozenset[str]


def held_of(permissions: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for permission, cell in permissions.items() for name in spelled(permission, cell))


def offered_to(maker: str, about_charts: Collection[str]) -> dict[str, tuple[str, ...]]:
    """For each permission that somebody of this role may put into a role: the cells from which to choose."""
    given = [role for role in GIVEN_OF if may_grant(maker, role)]
    offered: dict[str, tuple[str, ...]] = {}
    for permission in listed_permissions():
        parts = {part for role in given for part in _parts_in(permissions_of(role), permission)} - {OWN}
        if permission in KEPT or not parts:
            continue
        conditions = CONDITIONS if "yes" in parts else tuple(one for one in CONDITIONS if one in parts)
        limited = conditions if permission in about_charts else ()
        both = ("+".join(CONDITIONS),) if len(limited) == len(CONDITIONS) else ()
        offered[permission] = (*(("yes",) if "yes" in parts else ()), *limited, *both)
    return {permission: cells for permission, cells in offered.items() if cells}


def _parts_in(held: Collection[str], permission: str) -> Iterable[str]:
    return (part for part in ("yes", *CONDITIONS) if (permission if part == "yes" else f"{permission}:{part}") in held)


def beyond(permissions: Mapping[str, str], maker: str, about_charts: Collection[str]) -> list[str]:
    """The permissions among these that somebody of this role may not give."""
    offered = offered_to(maker, about_charts)
    return [name for name, cell in permissions.items() if cell not in offered.get(name, ())]


def demands_factor(permissions: Iterable[str], factor_roles: Collection[str]) -> bool:
    """Whether such a role needs a second factor: of the eight, only roles that need one hold one of its permissions."""
    for held in permissions:
        holders = holders_of(held.partition(":")[0])
        if holders and holders <= set(factor_roles):
            return True
    return False


# ------------------------------------------------------------------ the rule
def decide(state: MadeRole, wish: AboutRole, origin: Origin) -> Sequence[MadeRoleEvent]:
    match wish.command:
        case DefineRole() as command:
            return _define(state, wish, command, origin)
        case ChangeRole() as command:
            _here(state)
            title = state.title if command.title is None else checked_title(command.title)
            cells = state.permissions if command.permissions is None else command.permissions
            permissions = _checked(cells, wish, origin)
            if (title, permissions) == (state.title, state.permissions):
                return []
            return [RoleChanged(role=wish.role, title=title, permissions=permissions)]
        case RetireRole():
            if state.status is Status.UNKNOWN:
                raise NoSuchRole()
            return [RoleRetired(role=wish.role)] if state.status is Status.ACTIVE else []
        case _:
            assert_never(wish.command)


def _define(state: MadeRole, wish: AboutRole, command: DefineRole, origin: Origin) -> list[MadeRoleEvent]:
    if state.status is not Status.UNKNOWN:
        raise RoleExists()
    title = checked_title(command.title)
    name = checked_name(command.name or name_from(title))
    permissions = _checked(command.permissions, wish, origin)
    return [RoleDefined(role=wish.role, name=name, title=title, permissions=permissions)]


def _here(state: MadeRole) -> None:
    if state.status is not Status.ACTIVE:
        raise NoSuchRole()


def checked_title(text: str) -> str:
    title = " ".join(text.split())
    if not title or len(title) > LONGEST_TITLE or any(unicodedata.category(one)[0] == "C" for one in title):
        raise Invalid.field("title", "malformed", f"A title of at most {LONGEST_TITLE} characters.")
    return title


def checked_name(text: str) -> str:
    """The name in programs: TRIAGE_NURSE."""
    name = text.strip().upper().replace(" ", "_").replace("-", "_")
    if name in RESERVED:
        raise Invalid.field("name", "reserved", "This is the name of a role that exists everywhere.")
    if not NAME.fullmatch(name):
        raise Invalid.field("name", "malformed", "2 to 40 letters without accents, digits and underscores.")
    return name


def name_from(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^A-Z0-9]+", "_", plain).strip("_")[:40].rstrip("_")


def _checked(permissions: Mapping[str, str], wish: AboutRole, origin: Origin) -> dict[str, str]:
    """The cells in their one spelling and in the order of names, or every one that is wrong."""
    errors: list[dict[str, str]] = []
    said: dict[str, str] = {}
    offered = offered_to(origin.role, wish.about_charts)
    for permission in sorted(permissions):
        path, cell = f"permissions.{permission}", permissions[permission]
        if permission not in listed_permissions():
            errors.append(_wrong(path, "unknown-permission", "There is no such permission."))
            continue
        try:
            parts = cells_of(cell)
        except ValueError:
            parts = ()
        if not parts or OWN in parts:
            errors.append(_wrong(path, "unknown-cell", "Say yes, care, location, or care+location."))
        elif (cell := "+".join(part for part in ("yes", *CONDITIONS) if part in parts)) in offered.get(permission, ()):
            said[permission] = cell
        else:
            errors.append(_wrong(path, "beyond-reach", "You may not give this permission in this way."))
    if not said and not errors:
        errors.append(_wrong("permissions", "required", "A role needs at least one permission."))
    if errors:
        raise Invalid(errors=errors)
    return said


def _wrong(path: str, code: str, message: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": message}


def evolve(state: MadeRole, event: MadeRoleEvent) -> MadeRole:
    match event:
        case RoleDefined():
            return MadeRole(Status.ACTIVE, event.name, event.title, event.permissions)
        case RoleChanged():
            return MadeRole(Status.ACTIVE, state.name, event.title, event.permissions)
        case RoleRetired():
            return MadeRole(Status.RETIRED, state.name, state.title, state.permissions)
        case _:
            assert_never(event)


MADE_ROLE: Decider[MadeRole, AboutRole, MadeRoleEvent] = Decider(
    kind="identity.role", initial=MadeRole(), decide=decide, evolve=evolve, events=MadeRoleEvent
)
