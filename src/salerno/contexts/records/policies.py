"""Whenever a visit diagnoses something, it belongs on the problem list; whenever it takes it back, it does not."""

from collections.abc import Sequence

from salerno.contexts.encounters.events import DiagnosisRecorded, DiagnosisRemoved
from salerno.contexts.records.commands import ListDiagnosis, UnlistDiagnosis
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
REASONS_FOR_CONTACT = ("Z0", "Z1", "Z2")  # examinations, screening, vaccination: nothing is wrong with the person


def list_the_diagnosis(item: Recorded[DiagnosisRecorded]) -> Sequence[Command]:
    said = item.event
    if said.certainty == "differential" or _is_reason_for_contact(said.system, said.code):
        return []
    return [
        ListDiagnosis(
            patient_id=said.patient,
            visit_id=said.visit,
            diagnosis_id=said.diagnosis,
            code=said.code,
            system=said.system,
            display=said.display,
            verification=said.certainty,
            onset=said.onset.isoformat() if said.onset else "",
        )
    ]


def _is_reason_for_contact(system: str, code: str) -> bool:
    return system == ICD_10_CM and code.startswith(REASONS_FOR_CONTACT)


def unlist_the_diagnosis(item: Recorded[DiagnosisRemoved]) -> Sequence[Command]:
    said = item.event
    return [
        UnlistDiagnosis(
            patient_id=said.patient,
            diagnosis_id=said.diagnosis,
            code=said.code,
            system=said.system,
            reason=said.reason,
        )
    ]


POLICIES: dict[type[Event], Policy] = {DiagnosisRecorded: list_the_diagnosis, DiagnosisRemoved: unlist_the_diagnosis}
