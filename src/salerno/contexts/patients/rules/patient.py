"""The life of a patient's record: registered, changed, removed and restored, merged and un-merged, consents."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from msgspec import structs

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
from salerno.contexts.patients.errors import (
    AlreadyRegistered,
    CannotMerge,
    LikelyDuplicate,
    MergedAway,
    NoSuchConsent,
    NoSuchPatient,
    NotMerged,
    RemovedRecord,
)
from salerno.contexts.patients.events import (
    ConsentGiven,
    ConsentWithdrawn,
    PatientRegistered,
    PatientRemoved,
    PatientRestored,
    PatientsEvent,
    PatientsMerged,
    PatientsUnmerged,
    PatientUpdated,
    Person,
)
from salerno.contexts.patients.rules.person import Place, clean_emergency_contacts, clean_insurance, clean_person
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin

SCOPE = re.compile(r"[a-z][a-z0-9-]{1,59}")
REASON_LENGTH = 500
AHEAD = timedelta(hours=14)  # how far the earliest time zone is ahead of UTC: its today is no future
MRN = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}")


class Status(StrEnum):
    UNREGISTERED = "unregistered"
    ACTIVE = "active"
    REMOVED = "removed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Consent:
    version: str
    given_on: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """`first` is the person as registered: asking for the same registration again changes nothing."""

    status: Status = Status.UNREGISTERED
    person: Person = Person()
    first: Person = Person()
    mrn: str = ""
    into: UUID | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another patient who may be the same person, as found before the rule is asked."""

    patient: UUID
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """The wish with its facts: the cleaned person, the number, and who looks alike (strongest first)."""

    wish: RegisterPatient
    patient: UUID
    person: Person
    mrn: str
    alike: tuple[Duplicate, ...] = ()
    threshold: float = 0.9


@dataclass(frozen=True, slots=True)
class Change:
    """A change of demographics with the organisation's facts. `kept` are fields that are not the writer's to see."""

    wish: UpdatePatient | SetEmergencyContacts | SetInsurance
    place: Place
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """The wish with the survivor's state, both records locked by whoever asks."""

    wish: MergePatients
    survivor: Status


Asked: TypeAlias = (
    Registration | Change | RemovePatient | RestorePatient | Merge | UnmergePatients | GiveConsent | WithdrawConsent
)


def decide(state: Patient, command: Asked, origin: Origin) -> list[PatientsEvent]:
    match command:
        case Registration():
            return _register(state, command)
        case Change():
            return _change(state, command)
        case RemovePatient():
            return _remove(state, command)
        case RestorePatient():
            return _restore(state, command)
        case Merge():
            return _merge(state, command)
        case UnmergePatients():
            return _unmerge(state, command)
        case GiveConsent():
            return _give_consent(state, command, origin)
        case WithdrawConsent():
            return _withdraw_consent(state, command, origin)
        case _:
            assert_never(command)


def evolve(state: Patient, event: PatientsEvent) -> Patient:
    match event:
        case PatientRegistered():
            person = person_of(event)
            return Patient(status=Status.ACTIVE, person=person, first=person, mrn=event.mrn)
        case PatientUpdated():
            return replace(state, person=person_of(event))
        case PatientRemoved():
            return replace(state, status=Status.REMOVED)
        case PatientRestored():
            return replace(state, status=Status.ACTIVE)
        case PatientsMerged():
            return replace(state, status=Status.MERGED, into=event.into)
        case PatientsUnmerged():
            return replace(state, status=Status.ACTIVE, into=None)
        case ConsentGiven():
            given = Consent(event.version, event.given_on, event.expires_on)
            return replace(state, consents={**state.consents, event.scope: given})
        case ConsentWithdrawn():
            return replace(state, consents={s: c for s, c in state.consents.items() if s != event.scope})
        case _:
            assert_never(event)


def person_of(event: PatientRegistered | PatientUpdated) -> Person:
    return Person(**{name: getattr(event, name) for name in Person.__struct_fields__})


# ------------------------------------------------------------------ from registration to removal
def _register(state: Patient, asked: Registration) -> list[PatientsEvent]:
    if state.status is not Status.UNREGISTERED:
        if asked.person == state.first and asked.wish.mrn in (None, state.mrn):
            return []
        raise AlreadyRegistered()
    if not MRN.fullmatch(asked.mrn):
        raise Invalid.field("mrn", "not-valid", "Up to 64 letters, digits, dots, dashes and slashes.")
    likely = [one for one in asked.alike if one.score >= asked.threshold]
    if likely and not asked.wish.confirmed_not_duplicate:
        raise LikelyDuplicate(duplicates=[_told(one) for one in likely])
    return [
        PatientRegistered(
            patient=asked.patient,
            mrn=asked.mrn,
            confirmed_not_duplicate=asked.wish.confirmed_not_duplicate,
            resembles=tuple(one.patient for one in likely),
            **structs.asdict(asked.person),
        )
    ]


def _told(one: Duplicate) -> dict[str, object]:
    return {"patient_id": str(one.patient), "score": one.score, "reasons": list(one.reasons)}


def _change(state: Patient, asked: Change) -> list[PatientsEvent]:
    _in_use(state)
    person = _changed(state.person, asked)
    if person == state.person:
        return []
    return [PatientUpdated(patient=asked.wish.patient_id, **structs.asdict(person))]


