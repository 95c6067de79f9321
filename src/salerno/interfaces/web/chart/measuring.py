"""Rounds of measurements recorded and withdrawn."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from salerno.contexts.records.commands import (
    RecordVitals,
    VoidVitals,
)
from salerno.contexts.records.events import (
    Consciousness,
)
from salerno.contexts.records.queries import VitalsOfPatient
from salerno.interfaces.http import (
    Body,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    from_form,
    get,
    post,
    read_form,
)
from salerno.interfaces.web.chart.entry import CHART, ENTRY, HTML, Said, Withdrawal, form, one_of, patient_of, write
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import require

NUMBERS = (
    "systolic", "diastolic", "heart_rate", "respiratory_rate", "temperature", "spo2", "weight", "height", "pain",
    "glucose",
)  # fmt: skip


class VitalsForm(Body):
    """A round as typed, in the units that stand beside the fields."""

    measured_at: datetime | None = None
    systolic: float | None = None
    diastolic: float | None = None
    heart_rate: float | None = None
    respiratory_rate: float | None = None
    temperature: float | None = None
    spo2: float | None = None
    on_oxygen: bool | None = None
    spo2_scale2: bool = False
    consciousness: Consciousness | None = None
    weight: float | None = None
    height: float | None = None
    pain: float | None = None
    glucose: float | None = None
    comment: Said = ""


@get(f"{CHART}/vitals/new", of=RecordVitals, media=HTML)
async def new_vitals(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form for a round of measurements."""
    now = bus_of(request).clock.now().astimezone(_zone(request))
    values = {"measured_at": now.strftime("%Y-%m-%dT%H:%M")}
    return await form(request, RecordVitals, "vitals_form", values, [], status=200)


@post(f"{CHART}/vitals/new", of=RecordVitals, media=HTML)
async def add_vitals(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record a round of measurements. A comma is as good as a point."""
    filled = await read_form(request)
    typed, mistakes = from_form(VitalsForm, _with_points(filled))
    if typed is None:
        return await form(request, RecordVitals, "vitals_form", filled, mistakes)
    at = typed.measured_at
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=_zone(request))
    now = bus_of(request).clock.now()
    measures = {name: getattr(typed, name) for name in VitalsForm.__struct_fields__ if name != "measured_at"}
    # The form knows minutes: the minute that is running has not passed.
    same_minute = at is not None and 0 <= (at - now).total_seconds() < 60
    wish = RecordVitals(patient_id=patient_of(request), measured_at=None if same_minute else at, **measures)
    return await write(request, wish, "vitals", "vitals_form", filled)


@get(f"{CHART}/vitals/{ENTRY}/withdraw", of=VoidVitals, media=HTML)
async def ask_void(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why this round was an error."""
    require(request, VoidVitals)
    return await form(request, VoidVitals, "vitals_withdraw", {}, [], status=200, entry=await _round(request))


@post(f"{CHART}/vitals/{ENTRY}/withdraw", of=VoidVitals, media=HTML)
async def void(request: Request[Any, Any, Any]) -> Response[Any]:
    """This round was entered in error; it stays in the history."""
    filled, entry = await read_form(request), await _round(request)
    typed, mistakes = from_form(Withdrawal, filled)
    if typed is None:
        return await form(request, VoidVitals, "vitals_withdraw", filled, mistakes, entry=entry)
    wish = VoidVitals(vitals_id=entry.id, reason=typed.reason)
    return await write(request, wish, "vitals", "vitals_withdraw", filled, entry=entry)


async def _round(request: Request[Any, Any, Any]) -> Any:
    lines = await ask(request, VitalsOfPatient(patient_id=patient_of(request), limit=500))
    return one_of(request, [line.entry for line in lines])


def _with_points(filled: Filled) -> Filled:
    plain = Filled()
    for name, values in filled.many.items():
        for value in values:
            plain.take(name, value.replace(",", ".") if name in NUMBERS else value)
    return plain


def _zone(request: Request[Any, Any, Any]) -> ZoneInfo:
    return ZoneInfo(look_of(request).zone)


PAGES = [new_vitals, add_vitals, ask_void, void]
