"""What a translator answers: commands with their dates, and what to ask instead where a room refuses."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from salerno.interfaces.fhir.problems import Broken
from salerno.kernel.errors import Invalid, Refused
from salerno.kernel.messages import Command

C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Wish:
    """A command for the stream `stream`, when it happened, and when its source had recorded it.

    `instead` answers what to ask when the room refuses it for its content, or None.
    """

    stream: UUID
    command: Command
    path: str
    happened_at: datetime | None = None
    source_recorded_at: datetime | None = None
    instead: "Callable[[Refused], Sequence[Wish] | None] | None" = None


def saying_less(wish: Wish, needed: frozenset[str]) -> Wish:
    """The wish, ready to be asked again without what the room cannot take: numbers of another country, a phone
    that cannot be dialled. What it `needed` cannot be left out.
    """
    return replace(wish, instead=lambda refusal: _less(refusal, wish, needed))


def _less(refusal: Refused, wish: Wish, needed: frozenset[str]) -> Sequence[Wish] | None:
    named = [error["path"] for error in refusal.errors] if isinstance(refusal, Invalid) else []
    heads = {re.split(r"[.\[]", name)[0] for name in named}
    if not named or heads & needed or not heads <= set(wish.command.__struct_fields__):
        return None
    changes = {head: _lessened(wish.command, head, named) for head in heads}
    return [replace(wish, command=msgspec.structs.replace(wish.command, **changes), instead=None)]


def _lessened(command: Command, head: str, named: Sequence[str]) -> Any:
    """The field without the items or parts that were named; where the whole was named, as if it had been left out."""
    given = getattr(command, head)
    parts = [name.removeprefix(f"{head}.") for name in named if name.startswith(f"{head}.")]
    if parts and isinstance(given, msgspec.Struct):
        return msgspec.structs.replace(given, **{part: _empty(type(given), part) for part in parts})
    items = {int(found[1]) for name in named if (found := re.match(rf"{head}\[(\d+)\]", name))}
    if items and isinstance(given, tuple):
        return tuple(each for nth, each in enumerate(given) if nth not in items)
    return _empty(type(command), head)


def _empty(shape: type[msgspec.Struct], name: str) -> Any:
    return next(field.default for field in msgspec.structs.fields(shape) if field.name == name)


def asked(kind: type[C], path: str, /, **fields: Any) -> C:
    """The command with every limit of its fields checked, as if it had come through another door."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return msgspec.convert(given, kind, str_keys=False)
    except msgspec.ValidationError as wrong:
        raise Broken(path, str(wrong)) from None
