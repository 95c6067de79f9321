"""Scopes: what a token may be used for. One for each room, those of OpenID, and SMART's by resource and category."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import parse_qsl, quote

from salerno.contexts.identity.rules.roles import CONDITIONS, OWN, named_permissions

LETTERS = "cruds"
VERSION_1 = {"read": "rs", "write": "cud", "*": LETTERS}
SMART = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,40})\.(read|write|\*|[a-z]{1,5})(?:\?([!-~]{1,300}))?")
PLAIN = ("openid", "profile", "email", "offline_access", "fhirUser", "launch", "launch/patient", "launch/encounter")
ABOUT_ONESELF = frozenset({"identity.read_self"})
NOT_FOR_PROGRAMS = ("identity.", "audit.", "organisations.found", "organisations.register")
SIGNED_BY_PEOPLE = frozenset({"prescribing.prescribe", "encounters.write", "encounters.diagnose", "patients.consent"})
CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class SmartScope:
    """`patient/Observation.rs?category=laboratory` in its parts. A category is a code, with or without its system."""

    context: str
    resource: str
    letters: str
    category: str = ""

    def __str__(self) -> str:
        narrowed = f"?{CATEGORY}={quote(self.category, safe=':/|.-')}" if self.category else ""
        return f"{self.context}/{self.resource}.{self.letters}{narrowed}"

    @property
    def code(self) -> str:
        return self.category.rpartition("|")[2]

    def covers(self, other: "SmartScope") -> bool:
        """Whether everything that the other allows is allowed by this one too."""
        return (
            self.context == other.context
            and self.resource in ("*", other.resource)
            and set(other.letters) <= set(self.letters)
            and self.category in ("", other.category)
        )


def smart(text: str) -> SmartScope | None:
    """A SMART scope of version 1 or 2; None for what is none, and for a filter that nobody here would enforce."""
    found = SMART.fullmatch(text)
    if found is None:
        return None
    context, resource, access, query = found.groups()
    letters = VERSION_1.get(access, access)
    if letters != "".join(letter for letter in LETTERS if letter in letters):
        return None
    category = _category(query) if query is not None else ""
    if category is None or (category and resource not in categorised()):
        return None
    return SmartScope(context, resource, letters, category)


def _category(query: str) -> str | None:
    """A filter that is not understood would be no filter: it makes the whole scope unknown."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != CATEGORY:
        return None
    value = pairs[0][1]
    return value if re.fullmatch(r"([a-z][a-z0-9+.-]*:[!-{}~]+\|)?[A-Za-z0-9-]{1,60}", value) else None


def split(text: str) -> tuple[str, ...]:
    """The scopes of a request in their order, each once."""
    return tuple(dict.fromkeys(text.split()))


def is_known(scope: str) -> bool:
    return scope in PLAIN or scope in api_scopes() or smart(scope) is not None


def allowed(asked: Iterable[str], registered: Iterable[str]) -> tuple[str, ...]:
    """What is asked for and may be had: as it stands, or under a wider SMART scope."""
    held = tuple(registered)
    wider = [one for one in map(smart, held) if one is not None]
    return tuple(scope for scope in asked if scope in held or _covered(scope, wider))


def _covered(scope: str, wider: Iterable[SmartScope]) -> bool:
    wanted = smart(scope)
    return wanted is not None and any(one.covers(wanted) for one in wider)


def narrowed(
    permissions: Iterable[str], scopes: Iterable[str], *, with_patient: bool, met: Collection[str] = CONDITIONS
) -> frozenset[str]:
    """What is left of a person's permissions for a program that holds these scopes.

    A `patient/` scope reaches the one chart of the launch, so it leaves `…:own` of the permission. `met` are the
    conditions that this chart meets for the person: what is held under another condition leaves nothing of it.
    """
    scopes = tuple(scopes)
    everywhere = _granted_by_rooms(scopes) | _granted_by_smart(scopes, ("user", "system")) | _about_oneself(scopes)
    of_one = _granted_by_smart(scopes, ("patient",)) if with_patient else frozenset()
    left = set()
    for permission in permissions:
        name, _, part = permission.partition(":")
        if name in everywhere:
            left.add(permission)
        elif name in of_one and (part in ("", OWN) or part in met):
            left.add(f"{name}:{OWN}")
    return frozenset(left)


def for_a_service(scopes: Iterable[str]) -> frozenset[str]:
    """What a program without a person behind it may do: never what only a person answers for."""
    scopes = tuple(scopes)
    granted = _granted_by_rooms(scopes) | _granted_by_smart(scopes, ("system",))
    return frozenset(name for name in granted if not name.startswith(NOT_FOR_PROGRAMS) and name not in SIGNED_BY_PEOPLE)


def _about_oneself(scopes: Iterable[str]) -> frozenset[str]:
    return ABOUT_ONESELF if "openid" in scopes else frozenset()


def _granted_by_rooms(scopes: Iterable[str]) -> frozenset[str]:
    prefixes = {api_scopes()[scope] for scope in scopes if scope in api_scopes()}
    return frozenset(name for name in named_permissions() if name.partition(".")[0] in prefixes)


def _granted_by_smart(scopes: Iterable[str], contexts: Iterable[str]) -> frozenset[str]:
    """A permission is granted where every resource that it opens is: the narrowest scope decides."""
    held = [one for one in map(smart, scopes) if one is not None and one.context in contexts]
    granted: set[str] = set()
    for letters, rows in (("rs", _rows_by_permission("read")), ("cu", _rows_by_permission("write"))):
        for permission, places in rows.items():
            if all(any(_opens(one, place, letters) for one in held) for place in places):
                granted.add(permission)
    return frozenset(granted)


def _opens(scope: SmartScope, place: tuple[str, str], letters: str) -> bool:
    resource, category = place
    return (
        scope.resource in ("*", resource)
        and set(letters) <= set(scope.letters)
        and (not scope.category or scope.code == category)
    )


@cache
def api_scopes() -> dict[str, str]:
    """Each room's scope, with the first part of its permissions' names: `records-api` unless the table says else."""
    named = {row["prefix"]: row["scope"] for row in _table("scopes.csv")}
    prefixes = sorted({name.partition(".")[0] for name in named_permissions()})
    return {named.get(prefix, f"{prefix}-api"): prefix for prefix in prefixes}


@cache
def categorised() -> frozenset[str]:
    """The resources that can be narrowed by category."""
    return frozenset(row["resource"] for row in _table("smart.csv") if row["category"])


@cache
def _rows_by_permission(column: str) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in _table("smart.csv"):
        for permission in row[column].split():
            found.setdefault(permission, []).append((row["resource"], row["category"]))
    return {permission: tuple(places) for permission, places in found.items()}


def _table(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files("salerno.contexts.identity") / "data" / name).read_text("utf-8")
    yield from csv.DictReader(line for line in text.splitlines() if line.strip())
