"""What is told of an organisation or a location, cleaned field by field; everything that needs a look is named."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import time
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum.exceptions import ValidationError

from salerno.contexts.organisations.events import Opening, PostalAddress
from salerno.kernel.errors import Invalid

NAME_LENGTH = 200
TEXT_LENGTH = 200
MOST_OPENINGS = 28  # four stretches a day
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Countries that keep one time everywhere; elsewhere the time zone must be said.
TIMEZONES = {
    "IT": "Europe/Rome", "GB": "Europe/London", "IE": "Europe/Dublin", "FR": "Europe/Paris", "DE": "Europe/Berlin",
    "AT": "Europe/Vienna", "CH": "Europe/Zurich", "BE": "Europe/Brussels", "NL": "Europe/Amsterdam",
    "GR": "Europe/Athens", "PL": "Europe/Warsaw", "SE": "Europe/Stockholm", "NO": "Europe/Oslo",
    "DK": "Europe/Copenhagen", "FI": "Europe/Helsinki", "MT": "Europe/Malta", "SI": "Europe/Ljubljana",
    "HR": "Europe/Zagreb", "RO": "Europe/Bucharest", "BG": "Europe/Sofia", "CZ": "Europe/Prague", "IN": "Asia/Kolkata",
}  # fmt: skip


class Desk:
    """Collects what needs a look while the fields pass over it."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def look(self, path: str, code: str, message: str) -> None:
        self.errors.append({"path": path, "code": code, "message": message})

    def done(self) -> None:
        if self.errors:
            raise Invalid(errors=self.errors)


def clean_name(desk: Desk, path: str, given: str) -> str:
    name = clean_line(desk, path, given, NAME_LENGTH)
    if not name:
        desk.look(path, "required", "Give a name.")
    return name


def clean_line(desk: Desk, path: str, given: str, longest: int = TEXT_LENGTH) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in given):
        desk.look(path, "control-characters", "This text contains characters that cannot be shown.")
        return ""
    text = " ".join(unicodedata.normalize("NFC", given).split())
    if len(text) > longest:
        desk.look(path, "too-long", f"At most {longest} characters.")
    return text


def clean_country(desk: Desk, path: str, given: str) -> str:
    country = given.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        desk.look(path, "unknown-code", "Give a country by its two letters, such as IT.")
    return country


def clean_timezone(desk: Desk, path: str, given: str, country: str) -> str:
    zone = given.strip() or TIMEZONES.get(country, "")
    if not zone:
        desk.look(path, "required", "Choose the time zone.")
    elif zone not in _timezones():
        desk.look(path, "unknown-code", "Choose a time zone of the IANA list, such as Europe/Rome.")
    return zone


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def clean_languages(desk: Desk, path: str, given: Iterable[str], country: str) -> tuple[str, ...]:
    languages = tuple(dict.fromkeys(tag.strip() for tag in given)) or (
        ("it", "en") if country == "IT" else ("en", "it")
    )
    if len(languages) > 10 or not all(LANGUAGE.fullmatch(tag) for tag in languages):
        desk.look(path, "unknown-code", "Give language tags, such as it or en-GB; at most ten.")
    return languages


def clean_vat_number(desk: Desk, path: str, given: str, country: str) -> str:
    """Checked where the country's rules are known; kept as given elsewhere."""
    number = clean_line(desk, path, given, 30)
    checker = _vat_checker(country)
    if not number or checker is None:
        return number
    try:
        return str(checker.validate(number))
    except ValidationError:
        desk.look(path, "not-valid", "This is not a valid VAT number of this country.")
        return ""


@cache
def _vat_checker(country: str) -> Any:
    """python-stdnum's module of a country's VAT number, where it has one."""
    for name in ("vat", "iva" if country == "IT" else "tva"):
        try:
            return import_module(f"stdnum.{country.lower()}.{name}")
        except ImportError:
            continue
    return None


def clean_phone(desk: Desk, path: str, given: str, country: str) -> str:
    text = given.strip()
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text[:50], country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        desk.look(path, "not-a-phone-number", "This is not a phone number that can be dialled.")
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def clean_email(desk: Desk, path: str, given: str) -> str:
    text = given.strip()
    if not text:
        return ""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        desk.look(path, "not-an-email-address", "This is not a complete e-mail address.")
        return ""


def clean_website(desk: Desk, path: str, given: str) -> str:
    text = clean_line(desk, path, given)
    if not text:
        return ""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or "") or " " in text:
        desk.look(path, "not-a-website", "Give an address, such as https://www.example.org.")
        return ""
    return parts.geturl()


def clean_address(desk: Desk, given: PostalAddress, country: str) -> PostalAddress:
    if given == PostalAddress():
        return PostalAddress()
    return PostalAddress(
        line1=clean_line(desk, "address.line1", given.line1),
        line2=clean_line(desk, "address.line2", given.line2),
        city=clean_line(desk, "address.city", given.city),
        state=clean_line(desk, "address.state", given.state),
        postal_code=clean_line(desk, "address.postal_code", given.postal_code, 20),
        country=clean_country(desk, "address.country", given.country or country),
    )


def clean_opening(desk: Desk, given: Iterable[Opening]) -> tuple[Opening, ...]:
    """In the order of the week; no two stretches of a day overlap."""
    openings = tuple(given)
    if len(openings) > MOST_OPENINGS:
        desk.look("opening", "too-many", f"At most {MOST_OPENINGS} stretches.")
        return ()
    good = []
    for nth, one in enumerate(openings):
        opens, closes = clock_time(one.opens), clock_time(one.closes)
        if opens is None or closes is None:
            desk.look(f"opening[{nth}]", "not-a-time", "Write times as 08:30.")
        elif closes <= opens:
            desk.look(f"opening[{nth}].closes", "before-start", "It closes before it opens.")
        else:
            good.append(Opening(day=one.day, opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}"))
    good.sort(key=lambda one: (DAYS.index(one.day), one.opens))
    for before, after in pairwise(good):
        if before.day == after.day and after.opens < before.closes:
            desk.look("opening", "overlap", "Two stretches of one day overlap.")
    return tuple(good)


def clock_time(text: str) -> time | None:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    return time(int(found[1]), int(found[2])) if found else None
