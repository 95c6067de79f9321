"""What is done on the screen of a visit beside its note: measuring, coding, planning, beginning, ending."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from salerno.contexts.encounters.commands import (
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SetTreatmentPlan,
    StartVisit,
)
from salerno.contexts.encounters.events import Certainty, PlanItem, PlanKind
from salerno.contexts.encounters.queries import FindDiagnosisCodes, VisitById, VisitPage
from salerno.contexts.records.commands import RecordVitals
from salerno.contexts.records.events import Consciousness, Measures
from salerno.contexts.scheduling.errors import AlreadyOver
from salerno.contexts.scheduling.queries import AppointmentById, AppointmentItem
from salerno.interfaces.http import (
    Body,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    from_form,
    post,
    read_form,
    submit,
)
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.pages import go_to, wants_part
from salerno.interfaces.web.visit.page import HTML, VISIT, Trouble, say_why, screen, trouble_of, visit_id
from salerno.interfaces.web.whose import own_staff
from salerno.kernel.errors import Conflict, Invalid, NotFound
from salerno.kernel.messages import Command

MEASURED = tuple(name for name in Measures.__struct_fields__ if name not in ("on_oxygen", "spo2_scale2"))


class Vitals(Body):
    """A round of measurements; a comma is as good as a point."""

    systolic: float | None = None
    diastolic: float | None = None
    heart_rate: float | None = None
    respiratory_rate: float | None = None
    temperature: float | None = None
    spo2: float | None = None
    on_oxygen: bool | None = None
    consciousness: Consciousness | None = None
    weight: float | None = None
    height: float | None = None
    pain: float | None = None
    glucose: float | None = None


class Diagnosis(Body):
    """A code that was chosen, or words to look for."""

    code: Annotated[str, Meta(max_length=40)] = ""
    diagnosis: Annotated[str, Meta(max_length=200)] = ""
    certainty: Certainty = "confirmed"


class Because(Body):
    because: Annotated[str, Meta(min_length=3, max_length=2_000)]


class Planned(Body):
    kind: PlanKind = "other"
    item: Annotated[str, Meta(min_length=1, max_length=2_000)]
    due_on: date | None = None


class Begin(Body):
    visit_reason: Annotated[str, Meta(max_length=2_000)] = ""


@post(f"{VISIT}/vitals", of=RecordVitals, takes=Vitals, media=HTML)
async def measure(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record a round of measurements."""
    filled = await read_form(request)
    read, errors = from_form(Vitals, _with_points(filled))
    if read is None:
        return await _again(request, Trouble(part="vitals", filled=filled, errors=errors))
    page: VisitPage = await ask(request, VisitById(visit_id=visit_id(request)))
    measured = {name: value for name, value in msgspec.structs.asdict(read).items() if value is not None}
    return await _after(
        request,
        "vitals",
        filled,
        RecordVitals(patient_id=page.visit.patient, visit_id=page.visit.visit, **measured),
    )


def _with_points(filled: Filled) -> Filled:
    pointed = Filled()
    for name, values in filled.many.items():
        for value in values:
            pointed.take(name, value.replace(",", ".") if name in MEASURED else value)
    return pointed


