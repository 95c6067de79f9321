"""Demographics as typed, cleaned field by field: everything that needs a look is named at once."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from msgspec import UNSET, UnsetType

from salerno.contexts.patients.commands import PersonWish
from salerno.contexts.patients.events import Address, ContactPoint, EmergencyContact, Identifier, Insurance, Person
from salerno.contexts.patients.rules.identifiers import BadIdentifier, clean_identifier, fiscal_code_doubts
from salerno.contexts.patients.rules.names import split_full_name, words_of
from salerno.kernel.errors import Invalid

T = TypeVar("T")

NAME_LENGTH = 200
TEXT_LENGTH = 200
MANY = 20  # of one kind: identifiers, contacts, insurances
OLDEST = timedelta(days=366 * 130)  # the longest documented human life is 122 years
PHONE_LENGTH = 40
COUNTRY = re.compile(r"[A-Z]{2}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# Plain addresses need no parser; everything else is left to the library, which knows the rest of the standard.
PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(com|eu|it|net|org)"
)
GENDERS = {
    "male": "male", "m": "male", "man": "male", "maschio": "male", "uomo": "male",
    "female": "female", "f": "female", "woman": "female", "femmina": "female", "donna": "female",
    "other": "other", "o": "other", "x": "other", "altro": "other",
    "unknown": "unknown", "u": "unknown", "": "unknown", "sconosciuto": "unknown",
}  # fmt: skip
MARITAL = {
    "": "", "single": "single", "s": "single", "never married": "single", "u": "single",
    "married": "married", "m": "married", "civil-union": "civil-union", "t": "civil-union",
    "domestic partner": "civil-union",
    "separated": "separated", "l": "separated", "divorced": "divorced", "d": "divorced",
    "widowed": "widowed", "w": "widowed", "unknown": "unknown", "unk": "unknown",
}  # fmt: skip
KINDS = frozenset({"phone", "email", "fax", "other"})


@dataclass(frozen=True, slots=True)
class Place:
    """What the organisation brings: where its phones ring, and its today."""

    region: str
    today: date


@dataclass(slots=True)
class _Desk:
    """Collects what needs a look while the fields pass over it."""

    place: Place
    errors: list[dict[str, str]] = field(default_factory=list)

    def look(self, path: str, code: str, message: str) -> None:
        self.errors.append({"path": path, "code": code, "message": message})


def clean_person(wish: PersonWish, before: Person, place: Place) -> Person:
    """The wish over what was before; Invalid names every field that needs a look."""
    desk = _Desk(place)
    given, family, full = _names(desk, wish, before)
    address = _address(desk, _over(wish.address, before.address, Address()))
    region = address.country or place.region
    birth = _birth_date(desk, _over(wish.date_of_birth, before.birth_date, None))
    person = Person(
        given_name=given,
        family_name=family,
        full_name=full,
        birth_date=birth,
        gender=_code(desk, "gender", _over(wish.gender, before.gender, ""), GENDERS),
        phone=clean_phone(desk, "phone", _over(wish.phone, before.phone, ""), region),
        email=_email(desk, "email", _over(wish.email, before.email, "")),
        address=address,
        identifiers=_identifiers(desk, _over(wish.identifiers, before.identifiers, ())),
        contacts=_contacts(desk, _over(wish.contacts, before.contacts, ()), region),
        emergency_contacts=_emergency(desk, _over(wish.emergency_contacts, before.emergency_contacts, ()), region),
        insurance=_insurance(desk, _over(wish.insurance, before.insurance, ())),
        language=_language(desk, _over(wish.language, before.language, "")),
        marital_status=_code(desk, "marital_status", _over(wish.marital_status, before.marital_status, ""), MARITAL),
        **_death(desk, wish, before, birth),
    )
    if desk.errors:
        raise Invalid(errors=desk.errors)
    return person


def _over(given: T | None | UnsetType, before: T, empty: T) -> Any:
    """Left out keeps what was; null empties."""
    if given is UNSET:
        return before
    return empty if given is None else given


# ------------------------------------------------------------------ names
def _names(desk: _Desk, wish: PersonWish, before: Person) -> tuple[str, str, str]:
    full = _line(desk, "full_name", _over(wish.full_name, "", ""), NAME_LENGTH)
    given = _line(desk, "given_name", _over(wish.given_name, "", ""), NAME_LENGTH)
    family = _line(desk, "family_name", _over(wish.family_name, "", ""), NAME_LENGTH)
    if wish.given_name is UNSET and wish.family_name is UNSET:
        return _from_full_name(desk, wish, before, full)
    given = before.given_name if wish.given_name is UNSET else given
    family = before.family_name if wish.family_name is UNSET else family
    joined = " ".join(part for part in (given, family) if part)
    if not words_of(joined) and not desk.errors:
        desk.look("family_name", "required", "A patient needs a name.")
    if full and sorted(words_of(full)) != sorted(words_of(joined)):
        desk.look("full_name", "contradiction", "The full name differs from given and family name.")
    return given, family, full or joined


def _from_full_name(desk: _Desk, wish: PersonWish, before: Person, full: str) -> tuple[str, str, str]:
    if (wish.full_name is UNSET and before.full_name) or full == before.full_name != "":
        return before.given_name, before.family_name, before.full_name
    if not words_of(full) and not desk.errors:
        desk.look("full_name", "required", "A patient needs a name.")
    given, family = split_full_name(full)
    return given, family, " ".join(part for part in (given, family) if part) if "," in full else full


def _line(desk: _Desk, path: str, text: str, longest: int = TEXT_LENGTH) -> str:
    """One line of text in NFC with single spaces, whatever its script; control characters are refused."""
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return " ".join(text.split())
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in text):
        desk.look(path, "control-characters", "This text contains characters that cannot be shown.")
        return ""
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    if len(composed) > longest:
        desk.look(path, "too-long", f"At most {longest} characters.")
    return composed


# ------------------------------------------------------------------ dates and codes
def _birth_date(desk: _Desk, born: date | None) -> date | None:
    if born is None:
        return None
    if born > desk.place.today:
        desk.look("date_of_birth", "in-the-future", "The birth date lies in the future.")
    elif desk.place.today - born > OLDEST:
        desk.look("date_of_birth", "too-long-ago", "Nobody alive was born that long ago.")
    return born


def _death(desk: _Desk, wish: PersonWish, before: Person, born: date | None) -> dict[str, Any]:
    died = _over(wish.deceased_on, before.deceased_on, None)
    deceased = bool(_over(wish.deceased, before.deceased, False))
    if wish.deceased is UNSET and died is not None:
        deceased = True
    if died is None:
        return {"deceased": deceased, "deceased_on": None}
    if not deceased:
        if wish.deceased_on is UNSET:
            return {"deceased": False, "deceased_on": None}
        desk.look("deceased_on", "contradiction", "A date of death is given for a living patient.")
    if died > desk.place.today:
        desk.look("deceased_on", "in-the-future", "The date of death lies in the future.")
    if born and died < born:
        desk.look("deceased_on", "before-birth", "The date of death lies before the birth date.")
    return {"deceased": deceased, "deceased_on": died}


def _code(desk: _Desk, path: str, given: str, known: dict[str, str]) -> str:
    word = given.strip().casefold()
    found = known.get(word)
    if found is None and word in known.values():
        return word
    if found is None:
        desk.look(path, "unknown-code", "Choose one of: " + ", ".join(sorted({v for v in known.values() if v})) + ".")
    return found or ""


def _language(desk: _Desk, given: str) -> str:
    tag = given.strip()
    if tag and not LANGUAGE.fullmatch(tag):
        desk.look("language", "unknown-code", "Give a language tag, such as it or en-GB.")
    return tag


# ------------------------------------------------------------------ ways to reach somebody
def clean_phone(desk: _Desk, path: str, given: str, region: str) -> str:
    """E.164, an extension kept; the region's rules are used where no country code is dialled."""
    text = given.strip()
    if not text:
        return ""
    number = parse_phone(text, region)
    if number is None:
        desk.look(path, "not-a-phone-number", "This is not a phone number that can be dialled.")
        return ""
    dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{dialled};ext={number.extension}" if number.extension else dialled


