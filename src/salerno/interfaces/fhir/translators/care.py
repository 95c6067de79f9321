"""Immunization, Procedure, CarePlan, Goal → the records room."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from salerno.contexts.records.commands import RecordCarePlan, RecordGoal, RecordImmunization, RecordProcedure
from salerno.interfaces.fhir.problems import NoHome
from salerno.interfaces.fhir.reading import Concept, Json, Node
from salerno.interfaces.fhir.translators.wishes import Wish, asked

DONE = frozenset({"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown"})
PLANNED = frozenset({"draft", "active", "on-hold", "revoked", "completed", "unknown"})
AIMED = frozenset({"proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "rejected"})


def immunization(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("vaccineCode", required=True)
    assert code is not None
    given, recorded = node.moment("occurrenceDateTime"), node.moment("recorded")
    if given is None:
        raise NoHome("a vaccination without a date")
    maker, site, route = node.node("manufacturer"), node.concept("site"), node.concept("route")
    command = asked(
        RecordImmunization,
        node.path,
        immunization_id=id,
        patient_id=node.reference("patient", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        status=node.chosen("status", ("completed", "not-done")),
        given_at=given,
        lot=node.text("lotNumber"),
        manufacturer=maker.text("display") if maker else "",
        expires_on=node.day("expirationDate"),
        site=site.display if site else "",
        route=route.display if route else "",
        dose=node.quantity("doseQuantity"),
        dose_number=_dose_number(node),
        primary_source=node.flag("primarySource"),
        performer=_performer(node),
        comment=node.notes(),
    )
    if (maker and set(maker.raw) - {"display"}) or (site and site.code) or (route and route.code):
        node.dropped()
    yield Wish(id, command, node.path, given, recorded or given)


def _dose_number(node: Node) -> int | None:
    protocol = node.first("protocolApplied")
    if protocol is None:
        return None
    if set(protocol.raw) - {"doseNumberPositiveInt"}:
        node.dropped()
    return protocol.whole("doseNumberPositiveInt")


def _performer(node: Node) -> UUID | None:
    acting = node.first("performer")
    if acting is None:
        return None
    if set(acting.raw) - {"actor"}:
        node.dropped()
    return acting.reference("actor", "Practitioner")


def procedure(node: Node, id: UUID) -> Iterator[Wish]:
    code = node.concept("code", required=True)
    assert code is not None
    started, ended = _performed(node)
    outcome, site = node.concept("outcome"), node.first("bodySite")
    command = asked(
        RecordProcedure,
        node.path,
        procedure_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        status=node.chosen("status", DONE),
        started_at=started,
        ended_at=ended,
        reasons=[each.as_coded() for each in [*node.concepts("reasonCode"), *_reasons(node)]],
        body_site=site.as_concept().display if site else "",
        outcome=outcome.display if outcome else "",
        performer=_performer(node),
        comment=node.notes(),
    )
    if (site and site.has("coding")) or (outcome and outcome.code):
        node.dropped()
    yield Wish(id, command, node.path, started, ended or started)


def _performed(node: Node) -> tuple[datetime | None, datetime | None]:
    if node.has("performedPeriod"):
        return node.period("performedPeriod")
    return node.moment("performedDateTime"), None


def _reasons(node: Node) -> Iterator[Concept]:
    """The codes of the conditions that were the reason, where they are in the same bundle."""
    for each in node.nodes("reasonReference"):
        id = each.as_reference("Condition")
        known = node.scope.resources.get(id) if id else None
        if known is None:
            node.dropped()
            continue
        code = Node(known, each.path, node.scope, node.margin).concept("code")
        if code is not None:
            yield code


def care_plan(node: Node, id: UUID) -> Iterator[Wish]:
    started, ended = node.period("period")
    kinds, title = node.concepts("category"), node.text("title")
    code = kinds[0] if kinds else Concept("", "", title or node.text("description"))
    if len(kinds) > 1 or (kinds and title and title != kinds[0].display):
        node.dropped()
    command = asked(
        RecordCarePlan,
        node.path,
        care_plan_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        visit_id=node.reference("encounter", "Encounter"),
        **code.as_coded(),
        status=node.chosen("status", PLANNED),
        intent=node.text("intent", required=True),
        started_at=started,
        ended_at=ended,
        activities=[each for each in map(_activity, node.nodes("activity")) if each],
        addresses=node.references("addresses", "Condition"),
        goals=node.references("goal", "Goal"),
        comment=node.notes(),
    )
    yield Wish(id, command, node.path, started, started)


def _activity(node: Node) -> Json | None:
    detail = node.node("detail")
    if set(node.raw) - {"detail"}:
        node.dropped()
    if detail is None:
        return None
    code, words = detail.concept("code"), detail.text("description")
    if set(detail.raw) - {"code", "status", "description"}:
        node.dropped()
    if code is None and not words:
        node.dropped()
        return None
    what = code.as_coded() if code else {"display": words}
    return {"code": what, "status": detail.text("status"), "comment": words if code else ""}


def goal(node: Node, id: UUID) -> Iterator[Wish]:
    wanted = node.concept("description", required=True)
    assert wanted is not None
    target = node.first("target")
    reached = node.concept("achievementStatus")
    started = node.partial("startDate")
    asserted = node.moment("statusDate")
    command = asked(
        RecordGoal,
        node.path,
        goal_id=id,
        patient_id=node.reference("subject", "Patient", required=True),
        **wanted.as_coded(),
        status=node.chosen("lifecycleStatus", AIMED),
        achievement=reached.code or reached.display if reached else "",
        started_on=started,
        due_on=target.partial("dueDate") if target else "",
        target=target.text("detailString") if target else "",
        addresses=node.references("addresses", "Condition"),
        comment=node.notes(),
    )
    if target and set(target.raw) - {"dueDate", "detailString"}:
        node.dropped()
    yield Wish(id, command, node.path, asserted, asserted)
