"""Stopping one medicine: of a prescription, or one that was recorded as taken."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.prescribing.commands import StopMedication, StopRecordedMedication
from salerno.contexts.prescribing.queries import MedicinesOfPatient, TakenMedicine
from salerno.interfaces.http import Body, FieldError, Filled, Request, Response, ask, from_form, get, post, read_form
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.chart.entry import CHART, HTML, form, patient_of, write
from salerno.interfaces.web.rights import require
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Command

PRESCRIBED = f"{CHART}/prescriptions/{{prescription_id:uuid}}/{{line:int}}/stop"
RECORDED = f"{CHART}/medicines/{{medicine_id:uuid}}/stop"


class Because(Body):
    reason: Annotated[str, Meta(min_length=3, max_length=2_000, pattern=r"\S\S")]


@get(PRESCRIBED, of=StopMedication, media=HTML)
async def ask_stop_prescribed(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why one medicine of a prescription is stopped."""
    require(request, StopMedication)
    return await _asked(request, StopMedication, await _taken(request), Filled(), [])


@post(PRESCRIBED, of=StopMedication, takes=Because, media=HTML)
async def stop_prescribed(request: Request[Any, Any, Any]) -> Response[Any]:
    """Stop one medicine of a prescription; the others go on."""
    return await _stop(request, StopMedication)


@get(RECORDED, of=StopRecordedMedication, media=HTML)
async def ask_stop_recorded(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why a medicine that was recorded is no longer taken."""
    require(request, StopRecordedMedication)
    return await _asked(request, StopRecordedMedication, await _taken(request), Filled(), [])


@post(RECORDED, of=StopRecordedMedication, takes=Because, media=HTML)
async def stop_recorded(request: Request[Any, Any, Any]) -> Response[Any]:
    """The patient no longer takes it."""
    return await _stop(request, StopRecordedMedication)


async def _stop(request: Request[Any, Any, Any], message: type[Command]) -> Response[Any]:
    filled, taken = await read_form(request), await _taken(request)
    filled["medicine"] = taken.medication.name
    typed, mistakes = from_form(Because, _without(filled, "medicine"))
    if typed is None:
        why = [field_error(one.path, "say-why", one.message) for one in mistakes]
        return await _asked(request, message, taken, filled, why)
    wish: Command
    if message is StopMedication:
        wish = StopMedication(prescription_id=taken.id, line=taken.line, reason=typed.reason)
    else:
        wish = StopRecordedMedication(medicine_id=taken.id, reason=typed.reason)
    return await write(request, wish, "medicines", "medicine_stop", filled)


def _without(filled: Filled, name: str) -> Filled:
    rest = Filled()
    for key, values in filled.many.items():
        for value in values:
            if key != name:
                rest.take(key, value)
    return rest


async def _asked(
    request: Request[Any, Any, Any],
    message: type[Command],
    taken: TakenMedicine,
    filled: Filled,
    errors: list[FieldError],
) -> Response[Any]:
    values = {**filled, "medicine": taken.medication.name}
    return await form(request, message, "medicine_stop", values, errors, status=422 if errors else 200)


async def _taken(request: Request[Any, Any, Any]) -> TakenMedicine:
    """The medicine of the address, if it is one of this chart's and still taken."""
    wanted: UUID = request.path_params.get("prescription_id") or request.path_params["medicine_id"]
    line = int(request.path_params.get("line", 0))
    found: list[TakenMedicine] = await ask(request, MedicinesOfPatient(patient_id=patient_of(request)))
    one = next((one for one in found if (one.id, one.line) == (wanted, line)), None)
    if one is None:
        raise NotFound()
    return one


PAGES = [ask_stop_prescribed, stop_prescribed, ask_stop_recorded, stop_recorded]
