"""Visit types, rooms and practitioners over REST: what can be booked (SCH-12, SCH-16)."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from salerno.contexts.scheduling.commands import (
    AddRoom,
    ChangeRoom,
    DefineVisitType,
    Name,
    RetireRoom,
    RetireVisitType,
    RoomKind,
)
from salerno.contexts.scheduling.queries import (
    Practitioner,
    Practitioners,
    RoomItem,
    Rooms,
    VisitTypeItem,
    VisitTypes,
)
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Receipt

TAGS = ("appointments",)


class RoomsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    location_id: UUID | None = None


class RoomList(Struct, frozen=True, kw_only=True):
    rooms: Sequence[RoomItem]


class RoomChange(Body):
    name: Name | None = None
    kind: RoomKind | None = None
    location_id: UUID | None | UnsetType = UNSET


class VisitTypeList(Struct, frozen=True, kw_only=True):
    visit_types: Sequence[VisitTypeItem]


class PractitionersWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    specialty: Annotated[str, Meta(max_length=120)] = ""


class PractitionerList(Struct, frozen=True, kw_only=True):
    practitioners: Sequence[Practitioner]


class Done(Struct, frozen=True, kw_only=True):
    """A receipt: which thing, at which version."""

    id: UUID
    version: int


@get("/practitioners", of=Practitioners, query=PractitionersWanted, gives=PractitionerList, tags=TAGS)
async def practitioners(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who can be booked."""
    wanted = read_query(request, PractitionersWanted)
    return answer(
        request, PractitionerList(practitioners=await ask(request, Practitioners(specialty=wanted.specialty)))
    )


@get("/visit-types", of=VisitTypes, gives=VisitTypeList, tags=TAGS)
async def visit_types(request: Request[Any, Any, Any]) -> Response[Any]:
    """The visit types on offer."""
    return answer(request, VisitTypeList(visit_types=await ask(request, VisitTypes())))


@post("/visit-types", of=DefineVisitType, takes=DefineVisitType, gives=Done, status=201, tags=TAGS)
async def define_visit_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a visit type, or change the one of this code."""
    return _done(request, await submit(request, await read_body(request, DefineVisitType)), 201)


@delete("/visit-types/{code:str}", of=RetireVisitType, status=204, tags=TAGS)
async def retire_visit_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """Offer a visit type no longer."""
    await submit(request, RetireVisitType(code=str(request.path_params["code"])[:40]))
    return no_content()


@get("/rooms", of=Rooms, query=RoomsWanted, gives=RoomList, tags=TAGS)
async def rooms(request: Request[Any, Any, Any]) -> Response[Any]:
    """Rooms and equipment that appointments may hold."""
    wanted = read_query(request, RoomsWanted)
    return answer(request, RoomList(rooms=await ask(request, Rooms(location_id=wanted.location_id))))


@post("/rooms", of=AddRoom, takes=AddRoom, gives=Done, status=201, tags=TAGS)
async def add_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a room or a piece of equipment."""
    return _done(request, await submit(request, await read_body(request, AddRoom)), 201)


@put("/rooms/{room_id:uuid}", of=ChangeRoom, takes=RoomChange, gives=Done, tags=TAGS)
async def change_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change a room."""
    wanted = await read_body(request, RoomChange)
    room = UUID(str(request.path_params["room_id"]))
    return _done(request, await submit(request, ChangeRoom(room_id=room, **asdict(wanted))))


@delete("/rooms/{room_id:uuid}", of=RetireRoom, status=204, tags=TAGS)
async def retire_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Offer a room no longer."""
    await submit(request, RetireRoom(room_id=UUID(str(request.path_params["room_id"]))))
    return no_content()


def _done(request: Request[Any, Any, Any], receipt: Receipt, status: int = 200) -> Response[Any]:
    return answer(request, Done(id=receipt.aggregate_id, version=receipt.version), status, etag=receipt.version)


ROUTES = [
    practitioners,
    visit_types,
    define_visit_type,
    retire_visit_type,
    rooms,
    add_room,
    change_room,
    retire_room,
]
