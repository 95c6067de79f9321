"""The door between processes: another process of this installation asks a room that lives here."""

from typing import Any

from salerno.interfaces.http import Bus, Door, Request, Response, bus_of, post
from salerno.kernel import remote

MAX_CALL = 16 * 1024 * 1024


def door(bus: Bus, key: bytes) -> Door:
    @post(remote.PATH, public="signed by another process of this installation", at="bare", max_body=MAX_CALL)
    async def call(request: Request[Any, Any, Any]) -> Response[Any]:
        """One wish or question for a room of this process."""
        body = await request.body()
        headers = request.headers
        stamp, mac = headers.get("x-salerno-at", ""), headers.get("x-salerno-mac", "")
        remote.verify(key, stamp, mac, body, bus.clock.now())
        status, content = await remote.serve(bus_of(request), body)
        return Response(content, status_code=status, media_type="application/json")

    return Door("between", (call,))
