"""What each command and query of this room needs of its caller."""

from salerno.contexts.patients.commands import (
    GiveConsent,
    MergePatients,
    RegisterPatient,
    RemovePatient,
    RestorePatient,
    SetEmergencyContacts,
    SetInsurance,
    UnmergePatients,
    UpdatePatient,
    WithdrawConsent,
)
from salerno.contexts.patients.queries import (
    ConsentsOf,
    FindPatients,
    LikelyDuplicates,
    LinkedSubjects,
    ListPatients,
    PatientAsOf,
    PatientBanner,
    PatientById,
    PatientNames,
    RemovedPatients,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

DEMOGRAPHICS = "demographics"

NEEDS: dict[type[Command] | type[Query], Needs] = {
    RegisterPatient: Needs("patients.register"),
    UpdatePatient: Needs("patients.update"),
    SetEmergencyContacts: Needs("patients.update"),
    SetInsurance: Needs("patients.update"),
    RemovePatient: Needs("patients.remove", fresh=True),
    RestorePatient: Needs("patients.remove"),
    MergePatients: Needs("patients.merge"),
    UnmergePatients: Needs("patients.merge"),
    GiveConsent: Needs("patients.consent", own=True),
    WithdrawConsent: Needs("patients.consent", own=True),
    PatientById: Needs("patients.read", opens=DEMOGRAPHICS, own=True),
    PatientAsOf: Needs("patients.read", opens=DEMOGRAPHICS, own=True),
    ConsentsOf: Needs("patients.read_consents", opens=DEMOGRAPHICS, own=True),
    ListPatients: Needs("patients.read", opens=DEMOGRAPHICS, own=True),
    LikelyDuplicates: Needs("patients.register", opens=DEMOGRAPHICS),
    FindPatients: Needs("patients.find", opens=DEMOGRAPHICS),
    PatientBanner: Needs("patients.banner", opens=DEMOGRAPHICS, own=True),
    PatientNames: Needs("patients.banner", opens=DEMOGRAPHICS, own=True),
    LinkedSubjects: Needs("patients.banner", own=True),
    RemovedPatients: Needs("patients.remove", opens=DEMOGRAPHICS),
}