def parse_phone(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    if len(text) > PHONE_LENGTH:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def spoken_phone(text: str, region: str) -> str:
    """The number in E.164 where it is one already, "" while it is still being typed."""
    number = parse_phone(text.strip(), region) if text.strip() else None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else ""


def spoken_gender(text: str) -> str:
    return GENDERS.get(text.strip().casefold(), "unknown")


def _email(desk: _Desk, path: str, given: str) -> str:
    text = given.strip()
    if not text or (len(text) <= 100 and PLAIN_EMAIL.fullmatch(text)):
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        desk.look(path, "not-an-email-address", "This is not a complete e-mail address.")
        return ""


def _address(desk: _Desk, given: Address) -> Address:
    if given == Address():
        return Address()
    country = given.country.strip().upper()
    if country and (not COUNTRY.fullmatch(country) or country not in phonenumbers.SUPPORTED_REGIONS):
        desk.look("address.country", "unknown-code", "Give a country by its two letters, such as IT.")
        country = ""
    return Address(
        line1=_line(desk, "address.line1", given.line1),
        line2=_line(desk, "address.line2", given.line2),
        city=_line(desk, "address.city", given.city),
        state=_line(desk, "address.state", given.state),
        postal_code=_line(desk, "address.postal_code", given.postal_code, 20),
        country=country,
    )


# ------------------------------------------------------------------ lists
def _each(desk: _Desk, path: str, given: Iterable[Any], clean: Callable[[str, Any], T | None]) -> tuple[T, ...]:
    """Each cleaned under its own path, in order, the same one only once."""
    items = tuple(given)
    if len(items) > MANY:
        desk.look(path, "too-many", f"At most {MANY}.")
        return ()
    cleaned = (clean(f"{path}[{nth}]", item) for nth, item in enumerate(items))
    return tuple(dict.fromkeys(item for item in cleaned if item is not None))


def _identifiers(desk: _Desk, given: Iterable[Identifier]) -> tuple[Identifier, ...]:
    def clean(path: str, item: Identifier) -> Identifier | None:
        try:
            system, value, country = clean_identifier(item.system, item.value, item.country.strip().upper())
        except BadIdentifier as bad:
            where = "system" if bad.code == "unknown-system" else "value"
            desk.look(f"{path}.{where}", bad.code, str(bad))
            return None
        if country and not COUNTRY.fullmatch(country):
            desk.look(f"{path}.country", "unknown-code", "Give a country by its two letters, such as IT.")
            return None
        return Identifier(system=system, value=value, country=country)

    return _each(desk, "identifiers", given, clean)


def _contacts(desk: _Desk, given: Iterable[ContactPoint], region: str) -> tuple[ContactPoint, ...]:
    def clean(path: str, item: ContactPoint) -> ContactPoint | None:
        if item.kind not in KINDS:
            desk.look(f"{path}.kind", "unknown-code", "Choose one of: " + ", ".join(sorted(KINDS)) + ".")
            return None
        value = _reach(desk, f"{path}.value", item.kind, item.value, region)
        if not item.value.strip():
            desk.look(f"{path}.value", "required", "Fill this in or leave the contact out.")
        return ContactPoint(kind=item.kind, value=value, use=_line(desk, f"{path}.use", item.use, 40))

    return _each(desk, "contacts", given, clean)


def _reach(desk: _Desk, path: str, kind: str, value: str, region: str) -> str:
    if kind in ("phone", "fax"):
        return clean_phone(desk, path, value, region)
    return _email(desk, path, value) if kind == "email" else _line(desk, path, value)


def clean_emergency_contacts(given: Iterable[EmergencyContact], place: Place) -> tuple[EmergencyContact, ...]:
    desk = _Desk(place)
    cleaned = _emergency(desk, given, place.region)
    if desk.errors:
        raise Invalid(errors=desk.errors)
    return cleaned


def _emergency(desk: _Desk, given: Iterable[EmergencyContact], region: str) -> tuple[EmergencyContact, ...]:
    def clean(path: str, item: EmergencyContact) -> EmergencyContact | None:
        name = _line(desk, f"{path}.name", item.name, NAME_LENGTH)
        if not words_of(name):
            desk.look(f"{path}.name", "required", "An emergency contact needs a name.")
        if not item.phone.strip() and not item.email.strip():
            desk.look(f"{path}.phone", "required", "Give a phone number or an e-mail address.")
        return EmergencyContact(
            name=name,
            relationship=_line(desk, f"{path}.relationship", item.relationship, 60),
            phone=clean_phone(desk, f"{path}.phone", item.phone, region),
            email=_email(desk, f"{path}.email", item.email),
        )

    return _each(desk, "emergency_contacts", given, clean)


def clean_insurance(given: Iterable[Insurance], place: Place) -> tuple[Insurance, ...]:
    desk = _Desk(place)
    cleaned = _insurance(desk, given)
    if desk.errors:
        raise Invalid(errors=desk.errors)
    return cleaned


def _insurance(desk: _Desk, given: Iterable[Insurance]) -> tuple[Insurance, ...]:
    def clean(path: str, item: Insurance) -> Insurance | None:
        payer = _line(desk, f"{path}.payer", item.payer)
        if not words_of(payer):
            desk.look(f"{path}.payer", "required", "Name the insurer or fund.")
        if item.valid_from and item.valid_until and item.valid_until < item.valid_from:
            desk.look(f"{path}.valid_until", "before-start", "The end lies before the start.")
        return Insurance(
            payer=payer,
            plan=_line(desk, f"{path}.plan", item.plan),
            member_number=_line(desk, f"{path}.member_number", item.member_number, 60),
            group_number=_line(desk, f"{path}.group_number", item.group_number, 60),
            holder=_line(desk, f"{path}.holder", item.holder, NAME_LENGTH),
            valid_from=item.valid_from,
            valid_until=item.valid_until,
        )

    return _each(desk, "insurance", given, clean)


# ------------------------------------------------------------------ doubts
DOUBTS = {
    "name": ("full_name", "The codice fiscale speaks of another name."),
    "date_of_birth": ("date_of_birth", "The codice fiscale speaks of another birth date."),
    "gender": ("gender", "The codice fiscale speaks of another sex."),
}


def doubts_about(person: Person) -> list[dict[str, str]]:
    """What deserves a second look and is no reason to refuse, in the shape of errors."""
    found = [{"path": DOUBTS[doubt][0], "code": "codice-fiscale-differs", "message": DOUBTS[doubt][1]}
             for doubt in fiscal_code_doubts(person)]  # fmt: skip
    if person.phone and _is_unusual(person.phone):
        found.append({"path": "phone", "code": "unusual-number", "message": "No such number range is in use."})
    return found


@lru_cache(maxsize=20_000)
def _is_unusual(phone: str) -> bool:
    """Remembered, since every look at a record asks it and the answer never changes."""
    number = parse_phone(phone, "ZZ")
    return number is not None and not phonenumbers.is_valid_number(number)
