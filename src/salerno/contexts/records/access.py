"""Which permission each message needs, and whose data a question opens."""

from salerno.contexts.records.commands import (
    ChangeAllergy,
    ChangeProblem,
    ChangeStatementStatus,
    KeepResource,
    ListDiagnosis,
    RecordAllergy,
    RecordCarePlan,
    RecordGoal,
    RecordHistory,
    RecordImmunization,
    RecordObservation,
    RecordProblem,
    RecordProcedure,
    RecordReport,
    RecordVitals,
    RemoveAllergy,
    StateNoKnownAllergies,
    UnlistDiagnosis,
    VoidVitals,
    WithdrawStatement,
)
from salerno.contexts.records.queries import (
    Allergies,
    ChartSections,
    KeptResources,
    LaboratoryTests,
    ObservationsOfPatient,
    Problems,
    RecordsAsOf,
    RecordTimeline,
    StatementsOfPatient,
    VitalsOfPatient,
    VitalsSeries,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

PROBLEMS = Needs("records.record_problems")
BY_ITSELF = Needs("records.list_diagnoses")  # no role holds it: the room asks itself
ALLERGIES = Needs("records.record_allergies")
MEASURE = Needs("records.record_vitals")
RESULTS = Needs("records.record_results")
RECORD = Needs("records.record")
READ = Needs("records.read", opens="clinical", own=True)
READ_ALLERGIES = Needs("records.read_allergies", opens="clinical", own=True)
READ_VITALS = Needs("records.read_vitals", opens="clinical", own=True)
READ_RESULTS = Needs("records.read_results", opens="clinical", own=True)

NEEDS: dict[type[Command] | type[Query], Needs] = {
    RecordProblem: PROBLEMS,
    ChangeProblem: PROBLEMS,
    ListDiagnosis: BY_ITSELF,
    UnlistDiagnosis: BY_ITSELF,
    RecordAllergy: ALLERGIES,
    ChangeAllergy: ALLERGIES,
    RemoveAllergy: ALLERGIES,
    StateNoKnownAllergies: ALLERGIES,
    RecordVitals: MEASURE,
    VoidVitals: MEASURE,
    RecordObservation: RESULTS,
    RecordReport: RESULTS,
    RecordHistory: RECORD,
    RecordImmunization: RECORD,
    RecordProcedure: RECORD,
    RecordCarePlan: RECORD,
    RecordGoal: RECORD,
    ChangeStatementStatus: RECORD,
    WithdrawStatement: RECORD,
    KeepResource: Needs("records.keep"),
    Problems: READ,
    Allergies: READ_ALLERGIES,
    VitalsOfPatient: READ_VITALS,
    VitalsSeries: READ_VITALS,
    ObservationsOfPatient: READ_RESULTS,
    StatementsOfPatient: READ,
    ChartSections: READ,
    RecordTimeline: READ,
    RecordsAsOf: Needs("records.read", opens="clinical"),
    KeptResources: Needs("records.keep", opens="clinical"),
    LaboratoryTests: Needs("records.find_tests"),
}
