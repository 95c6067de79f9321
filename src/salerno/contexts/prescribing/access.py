"""Which permission each message needs, and whose data a question opens."""

from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    IssuePrescription,
    RecordMedication,
    SignPrescription,
    StopMedication,
    StopRecordedMedication,
)
from salerno.contexts.prescribing.queries import (
    FindMedicines,
    MedicinesAsOf,
    MedicinesOfPatient,
    PrescriptionById,
    Prescriptions,
    PrescriptionsAsOf,
    PrescriptionsOfPatient,
    ScreenPrescription,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

PRESCRIBE = Needs("prescribing.prescribe")
RECORD = Needs("prescribing.record")
READ = Needs("prescribing.read", opens="medication")
READ_OWN = Needs("prescribing.read", opens="medication", own=True)

NEEDS: dict[type[Command] | type[Query], Needs] = {
    IssuePrescription: PRESCRIBE,
    ChangePrescription: PRESCRIBE,
    SignPrescription: Needs(PRESCRIBE.permission, fresh=True),
    CancelPrescription: PRESCRIBE,
    StopMedication: PRESCRIBE,
    RecordMedication: RECORD,
    StopRecordedMedication: RECORD,
    ScreenPrescription: Needs("prescribing.screen", opens="medication"),
    PrescriptionById: READ_OWN,
    PrescriptionsOfPatient: READ_OWN,
    Prescriptions: READ_OWN,
    PrescriptionsAsOf: READ,
    MedicinesOfPatient: READ_OWN,
    MedicinesAsOf: READ,
    FindMedicines: Needs("prescribing.find_medicines"),
}
