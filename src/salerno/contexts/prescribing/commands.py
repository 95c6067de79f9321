"""What may be asked about prescriptions and medicines."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

from msgspec import Meta

from salerno.contexts.prescribing.events import Dose, Medication, MedicineStatus, Override, Words
from salerno.kernel.messages import Command

Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
if TYPE_CHECKING:
    Line: TypeAlias = Medication  # in Python, what an event holds may be asked again as it is
else:

    class _Dose(Dose, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
        """A dose from outside."""

    class Line(Medication, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
        """A line from outside: a misspelt "frequency" is refused, for what is dropped in silence harms."""

        dose: _Dose | None = None


Medications: TypeAlias = Annotated[tuple[Line, ...], Meta(min_length=1, max_length=50)]
Overrides: TypeAlias = Annotated[tuple[Override, ...], Meta(max_length=200)]
Diagnosis: TypeAlias = Annotated[str, Meta(max_length=2_000)]
Reason: TypeAlias = Annotated[str, Meta(min_length=3, max_length=2_000, pattern=r"\S\S")]


class IssuePrescription(Command):
    """Draft a prescription; with `sign`, screen and sign it at once, answering its alerts by `overrides`."""

    prescription_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None
    medications: Medications
    diagnosis: Diagnosis = ""
    sign: bool = False
    overrides: Overrides = ()


class ChangePrescription(Command):
    """Replace the content of a draft."""

    prescription_id: UUID
    medications: Medications
    diagnosis: Diagnosis = ""


class SignPrescription(Command):
    """Sign a draft. Every interrupting alert needs an override with a reason.

    `content_hash` is the hash of what was shown; where it is given, nothing else is signed.
    """

    prescription_id: UUID
    overrides: Overrides = ()
    content_hash: str = ""


class CancelPrescription(Command):
    """Cancel a draft or a signed prescription. It stays in the history with the reason."""

    prescription_id: UUID
    reason: Reason


class StopMedication(Command):
    """Stop one medicine of a signed prescription; `line` counts from 0."""

    prescription_id: UUID
    line: Annotated[int, Meta(ge=0, le=49)] = 0
    reason: Reason


class RecordMedication(Command):
    """Record a medicine that was ordered or is taken elsewhere. Repeating it under its id records nothing."""

    medicine_id: UUID | None = None
    patient_id: UUID
    visit_id: UUID | None = None
    medication: Line
    status: MedicineStatus = "active"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    prescriber_id: UUID | None = None
    reasons: Annotated[tuple[Words, ...], Meta(max_length=50)] = ()
    source: Words = ""


class StopRecordedMedication(Command):
    """The patient no longer takes a medicine that was recorded."""

    medicine_id: UUID
    reason: Reason
