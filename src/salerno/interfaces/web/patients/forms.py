"""The form of a person: rows and fields into one plain value, and the rooms' refusals beside their fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.contexts.patients.events import Person
from salerno.interfaces.http import FieldError, Filled
from salerno.interfaces.http.bodies import mistakes
from salerno.interfaces.http.problems import field_error
from salerno.kernel.errors import Invalid, Refused

T = TypeVar("T", bound=Struct)
# Here the room's own sentence says more than the word that other rooms' pages have for this code.
LOCAL = {"unknown-code": "not-listed"}
INDEX = re.compile(r"\[(\d+)\]")

PLAIN = (
    "given_name", "family_name", "full_name", "date_of_birth", "gender", "phone", "email", "language",
    "marital_status", "deceased", "deceased_on",
)  # fmt: skip
ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")
ROWS: dict[str, tuple[str, ...]] = {
    "identifiers": ("system", "value", "country"),
    "contacts": ("kind", "value", "use"),
    "emergency_contacts": ("name", "relationship", "phone", "email"),
    "insurance": ("payer", "plan", "member_number", "group_number", "holder", "valid_from", "valid_until"),
}
# A row counts as filled in by these: the others come with a suggestion.
TELLING = {"identifiers": ("value",), "contacts": ("value",)}
NAMELESS = {"given_name": "", "family_name": ""}  # said, so that the missing name is told beside its field
FIELDS = (*PLAIN, "address", *ROWS)


class Blank(dict[str, Any]):
    """Values for a form: what is absent is None, in its rows too."""

    def __missing__(self, key: str) -> None:
        return None


def blank(values: Mapping[str, Any]) -> Blank:
    return Blank({name: _blank(value) for name, value in values.items()})


def _blank(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_blank(item) for item in value]
    return blank(value) if isinstance(value, dict) else value


BLANK_ROWS = {"blank_row": Blank(), "fiscal_row": Blank(system="codice-fiscale", country="IT")}


def person_in(filled: Filled) -> dict[str, Any]:
    """What was typed, nested as the room reads it; what is empty is absent."""
    person: dict[str, Any] = {name: text for name in PLAIN if (text := filled.get(name, "").strip())}
    address = {name: text for name in ADDRESS if (text := filled.get(f"address.{name}", "").strip())}
    if address:
        person["address"] = address
    return person | {kind: rows for kind in ROWS if (rows := _rows(filled, kind))}


def _rows(filled: Filled, kind: str) -> list[dict[str, str]]:
    numbers = sorted({int(found[1]) for name in filled if (found := re.fullmatch(rf"{kind}\.(\d{{1,3}})\..+", name))})
    rows = [
        {name: text for name in ROWS[kind] if (text := filled.get(f"{kind}.{number}.{name}", "").strip())}
        for number in numbers
    ]
    return [row for row in rows if any(row.get(name) for name in TELLING.get(kind, ROWS[kind]))]


def person_of(record: Person) -> dict[str, Any]:
    """A record in the shape of the form, to be shown in it and compared with it."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    plain["date_of_birth"] = plain.pop("birth_date", None)
    plain["deceased"] = "true" if plain.get("deceased") else None
    kept = {name: plain[name] for name in FIELDS if plain.get(name)}
    kept.setdefault("gender", "unknown")
    return kept


def wish_of(shape: type[T], person: Mapping[str, Any], **more: Any) -> tuple[T | None, list[FieldError]]:
    """The command, or what is wrong with each field before any room is asked."""
    raw = {**person, **{name: value for name, value in more.items() if value is not None}}
    raw |= {kind: [_whole(kind, row) for row in raw[kind]] for kind in ROWS if kind in raw}
    try:
        return msgspec.convert(raw, shape, strict=False), []
    except msgspec.ValidationError:
        return None, mistakes(cast("Any", shape), raw, strict=False)


def _whole(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Empty fields said, so that the room names what it misses together with everything else."""
    texts = (name for name in ROWS[kind] if not name.startswith("valid_"))
    return dict.fromkeys(texts, "") | dict(row)


def errors_of(refused: Refused) -> list[FieldError]:
    """A room's refusal beside the fields; one that names none stands above the form."""
    named = refused.errors if isinstance(refused, Invalid) else refused.details.get("errors", [])
    found = [field_error(dotted(e["path"]), LOCAL.get(e["code"], e["code"]), e["message"]) for e in named]
    return found or [field_error("", refused.code, str(refused))]


def dotted(path: str) -> str:
    """`identifiers[0].value` as the form names it."""
    return INDEX.sub(r".\1", path)


def version_in(filled: Filled) -> int | None:
    text = filled.get("version", "")
    return int(text) if text.isdigit() and len(text) < 10 else None


def id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def differing(one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str] = FIELDS) -> list[str]:
    """Names of the fields that differ."""
    return [name for name in names if (one.get(name) or None) != (other.get(name) or None)]
