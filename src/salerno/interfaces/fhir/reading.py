"""One resource, looked into element by element; remembers what was taken and whether anything was left behind."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from salerno.interfaces.fhir.problems import Broken, NoHome
from salerno.interfaces.fhir.references import Scope

DAY = re.compile(r"[12]\d{3}-\d\d-\d\d")
PARTIAL = re.compile(r"[12]\d{3}(-(0[1-9]|1[0-2]))?")
MOMENT = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
UCUM = "http://unitsofmeasure.org"
HOUSEKEEPING = frozenset({"resourceType", "id", "meta", "text", "implicitRules", "language"})
Json = dict[str, Any]


@dataclass
class Margin:
    """What the reader notes beside a resource: the elements taken, and whether a part of one was dropped."""

    taken: set[str] = field(default_factory=set)
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """The first coding of a CodeableConcept, with the words a person reads."""

    code: str
    system: str
    display: str

    def as_coded(self) -> Json:
        return {"code": self.code, "system": self.system, "display": self.display}


class Node:
    """An object somewhere in a resource. Absent elements read as "" or None; malformed ones raise Broken."""

    __slots__ = ("margin", "path", "raw", "root", "scope")

    def __init__(self, raw: Json, path: str, scope: Scope, margin: Margin, root: bool = False) -> None:
        self.raw = raw
        self.path = path
        self.scope = scope
        self.margin = margin
        self.root = root

    def broken(self, name: str, reason: str) -> Broken:
        return Broken(f"{self.path}.{name}" if name else self.path, reason)

    def has(self, name: str) -> bool:
        return name in self.raw

    def _take(self, name: str) -> Any:
        if self.root:
            self.margin.taken.add(name)
        return self.raw.get(name)

    def dropped(self) -> None:
        """Something here has no place in our words: the resource is kept as well."""
        self.margin.lossy = True

    # ------------------------------------------------------------ simple elements
    def text(self, name: str, *, required: bool = False) -> str:
        value = self._take(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise self.broken(name, "a text is required here" if required else "this must be a text")
        return value

    def texts(self, name: str) -> list[str]:
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.broken(name, "this must be a list of texts")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            raise self.broken(name, "this must be true or false")
        return value

    def number(self, name: str) -> float | None:
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.broken(name, "this must be a number")
        as_float = float(value)
        if as_float in (float("inf"), float("-inf")):
            raise self.broken(name, "this number is too large")
        if Decimal(repr(as_float)).as_tuple() != Decimal(value).as_tuple() and repr(as_float) != f"{value}.0":
            self.dropped()  # 0.10 is not 0.1 to whoever wrote it
        return as_float

    def whole(self, name: str) -> int | None:
        value = self._take(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.broken(name, "this must be a whole number")
        return value

    def chosen(self, name: str, known: tuple[str, ...] | frozenset[str], *, required: bool = True) -> str:
        """A code of the list; another one is sound FHIR, for which there is no room."""
        value = self.text(name, required=required)
        if value and value not in known:
            raise NoHome(f"{name} {value}")
        return value

    # ------------------------------------------------------------ dates
    def moment(self, name: str) -> datetime | None:
        """An instant. A date without a time counts from its beginning in UTC, and is kept as it was written."""
        text = self.text(name)
        if not text:
            return None
        try:
            if MOMENT.fullmatch(text):
                return self._instant(text)
            year, month, day = [*map(int, self._known(text).split("-")), 1, 1][:3]
            self.dropped()
            return datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            raise self.broken(name, "there is no such date") from None

    def _instant(self, text: str) -> datetime:
        fraction = re.search(r"\.(\d+)", text)
        if fraction and len(fraction[1]) > 6:
            self.dropped()
        return datetime.fromisoformat(text)

    def partial(self, name: str) -> str:
        """A year, a month, a day or an instant, as it was written."""
        text = self.text(name)
        if text and not MOMENT.fullmatch(text):
            try:
                self._known(text)
            except ValueError:
                raise self.broken(name, "there is no such date") from None
        elif text:
            self.moment(name)
        return text

    def day(self, name: str) -> date | None:
        """A whole date; a year or a month alone is too little and stays behind."""
        text = self.partial(name)
        if text and not DAY.match(text):
            self.dropped()
            return None
        if "T" in text:
            self.dropped()
        return date.fromisoformat(text[:10]) if text else None

    @staticmethod
    def _known(text: str) -> str:
        if DAY.fullmatch(text):
            date.fromisoformat(text)
        elif not PARTIAL.fullmatch(text):
            raise ValueError(text)
        return text

    # ------------------------------------------------------------ objects
    def node(self, name: str) -> "Node | None":
        value = self._take(name)
        if value is None:
            return None
        return self._child(value, name)

    def nodes(self, name: str) -> list["Node"]:
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.broken(name, "this must be a list")
        return [self._child(each, f"{name}[{nth}]") for nth, each in enumerate(value)]

    def first(self, name: str) -> "Node | None":
        """The first of a list; further ones are left behind."""
        found = self.nodes(name)
        if len(found) > 1:
            self.dropped()
        return found[0] if found else None

    def _child(self, value: Any, name: str) -> "Node":
        if not isinstance(value, dict):
            raise self.broken(name, "this must be an object")
        if "modifierExtension" in value:
            raise NoHome("a modifier extension changes its meaning")
        return Node(value, f"{self.path}.{name}", self.scope, self.margin)

    # ------------------------------------------------------------ datatypes
    def concept(self, name: str, *, required: bool = False) -> Concept | None:
        node = self.node(name)
        if node is None:
            if required:
                raise self.broken(name, "a code is required here")
            return None
        return node.as_concept()

    def concepts(self, name: str) -> list[Concept]:
        return [node.as_concept() for node in self.nodes(name)]

    def as_concept(self) -> Concept:
        codings = self.nodes("coding")
        text = self.text("text")
        if len(codings) > 1:
            self.dropped()
        if not codings:
            if not text:
                raise self.broken("", "neither a code nor a text")
            return Concept("", "", text)
        code, system, display = (codings[0].text(part) for part in ("code", "system", "display"))
        if text and display and text != display:
            self.dropped()
        return Concept(code, system, text or display or code)

    def code_of(self, name: str, known: tuple[str, ...] | frozenset[str], *, required: bool = False) -> str:
        """The code of a concept that comes from a short list."""
        concept = self.concept(name, required=required)
        if concept is None:
            return ""
        if concept.code not in known:
            raise NoHome(f"{name} {concept.code or concept.display}")
        return concept.code

    def quantity(self, name: str) -> Json | None:
        node = self.node(name)
        return node.as_quantity() if node else None

    def as_quantity(self) -> Json:
        value = self.number("value")
        if value is None:
            raise self.broken("value", "a quantity needs a number")
        if self.has("system") and self.text("system") != UCUM:
            self.dropped()
        found = {"value": value, "unit": self.text("unit"), "code": self.text("code")}
        if comparator := self.text("comparator"):
            if comparator not in ("<", "<=", ">=", ">"):
                raise self.broken("comparator", "this is no comparator")
            found["comparator"] = comparator
        return found

    def period(self, name: str) -> tuple[datetime | None, datetime | None]:
        node = self.node(name)
        if node is None:
            return None, None
        start, end = node.moment("start"), node.moment("end")
        if start and end and end < start:
            raise node.broken("end", "the end lies before the start")
        return start, end

    def notes(self, name: str = "note") -> str:
        return "\n".join(note.text("text", required=True) for note in self.nodes(name))

    # ------------------------------------------------------------ references
    def reference(self, name: str, *types: str, required: bool = False) -> UUID | None:
        """Our id of what is referred to. A bare name, or one inside the resource, stays behind."""
        node = self.node(name)
        if node is None:
            if required:
                raise self.broken(name, "a reference is required here")
            return None
        return node.as_reference(*types, required=required)

    def as_reference(self, *types: str, required: bool = False) -> UUID | None:
        text = self.text("reference", required=required)
        if not text or text.startswith("#"):
            if required:
                raise self.broken("reference", "this must lead out of the resource")
            self.dropped()
            return None
        found = self.scope.resolve(text, f"{self.path}.reference")
        if types and found.type and found.type not in types:
            if required:
                raise self.broken("reference", f"this leads to a {found.type}, not to a {' or '.join(types)}")
            self.dropped()
            return None
        return found.id

    def references(self, name: str, *types: str) -> list[UUID]:
        found = (node.as_reference(*types) for node in self.nodes(name))
        return [id for id in found if id is not None]

    # ------------------------------------------------------------ what was left behind
    def left_behind(self) -> bool:
        """Whether the resource holds anything that no command carries."""
        return self.margin.lossy or bool(self.raw.keys() - HOUSEKEEPING - self.margin.taken)


def moments(raw: Json, names: tuple[str, ...]) -> Iterator[datetime]:
    """The instants found under these names (or in periods), without complaint: to date what is kept verbatim."""
    for name in names:
        value = raw.get(name)
        value = value.get("start") if isinstance(value, dict) else value
        if isinstance(value, str) and MOMENT.fullmatch(value):
            try:
                yield datetime.fromisoformat(value)
            except ValueError:
                continue
