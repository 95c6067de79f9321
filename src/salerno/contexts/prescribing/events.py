"""What happens to prescriptions and medicines. This file is the room's published language.

Empty fields are left out of the log, so a default here may never change.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Event

Severity: TypeAlias = Literal["contraindicated", "major", "moderate", "info"]
MedicineStatus: TypeAlias = Literal[
    "active", "on-hold", "completed", "stopped", "cancelled", "draft", "entered-in-error", "unknown"
]
Words: TypeAlias = Annotated[str, Meta(max_length=1_000)]


class Dose(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much at once, and how often on a day; `every_days` is 7 for a weekly dose."""

    amount: Annotated[float, Meta(gt=0)]
    unit: Annotated[str, Meta(min_length=1, max_length=40)]
    times_per_day: Annotated[float, Meta(gt=0, le=48)] | None = None
    every_days: Annotated[int, Meta(ge=1, le=365)] = 1


class Medication(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a prescription, in the prescriber's words; `dose` says the same in numbers."""

    name: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"\S")]
    dosage: Words = ""
    frequency: Words = ""
    duration: Words = ""
    quantity: Words = ""
    instructions: Annotated[str, Meta(max_length=10_000)] = ""
    route: Words = ""
    form: Words = ""
    dose: Dose | None = None
    code: Words = ""
    system: Words = ""

    def kept(self) -> "Medication":
        """As an event keeps it, without the strictness of a wish."""
        fields = {name: getattr(self, name) for name in Medication.__struct_fields__}
        if self.dose is not None:
            fields["dose"] = Dose(**{name: getattr(self.dose, name) for name in Dose.__struct_fields__})
        return Medication(**fields)


class Wording(Struct, frozen=True, kw_only=True):
    """One sentence in the languages of the product."""

    en: str
    it: str


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a table says about an order.

    `key` names this alert of this order, for an override; `code` is the kind of check and `rule` the row
    of the table. `verified` is V where the row's fact was read in its source, K where a clinician has still
    to confirm it. `unknown` lists facts about the patient that the rule asked for and nobody knows: it was
    raised to be on the safe side.
    """

    key: str
    code: str
    rule: str
    severity: Severity
    interrupts: bool
    title: Wording
    mechanism: Wording = Wording(en="", it="")
    management: Wording = Wording(en="", it="")
    ingredients: tuple[str, ...] = ()
    source: str = ""
    verified: str = ""
    unknown: tuple[str, ...] = ()


class Override(Struct, frozen=True, kw_only=True):
    """A clinician's reason for going on in spite of an alert."""

    alert: Annotated[str, Meta(min_length=1, max_length=500)]
    reason: Annotated[str, Meta(min_length=3, max_length=2_000, pattern=r"\S\S")]


class PrescriptionDrafted(Event, tag="prescribing.prescription_drafted.v1", omit_defaults=True):
    prescription: UUID
    patient: UUID
    prescriber: UUID
    visit: UUID | None = None
    medications: tuple[Medication, ...]
    diagnosis: str = ""
    content_hash: str


class PrescriptionChanged(Event, tag="prescribing.prescription_changed.v1", omit_defaults=True):
    """The whole content of a draft as it is from now on."""

    prescription: UUID
    patient: UUID
    medications: tuple[Medication, ...]
    diagnosis: str = ""
    content_hash: str


class AlertOverridden(Event, tag="prescribing.alert_overridden.v1", omit_defaults=True):
    prescription: UUID
    patient: UUID
    prescriber: UUID
    alert: Alert
    reason: str


class PrescriptionSigned(Event, tag="prescribing.prescription_signed.v1", omit_defaults=True):
    """`signature` binds the content's hash to signer and moment; `tables` names the version screened with."""

    prescription: UUID
    patient: UUID
    signer: UUID
    signed_at: datetime
    content_hash: str
    signature: str
    tables: str
    alerts: tuple[Alert, ...] = ()


class PrescriptionCancelled(Event, tag="prescribing.prescription_cancelled.v1", omit_defaults=True):
    prescription: UUID
    patient: UUID
    reason: str


class MedicationStopped(Event, tag="prescribing.medication_stopped.v1", omit_defaults=True):
    """`line` counts the medicines of the prescription from 0."""

    prescription: UUID
    patient: UUID
    line: int
    stopped_at: datetime
    reason: str


class MedicationRecorded(Event, tag="prescribing.medication_recorded.v1", omit_defaults=True):
    """A medicine that was ordered or is taken elsewhere, as its source says."""

    medicine: UUID
    patient: UUID
    visit: UUID | None = None
    medication: Medication
    status: MedicineStatus = "active"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    prescriber: UUID | None = None
    reasons: tuple[str, ...] = ()
    source: str = ""


class RecordedMedicationStopped(Event, tag="prescribing.recorded_medication_stopped.v1", omit_defaults=True):
    medicine: UUID
    patient: UUID
    stopped_at: datetime
    reason: str


EVENTS = (
    PrescriptionDrafted,
    PrescriptionChanged,
    AlertOverridden,
    PrescriptionSigned,
    PrescriptionCancelled,
    MedicationStopped,
    MedicationRecorded,
    RecordedMedicationStopped,
)
PrescriptionEvent: TypeAlias = (
    PrescriptionDrafted
    | PrescriptionChanged
    | AlertOverridden
    | PrescriptionSigned
    | PrescriptionCancelled
    | MedicationStopped
)
MedicineEvent: TypeAlias = MedicationRecorded | RecordedMedicationStopped
PrescribingEvent: TypeAlias = PrescriptionEvent | MedicineEvent
