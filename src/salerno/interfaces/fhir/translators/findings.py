"""Condition, AllergyIntolerance, Observation, DiagnosticReport → the records room."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from salerno.contexts.records.commands import (
    RecordAllergy,
    RecordObservation,
    RecordProblem,
    RecordReport,
    StateNoKnownAllergies,
)
from salerno.interfaces.fhir.problems import NoHome
from salerno.interfaces.fhir.reading import Json, Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked

CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
VERIFIED = ("unconfirmed", "provisional", "differential", "confirmed", "refuted")
SEVERITY = {"255604002": "mild", "6736007": "moderate", "24484000": "severe"}  # SNOMED CT, as FHIR's value set lists
CERTAINTY = {"unconfirmed": "unconfirmed", "presumed": "likely", "confirmed": "confirmed", "refuted": "refuted"}
NO_KNOWN_ALLERGY = "716186003"  # SNOMED CT
STATED = frozenset({"registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"})
REPORTED = STATED | {"partial", "appended"}


def condition(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("code", required=True)
    assert code is not None
    onset, begun = _begun(node)
    abated, _ = _instant_or_date(node, "abatementDateTime")
    recorded = node.moment("recordedDate")
    if [each.code for each in node.concepts("category")] not in ([], ["encounter-diagnosis"], ["problem-list-item"]):
        node.dropped()
    command = asked(
        RecordProblem,
        node.path,
        problem_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        clinical_status=node.code_of("clinicalStatus", CLINICAL) or "active",
        verification=node.code_of("verificationStatus", VERIFIED) or "confirmed",
        severity=_severity(node),
        onset=onset,
        abated=abated,
        comment=node.notes(),
    )
    yield Wish(id, command, node.path, begun or recorded, recorded or begun)


def _severity(node: Node) -> str:
    concept = node.concept("severity")
    if concept is None:
        return ""
    known = SEVERITY.get(concept.code, concept.code)
    if known in SEVERITY.values():
        return known
    node.dropped()
    return ""


def _begun(node: Node) -> tuple[str, datetime | None]:
    if node.has("onsetPeriod"):
        start, end = node.period("onsetPeriod")
        if end:
            node.dropped()
        return (start.isoformat() if start else ""), start
    return _instant_or_date(node, "onsetDateTime")


def _instant_or_date(node: Node, name: str) -> tuple[str, datetime | None]:
    lossy = node.margin.lossy
    written, moment = node.partial(name), node.moment(name)
    node.margin.lossy = lossy  # the written form is kept whole
    return written, moment


def allergy(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("code", required=True)
    assert code is not None
    recorded = node.moment("recordedDate")
    onset, begun = _begun(node)
    patient = node.reference("patient", "Patient", required=True)
    verified = node.code_of("verificationStatus", tuple(CERTAINTY))
    if code.code == NO_KNOWN_ALLERGY and verified != "refuted":
        command = asked(StateNoKnownAllergies, node.path, patient_id=patient, allergy_id=id)
        yield Wish(id, command, node.path, begun or recorded, recorded or begun)
        return
    yield Wish(
        id,
        asked(
            RecordAllergy,
            node.path,
            allergy_id=id,
            patient_id=patient,
            visit_id=node.reference("encounter", "Encounter"),
            substance=code.display,
            code=code.code,
            system=code.system,
            category=_category(node),
            allergy_type=node.chosen("type", ("allergy", "intolerance"), required=False),
            criticality=node.chosen("criticality", ("low", "high", "unable-to-assess"), required=False),
            certainty=CERTAINTY.get(verified, "confirmed"),
            clinical_status=node.code_of("clinicalStatus", ("active", "inactive", "resolved")) or "active",
            reactions=[_reaction(each) for each in node.nodes("reaction")],
            onset=onset,
            comment=node.notes(),
        ),
        node.path,
        begun or recorded,
        recorded or begun,
    )


def _category(node: Node) -> str:
    listed = node._take("category") or []
    known = ("medication", "food", "environment", "biologic")
    if not isinstance(listed, list) or not all(each in known for each in listed):
        raise node.broken("category", "this must be a list of " + ", ".join(known))
    if len(listed) > 1:
        node.dropped()
    return str(listed[0]) if listed else ""


def _reaction(node: Node) -> Json:
    shown = node.first("manifestation")
    if shown is None:
        raise node.broken("manifestation", "a reaction shows in something")
    if set(node.raw) - {"manifestation", "severity", "onset"}:
        node.dropped()
    severity = node.chosen("severity", ("mild", "moderate", "severe"), required=False)
    return {"manifestation": shown.as_concept().as_coded(), "severity": severity, "onset": node.partial("onset")}


def observation(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("code", required=True)
    assert code is not None
    effective, until = _effective(node)
    issued = node.moment("issued")
    ranges = [_range(each) for each in node.nodes("referenceRange")]
    method = node.concept("method")
    performers = node.references("performer", "Practitioner")
    if len(performers) > 1:
        node.dropped()
    command = asked(
        RecordObservation,
        node.path,
        observation_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        category=[each.code or each.display for each in node.concepts("category")],
        status=node.chosen("status", STATED),
        effective_at=effective,
        effective_until=until,
        issued_at=issued,
        **_value(node),
        components=[_component(each) for each in node.nodes("component")],
        reference_range=ranges,
        interpretation=[each.code or each.display for each in node.concepts("interpretation")],
        method=method.display if method else "",
        performer=performers[0] if performers else None,
        comment=node.notes(),
    )
    yield Wish(id, command, node.path, effective or issued, issued or effective)


def _effective(node: Node) -> tuple[datetime | None, datetime | None]:
    if node.has("effectivePeriod"):
        return node.period("effectivePeriod")
    return node.moment("effectiveDateTime") or node.moment("effectiveInstant"), None


def _value(node: Node) -> Json:
    """A number, a code or words; what is none of them stays behind."""
    if node.has("valueQuantity"):
        return {"quantity": node.quantity("valueQuantity")}
    if concept := node.concept("valueCodeableConcept"):
        return {"value_code": concept.as_coded()}
    if node.has("valueInteger"):
        return {"quantity": {"value": float(node.whole("valueInteger") or 0)}}
    if node.has("valueBoolean"):
        return {"value_text": "true" if node.flag("valueBoolean") else "false"}
    return {"value_text": node.text("valueString") or node.text("valueDateTime") or node.text("valueTime")}


def _component(node: Node) -> Json:
    code = node.concept("code", required=True)
    assert code is not None
    value = _value(node)
    if set(node.raw) - {"code", "valueQuantity", "valueCodeableConcept", "valueInteger", "valueBoolean", "valueString"}:
        node.dropped()
    return {**code.as_coded(), **{name: each for name, each in value.items() if each}}


def _range(node: Node) -> Json:
    found: Json = {"text": node.text("text")}
    for end in ("low", "high"):
        if quantity := node.quantity(end):
            found[end] = quantity["value"]
    if set(node.raw) - {"low", "high", "text"}:
        node.dropped()
    return found


def report(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("code", required=True)
    assert code is not None
    effective, until = _effective(node)
    issued = node.moment("issued")
    performers = node.references("performer", "Practitioner")
    if len(performers) > 1 or until:
        node.dropped()
    status = node.chosen("status", REPORTED)
    if not (effective or issued):
        raise NoHome("a report without a date")
    command = asked(
        RecordReport,
        node.path,
        report_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        category=[each.code or each.display for each in node.concepts("category")],
        status=status,
        effective_at=effective,
        issued_at=issued,
        results=node.references("result", "Observation"),
        conclusion=node.text("conclusion"),
        performer=performers[0] if performers else None,
    )
    yield Wish(id, command, node.path, effective or issued, issued or effective)
