"""What can be booked: visit types and rooms."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.organisations.queries import Locations
from salerno.contexts.scheduling.commands import (
    AddRoom,
    Buffer,
    ChangeRoom,
    Code,
    DefineVisitType,
    Minutes,
    Name,
    RetireRoom,
    RetireVisitType,
    RoomKind,
    VisitKind,
)
from salerno.contexts.scheduling.errors import NoSuchRoom, NoSuchVisitType
from salerno.contexts.scheduling.queries import Rooms, VisitTypes
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_form
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings.saving import (
    FRESH,
    Attempt,
    Version,
    after,
    attempt,
    clash,
    flat,
    id_in,
    page,
    read,
    wrong,
)

HTML = "text/html"
PATH = "/settings/catalogue"
KINDS = ("consultation", "follow-up", "emergency", "procedure", "vaccination", "remote", "other")
TYPE = f"{PATH}/types/{{code:str}}"
ROOM = f"{PATH}/rooms/{{room_id:uuid}}"


class VisitTypeForm(Body):
    code: Code
    name_it: Name
    name_en: Name
    minutes: Minutes
    kind: VisitKind = "other"
    buffer_before: Buffer = 0
    buffer_after: Buffer = 0
    colour: Annotated[int, Meta(ge=0, le=11)] = 0


class RoomForm(Body):
    version: Version = 0
    name: Name
    kind: RoomKind = "room"
    location_id: UUID | None = None


@get(PATH, of=VisitTypes, media=HTML)
async def catalogue(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every visit type and every room."""
    require(request, DefineVisitType)
    places = {one.id: one.name for one in await ask(request, Locations(closed_too=True))}
    types, rooms = await ask(request, VisitTypes()), await ask(request, Rooms())
    return page(request, "catalogue", "catalogue", types=types, rooms=rooms, places=places)  # type: ignore[no-any-return]


# ------------------------------------------------------------------ visit types
@get(f"{PATH}/new-type", of=DefineVisitType, media=HTML)
async def new_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, DefineVisitType)
    return _type(request, {"minutes": "30", "buffer_before": "0", "buffer_after": "0", "kind": "consultation"}, True)


@get(TYPE, of=VisitTypes, media=HTML)
async def one_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """A visit type to be changed."""
    require(request, DefineVisitType)
    code = str(request.path_params["code"])
    found = next((one for one in await ask(request, VisitTypes()) if one.code == code), None)
    if found is None:
        raise NoSuchVisitType()
    return _type(request, flat(found), False)


def _type(request: Request[Any, Any, Any], filled: Any, new: bool, tried: Attempt = FRESH) -> Response[Any]:
    made: Response[Any] = page(request, "catalogue", "visit_type", tried, filled=filled, kinds=KINDS, new=new)
    return made


@post(f"{PATH}/new-type", of=DefineVisitType, media=HTML)
async def define_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """Offer a visit type."""
    return await _define(request, new=True)


@post(TYPE, of=DefineVisitType, media=HTML)
async def change_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save a visit type; appointments that are booked keep their length."""
    return await _define(request, new=False)


async def _define(request: Request[Any, Any, Any], *, new: bool) -> Response[Any]:
    filled = await read_form(request)
    if not new:
        filled.take("code", str(request.path_params["code"]))
    form, errors = read(VisitTypeForm, filled)
    if form is None:
        return _type(request, filled, new, wrong(errors))
    given = {name: getattr(form, name) for name in form.__struct_fields__}
    tried = await attempt(request, DefineVisitType(**given))
    return after(request, PATH, "added" if new else "saved") if tried.fine else _type(request, filled, new, tried)


@post(f"{TYPE}/retire", of=RetireVisitType, media=HTML)
async def retire_type(request: Request[Any, Any, Any]) -> Response[Any]:
    """Offer it no longer."""
    await attempt(request, RetireVisitType(code=str(request.path_params["code"])))
    return after(request, PATH, "removed")


# ------------------------------------------------------------------ rooms
@get(f"{PATH}/new-room", of=AddRoom, media=HTML)
async def new_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, AddRoom)
    return await _room(request, {"kind": "room"}, None)


@get(ROOM, of=Rooms, media=HTML)
async def one_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """A room to be changed."""
    require(request, ChangeRoom)
    found = await _found(request)
    return await _room(request, flat(found), found)


async def _found(request: Request[Any, Any, Any]) -> Any:
    room_id = id_in(request, "room_id")
    found = next((one for one in await ask(request, Rooms()) if one.id == room_id), None)
    if found is None:
        raise NoSuchRoom()
    return found


async def _room(request: Request[Any, Any, Any], filled: Any, room: Any, tried: Attempt = FRESH) -> Response[Any]:
    places = await ask(request, Locations())
    made: Response[Any] = page(request, "catalogue", "room", tried, filled=filled, room=room, places=places)
    return made


@post(f"{PATH}/new-room", of=AddRoom, media=HTML)
async def add_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a room or a piece of equipment."""
    filled = await read_form(request)
    form, errors = read(RoomForm, filled)
    if form is None:
        return await _room(request, filled, None, wrong(errors))
    tried = await attempt(request, AddRoom(name=form.name, kind=form.kind, location_id=form.location_id))
    return after(request, PATH, "added") if tried.fine else await _room(request, filled, None, tried)


@post(ROOM, of=ChangeRoom, media=HTML)
async def change_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save a room."""
    room_id, filled = id_in(request, "room_id"), await read_form(request)
    form, errors = read(RoomForm, filled)
    if form is None:
        return await _room(request, filled, await _found(request), wrong(errors))
    command = ChangeRoom(room_id=room_id, name=form.name, kind=form.kind, location_id=form.location_id)
    tried = await attempt(request, command, form.version)
    if tried.fine:
        return after(request, PATH)
    room = await _found(request)
    return await _room(request, filled, room, clash(filled, flat(room)) if tried.clash else tried)


@post(f"{ROOM}/retire", of=RetireRoom, media=HTML)
async def retire_room(request: Request[Any, Any, Any]) -> Response[Any]:
    """Use it no longer."""
    await attempt(request, RetireRoom(room_id=id_in(request, "room_id")))
    return after(request, PATH, "removed")


PAGES = [
    catalogue, new_type, one_type, define_type, change_type, retire_type, new_room, one_room, add_room, change_room,
    retire_room,
]  # fmt: skip
