"""A room or a piece of equipment that appointments may hold."""

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never
from uuid import UUID

from msgspec import UnsetType

from salerno.contexts.scheduling.commands import AddRoom, ChangeRoom, RetireRoom
from salerno.contexts.scheduling.errors import AlreadyExists, NoSuchRoom
from salerno.contexts.scheduling.events import RoomAdded, RoomChanged, RoomEvent, RoomRetired
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Add:
    room: UUID
    wish: AddRoom


ResourceWish: TypeAlias = Add | ChangeRoom | RetireRoom


@dataclass(frozen=True, slots=True)
class Resource:
    name: str = ""
    kind: str = ""
    location: UUID | None = None
    retired: bool = False

    @property
    def exists(self) -> bool:
        return bool(self.name)


def decide(state: Resource, command: ResourceWish, origin: Origin) -> list[RoomEvent]:
    match command:
        case Add():
            return _add(state, command)
        case ChangeRoom():
            return _change(state, command)
        case RetireRoom():
            return _retire(state, command)
        case _:
            assert_never(command)


def evolve(state: Resource, event: RoomEvent) -> Resource:
    match event:
        case RoomAdded() | RoomChanged():
            return Resource(event.name, event.kind, event.location)
        case RoomRetired():
            return replace(state, retired=True)
        case _:
            assert_never(event)


def _add(state: Resource, command: Add) -> list[RoomEvent]:
    if state.exists:
        raise AlreadyExists()
    wish = command.wish
    return [RoomAdded(room=command.room, name=wish.name, kind=wish.kind, location=wish.location_id)]


def _change(state: Resource, wish: ChangeRoom) -> list[RoomEvent]:
    if not state.exists or state.retired:
        raise NoSuchRoom()
    location = state.location if isinstance(wish.location_id, UnsetType) else wish.location_id
    changed = Resource(wish.name or state.name, wish.kind or state.kind, location)
    if changed == state:
        return []
    return [RoomChanged(room=wish.room_id, name=changed.name, kind=changed.kind, location=changed.location)]


def _retire(state: Resource, wish: RetireRoom) -> list[RoomEvent]:
    if not state.exists:
        raise NoSuchRoom()
    return [] if state.retired else [RoomRetired(room=wish.room_id)]


RESOURCE: Decider[Resource, ResourceWish, RoomEvent] = Decider(
    kind="scheduling.resource",
    initial=Resource(),
    decide=decide,
    evolve=evolve,
    events=RoomEvent,
)
