"""What two people of one family are likely to share, brought to one spelling, so that keyed tokens can be compared."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

FAMILY, PHONE, EMAIL, ADDRESS = "family-name", "phone", "email", "address"
REASONS = (FAMILY, PHONE, EMAIL, ADDRESS)
STRONG = frozenset({PHONE, EMAIL})
Shared = tuple[str, str]  # what kind of thing, and its one spelling


def family_names(name: str) -> set[str]:
    """The name as one word without accents, and each part of a double one: De Luca, Deluca; Rossi-Bianchi."""
    parts = [name, *re.split(r"[-/]", name)]
    return {folded for part in parts if len(folded := _folded(part)) > 1}


def last_word(full_name: str) -> str:
    return full_name.rsplit(maxsplit=1)[-1] if full_name.strip() else ""


def _folded(text: str) -> str:
    return "".join(letter for letter in _plain(text) if letter.isalpha())


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold())


def phone_number(text: str) -> str:
    """Its last nine digits, whatever stands before them; nothing where it is too short to be somebody's."""
    digits = re.sub(r"\D", "", text)
    return digits[-9:] if len(digits) >= 7 else ""


def home(line1: str, line2: str, postal_code: str, city: str) -> str:
    """Street and number in one spelling, where they say enough to be a home: a number, and a town or its code."""
    street = "".join(letter for letter in _plain(line1) if letter.isalnum())
    place = "".join(letter for letter in _plain(postal_code or city) if letter.isalnum())
    if not place or not any(letter.isdigit() for letter in street) or not any(letter.isalpha() for letter in street):
        return ""
    return f"{street}|{''.join(letter for letter in _plain(line2) if letter.isalnum())}|{place}"


def shared_of(
    family_name: str, phones: Iterable[str], emails: Iterable[str], addresses: Iterable[str] = ()
) -> list[Shared]:
    """All that somebody could share with a relative."""
    found = {(FAMILY, name) for name in family_names(family_name)}
    found |= {(PHONE, number) for phone in phones if (number := phone_number(phone))}
    found |= {(EMAIL, email.strip().casefold()) for email in emails if email.strip()}
    found |= {(ADDRESS, address) for address in addresses if address}
    return sorted(found)


def is_unusual(reasons: Sequence[str], *, in_care: bool) -> bool:
    """Whether what reader and patient share is worth a second look.

    A telephone or an address of their own is always. Names repeat: a name alone counts only where nothing here
    explains the look, neither an appointment nor a visit of the patient in the days around it. So do houses: many live
    in some. A name and a home together are always.
    """
    if STRONG.intersection(reasons) or {FAMILY, ADDRESS} <= set(reasons):
        return True
    return bool(reasons) and not in_care
