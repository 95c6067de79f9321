"""One prescription: drafted, signed as it was screened, cancelled or stopped, never rewritten."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

import msgspec

from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    IssuePrescription,
    SignPrescription,
    StopMedication,
)
from salerno.contexts.prescribing.errors import (
    NoSuchLine,
    NoSuchPrescription,
    NotADraft,
    NotSigned,
    NotWhatYouSaw,
    PrescriptionExists,
    PrescriptionIsCancelled,
    UnansweredAlerts,
)
from salerno.contexts.prescribing.events import (
    Alert,
    AlertOverridden,
    Medication,
    MedicationStopped,
    Override,
    PrescriptionCancelled,
    PrescriptionChanged,
    PrescriptionDrafted,
    PrescriptionEvent,
    PrescriptionSigned,
)
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


class Status(StrEnum):
    UNKNOWN = "unknown"
    DRAFT = "draft"
    SIGNED = "signed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Prescription:
    """`drafted` is how it began, by which a repeated wish is recognised; `content_hash` what stands now."""

    status: Status = Status.UNKNOWN
    drafted: PrescriptionDrafted | None = None
    content_hash: str = ""
    lines: int = 0
    stopped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """What the tables of this version say against the content with this hash."""

    alerts: tuple[Alert, ...]
    tables: str


@dataclass(frozen=True, slots=True)
class Issuing:
    """The wish with the prescription's id, and the screening where it shall be signed at once."""

    command: IssuePrescription
    prescription: UUID
    screening: Screening | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    command: SignPrescription
    screening: Screening


Wish: TypeAlias = Issuing | ChangePrescription | Signing | CancelPrescription | StopMedication


def content_hash(
    prescription: UUID, patient: UUID, visit: UUID | None, medications: Sequence[Medication], diagnosis: str
) -> str:
    """SHA-256 of the canonical content: which prescription, of whom, each line in order, the diagnosis."""
    return _hash([prescription, patient, visit, medications, diagnosis])


def signature(content: str, signer: UUID, moment: datetime) -> str:
    """Binds a content hash to who signed it and when."""
    return _hash([content, signer, moment])


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def decide(state: Prescription, wish: Wish, origin: Origin) -> Sequence[PrescriptionEvent]:
    match wish:
        case Issuing():
            return _issue(state, wish, origin)
        case ChangePrescription():
            return _change(state, wish)
        case Signing():
            return _sign_draft(state, wish, origin)
        case CancelPrescription():
            return _cancel(state, wish)
        case StopMedication():
            return _stop(state, wish, origin)
        case _:
            assert_never(wish)


def evolve(state: Prescription, event: PrescriptionEvent) -> Prescription:
    match event:
        case PrescriptionDrafted():
            return Prescription(Status.DRAFT, event, event.content_hash, len(event.medications))
        case PrescriptionChanged():
            return replace(state, content_hash=event.content_hash, lines=len(event.medications))
        case AlertOverridden():
            return state
        case PrescriptionSigned():
            return replace(state, status=Status.SIGNED)
        case PrescriptionCancelled():
            return replace(state, status=Status.CANCELLED)
        case MedicationStopped():
            return replace(state, stopped=(*state.stopped, event.line))
        case _:
            assert_never(event)


def _issue(state: Prescription, wish: Issuing, origin: Origin) -> list[PrescriptionEvent]:
    drafted = _drafted(wish, origin)
    if state.drafted is not None:
        return _again(state, wish, drafted, origin)
    if wish.screening is None:
        return [drafted]
    signing = _signed(drafted, drafted.content_hash, wish.command.overrides, wish.screening, origin)
    return [drafted, *signing]


def _again(state: Prescription, wish: Issuing, drafted: PrescriptionDrafted, origin: Origin) -> list[PrescriptionEvent]:
    """The same wish once more changes nothing, but finishes what was only drafted."""
    if state.drafted is None or state.drafted.content_hash != drafted.content_hash:
        raise PrescriptionExists()
    if wish.screening is None or state.status is not Status.DRAFT or state.content_hash != drafted.content_hash:
        return []
    return _signed(state.drafted, state.content_hash, wish.command.overrides, wish.screening, origin)


