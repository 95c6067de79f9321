"""A batch of entries becomes wishes: pure, but for the questions it leaves open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.records.commands import KeepResource
from salerno.contexts.staff.commands import AddStaffMember
from salerno.interfaces.fhir.bundles import Entry
from salerno.interfaces.fhir.problems import Broken, NoHome
from salerno.interfaces.fhir.reading import Margin, Node
from salerno.interfaces.fhir.references import Link, Scope, Target, our_id
from salerno.interfaces.fhir.translators.kept import keep
from salerno.interfaces.fhir.translators.table import RANK, TRANSLATORS
from salerno.interfaces.fhir.translators.wishes import Wish
from salerno.kernel.errors import Refused

REFERRED_TO = ("Practitioner", "Organization", "Location")  # by their identifiers, in later runs: see Importer


@dataclass(frozen=True, slots=True)
class Item:
    """One resource: the streams that hold it once it is in, and what it takes to get it there."""

    type: str
    id: UUID
    path: str
    wishes: tuple[Wish, ...]
    kept: bool = False
    beside: bool = False

    @property
    def streams(self) -> set[UUID]:
        return {wish.stream for wish in self.wishes}


@dataclass(frozen=True, slots=True)
class Translated:
    items: Sequence[Item]
    broken: Sequence[Broken]
    links: Sequence[Link]
    identifiers: Mapping[tuple[str, str], UUID]


def translate(entries: Sequence[Entry], organisation: UUID, met: Mapping[tuple[str, str], UUID]) -> Translated:
    """Every entry is looked at, so that all that is wrong is known."""
    scope = Scope(organisation, met)
    named: list[tuple[Entry, Target]] = []
    broken: list[Broken] = []
    for entry in entries:
        try:
            named.append((entry, scope.name(entry.raw, entry.url, entry.path)))
        except Broken as problem:
            broken.append(problem)
    items: list[Item] = []
    for entry, target in named:
        try:
            items.append(_item(entry, target, scope))
        except Broken as problem:
            broken.append(problem)
    return Translated(_dated(items), broken, tuple(scope.links), scope.by_identifier)


def _item(entry: Entry, target: Target, scope: Scope) -> Item:
    source_id = str(entry.raw.get("id") or entry.url)
    translator = TRANSLATORS.get(target.type)
    node = Node(entry.raw, entry.path, scope, Margin(), root=True)
    if translator is None or "modifierExtension" in entry.raw:
        return _kept(entry, target, source_id, scope)
    try:
        wishes = list(translator(node, target.id))
    except NoHome:
        return _kept(entry, target, source_id, scope)
    said_whole = not node.left_behind() and target.type not in REFERRED_TO
    if said_whole and not any(wish.instead for wish in wishes):
        return Item(target.type, target.id, entry.path, tuple(wishes))
    beside = our_id(scope.organisation, f"beside/{target.type}", source_id)
    kept = keep(entry.raw, entry.text, beside, source_id, scope, entry.path)
    if said_whole:
        wishes = [replace(wish, instead=_and_kept(wish, kept)) if wish.instead else wish for wish in wishes]
        return Item(target.type, target.id, entry.path, tuple(wishes))
    return Item(target.type, target.id, entry.path, (*wishes, kept), beside=True)


def _and_kept(wish: Wish, kept: Wish) -> Callable[[Refused], Sequence[Wish] | None]:
    """What is asked instead says less: then the resource is kept as well."""
    less = wish.instead
    assert less is not None
    return lambda refusal: [*found, kept] if (found := less(refusal)) is not None else None


def _kept(entry: Entry, target: Target, source_id: str, scope: Scope) -> Item:
    wish = keep(entry.raw, entry.text, target.id, source_id, scope, entry.path)
    return Item(target.type, target.id, entry.path, (wish,), kept=True)


def _dated(items: list[Item]) -> list[Item]:
    """A person was known to the source when the first thing about them was: their own record has no date."""
    firsts: dict[UUID | None, datetime] = {}
    dates = [(wish, wish.happened_at) for item in items for wish in item.wishes if wish.happened_at]
    for wish, at in dates:
        for whose in (getattr(wish.command, "patient_id", None), None):
            firsts[whose] = min(firsts.get(whose, at), at)
    return [replace(item, wishes=tuple(_known_since(wish, firsts) for wish in item.wishes)) for item in items]


def _known_since(wish: Wish, firsts: Mapping[UUID | None, datetime]) -> Wish:
    match wish.command:
        case RegisterPatient():
            first = firsts.get(wish.stream)
        case AddStaffMember():
            first = firsts.get(None)
        case _:
            return wish
    return replace(wish, happened_at=first, source_recorded_at=first)


def in_order(items: Sequence[Item]) -> Iterator[Wish]:
    """What is kept verbatim comes at the end, so that each room is entered once."""
    ranked = [
        (len(RANK) if isinstance(wish.command, KeepResource) else RANK[item.type], wish)
        for item in items
        for wish in item.wishes
    ]
    for _, wish in sorted(ranked, key=lambda each: each[0]):
        yield wish
