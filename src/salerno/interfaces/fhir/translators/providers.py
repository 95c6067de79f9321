"""Practitioner → the staff room."""

from collections.abc import Iterator
from uuid import UUID

from salerno.contexts.staff.commands import AddStaffMember
from salerno.interfaces.fhir.reading import Json, Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked


def practitioner(node: Node, id: UUID) -> Iterator[Wish]:
    fields = _name(node) | _telecom(node) | {"doctor": _licence(node)}
    if node.flag("active") is False:
        node.dropped()
    yield Wish(id, asked(AddStaffMember, node.path, staff_id=id, role="DOCTOR", **fields), node.path)


def _name(node: Node) -> Json:
    name = node.first("name")
    if name is None:
        raise node.broken("name", "a practitioner needs a name")
    family, text = name.text("family"), name.text("text")
    given = name.texts("given")
    if not family or not given:
        *given, family = (text or family or " ".join(given)).split() or [""]
    if not family:
        raise name.broken("family", "a practitioner needs a name")
    titles = " ".join(name.texts("prefix"))
    return {"given_name": " ".join(given) or family, "family_name": family, "title": titles}


def _telecom(node: Node) -> Json:
    found: Json = {}
    for each in node.nodes("telecom"):
        system, value = each.text("system"), each.text("value")
        if system not in ("phone", "email") or system in found or not value:
            node.dropped()
        else:
            found[system] = value
    return found


def _licence(node: Node) -> Json | None:
    numbered = node.first("identifier")
    if numbered is None or not numbered.text("value"):
        return None
    system = numbered.text("system")
    if len(system) > 120:
        node.dropped()
    return {"licence_number": numbered.text("value"), "licence_authority": system[:120]}
