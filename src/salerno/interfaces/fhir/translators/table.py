"""Which translator takes which type, and in which order its wishes are asked."""

from collections.abc import Callable, Iterator
from typing import TypeAlias
from uuid import UUID

from salerno.interfaces.fhir.reading import Node
from salerno.interfaces.fhir.translators.care import care_plan, goal, immunization, procedure
from salerno.interfaces.fhir.translators.encounters import encounter
from salerno.interfaces.fhir.translators.findings import allergy, condition, observation, report
from salerno.interfaces.fhir.translators.medicines import medication_request
from salerno.interfaces.fhir.translators.patients import patient
from salerno.interfaces.fhir.translators.places import place
from salerno.interfaces.fhir.translators.providers import practitioner
from salerno.interfaces.fhir.translators.wishes import Wish

Translator: TypeAlias = Callable[[Node, UUID], Iterator[Wish]]

# In this order: what others refer to comes first, and a room is entered once.
TRANSLATORS: dict[str, Translator] = {
    "Organization": place,
    "Location": place,
    "Practitioner": practitioner,
    "Patient": patient,
    "Encounter": encounter,
    "Condition": condition,
    "AllergyIntolerance": allergy,
    "Observation": observation,
    "DiagnosticReport": report,
    "Immunization": immunization,
    "Procedure": procedure,
    "Goal": goal,
    "CarePlan": care_plan,
    "MedicationRequest": medication_request,
}
RANK = {type: nth for nth, type in enumerate(TRANSLATORS)}
