"""Three charts with something of every kind in them: one's own, another's in the organisation, one of another's."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from salerno.contexts.encounters.commands import RecordDiagnosis, SaveDraft, SignNote, StartVisit
from salerno.contexts.encounters.queries import Draft
from salerno.contexts.organisations.commands import AddLocation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import IssuePrescription, RecordMedication
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.records.commands import (
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
)
from salerno.contexts.records.events import Quantity
from salerno.contexts.scheduling.commands import ScheduleAppointment
from salerno.contexts.staff.commands import AddStaffMember, DoctorDetails
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller, Command

Chart = dict[str, UUID]  # by the parameter's name, or by the path's word for a kind of statement
TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)


async def chart(bus: Bus, who: Mapping[str, Caller], name: str, hour: int) -> Chart:
    """A patient with a visit, a note, a prescription and one entry of each section."""
    doctor, admin = who["DOCTOR"], who["ADMIN"]

    async def done(wish: Command, caller: Caller = doctor) -> UUID:
        return (await bus.handle(wish, caller)).aggregate_id

    patient = await done(RegisterPatient(full_name=name, date_of_birth=date(1960, 2, 3), gender="female"))
    details = DoctorDetails(licence_number=str(uuid4())[:8], specialties=("General practice",))
    staff = await done(AddStaffMember(given_name="Ida", family_name=name, role="DOCTOR", doctor=details), admin)
    await bus.settled()
    visit = await done(StartVisit(patient_id=patient, reason="cough"))
    diagnosis = uuid4()
    await done(RecordDiagnosis(visit_id=visit, code="J20.9", diagnosis_id=diagnosis))
    note = await done(SaveDraft(visit_id=visit, subjective="Cough", base_revision=0))
    draft = await bus.ask(Draft(visit_id=visit), doctor)
    await done(SignNote(note_id=note, content_hash=draft.note.content_hash))
    tablet = Medication(name="Paracetamol 500 mg", dosage="500 mg", frequency="once daily")
    return {
        "patient_id": patient,
        "duplicate_id": await done(RegisterPatient(full_name=f"{name} Bis", confirmed_not_duplicate=True)),
        "staff_id": staff,
        "location_id": await done(AddLocation(name=f"Seat of {name}"), admin),
        "visit_id": visit,
        "diagnosis_id": diagnosis,
        "note_id": note,
        "appointment_id": await done(
            ScheduleAppointment(
                patient_id=patient,
                doctor_id=staff,
                appointment_datetime=TOMORROW + timedelta(hours=hour),
                visit_type="consultation",
                overbook_reason="test",
            )
        ),
        "prescription_id": await done(IssuePrescription(patient_id=patient, medications=(tablet,))),
        "medicine_id": await done(RecordMedication(patient_id=patient, medication=tablet)),
        "problem_id": await done(RecordProblem(patient_id=patient, code="E11.9", display="Diabetes")),
        "allergy_id": await done(RecordAllergy(patient_id=patient, substance="Latex")),
        "vitals_id": await done(RecordVitals(patient_id=patient, systolic=130, diastolic=80)),
        "observations": await done(
            RecordObservation(patient_id=patient, code="718-7", quantity=Quantity(value=13.1, unit="g/dL"))
        ),
        "history": await done(RecordHistory(patient_id=patient, kind="surgical", display="Appendectomy")),
        "immunizations": await done(RecordImmunization(patient_id=patient, code="140")),
        "procedures": await done(RecordProcedure(patient_id=patient, code="80146002")),
        "reports": await done(RecordReport(patient_id=patient, code="58410-2")),
        "care-plans": await done(RecordCarePlan(patient_id=patient, display="Diet")),
        "goals": await done(RecordGoal(patient_id=patient, display="Walk daily")),
    }
