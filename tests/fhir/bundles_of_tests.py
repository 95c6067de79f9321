"""Small bundles, made by the tests themselves: one patient with one of everything."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SNOMED, LOINC, CVX = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/cvx"
PATIENT, DOCTOR, CLINIC, VISIT = ("00000000-0000-4000-8000-00000000000" + each for each in "1234")
FEVER, SUGAR, PANEL, AIM = ("00000000-0000-4000-8000-00000000001" + each for each in "1234")


def coded(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def to(id: str) -> Json:
    return {"reference": f"urn:uuid:{id}"}


def status(kind: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{kind}", "code": code}]}


def patient(**more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "name": [{"use": "official", "family": "Bianchi", "given": ["Chiara", "Maria"]}],
        "gender": "female",
        "birthDate": "1948-03-12",
    } | more


def practitioner(**more: Any) -> Json:
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "240"}
    name = [{"family": "Towne", "given": ["Ignacio"], "prefix": ["Dr."]}]
    return {"resourceType": "Practitioner", "id": DOCTOR, "identifier": [npi], "name": name} | more


def organization(**more: Any) -> Json:
    address = [{"line": ["295 Varnum Avenue"], "city": "Lowell", "state": "MA", "country": "US"}]
    return {"resourceType": "Organization", "id": CLINIC, "name": "Lowell General Hospital", "address": address} | more


def location(**more: Any) -> Json:
    ways = [{"system": "phone", "value": "+1 978 937 6000"}]
    return {
        "resourceType": "Location",
        "id": "ward-1",
        "name": "Ward 1",
        "address": {"city": "Lowell"},
        "telecom": ways,
    } | more


def encounter(**more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": VISIT,
        "status": "finished",
        "class": {"code": "EMER"},
        "type": [coded(SNOMED, "50849002", "Emergency Room Admission")],
        "subject": to(PATIENT),
        "participant": [{"individual": to(DOCTOR)}],
        "period": {"start": "2019-04-22T03:30:37+02:00", "end": "2019-04-22T04:30:37+02:00"},
        "reasonCode": [coded(SNOMED, "386661006", "Fever")],
        "serviceProvider": to(CLINIC),
    } | more


def condition(**more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": FEVER,
        "clinicalStatus": status("condition-clinical", "resolved"),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "code": coded(SNOMED, "386661006", "Fever"),
        "subject": to(PATIENT),
        "encounter": to(VISIT),
        "onsetDateTime": "2019-04-20",
        "abatementDateTime": "2019-05-01T10:00:00Z",
        "recordedDate": "2019-04-22T04:00:00+02:00",
    } | more


def observation(**more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": SUGAR,
        "status": "final",
        "category": [status("observation-category", "laboratory")],
        "code": coded(LOINC, "2339-0", "Glucose"),
        "subject": to(PATIENT),
        "encounter": to(VISIT),
        "effectiveDateTime": "2019-04-22T03:40:00+02:00",
        "issued": "2019-04-23T08:00:00.622+02:00",
        "valueQuantity": {"value": 76.5, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    } | more


def report(**more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": PANEL,
        "status": "final",
        "code": coded(LOINC, "24323-8", "Comprehensive metabolic panel"),
        "subject": to(PATIENT),
        "effectiveDateTime": "2019-04-22T03:40:00+02:00",
        "issued": "2019-04-23T09:00:00+02:00",
        "result": [to(SUGAR) | {"display": "Glucose"}],
    } | more


def allergy(**more: Any) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "allergy-1",
        "clinicalStatus": status("allergyintolerance-clinical", "active"),
        "verificationStatus": status("allergyintolerance-verification", "confirmed"),
        "type": "allergy",
        "category": ["medication"],
        "criticality": "high",
        "code": coded(SNOMED, "91936005", "Allergy to penicillin"),
        "patient": to(PATIENT),
        "recordedDate": "1993-02-23T19:04:39Z",
        "reaction": [{"manifestation": [coded(SNOMED, "247472004", "Hives")], "severity": "moderate"}],
    } | more


def medication(**more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "medicine-1",
        "status": "stopped",
        "intent": "order",
        "medicationCodeableConcept": coded("http://www.nlm.nih.gov/research/umls/rxnorm", "198405", "Ibuprofen 100 MG"),
        "subject": to(PATIENT),
        "encounter": to(VISIT),
        "authoredOn": "2019-04-22T04:00:00+02:00",
        "requester": to(DOCTOR),
        "reasonReference": [to(FEVER)],
        "dosageInstruction": [{"text": "one tablet at night", "asNeededBoolean": True}],
    } | more


def immunization(**more: Any) -> Json:
    return {
        "resourceType": "Immunization",
        "id": "shot-1",
        "status": "completed",
        "vaccineCode": coded(CVX, "140", "Influenza, seasonal"),
        "patient": to(PATIENT),
        "occurrenceDateTime": "2012-01-09T03:30:37Z",
        "primarySource": True,
        "lotNumber": "A-17",
    } | more


def procedure(**more: Any) -> Json:
    return {
        "resourceType": "Procedure",
        "id": "procedure-1",
        "status": "completed",
        "code": coded(SNOMED, "430193006", "Medication reconciliation"),
        "subject": to(PATIENT),
        "performedPeriod": {"start": "2019-04-22T03:30:37Z", "end": "2019-04-22T03:45:37Z"},
        "reasonReference": [to(FEVER)],
    } | more


def goal(**more: Any) -> Json:
    return {
        "resourceType": "Goal",
        "id": AIM,
        "lifecycleStatus": "accepted",
        "achievementStatus": status("goal-achievement", "in-progress"),
        "description": {"text": "HbA1c below 7 %"},
        "subject": to(PATIENT),
    } | more


def care_plan(**more: Any) -> Json:
    activity = {"detail": {"code": coded(SNOMED, "229065009", "Exercise therapy"), "status": "in-progress"}}
    return {
        "resourceType": "CarePlan",
        "id": "plan-1",
        "status": "active",
        "intent": "order",
        "category": [coded(SNOMED, "698360004", "Diabetes self management plan")],
        "subject": to(PATIENT),
        "period": {"start": "2006-07-22T19:32:30Z"},
        "addresses": [to(FEVER)],
        "goal": [to(AIM)],
        "activity": [activity],
    } | more


def claim(**more: Any) -> Json:
    return {
        "resourceType": "Claim",
        "id": "claim-1",
        "status": "active",
        "patient": to(PATIENT),
        "created": "2019-04-22T04:30:37+02:00",
        "total": {"value": 129.160, "currency": "USD"},
    } | more


def everything() -> list[Json]:
    """What refers comes before what it refers to, as files may have it."""
    kinds = (claim, care_plan, goal, procedure, immunization, medication, allergy, report, observation, condition)
    return [make() for make in (*kinds, encounter, patient, practitioner, organization)]


def entry(resource: Json) -> Json:
    request = {"method": "POST", "url": resource.get("resourceType")}
    return {"fullUrl": f"urn:uuid:{resource.get('id')}", "resource": resource, "request": request}


def bundle(*resources: Json, **more: Any) -> Json:
    entries = [entry(resource) for resource in resources]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries} | more


def written(path: Path, content: Json | str | bytes) -> Path:
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
