"""Every component with its states on one page, in development only: what browser tests photograph."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from salerno.interfaces.http import FieldError, Problem, Request, Response, answer, get
from salerno.interfaces.http.problems import SENTENCES, field_error
from salerno.interfaces.web.navigation import PLACES, actions_of, rail_of
from salerno.interfaces.web.pages import Reader, render

BORN = date(1948, 3, 12)
LAST = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
LONG_NAME = "Maria Concetta Annunziata Esposito-Colonna di Santa Severina"
PRESSURES = (128, 134, 141, 138, 152, 147, 139, 136, 133, 131)


def _patient(name: str, allergies: int) -> dict[str, Any]:
    words = ("Penicillin", "Warfarin", "Latex", "Peanut", "Ibuprofen")
    listed = [
        {"text": words[n % 5] if n < 5 else f"{words[n % 5]} {n}", "severe": n % 5 == 0} for n in range(allergies)
    ]
    return {
        "id": "0192f0c1-7d3a-7000-8000-00000000000" + ("3" if allergies > 2 else "8"),
        "name": name,
        "born": BORN,
        "sex": "F",
        "mrn": "MRN-2026-000142",
        "allergies": listed,
        "alerts": ["Falls"] if allergies else [],
        "flags": [],
    }


def _series() -> list[dict[str, Any]]:
    days = [(LAST - timedelta(days=30 * (len(PRESSURES) - n))).isoformat() for n in range(len(PRESSURES))]
    return [
        {
            "label": "Systolic", "unit": "mmHg", "low": 90, "high": 140,
            "values": [[day, value] for day, value in zip(days, PRESSURES, strict=True)],
        },
        {
            "label": "Diastolic", "unit": "mmHg", "low": None, "high": None,
            "values": [[day, value - 52] for day, value in zip(days, PRESSURES, strict=True)],
        },
    ]  # fmt: skip


def _timeline() -> list[dict[str, Any]]:
    lines = (
        ("notes", "Visit", "Blood pressure under control; ramipril continued.", "Dr Bell", ""),
        ("alert-triangle", "Allergy recorded", "Penicillin: hives, severe", "Dr Bell", "danger"),
        ("heart-rate-monitor", "Vital signs", "131/79 mmHg, 72/min, 36.6 °C", "Anna Greco", ""),
    )
    return [
        {
            "at": LAST - timedelta(days=9 * n), "icon": icon, "title": title, "text": text, "who": who, "kind": kind,
            "href": "",
        }
        for n, (icon, title, text, who, kind) in enumerate(lines)
    ]  # fmt: skip


ERRORS: list[FieldError] = [
    field_error("phone", "malformed", "Not a telephone number"),
    field_error("", "between-fields", "The end lies before the beginning."),
]


def _in_development(request: Request[Any, Any, Any]) -> None:
    if not request.app.state["setup"].development:
        raise Problem(404, *SENTENCES[404])


@get("/style", public="development only", media="text/html")
async def style(request: Request[Any, Any, Any]) -> Response[Any]:
    """The style page."""
    _in_development(request)
    shown = (place for place in PLACES if not place.count)  # whoever nobody is has nothing to be counted
    reader = Reader("Dr Eleanor Bell", "DOCTOR", frozenset(need for place in shown for need in place.needs))
    return render(
        request,
        "style.html",
        signed_in=True,
        reader=reader,
        rail=rail_of(reader),
        actions=actions_of(reader),
        path="/style",
        patient=_patient("Maria Rossi", 2),
        extreme=_patient(LONG_NAME, 40),
        errors=ERRORS,
        series=_series(),
        pressures=PRESSURES,
        events=_timeline(),
        first=LAST - timedelta(days=800),
        last=LAST,
        past=LAST - timedelta(days=200),
        stops=[(LAST - timedelta(days=90 * n)).isoformat() for n in range(8)],
        day=LAST.date().isoformat(),
    )


@get("/style/options", public="development only", media="text/html")
async def style_options(request: Request[Any, Any, Any]) -> Response[Any]:
    """What a look-up shows."""
    _in_development(request)
    return render(request, "parts/options.html", options=[("1", "Amoxicillina 500 mg"), ("2", "Amlodipina 5 mg")])


@get("/style/calendar", public="development only")
async def style_calendar(request: Request[Any, Any, Any]) -> Response[Any]:
    """A morning of three practitioners."""
    _in_development(request)
    names = ("Rossi", "Esposito", "Smith", "Ferrari", LONG_NAME, "Bianchi", "Greco", "O'Neill")
    start = datetime(LAST.year, LAST.month, LAST.day, 7, 0, tzinfo=UTC)
    lines = [
        {
            "id": f"e{n}", "resourceId": f"r{n % 3}", "title": names[n % len(names)], "hue": n % 12, "href": "",
            "start": (start + timedelta(minutes=20 * n)).isoformat(), "status": "confirmed",
            "end": (start + timedelta(minutes=20 * n + (45 if n % 4 == 0 else 30))).isoformat(),
        }
        for n in range(22)
    ]  # fmt: skip
    return answer(request, lines)


PAGES = [style, style_options, style_calendar]