def _drafted(wish: Issuing, origin: Origin) -> PrescriptionDrafted:
    command = wish.command
    lines = tuple(line.kept() for line in command.medications)
    return PrescriptionDrafted(
        prescription=wish.prescription,
        patient=command.patient_id,
        prescriber=origin.actor,
        visit=command.visit_id,
        medications=lines,
        diagnosis=command.diagnosis,
        content_hash=content_hash(wish.prescription, command.patient_id, command.visit_id, lines, command.diagnosis),
    )


def _change(state: Prescription, wish: ChangePrescription) -> list[PrescriptionEvent]:
    drafted = _draft_of(state)
    hashed = content_hash(drafted.prescription, drafted.patient, drafted.visit, wish.medications, wish.diagnosis)
    if hashed == state.content_hash:
        return []
    return [
        PrescriptionChanged(
            prescription=drafted.prescription,
            patient=drafted.patient,
            medications=tuple(line.kept() for line in wish.medications),
            diagnosis=wish.diagnosis,
            content_hash=hashed,
        )
    ]


def _sign_draft(state: Prescription, wish: Signing, origin: Origin) -> list[PrescriptionEvent]:
    if state.status is Status.SIGNED and wish.command.content_hash == state.content_hash:
        return []
    drafted = _draft_of(state)
    if wish.command.content_hash and wish.command.content_hash != state.content_hash:
        raise NotWhatYouSaw(content_hash=state.content_hash)
    return _signed(drafted, state.content_hash, wish.command.overrides, wish.screening, origin)


def _signed(
    drafted: PrescriptionDrafted,
    hashed: str,
    overrides: Sequence[Override],
    screening: Screening,
    origin: Origin,
) -> list[PrescriptionEvent]:
    reasons = {override.alert: override.reason.strip() for override in overrides}
    interrupting = [alert for alert in screening.alerts if alert.interrupts]
    if open_ := [alert for alert in interrupting if alert.key not in reasons]:
        raise UnansweredAlerts(alerts=msgspec.to_builtins(open_))
    answers = [_overridden(drafted, alert, reasons[alert.key], origin) for alert in interrupting]
    return [*answers, _signature(drafted, hashed, screening, origin)]


def _overridden(drafted: PrescriptionDrafted, alert: Alert, reason: str, origin: Origin) -> AlertOverridden:
    return AlertOverridden(
        prescription=drafted.prescription,
        patient=drafted.patient,
        prescriber=origin.actor,
        alert=alert,
        reason=reason,
    )


def _signature(drafted: PrescriptionDrafted, hashed: str, screening: Screening, origin: Origin) -> PrescriptionSigned:
    return PrescriptionSigned(
        prescription=drafted.prescription,
        patient=drafted.patient,
        signer=origin.actor,
        signed_at=origin.happened_at,
        content_hash=hashed,
        signature=signature(hashed, origin.actor, origin.happened_at),
        tables=screening.tables,
        alerts=screening.alerts,
    )


def _cancel(state: Prescription, wish: CancelPrescription) -> list[PrescriptionEvent]:
    drafted = _known(state)
    if state.status is Status.CANCELLED:
        return []
    return [
        PrescriptionCancelled(prescription=drafted.prescription, patient=drafted.patient, reason=wish.reason.strip())
    ]


def _stop(state: Prescription, wish: StopMedication, origin: Origin) -> list[PrescriptionEvent]:
    drafted = _known(state)
    if state.status is Status.CANCELLED:
        raise PrescriptionIsCancelled()
    if state.status is not Status.SIGNED:
        raise NotSigned()
    if wish.line >= state.lines:
        raise NoSuchLine(lines=state.lines)
    if wish.line in state.stopped:
        return []
    return [
        MedicationStopped(
            prescription=drafted.prescription,
            patient=drafted.patient,
            line=wish.line,
            stopped_at=origin.happened_at,
            reason=wish.reason.strip(),
        )
    ]


def _known(state: Prescription) -> PrescriptionDrafted:
    if state.drafted is None:
        raise NoSuchPrescription()
    return state.drafted


def _draft_of(state: Prescription) -> PrescriptionDrafted:
    drafted = _known(state)
    if state.status is not Status.DRAFT:
        raise NotADraft()
    return drafted


PRESCRIPTION = Decider(
    kind="prescribing.prescription",
    initial=Prescription(),
    decide=decide,
    evolve=evolve,
    events=PrescriptionEvent,
)
