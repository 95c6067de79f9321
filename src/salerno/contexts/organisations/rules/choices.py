"""Settings as an administrator may choose them."""

from collections.abc import Iterable

from msgspec import UNSET, structs

from salerno.contexts.organisations.commands import ChangeSettings, Founding
from salerno.contexts.organisations.events import Settings
from salerno.contexts.organisations.rules.description import (
    Desk,
    clean_country,
    clean_languages,
    clean_timezone,
    clock_time,
)
from salerno.contexts.organisations.rules.specialties import specialty_codes

ROLES = (
    "SUPER_ADMIN",
    "ADMIN",
    "DOCTOR",
    "NURSE",
    "RECEPTIONIST",
    "PHARMACIST",
    "LAB_TECHNICIAN",
    "PATIENT",
)
RANGES = {
    "visit_minutes": (5, 480),
    "buffer_minutes": (0, 120),
    "idle_minutes_default": (1, 480),
    "booking_days_ahead": (0, 730),
    "cancellation_hours": (0, 720),
}
LONGEST_IDLE = 480


def first_settings(desk: Desk, wish: Founding) -> Settings:
    country = clean_country(desk, "country", wish.country)
    return Settings(
        timezone=clean_timezone(desk, "timezone", wish.timezone, country),
        country=country,
        languages=clean_languages(desk, "languages", wish.languages, country),
        specialties=_specialties(desk, wish.specialties),
    )


def changed_settings(before: Settings, wish: ChangeSettings) -> Settings:
    given = {name: value for name in wish.__struct_fields__ if (value := getattr(wish, name)) is not UNSET}
    desk = Desk()
    wanted = structs.replace(before, **given)
    for name, (low, high) in RANGES.items():
        if not low <= getattr(wanted, name) <= high:
            desk.look(name, "out-of-range", f"Between {low} and {high}.")
    if not 0.5 <= wanted.duplicate_threshold <= 1:
        desk.look("duplicate_threshold", "out-of-range", "Between 0.5 and 1.")
    cleaned = structs.replace(
        wanted,
        country=(country := clean_country(desk, "country", wanted.country)),
        timezone=clean_timezone(desk, "timezone", wanted.timezone, country),
        languages=clean_languages(desk, "languages", wanted.languages, country),
        second_factor_roles=_roles(desk, "second_factor_roles", wanted.second_factor_roles),
        idle_minutes=_idle(desk, wanted.idle_minutes),
        specialties=_specialties(desk, wanted.specialties),
        **_calendar(desk, wanted),
    )
    desk.done()
    return cleaned


def _calendar(desk: Desk, wanted: Settings) -> dict[str, str]:
    begins, ends = clock_time(wanted.calendar_from), clock_time(wanted.calendar_until)
    if begins is None or ends is None:
        desk.look("calendar_from" if begins is None else "calendar_until", "not-a-time", "Write times as 08:30.")
        return {}
    if ends <= begins:
        desk.look("calendar_until", "before-start", "The calendar ends before it begins.")
    return {"calendar_from": f"{begins:%H:%M}", "calendar_until": f"{ends:%H:%M}"}


def _roles(desk: Desk, path: str, given: Iterable[str]) -> tuple[str, ...]:
    roles = tuple(dict.fromkeys(given))
    for role in roles:
        if role not in ROLES:
            desk.look(path, "unknown-code", "Choose among: " + ", ".join(ROLES) + ".")
            break
    return tuple(role for role in ROLES if role in roles)


def _idle(desk: Desk, given: dict[str, int]) -> dict[str, int]:
    roles = _roles(desk, "idle_minutes", given)
    for role in roles:
        if not 1 <= given[role] <= LONGEST_IDLE:
            desk.look(f"idle_minutes.{role}", "out-of-range", f"Between 1 and {LONGEST_IDLE}.")
    return {role: given[role] for role in roles}


def _specialties(desk: Desk, given: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(given))
    if unknown := [code for code in chosen if code not in specialty_codes()]:
        desk.look("specialties", "unknown-code", f"There is no preset for {unknown[0][:40]}.")
    return chosen
