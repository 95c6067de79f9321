"""How events of an older shape are read as newer ones. What is stored is never rewritten."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from salerno.kernel.eventstore import Upcaster, name_of
from salerno.kernel.messages import Event
from salerno.kernel.room import Room

Upcasters: TypeAlias = Mapping[str, tuple[str, Upcaster]]


def upcasters_of(rooms: Iterable[Room]) -> dict[str, tuple[str, Upcaster]]:
    """Every room's upcasters. One that would never be used, or leads nowhere, stops the start."""
    found: dict[str, tuple[str, Upcaster]] = {}
    for room in rooms:
        today = {name_of(event) for event in room.events}
        for older, (newer, _) in room.upcasters.items():
            if older in today:
                raise ValueError(f"{older} is still an event of {room.name}: take its class out, or its upcaster")
            if newer not in today and newer not in room.upcasters:
                raise ValueError(f"{older} is read as {newer}, which {room.name} does not know")
            if _newest(older, room.upcasters) is None:
                raise ValueError(f"{older} is read in a circle")
        found |= room.upcasters
    return found


def stored_names(rooms: Iterable[Room], events: Iterable[type[Event]]) -> set[str]:
    """Every name under which these events may lie in the log, older ones included."""
    names = {name_of(event) for event in events}
    for room in rooms:
        names |= {older for older in room.upcasters if _newest(older, room.upcasters) in names}
    return names


def _newest(name: str, upcasters: Upcasters) -> str | None:
    """What an older name is read as in the end; None where there is no end."""
    seen = set()
    while name in upcasters:
        if name in seen:
            return None
        seen.add(name)
        name = upcasters[name][0]
    return name