@post(f"{VISIT}/diagnoses", of=RecordDiagnosis, takes=Diagnosis, media=HTML)
async def diagnose(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a coded diagnosis; words that fit several codes are answered with these to choose from."""
    filled = await read_form(request)
    wanted, errors = from_form(Diagnosis, filled)
    if wanted is None:
        return await _again(request, Trouble(part="diagnoses", filled=filled, errors=errors))
    if not (wanted.code or wanted.diagnosis):
        missing = [field_error("diagnosis", "missing", "Say what was found.")]
        return await _again(request, Trouble(part="diagnoses", filled=filled, errors=missing))
    code = wanted.code or await _only_code(request, wanted.diagnosis)
    if not code:
        choices = await ask(request, FindDiagnosisCodes(q=wanted.diagnosis, limit=8))
        what = "not-a-choice" if choices else "unknown-diagnosis"
        unclear = [field_error("diagnosis", what, "ICD-10 has no such code.")]
        return await _again(request, Trouble(part="diagnoses", filled=filled, errors=unclear, choices=choices))
    command = RecordDiagnosis(visit_id=visit_id(request), code=code, certainty=wanted.certainty)
    return await _after(request, "diagnoses", filled, command)


async def _only_code(request: Request[Any, Any, Any], words: str) -> str:
    """The code that was typed itself; what was typed in words has to be chosen."""
    found = await ask(request, FindDiagnosisCodes(q=words, limit=5))
    typed = words.split(maxsplit=1)[0].replace(".", "").upper()
    return next((str(one.code) for one in found if one.code.replace(".", "") == typed), "")


@post(f"{VISIT}/diagnoses/{{diagnosis_id:uuid}}/remove", of=RemoveDiagnosis, takes=Because, media=HTML)
async def remove_diagnosis(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take a diagnosis back, with the reason."""
    filled = await read_form(request)
    wanted, errors = from_form(Because, filled)
    diagnosis_id = UUID(str(request.path_params["diagnosis_id"]))
    if wanted is None:
        filled.take("removing", str(diagnosis_id))
        return await _again(request, Trouble(part="diagnoses", filled=filled, errors=say_why(errors)))
    command = RemoveDiagnosis(visit_id=visit_id(request), diagnosis_id=diagnosis_id, reason=wanted.because)
    return await _after(request, "diagnoses", filled, command)


@post(f"{VISIT}/plan", of=SetTreatmentPlan, takes=Planned, media=HTML)
async def plan(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add one thing that is to be done."""
    filled = await read_form(request)
    wanted, errors = from_form(Planned, filled)
    if wanted is None:
        return await _again(request, Trouble(part="plan", filled=filled, errors=errors))
    page: VisitPage = await ask(request, VisitById(visit_id=visit_id(request)))
    item = PlanItem(kind=wanted.kind, text=wanted.item, due_on=wanted.due_on)
    return await _replan(request, filled, page, (*page.visit.plan, item))


@post(f"{VISIT}/plan/{{number:int}}/remove", of=SetTreatmentPlan, media=HTML)
async def unplan(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take one thing off the plan. The form says which text stood there, so that no other goes."""
    filled = await read_form(request)
    number = int(request.path_params["number"])
    page: VisitPage = await ask(request, VisitById(visit_id=visit_id(request)))
    items = page.visit.plan
    if number >= len(items) or items[number].text != filled.get("text", "").replace("\r\n", "\n"):
        moved = "This was changed by somebody else in the meantime."
        return await _again(request, Trouble(part="plan", status=409, refused=moved, code="version-conflict"))
    return await _replan(request, filled, page, (*items[:number], *items[number + 1 :]))


async def _replan(
    request: Request[Any, Any, Any], filled: Filled, page: VisitPage, items: tuple[PlanItem, ...]
) -> Response[Any]:
    """Against the version that was read: what another window planned meanwhile is not lost."""
    command = SetTreatmentPlan(visit_id=page.visit.visit, items=items)
    return await _after(request, "plan", filled, command, version=page.version)


@post(f"{VISIT}/complete", of=CompleteVisit, media=HTML)
async def complete(request: Request[Any, Any, Any]) -> Response[Any]:
    """The meeting is over; its note may still wait for the signature."""
    filled = await read_form(request)
    return await _ended(request, filled, CompleteVisit(visit_id=visit_id(request)))


@post(f"{VISIT}/cancel", of=CancelVisit, takes=Because, media=HTML)
async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
    """The visit did not take place, or was opened for somebody else."""
    filled = await read_form(request)
    wanted, errors = from_form(Because, filled)
    if wanted is None:
        trouble = Trouble(part="ending", filled=filled, errors=say_why(errors))
        return await screen(request, visit_id(request), trouble=trouble)
    return await _ended(request, filled, CancelVisit(visit_id=visit_id(request), reason=wanted.because))


async def _ended(
    request: Request[Any, Any, Any], filled: Filled, command: CompleteVisit | CancelVisit
) -> Response[Any]:
    try:
        await submit(request, command)
    except (Conflict, Invalid) as refusal:
        return await screen(request, command.visit_id, trouble=trouble_of("ending", filled, refusal))
    return go_to(request, f"/visit/{command.visit_id}")


async def _again(request: Request[Any, Any, Any], trouble: Trouble) -> Response[Any]:
    return await screen(request, visit_id(request), part=trouble.part, trouble=trouble)


async def _after(
    request: Request[Any, Any, Any], part: str, filled: Filled, command: Command, version: int | None = None
) -> Response[Any]:
    """The part as it is now: for htmx the part itself, for a plain form the screen at that part."""
    try:
        await bus_of(request).handle(command, caller_of(request), expected_version=version)
    except (Conflict, Invalid, NotFound) as refusal:
        return await _again(request, trouble_of(part, filled, refusal))
    if wants_part(request):
        return await screen(request, visit_id(request), part=part)
    return go_to(request, f"/visit/{visit_id(request)}#{part}")


@post("/chart/{patient_id:uuid}/visits", of=StartVisit, takes=Begin, media=HTML)
async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
    """Begin a visit that nobody had booked."""
    wanted, errors = from_form(Begin, await read_form(request))
    if wanted is None:
        raise Invalid(errors=[{"path": each.path, "code": each.code, "message": each.message} for each in errors])
    command = StartVisit(
        patient_id=UUID(str(request.path_params["patient_id"])),
        practitioner_id=await own_staff(request),
        reason=wanted.visit_reason,
    )
    receipt = await submit(request, command)
    return go_to(request, f"/visit/{receipt.aggregate_id}")


@post("/calendar/appointments/{appointment_id:uuid}/visit", of=StartVisit, media=HTML)
async def begin_booked(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open the visit of an appointment, whoever was first: there is one."""
    await read_form(request)
    wanted = UUID(str(request.path_params["appointment_id"]))
    item: AppointmentItem = await ask(request, AppointmentById(appointment_id=wanted))
    command = StartVisit(
        patient_id=item.patient_id,
        practitioner_id=item.doctor_id,
        appointment_id=item.id,
        location_id=item.location_id,
        reason=item.reason,
    )
    if item.status in ("cancelled", "no-show"):
        raise AlreadyOver(item.status)
    receipt = await submit(request, command)
    return go_to(request, f"/visit/{receipt.aggregate_id}")


PAGES = [measure, diagnose, remove_diagnosis, plan, unplan, complete, cancel, begin, begin_booked]
