"""What the calendar says: appointments as its script wants them, refusals as people understand them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from msgspec import Struct

from salerno.contexts.scheduling.errors import OutsideWorkingHours
from salerno.contexts.scheduling.queries import (
    AppointmentById,
    AppointmentItem,
    Calendar,
    CalendarPractitioner,
    VisitTypeItem,
)
from salerno.interfaces.http import Request, ask
from salerno.interfaces.web.languages import LOCALES, catalogue
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import NotAllowed, NotFound, Refused

RESTRICTED = mark("Restricted")
STATUSES = {
    "scheduled": mark("booked"),
    "confirmed": mark("confirmed"),
    "checked-in": mark("waiting"),
    "completed": mark("completed"),
    "cancelled": mark("cancelled"),
    "no-show": mark("did not come"),
}
CLOSED = {
    "hours": mark("The practitioner does not work then."),
    "time-off": mark("The practitioner is away then."),
    "holiday": mark("This is a public holiday."),
}
REFUSALS = {
    "slot-taken": mark("This time is already taken."),
    "appointment-over": mark("This appointment is over and cannot be changed."),
    "too-early": mark("It is too early for this."),
    "already-arrived": mark("The patient has checked in already."),
}
MOVABLE = ("scheduled", "confirmed")


class Offer(Struct, frozen=True, kw_only=True):
    """A free time: as the form sends it back, as a person reads it, and as the calendar's script wants it."""

    value: str
    label: str
    at: str

    def as_choice(self) -> dict[str, str]:
        return {"starts_at": self.at, "label": self.label}


def event_of(item: AppointmentItem, kind: VisitTypeItem | None, zone: ZoneInfo, language: str) -> dict[str, Any]:
    """An appointment for the script: local times without an offset, so that every browser shows the clinic's clock."""
    status = catalogue(language).gettext(STATUSES[item.status])
    name = type_name(kind, item.visit_type, language)
    time = item.appointment_datetime.astimezone(zone).strftime("%H:%M")
    return {
        "id": str(item.id),
        "resourceId": str(item.doctor_id),
        "start": local(item.appointment_datetime, zone),
        "end": local(item.ends_at, zone),
        "title": item.patient_name,
        "note": " · ".join(part for part in (name, item.reason) if part),
        "label": f"{time} {item.patient_name}, {name}, {status}, {item.doctor_name}",
        "hue": kind.colour if kind else 0,
        "status": item.status,
        "href": f"/calendar/appointments/{item.id}",
        "fixed": item.status not in MOVABLE,
    }


def taken_of(calendar: Calendar, zone: ZoneInfo, language: str) -> Iterator[dict[str, Any]]:
    """Times taken by charts that are hidden from whoever looks: neither moved nor opened, and without a name."""
    word = catalogue(language).gettext(RESTRICTED)
    for number, each in enumerate(calendar.taken):
        yield {
            "id": f"taken-{number}-{each.starts_at.isoformat()}",
            "resourceId": str(each.doctor_id),
            "start": local(each.starts_at, zone),
            "end": local(each.ends_at, zone),
            "title": word,
            "label": f"{each.starts_at.astimezone(zone).strftime('%H:%M')} {word}",
            "hue": 0,
            "status": "taken",
            "fixed": True,
        }


def closed_of(calendar: Calendar, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """When each practitioner does not work, drawn as a shade behind the appointments."""
    for practitioner in calendar.practitioners:
        for start, end in _gaps(practitioner, calendar, zone):
            yield {
                "id": f"closed-{practitioner.id}-{start.isoformat()}",
                "resourceId": str(practitioner.id),
                "start": start.isoformat(),
                "end": end.isoformat(),
                "display": "background",
            }


def _gaps(who: CalendarPractitioner, calendar: Calendar, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Between the working windows, day by day, as a clock on the wall shows them."""
    worked = sorted(
        tuple(at.astimezone(zone).replace(tzinfo=None) for at in (each.starts_at, each.ends_at)) for each in who.windows
    )
    for number in range((calendar.last - calendar.first).days + 1):
        free_from = datetime.combine(calendar.first + timedelta(days=number), time())
        tomorrow = free_from + timedelta(days=1)
        for start, end in worked:
            if free_from < start < tomorrow:
                yield free_from, start
            if start < tomorrow:
                free_from = max(free_from, end)
        if free_from < tomorrow:
            yield free_from, tomorrow


def local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).replace(tzinfo=None).isoformat()


def type_name(kind: VisitTypeItem | None, code: str, language: str) -> str:
    return code if kind is None else kind.name_it if language == "it" else kind.name_en


def refusal_told(request: "Request[Any, Any, Any]", refusal: Refused) -> str:
    translate = catalogue(look_of(request).language).gettext
    if isinstance(refusal, OutsideWorkingHours):
        return translate(CLOSED[refusal.details["because"]])
    return translate(REFUSALS.get(refusal.code, str(refusal)))


async def conflicts_told(request: "Request[Any, Any, Any]", refusal: Refused) -> Sequence[dict[str, str]]:
    """Every conflict with the name of who or what is busy, and with whom, as far as the caller may see them."""
    told: dict[str, dict[str, str]] = {}
    for each in refusal.details.get("conflicts", ()):
        if "appointment_id" in each and each["appointment_id"] not in told:
            try:
                item = await ask(request, AppointmentById(appointment_id=UUID(each["appointment_id"])))
            except (NotFound, NotAllowed):  # somebody of whom the reader may not learn
                told[each["appointment_id"]] = {**each, "message": _translated(request, RESTRICTED)}
                continue
            told[each["appointment_id"]] = {
                **each,
                "message": _sentence(request, item),
                "href": f"/calendar/appointments/{item.id}",
            }
    return list(told.values())


def _translated(request: "Request[Any, Any, Any]", text: str) -> str:
    return catalogue(look_of(request).language).gettext(text)


def _sentence(request: "Request[Any, Any, Any]", item: AppointmentItem) -> str:
    zone = ZoneInfo(look_of(request).zone)
    times = [each.astimezone(zone).strftime("%H:%M") for each in (item.appointment_datetime, item.ends_at)]
    return f"{times[0]}–{times[1]} {item.patient_name} · {item.doctor_name}"


def offers_of(request: "Request[Any, Any, Any]", refusal: Refused) -> list[Offer]:
    look = look_of(request)
    zone, found = ZoneInfo(look.zone), refusal.details.get("alternatives", ())
    moments = [datetime.fromisoformat(each["starts_at"]) for each in found]
    return [
        Offer(
            value=moment.isoformat(),
            label=format_datetime(moment.astimezone(zone), "EEE d MMM, HH:mm", locale=LOCALES[look.language]),
            at=local(moment, zone),
        )
        for moment in moments
    ]
