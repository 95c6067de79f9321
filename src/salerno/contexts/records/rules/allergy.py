"""One allergy, or the statement that none is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.records.commands import ChangeAllergy, RecordAllergy, RemoveAllergy, StateNoKnownAllergies
from salerno.contexts.records.errors import AlreadyRecorded, HasAllergies, NoSuchRecord, WasEnteredInError
from salerno.contexts.records.events import (
    AllergyChanged,
    AllergyContent,
    AllergyEvent,
    AllergyRecorded,
    AllergyRemoved,
    NoKnownAllergiesStated,
    Severity,
)
from salerno.contexts.records.rules.dates import refuse_impossible
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin

WORST: tuple[Severity, ...] = ("severe", "moderate", "mild")


@dataclass(frozen=True, slots=True)
class Allergy:
    """`content` is what is known now."""

    recorded: AllergyRecorded | None = None
    changed: AllergyChanged | None = None
    none_known: NoKnownAllergiesStated | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """The wish with the allergy's id."""

    command: RecordAllergy
    allergy: UUID


@dataclass(frozen=True, slots=True)
class Stating:
    """The wish, its id, and whether the person has active allergies."""

    command: StateNoKnownAllergies
    allergy: UUID
    has_allergies: bool


Wish: TypeAlias = Recording | ChangeAllergy | RemoveAllergy | Stating


def decide(allergy: Allergy, wish: Wish, origin: Origin) -> Sequence[AllergyEvent]:
    match wish:
        case Recording():
            return _record(allergy, wish, origin)
        case ChangeAllergy():
            return _change(allergy, wish, origin)
        case RemoveAllergy():
            return _remove(allergy, wish)
        case Stating():
            return _state(allergy, wish)
        case _:
            assert_never(wish)


def evolve(allergy: Allergy, event: AllergyEvent) -> Allergy:
    match event:
        case AllergyRecorded():
            return replace(allergy, recorded=event)
        case AllergyChanged():
            return replace(allergy, changed=event)
        case AllergyRemoved():
            return replace(allergy, removed=True)
        case NoKnownAllergiesStated():
            return replace(allergy, none_known=event)
        case _:
            assert_never(event)


def _content(asked: AllergyContent, origin: Origin) -> dict[str, Any]:
    """What both commands say, with the reactions summed up."""
    refuse_impossible("onset", asked.onset, origin)
    for number, reaction in enumerate(asked.reactions):
        refuse_impossible(f"reactions[{number}].onset", reaction.onset, origin)
    severities = {reaction.severity for reaction in asked.reactions}
    return {
        **{name: getattr(asked, name) for name in AllergyContent.__struct_fields__},
        "reaction": ", ".join(reaction.manifestation.display for reaction in asked.reactions),
        "severity": next((worst for worst in WORST if worst in severities), ""),
    }


def _record(allergy: Allergy, wish: Recording, origin: Origin) -> list[AllergyEvent]:
    asked = wish.command
    event = AllergyRecorded(
        allergy=wish.allergy, patient=asked.patient_id, visit=asked.visit_id, **_content(asked, origin)
    )
    if allergy.recorded is None and allergy.none_known is None:
        return [event]
    if allergy.removed:
        raise WasEnteredInError()
    if allergy.recorded == event:
        return []
    raise AlreadyRecorded(record_id=str(wish.allergy))


def _change(allergy: Allergy, wish: ChangeAllergy, origin: Origin) -> list[AllergyEvent]:
    known = _known(allergy)
    content = _content(wish, origin)
    now = allergy.changed or known
    if all(getattr(now, name) == value for name, value in content.items()):
        return []
    return [AllergyChanged(allergy=known.allergy, patient=known.patient, reason=wish.reason, **content)]


def _remove(allergy: Allergy, wish: RemoveAllergy) -> list[AllergyEvent]:
    stated = allergy.recorded or allergy.none_known
    if stated is None:
        raise NoSuchRecord()
    if allergy.removed:
        return []
    return [AllergyRemoved(allergy=stated.allergy, patient=stated.patient, reason=wish.reason)]


def _state(allergy: Allergy, wish: Stating) -> list[AllergyEvent]:
    if wish.has_allergies:
        raise HasAllergies()
    event = NoKnownAllergiesStated(allergy=wish.allergy, patient=wish.command.patient_id)
    if allergy.recorded is not None or allergy.removed:
        raise AlreadyRecorded(record_id=str(wish.allergy))
    return [] if allergy.none_known == event else [event]


def _known(allergy: Allergy) -> AllergyRecorded:
    if allergy.recorded is None:
        raise NoSuchRecord()
    if allergy.removed:
        raise WasEnteredInError()
    return allergy.recorded


ALLERGY = Decider(kind="records.allergy", initial=Allergy(), decide=decide, evolve=evolve, events=AllergyEvent)
