"""One medicine from elsewhere: recorded as its source says, perhaps stopped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.prescribing.commands import RecordMedication, StopRecordedMedication
from salerno.contexts.prescribing.errors import MedicineExists, NoSuchMedicine
from salerno.contexts.prescribing.events import MedicationRecorded, MedicineEvent, RecordedMedicationStopped
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Medicine:
    recorded: MedicationRecorded | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """The wish with the medicine's id."""

    command: RecordMedication
    medicine: UUID


Wish: TypeAlias = Recording | StopRecordedMedication


def decide(state: Medicine, wish: Wish, origin: Origin) -> Sequence[MedicineEvent]:
    match wish:
        case Recording():
            return _record(state, wish)
        case StopRecordedMedication():
            return _stop(state, wish, origin)
        case _:
            assert_never(wish)


def evolve(state: Medicine, event: MedicineEvent) -> Medicine:
    match event:
        case MedicationRecorded():
            return Medicine(event)
        case RecordedMedicationStopped():
            return replace(state, stopped=True)
        case _:
            assert_never(event)


def _record(state: Medicine, wish: Recording) -> list[MedicineEvent]:
    command = wish.command
    recorded = MedicationRecorded(
        medicine=wish.medicine,
        patient=command.patient_id,
        visit=command.visit_id,
        medication=command.medication.kept(),
        status=command.status,
        started_at=command.started_at,
        ended_at=command.ended_at,
        prescriber=command.prescriber_id,
        reasons=command.reasons,
        source=command.source,
    )
    if state.recorded is None:
        return [recorded]
    if state.recorded != recorded:
        raise MedicineExists()
    return []


def _stop(state: Medicine, wish: StopRecordedMedication, origin: Origin) -> list[MedicineEvent]:
    if state.recorded is None:
        raise NoSuchMedicine()
    if state.stopped or state.recorded.status in ("stopped", "completed", "cancelled", "entered-in-error"):
        return []
    return [
        RecordedMedicationStopped(
            medicine=wish.medicine_id,
            patient=state.recorded.patient,
            stopped_at=origin.happened_at,
            reason=wish.reason.strip(),
        )
    ]


MEDICINE = Decider(kind="prescribing.medicine", initial=Medicine(), decide=decide, evolve=evolve, events=MedicineEvent)
