"""One round of measurements: plausible or refused, kept in the room's own units and as it was entered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from salerno.contexts.records.commands import RecordVitals, VoidVitals
from salerno.contexts.records.data.vital_signs import conversions, vital_signs
from salerno.contexts.records.errors import (
    AlreadyRecorded,
    Implausible,
    NoSuchRecord,
    NothingMeasured,
    UnknownUnit,
    WasEnteredInError,
)
from salerno.contexts.records.events import Measures, Quantity, VitalsEvent, VitalsRecorded, VitalsVoided
from salerno.contexts.records.rules.dates import refuse_future
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Vitals:
    recorded: VitalsRecorded | None = None
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Measuring:
    """The wish with the id of its round."""

    command: RecordVitals
    vitals: UUID


Wish: TypeAlias = Measuring | VoidVitals


def decide(vitals: Vitals, wish: Wish, origin: Origin) -> Sequence[VitalsEvent]:
    match wish:
        case Measuring():
            return _record(vitals, wish, origin)
        case VoidVitals():
            return _void(vitals, wish)
        case _:
            assert_never(wish)


def evolve(vitals: Vitals, event: VitalsEvent) -> Vitals:
    match event:
        case VitalsRecorded():
            return replace(vitals, recorded=event)
        case VitalsVoided():
            return replace(vitals, voided=True)
        case _:
            assert_never(event)


def _record(vitals: Vitals, wish: Measuring, origin: Origin) -> list[VitalsEvent]:
    asked = wish.command
    refuse_future("measured_at", asked.measured_at, origin)
    first = vitals.recorded.measured_at if vitals.recorded else origin.happened_at
    event = VitalsRecorded(
        vitals=wish.vitals,
        patient=asked.patient_id,
        visit=asked.visit_id,
        measured_at=asked.measured_at or first,
        as_entered=_as_entered(asked),
        comment=asked.comment,
        **_measured(asked),
    )
    if vitals.recorded is None:
        return [event]
    if vitals.voided:
        raise WasEnteredInError()
    if vitals.recorded != event:
        raise AlreadyRecorded(record_id=str(wish.vitals))
    return []


def _measured(asked: RecordVitals) -> dict[str, Any]:
    """Every measure in the room's own unit. All that is wrong is named at once."""
    given = {name: getattr(asked, name) for name in Measures.__struct_fields__}
    _refuse_units(asked, given)
    values = given | {name: _own_unit(name, given[name], asked) for name in vital_signs() if given[name] is not None}
    if not any(values[name] is not None for name in (*vital_signs(), "consciousness")):
        raise NothingMeasured()
    _refuse_implausible(values)
    return values


def _refuse_units(asked: RecordVitals, given: dict[str, Any]) -> None:
    for name, unit in asked.units.items():
        sign = vital_signs().get(name)
        if sign is None or given[name] is None:
            raise _wrong(UnknownUnit, name, "not-measured", "A unit without a measurement.")
        if unit != sign.unit and (name, unit) not in conversions():
            known = [sign.unit, *(other for kind, other in conversions() if kind == name)]
            raise _wrong(UnknownUnit, name, "unknown-unit", f"Known units: {', '.join(known)}.")


def _own_unit(name: str, value: float, asked: RecordVitals) -> float:
    factor, offset = conversions().get((name, asked.units.get(name, "")), (1.0, 0.0))
    return value if (factor, offset) == (1.0, 0.0) else round(value * factor + offset, 6)


def _as_entered(asked: RecordVitals) -> dict[str, Quantity]:
    other = {name: unit for name, unit in asked.units.items() if (name, unit) in conversions()}
    return {name: Quantity(value=getattr(asked, name), unit=unit, code=unit) for name, unit in other.items()}


def _refuse_implausible(values: dict[str, Any]) -> None:
    errors = [
        _error(name, "implausible", f"Between {sign.least:g} and {sign.most:g} {sign.unit}.")
        for name, sign in vital_signs().items()
        if values[name] is not None and not sign.least <= values[name] <= sign.most
    ]
    systolic, diastolic = values["systolic"], values["diastolic"]
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        errors.append(_error("diastolic", "not-below-systolic", "The diastolic pressure lies below the systolic one."))
    if errors:
        raise Implausible(errors=errors)


def _wrong(refusal: type[UnknownUnit], path: str, code: str, message: str) -> UnknownUnit:
    return refusal(errors=[_error(path, code, message)])


def _error(path: str, code: str, message: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": message}


def _void(vitals: Vitals, wish: VoidVitals) -> list[VitalsEvent]:
    if vitals.recorded is None:
        raise NoSuchRecord()
    if vitals.voided:
        return []
    return [VitalsVoided(vitals=vitals.recorded.vitals, patient=vitals.recorded.patient, reason=wish.reason)]


VITALS = Decider(kind="records.vitals", initial=Vitals(), decide=decide, evolve=evolve, events=VitalsEvent)
