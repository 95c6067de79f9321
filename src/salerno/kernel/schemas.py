"""The JSON Schema of every event: exported to the repository, and compared so that no stored event is broken."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from salerno.kernel.events import EVENTS
from salerno.kernel.eventstore import name_of
from salerno.kernel.messages import Event
from salerno.kernel.room import Room


def schema_of(event: type[Event]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(event)}


def all_events(rooms: Iterable[Room]) -> list[type[Event]]:
    return [*EVENTS, *(event for room in rooms for event in room.events)]


def write_schemas(rooms: Sequence[Room], folder: Path) -> int:
    """One file per event, named as it is stored. Answers how many."""
    folder.mkdir(parents=True, exist_ok=True)
    events = all_events(rooms)
    for event in events:
        text = json.dumps(schema_of(event), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / f"{name_of(event)}.json").write_text(text, "utf-8")
    return len(events)


def breaks(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What in a changed schema would make an event that is already stored unreadable or mean something else."""
    old, new = _properties(before), _properties(after)
    found = [f"{name} is gone" for name in old.keys() - new.keys()]
    found += [f"{name} became required" for name in _required(after) - _required(before)]
    for name in old.keys() & new.keys():
        if _kinds(old[name]) - _kinds(new[name]):
            found.append(f"{name} no longer takes what it took")
    return sorted(found)


def _main(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    return dict(schema["$defs"][reference.rpartition("/")[2]]) if reference else schema


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(_main(schema).get("properties", {}))


def _required(schema: dict[str, Any]) -> set[str]:
    return set(_main(schema).get("required", ()))


def _kinds(schema: dict[str, Any]) -> set[str]:
    """A field's types, as far as a reader would notice."""
    if "anyOf" in schema:
        return {kind for part in schema["anyOf"] for kind in _kinds(part)}
    if "enum" in schema:
        return {f"enum:{value}" for value in schema["enum"]}
    if "$ref" in schema:
        return {"object"}
    return {str(schema.get("type", "any"))}
