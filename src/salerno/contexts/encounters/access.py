"""Which permission each message needs, and whose data a question opens."""

from salerno.contexts.encounters.commands import (
    AddAddendum,
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SaveDraft,
    SetTreatmentPlan,
    SignNote,
    StartVisit,
    VoidNote,
)
from salerno.contexts.encounters.queries import (
    Draft,
    EncountersAsOf,
    EncountersOfPatient,
    EncounterTimeline,
    FindDiagnosisCodes,
    LastVisits,
    NoteById,
    NoteTemplates,
    OpenVisits,
    UnsignedNotes,
    VisitById,
    VisitsOfPatient,
)
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

RUN = Needs("encounters.visit")
DIAGNOSE = Needs("encounters.diagnose")
WRITE = Needs("encounters.write")
READ = Needs("encounters.read", opens="clinical")
READ_OWN = Needs("encounters.read", opens="clinical", own=True)
CODES = Needs("encounters.find_codes")

NEEDS: dict[type[Command] | type[Query], Needs] = {
    StartVisit: RUN,
    CompleteVisit: RUN,
    CancelVisit: RUN,
    RecordDiagnosis: DIAGNOSE,
    RemoveDiagnosis: DIAGNOSE,
    SetTreatmentPlan: DIAGNOSE,
    SaveDraft: WRITE,
    SignNote: Needs(WRITE.permission, fresh=True),
    AddAddendum: Needs(WRITE.permission, fresh=True),
    VoidNote: WRITE,
    VisitById: READ_OWN,
    VisitsOfPatient: READ_OWN,
    EncountersOfPatient: READ_OWN,
    EncounterTimeline: READ_OWN,
    EncountersAsOf: READ,
    NoteById: READ_OWN,
    OpenVisits: READ,
    LastVisits: Needs("patients.find", opens="demographics"),
    UnsignedNotes: Needs("encounters.write", opens="clinical"),
    Draft: Needs("encounters.write", opens="clinical"),
    NoteTemplates: CODES,
    FindDiagnosisCodes: CODES,
}
