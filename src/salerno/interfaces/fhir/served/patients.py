"""The patients room → Patient (https://hl7.org/fhir/R4/patient.html)."""

from typing import Any

from salerno.contexts.patients.events import Address, ContactPoint, EmergencyContact, Identifier
from salerno.contexts.patients.queries import PatientRecord, PatientSheet, uri_of_system
from salerno.interfaces.fhir.served.resources import Json, without_empty

MRN_TYPE = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
MRN_SYSTEM = "urn:salerno:mrn"
MARITAL = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
MARITAL_CODES = {
    "single": "S", "married": "M", "civil-union": "T", "separated": "L", "divorced": "D", "widowed": "W",
    "unknown": "UNK",
}  # fmt: skip
USES = frozenset({"home", "work", "temp", "old", "mobile"})


def patient(sheet: PatientSheet) -> Json:
    """A Patient with its MRN first among the identifiers. Insurance and consents are resources of their own."""
    record = sheet.patient
    made: Json = without_empty(
        {
            "resourceType": "Patient",
            "id": str(record.id),
            "meta": {"versionId": str(sheet.version), "lastUpdated": record.updated_at.isoformat()},
            "identifier": [_mrn(record.mrn), *map(_identifier, record.identifiers)],
            "active": record.status == "active",
            "name": [_name(record)],
            "telecom": _telecom(record),
            "gender": record.gender,
            "birthDate": record.birth_date and record.birth_date.isoformat(),
            **_death(record),
            "address": [_address(record.address)],
            "maritalStatus": _marital(record.marital_status),
            "contact": [_contact(one) for one in record.emergency_contacts],
            "communication": _communication(record.language),
        }
    )
    return made


def _mrn(mrn: str) -> Json:
    return {"use": "usual", "type": {"coding": [MRN_TYPE]}, "system": MRN_SYSTEM, "value": mrn} if mrn else {}


def _identifier(one: Identifier) -> Json:
    return {"use": "official", "system": uri_of_system(one.system), "value": one.value}


def _name(record: PatientRecord) -> Json:
    return {
        "use": "official",
        "text": record.full_name,
        "family": record.family_name,
        "given": record.given_name.split(),
    }


def _telecom(record: PatientRecord) -> list[Json]:
    first = [{"system": kind, "value": getattr(record, kind)} for kind in ("phone", "email") if getattr(record, kind)]
    return [*first, *map(_way, record.contacts)]


def _way(one: ContactPoint) -> Json:
    use = one.use if one.use in USES else ""
    return {"system": one.kind, "value": one.value, "use": use}


def _death(record: PatientRecord) -> Json:
    if record.deceased_on:
        return {"deceasedDateTime": record.deceased_on.isoformat()}
    return {"deceasedBoolean": True} if record.deceased else {}


def _address(address: Address) -> Json:
    return {
        "line": [line for line in (address.line1, address.line2) if line],
        "city": address.city,
        "state": address.state,
        "postalCode": address.postal_code,
        "country": address.country,
    }


def _marital(status: str) -> Json:
    if status in MARITAL_CODES:
        return {"coding": [{"system": MARITAL, "code": MARITAL_CODES[status]}]}
    return {"text": status}


def _contact(one: EmergencyContact) -> Json:
    ways: list[dict[str, Any]] = [
        {"system": "phone", "value": one.phone} if one.phone else {},
        {"system": "email", "value": one.email} if one.email else {},
    ]
    return {"relationship": [{"text": one.relationship}], "name": {"text": one.name}, "telecom": ways}


def _communication(language: str) -> list[Json]:
    if not language:
        return []
    coded = {"coding": [{"system": "urn:ietf:bcp:47", "code": language}]}
    return [{"language": coded, "preferred": True}]
