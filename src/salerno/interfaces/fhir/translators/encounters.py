"""Encounter → the encounters room."""

from collections.abc import Iterator
from uuid import UUID

from salerno.contexts.encounters.commands import StartVisit
from salerno.interfaces.fhir.problems import NoHome
from salerno.interfaces.fhir.reading import Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked

OPEN = frozenset({"arrived", "triaged", "in-progress", "onleave"})
INPATIENT = frozenset({"ACUTE", "NONAC", "OBSENC", "SS"})
OURS = frozenset({"AMB", "EMER", "IMP", "HH", "VR"})


def encounter(node: Node, id: UUID) -> Iterator[Wish]:
    status = node.chosen("status", OPEN | {"finished"})
    started, ended = node.period("period")
    if started is None:
        raise NoHome("a visit without a beginning")
    kind = node.first("type")
    reason = node.first("reasonCode")
    reason_code = reason.as_concept() if reason else None
    command = asked(
        StartVisit,
        node.path,
        visit_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        practitioner_id=_practitioner(node),
        location_id=_location(node),
        visit_class=_class(node),
        visit_type=kind.as_concept().as_coded() if kind else None,
        reason=reason_code.display if reason_code else "",
        reason_code=reason_code.as_coded() if reason_code else None,
        started_at=started,
        ended_at=(ended or started) if status == "finished" else None,
    )
    yield Wish(id, command, node.path, started, ended or started)


def _class(node: Node) -> str:
    coding = node.node("class")
    if coding is None:
        raise node.broken("class", "a class is required here")
    code = coding.text("code", required=True)
    if code in OURS:
        return code
    node.dropped()
    return "IMP" if code in INPATIENT else "AMB"


def _location(node: Node) -> UUID | None:
    """The room or ward where one is named, otherwise the hospital itself."""
    stays = [each.reference("location", "Location") for each in node.nodes("location")]
    provider = node.reference("serviceProvider", "Organization")
    known = [each for each in stays if each]
    if len(stays) > 1 or (known and provider):
        node.dropped()
    return known[0] if known else provider


def _practitioner(node: Node) -> UUID | None:
    taking_part = node.nodes("participant")
    people = [each.reference("individual", "Practitioner") for each in taking_part]
    if len(people) > 1 or any(set(each.raw) - {"individual"} for each in taking_part):
        node.dropped()
    return next((each for each in people if each), None)
