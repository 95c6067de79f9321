"""MedicationRequest and MedicationStatement → the prescribing room, as medicines ordered or taken elsewhere."""

from collections.abc import Iterator
from uuid import UUID

from salerno.contexts.prescribing.commands import RecordMedication
from salerno.interfaces.fhir.problems import NoHome
from salerno.interfaces.fhir.reading import Concept, Json, Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked

STATUSES = ("active", "on-hold", "completed", "stopped", "cancelled", "draft", "unknown")
INTENTS = ("order", "original-order", "reflex-order", "filler-order", "instance-order", "plan", "proposal")


def medication_request(node: Node, id: UUID) -> Iterator[Wish]:
    if node.flag("doNotPerform"):
        raise NoHome("an order not to give something")
    status = node.chosen("status", STATUSES)
    if node.chosen("intent", INTENTS) in ("plan", "proposal"):
        raise NoHome("a plan, not an order")
    medicine = _medicine(node)
    ordered = node.moment("authoredOn")
    command = asked(
        RecordMedication,
        node.path,
        medicine_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        medication={"name": medicine.display, "code": medicine.code, "system": medicine.system} | _dosage(node),
        status=status,
        started_at=ordered,
        prescriber_id=node.reference("requester", "Practitioner"),
        reasons=[each.display for each in [*node.concepts("reasonCode"), *_reasons(node)]],
    )
    yield Wish(id, command, node.path, ordered, ordered)


def _medicine(node: Node) -> Concept:
    """The code itself, or the code of the Medication in the same bundle or inside the resource."""
    if code := node.concept("medicationCodeableConcept"):
        return code
    reference = node.node("medicationReference")
    if reference is None:
        raise node.broken("medication", "a medicine is required here")
    text = reference.text("reference", required=True)
    if text.startswith("#"):
        inside = [each for each in node.nodes("contained") if f"#{each.text('id')}" == text]
        if not inside:
            raise reference.broken("reference", "nothing inside the resource has this id")
        found = inside[0].concept("code", required=True)
    else:
        target = node.scope.resolve(text, f"{reference.path}.reference")
        known = node.scope.resources.get(target.id)
        if known is None:
            raise NoHome("its medicine is in another bundle")
        found = Node(known, reference.path, node.scope, node.margin).concept("code", required=True)
    node.dropped()  # form, strength and ingredients of the Medication are kept beside
    assert found is not None
    return found


def _reasons(node: Node) -> Iterator[Concept]:
    for each in node.nodes("reasonReference"):
        id = each.as_reference("Condition")
        known = node.scope.resources.get(id) if id else None
        code = Node(known, each.path, node.scope, node.margin).concept("code") if known else None
        if code is None:
            node.dropped()
        else:
            yield code


def _dosage(node: Node) -> Json:
    """The words of the first dosage. Numbers in it stay in the resource itself, which is kept beside."""
    found = node.first("dosageInstruction")
    if found is None:
        return {}
    words = [found.text("text"), found.text("patientInstruction")]
    if found.flag("asNeededBoolean"):
        words.append("as needed")
    route = found.concept("route")
    if set(found.raw) - {"text", "patientInstruction", "asNeededBoolean", "sequence", "route"} or (
        route and route.code
    ):
        node.dropped()
    return {"dosage": "; ".join(filter(None, words))[:1_000], "route": route.display if route else ""}