def _bare(before: Person, kept: tuple[str, ...]) -> Person:
    """Nothing but what whoever replaces the rest cannot see."""
    return Person(**{name: getattr(before, name) for name in kept if name in Person.__struct_fields__})


def _changed(before: Person, asked: Change) -> Person:
    match asked.wish:
        case UpdatePatient() as wish:
            return clean_person(wish, _bare(before, asked.kept) if wish.complete else before, asked.place)
        case SetEmergencyContacts() as wish:
            contacts = clean_emergency_contacts(wish.emergency_contacts, asked.place)
            return structs.replace(before, emergency_contacts=contacts)
        case SetInsurance() as wish:
            return structs.replace(before, insurance=clean_insurance(wish.insurance, asked.place))
        case _:
            assert_never(asked.wish)


def _remove(state: Patient, wish: RemovePatient) -> list[PatientsEvent]:
    if state.status is Status.REMOVED:
        return []
    _in_use(state)
    return [PatientRemoved(patient=wish.patient_id, reason=_reason(wish.reason))]


def _restore(state: Patient, wish: RestorePatient) -> list[PatientsEvent]:
    if state.status is Status.ACTIVE:
        return []
    if state.status is not Status.REMOVED:
        _in_use(state)
    return [PatientRestored(patient=wish.patient_id, reason=_reason(wish.reason))]


# ------------------------------------------------------------------ two charts of one person
def _merge(state: Patient, asked: Merge) -> list[PatientsEvent]:
    wish = asked.wish
    if wish.patient_id == wish.duplicate_id:
        raise CannotMerge.field("duplicate_id", "same-record", "A record cannot be merged into itself.")
    if state.status is Status.MERGED and state.into == wish.patient_id:
        return []
    _in_use(state)
    if asked.survivor is Status.UNREGISTERED:
        raise NoSuchPatient()
    if asked.survivor is not Status.ACTIVE:
        raise CannotMerge.field("patient_id", "not-in-use", "The surviving record is itself removed or merged.")
    return [PatientsMerged(patient=wish.duplicate_id, into=wish.patient_id, reason=_reason(wish.reason))]


def _unmerge(state: Patient, wish: UnmergePatients) -> list[PatientsEvent]:
    if state.status is Status.UNREGISTERED:
        raise NoSuchPatient()
    if state.status is not Status.MERGED or state.into != wish.patient_id:
        raise NotMerged()
    return [PatientsUnmerged(patient=wish.duplicate_id, from_=wish.patient_id, reason=_reason(wish.reason))]


# ------------------------------------------------------------------ consents
def _give_consent(state: Patient, wish: GiveConsent, origin: Origin) -> list[PatientsEvent]:
    _in_use(state)
    given_on = wish.given_on or origin.happened_at.date()
    _check_consent(wish, given_on, origin)
    given = Consent(wish.version, given_on, wish.expires_on)
    if state.consents.get(wish.scope) == given:
        return []
    return [
        ConsentGiven(
            patient=wish.patient_id,
            scope=wish.scope,
            version=wish.version,
            given_on=given_on,
            expires_on=wish.expires_on,
            document=wish.document_id,
            note=_reason(wish.note, "note"),
        )
    ]


def _check_consent(wish: GiveConsent, given_on: date, origin: Origin) -> None:
    if not SCOPE.fullmatch(wish.scope):
        raise Invalid.field("scope", "not-valid", "A scope is a short word, such as data-sharing.")
    if not wish.version.strip() or len(wish.version) > 40 or not wish.version.isprintable():
        raise Invalid.field("version", "not-valid", "Name the version of the text, in at most 40 characters.")
    if given_on > (origin.recorded_at + AHEAD).date():
        raise Invalid.field("given_on", "in-the-future", "A consent cannot be given in the future.")
    if wish.expires_on and wish.expires_on < given_on:
        raise Invalid.field("expires_on", "before-start", "The end lies before the start.")


def _withdraw_consent(state: Patient, wish: WithdrawConsent, origin: Origin) -> list[PatientsEvent]:
    _in_use(state)
    held = state.consents.get(wish.scope)
    if held is None:
        raise NoSuchConsent()
    withdrawn_on = wish.withdrawn_on or origin.happened_at.date()
    if withdrawn_on > (origin.recorded_at + AHEAD).date():
        raise Invalid.field("withdrawn_on", "in-the-future", "A consent cannot be withdrawn in the future.")
    if withdrawn_on < held.given_on:
        raise Invalid.field("withdrawn_on", "before-start", "The withdrawal lies before the consent.")
    return [
        ConsentWithdrawn(
            patient=wish.patient_id,
            scope=wish.scope,
            version=held.version,
            withdrawn_on=withdrawn_on,
            reason=_reason(wish.reason),
        )
    ]


def _in_use(state: Patient) -> None:
    match state.status:
        case Status.UNREGISTERED:
            raise NoSuchPatient()
        case Status.REMOVED:
            raise RemovedRecord()
        case Status.MERGED:
            assert state.into is not None
            raise MergedAway(state.into)
        case Status.ACTIVE:
            return
        case _:
            assert_never(state.status)


def _reason(text: str, path: str = "reason") -> str:
    if len(text) > REASON_LENGTH:
        raise Invalid.field(path, "too-long", f"At most {REASON_LENGTH} characters.")
    return text.strip()


PATIENT: Decider[Patient, Asked, PatientsEvent] = Decider(
    kind="patients.patient",
    initial=Patient(),
    decide=decide,
    evolve=evolve,
    events=PatientsEvent,
)
