"""What is chosen from in the settings: countries, time zones, languages, roles."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale

from salerno.interfaces.web.languages import LANGUAGES, LOCALES

AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
ROLES = ("ADMIN", "DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST", "LAB_TECHNICIAN", "PATIENT")
STAFF_ROLES = (*ROLES[:-1], "OTHER")
KINDS = ("independent", "clinic", "hospital")


@cache
def countries(language: str) -> tuple[tuple[str, str], ...]:
    """By name in the reader's language; only those with two letters, which a country has."""
    territories = Locale.parse(LOCALES[language]).territories
    named = ((code, str(name)) for code, name in territories.items() if len(code) == 2 and code.isalpha())
    outside = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AC", "DG", "EA", "IC", "CP", "TA"}
    return tuple(sorted((pair for pair in named if pair[0] not in outside), key=lambda pair: pair[1].casefold()))


@cache
def timezones() -> tuple[tuple[str, str], ...]:
    places = sorted(zone for zone in available_timezones() if zone.partition("/")[0] in AREAS)
    return tuple((zone, zone.replace("_", " ")) for zone in places)


def languages() -> tuple[tuple[str, str], ...]:
    return tuple(LANGUAGES.items())
