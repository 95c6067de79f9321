"""Organization and Location → the organisations room, as places that are known by name and closed for booking.

Whoever brings records brings the names of all hospitals that ever saw these people. Where one of them is the
clinic's own, an administrator reopens it.
"""

from collections.abc import Iterator
from uuid import UUID

from salerno.contexts.organisations.commands import AddLocation, CloseLocation
from salerno.interfaces.fhir.problems import NoHome
from salerno.interfaces.fhir.reading import Json, Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked, saying_less

NEEDED = frozenset({"name"})


def place(node: Node, id: UUID) -> Iterator[Wish]:
    name = node.text("name")
    if not name:
        raise NoHome("a place without a name")
    found = node.node("address") if node.raw["resourceType"] == "Location" else node.first("address")
    ways = {way.text("system"): way.text("value") for way in reversed(node.nodes("telecom"))}
    reached = {way: ways[way] for way in ("phone", "email") if ways.get(way)}
    address = postal(found) if found else None
    command = asked(AddLocation, node.path, location_id=id, name=name, address=address, **reached)
    yield saying_less(Wish(id, command, node.path), NEEDED)
    yield Wish(id, asked(CloseLocation, node.path, location_id=id), node.path)


def postal(node: Node) -> Json:
    """An address in our words; more than two lines stay behind."""
    lines = node.texts("line")
    if len(lines) > 2 or node.has("extension"):
        node.dropped()
    parts = {"city": "city", "state": "state", "postal_code": "postalCode", "country": "country"}
    address = {ours: node.text(theirs) for ours, theirs in parts.items()}
    return address | dict(zip(("line1", "line2"), lines, strict=False))
