"""Today: the doctor's next patient, the desk's arrivals, whom the nurse measures; for others a calm day."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from salerno.contexts.encounters.queries import OpenVisits, UnsignedNotes, VisitPage
from salerno.contexts.identity.queries import Me
from salerno.contexts.organisations.commands import FoundOrganisation
from salerno.contexts.organisations.queries import Organisation
from salerno.contexts.patients.queries import PatientNames
from salerno.contexts.prescribing.commands import SignPrescription
from salerno.contexts.prescribing.queries import Prescriptions
from salerno.contexts.records.queries import VitalsOfPatient
from salerno.contexts.scheduling.commands import CheckIn, RecordNoShow
from salerno.contexts.scheduling.queries import (
    AppointmentItem,
    Appointments,
    AppointmentsOfPatient,
    VisitTypes,
    WaitingRoom,
)
from salerno.interfaces.http import Request, Response, ask, caller_of, get, post, read_form, submit
from salerno.interfaces.web import clinical_words, visit_words
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.rights import may
from salerno.interfaces.web.scheduling_words import refusal_told
from salerno.interfaces.web.whose import if_allowed, now_of, own_staff
from salerno.kernel.errors import Conflict, NotFound

HTML = "text/html"
MOST = 500
WAITS, COMES = "checked-in", ("scheduled", "confirmed")
ID = "{appointment_id:uuid}"

__all__ = ["PAGES", "clinical_words", "visit_words"]


class Waiting(Struct, frozen=True, kw_only=True):
    """Who waits, the visit that was begun for it, and whether anything was measured yet."""

    item: AppointmentItem
    visit: UUID | None
    measured: bool


@get("/today", of=Me, media=HTML)
async def today(request: Request[Any, Any, Any]) -> Response[Any]:
    """The day of whoever asks."""
    return await _today(request)


async def _today(request: Request[Any, Any, Any], refused: str = "") -> Response[Any]:
    role = caller_of(request).role
    if role == "ADMIN" and may(request, SignPrescription):
        role = "DOCTOR"  # who administers and sees patients begins with the patients
    day = {
        "DOCTOR": _doctor,
        "NURSE": _nurse,
        "RECEPTIONIST": _desk,
        "ADMIN": _desk,
        "SUPER_ADMIN": _desk,
        "PHARMACIST": _pharmacist,
        "PATIENT": _patient,
    }.get(role, _calm)
    template, context = await day(request)
    return render(
        request, f"today/{template}.html", status=409 if refused else 200, refused=refused, day=_day(request), **context
    )


def _day(request: Request[Any, Any, Any]) -> date:
    return now_of(request).date()


async def _doctor(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    staff = await own_staff(request)
    page, waiting, opened, unsigned, kinds = await asyncio.gather(
        ask(request, Appointments(date=_day(request), doctor_id=staff, limit=MOST)),
        ask(request, WaitingRoom(doctor_id=staff)),
        ask(request, OpenVisits(practitioner_id=staff)),
        ask(request, UnsignedNotes()),
        ask(request, VisitTypes()),
    )
    notes = [one.note for one in unsigned]
    visits = [one.visit for one in opened]
    return "doctor", {
        "items": page.items, "waiting": waiting, "next": _next(page.items, waiting), "opened": visits, "notes": notes,
        "visit_of": {one.appointment: one.visit for one in visits if one.appointment},
        "begun": {note.visit for note in notes},
        "names": await _names(request, [one.patient for one in (*visits, *notes)]),
        "types": {each.code: each for each in kinds}, "waits": WAITS, "comes": COMES,
    }  # fmt: skip


def _next(items: Sequence[AppointmentItem], waiting: Sequence[AppointmentItem]) -> AppointmentItem | None:
    """Of those who are here, the one whose time comes first; else whoever is expected next."""
    here = sorted(waiting, key=lambda item: (item.appointment_datetime, item.id))
    return next(iter(here), None) or next((item for item in items if item.status in COMES), None)


async def _nurse(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    waiting, opened, page, unsigned = await asyncio.gather(
        ask(request, WaitingRoom()),
        ask(request, OpenVisits()),
        ask(request, Appointments(date=_day(request), limit=MOST)),
        ask(request, UnsignedNotes()),
    )
    notes = [one.note for one in unsigned]
    return "nurse", {
        "waiting": await _measured(request, waiting, opened), "items": page.items, "notes": notes, "comes": COMES,
        "names": await _names(request, [note.patient for note in notes]),
    }  # fmt: skip


async def _measured(
    request: Request[Any, Any, Any], waiting: Sequence[AppointmentItem], opened: Sequence[VisitPage]
) -> list[Waiting]:
    """Whoever has not been measured since this morning still has to be."""
    morning = datetime.combine(_day(request), time(), ZoneInfo(look_of(request).zone))
    visits = {page.visit.appointment: page.visit.visit for page in opened}
    rounds = await asyncio.gather(
        *(ask(request, VitalsOfPatient(patient_id=item.patient_id, since=morning, limit=1)) for item in waiting)
    )
    return [
        Waiting(item=item, visit=visits.get(item.id), measured=bool(taken))
        for item, taken in zip(waiting, rounds, strict=True)
    ]


async def _desk(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    page, waiting, kinds, unready = await asyncio.gather(
        ask(request, Appointments(date=_day(request), limit=MOST)),
        ask(request, WaitingRoom()),
        ask(request, VisitTypes()),
        _unready(request),
    )
    counts = {status: sum(item.status == status for item in page.items) for status in {i.status for i in page.items}}
    return "desk", {
        "items": page.items, "waiting": waiting, "counts": counts, "types": {each.code: each for each in kinds},
        "unready": unready, "comes": COMES, "expected": [item for item in page.items if item.status in COMES],
    }  # fmt: skip


async def _unready(request: Request[Any, Any, Any]) -> bool:
    """Whether the practice is still to be set up, by whoever asks."""
    if not may(request, FoundOrganisation):
        return False
    try:
        return not (await ask(request, Organisation())).organisation.onboarded
    except NotFound:
        return True


async def _pharmacist(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    page = await ask(request, Prescriptions(status="signed", limit=20))
    signed = [one.prescription for one in page.items]
    return "pharmacist", {"signed": signed, "names": await _names(request, [one.patient for one in signed])}


async def _patient(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    caller = caller_of(request)
    found = await if_allowed(request, AppointmentsOfPatient(patient_id=caller.subject), ()) if caller.subject else ()
    to_come = [item for item in found if item.status in COMES and item.ends_at >= now_of(request)]
    return "patient", {"coming": sorted(to_come, key=lambda item: item.appointment_datetime), "chart": caller.subject}


async def _calm(request: Request[Any, Any, Any]) -> tuple[str, dict[str, Any]]:
    return "calm", {}


async def _names(request: Request[Any, Any, Any], patients: Sequence[UUID]) -> dict[UUID, str]:
    if not patients:
        return {}
    named = await ask(request, PatientNames(patient_ids=tuple(dict.fromkeys(patients))))
    return {one.id: one.full_name for one in named}


async def _step(request: Request[Any, Any, Any], command: Any) -> Response[Any]:
    """The day as it is after a press; what was refused is said above it."""
    await read_form(request)
    try:
        await submit(request, command(appointment_id=UUID(str(request.path_params["appointment_id"]))))
    except Conflict as refusal:
        return await _today(request, refusal_told(request, refusal))
    return await _today(request) if wants_part(request) else go_to(request, "/today")


@post(f"/today/{ID}/check-in", of=CheckIn, media=HTML)
async def check_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody has arrived."""
    return await _step(request, CheckIn)


@post(f"/today/{ID}/no-show", of=RecordNoShow, media=HTML)
async def no_show(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody did not come."""
    return await _step(request, RecordNoShow)


PAGES = [today, check_in, no_show]
