"""POST /commands/<verb-noun>: every command of every room, by its name, with its fields as payload."""

from typing import Any

import msgspec
from msgspec import Struct

from salerno.interfaces.http import Bus, Request, Response, Route, answer, bus_of, caller_or_nobody, read_body
from salerno.interfaces.http.requests import caller_of, expected_version, idempotency_key
from salerno.kernel.messages import Command


class Granted(Struct, frozen=True, kw_only=True):
    """What a command hands back: which aggregate, and its version after it."""

    success: bool
    aggregate_id: str
    version: int


def command_routes(bus: Bus) -> list[Route]:
    return [_route(name, command, bus) for name, command in sorted(bus.commands().items())]


def _route(name: str, command: type[Command], bus: Bus) -> Route:
    envelope = msgspec.defstruct(
        f"{command.__name__}Envelope", [("payload", command)], frozen=True, kw_only=True, forbid_unknown_fields=True
    )
    signed_in = bool(bus.needs(command).permission)

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        caller = caller_of(request) if signed_in else caller_or_nobody(request)
        wish: Any = await read_body(request, envelope)
        receipt = await bus_of(request).handle(
            wish.payload,
            caller,
            expected_version=expected_version(request),
            idempotency_key=idempotency_key(request),
        )
        granted = Granted(success=receipt.success, aggregate_id=str(receipt.aggregate_id), version=receipt.version)
        return answer(request, granted, etag=receipt.version)

    return Route(
        method="POST",
        path=f"/commands/{name}",
        handle=handle,
        of=command,
        takes=envelope,
        gives=Granted,
        tags=("commands", bus.room_of(command)),
        summary=(command.__doc__ or name.replace("-", " ")).strip(),
    )
