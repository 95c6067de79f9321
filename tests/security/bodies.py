"""The least that each message understands, for routes that name whose data it is. `$name` is that chart's id."""

from typing import Any

from tests.security.world import TOMORROW

REASON = {"reason": "a mistake"}
SLOT = {"starts_at": "2031-01-07T09:00:00+01:00", "ends_at": "2031-01-07T12:00:00+01:00"}
BODIES: dict[str, dict[str, Any]] = {
    "AddAddendum": REASON | {"text": "And a fever"},
    "AddAvailabilityException": {"day": "2031-01-07", "location_id": "$location_id"},
    "AddTimeOff": SLOT,
    "CancelPrescription": REASON,
    "CancelVisit": REASON,
    "ChangeAllergy": {"substance": "Latex"},
    "ChangePrescription": {"medications": [{"name": "Paracetamol 500 mg"}]},
    "ChangeProblem": {"clinical_status": "resolved"},
    "ChangeRestriction": {"note": "asked again"},
    "ChangeStatementStatus": {"status": "completed", "reason": "it is done"},
    "GiveConsent": {"scope": "treatment", "version": "1", "given_on": "2026-01-05"},
    "MergePatients": {"duplicate_id": "$duplicate_id", "reason": "the same person"},
    "RecordAllergy": {"substance": "Pollen"},
    "RecordCarePlan": {"display": "Diet"},
    "RecordDiagnosis": {"code": "J20.9"},
    "RecordGoal": {"display": "Walk daily"},
    "RecordHistory": {"kind": "surgical", "display": "Tonsillectomy"},
    "RecordImmunization": {"code": "140"},
    "RecordMedication": {"medication": {"name": "Ibuprofen 200 mg"}},
    "RecordObservation": {"code": "718-7", "quantity": {"value": 12, "unit": "g/dL"}},
    "RecordProblem": {"code": "I10", "display": "Hypertension"},
    "RecordProcedure": {"code": "80146002"},
    "RecordReport": {"code": "58410-2"},
    "RecordVitals": {"systolic": 120, "diastolic": 75},
    "RemoveAllergy": REASON,
    "RemoveDiagnosis": REASON,
    "RescheduleAppointment": {"appointment_datetime": TOMORROW.isoformat(), "overbook_reason": "test"},
    "RestrictChart": {"reason": "vip"},
    "SaveDraft": {"subjective": "Cough", "base_revision": 1},
    "SetEmergencyContacts": {"emergency_contacts": []},
    "SetInsurance": {"insurance": []},
    "SetTreatmentPlan": {"items": [{"kind": "therapy", "text": "Rest"}]},
    "SetWorkingHours": {"location_id": "$location_id", "hours": []},
    "SignNote": {"content_hash": "0" * 64},
    "StopMedication": REASON,
    "StopRecordedMedication": REASON,
    "UnmergePatients": {"duplicate_id": "$duplicate_id", "reason": "two people"},
    "UpdatePatient": {"full_name": "Ada Maria Rossi", "date_of_birth": "1960-02-03", "gender": "female"},
    "VoidNote": REASON,
    "VoidVitals": REASON,
    "WithdrawStatement": REASON,
}
STATUS = {"observations": "amended", "reports": "amended", "history": "past"}  # where it is not "completed"
QUERIES = {
    "/api/v1/patients/{patient_id:uuid}/as-of": "moment=2099-01-05T10:00:00Z",
    "/api/v1/staff/{staff_id:uuid}/availability": "from=2031-01-06T00:00:00Z&to=2031-01-08T00:00:00Z",
}
