"""Whatever has no room yet, word for word."""

from uuid import UUID

from salerno.contexts.records.commands import KeepResource
from salerno.interfaces.fhir.reading import Json, moments
from salerno.interfaces.fhir.references import Scope
from salerno.interfaces.fhir.translators.wishes import Wish, asked

WHOSE = ("subject", "patient", "beneficiary", "individual", "for")
WHEN = (
    "recordedDate", "issued", "effectiveDateTime", "authoredOn", "occurrenceDateTime", "started", "recorded",
    "created", "date", "dateTime", "billablePeriod", "period", "performedPeriod", "effectivePeriod",
)  # fmt: skip


def keep(raw: Json, text: str, id: UUID, source_id: str, scope: Scope, path: str) -> Wish:
    """The resource as it came, under the key of whose it is."""
    when = next(moments(raw, WHEN), None)
    command = asked(
        KeepResource,
        path,
        kept_resource_id=id,
        patient_id=_patient(raw, scope, path),
        resource_type=raw["resourceType"],
        resource_id=source_id,
        content=text,
    )
    return Wish(id, command, path, when, when)


def _patient(raw: Json, scope: Scope, path: str) -> UUID | None:
    if raw["resourceType"] == "Patient":
        return next((id for id, known in scope.resources.items() if known is raw), None)
    for name in WHOSE:
        whose = raw.get(name)
        if isinstance(whose, dict) and isinstance(whose.get("reference"), str):
            found = scope.resolve(whose["reference"], f"{path}.{name}.reference")
            if found.type == "Patient":
                return found.id
    return None
