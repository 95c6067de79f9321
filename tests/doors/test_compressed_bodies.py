"""Bodies that would grow a thousandfold: nothing is unpacked, no more than the limit is taken, and the next is served.

Under T051 are compressed request bodies, in one layer and in several, and lengths that lie. The product unpacks no
archives and no documents, so the case's other parts have nothing to be tried on.
"""

import gzip
import json
import resource
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
from msgspec.structs import replace
from tests.applications import build
from tests.doors.probe import CSRF
from tests.security.test_matrix import Everybody, Rehearsed

from salerno.interfaces import api, fhir, web
from salerno.interfaces.http.application import MAX_BODY, Setup
from salerno.interfaces.http.edge import Rules
from salerno.interfaces.http.routes import Door, Route
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PLAIN = json.dumps({"name": "A" * 10_000_000, "count": 2}).encode()
ONCE = gzip.compress(PLAIN, mtime=0)
BOMBS: dict[str, bytes] = {  # by the Content-Encoding that says so
    "gzip": ONCE,
    "x-gzip": ONCE,
    "GZIP": ONCE,
    "deflate": zlib.compress(PLAIN),
    "br": brotli.compress(PLAIN, quality=4),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(64),
    "identity, gzip": ONCE,
    "gzip, gzip": gzip.compress(ONCE, mtime=0),
    "gzip, br, deflate, gzip": gzip.compress(zlib.compress(brotli.compress(ONCE)), mtime=0),
}
MEMORY = 100 * 1024  # KiB that may be added, whatever comes
REFUSED = {400, 413, 415}


def most_memory() -> int:
    """The largest that this process has been, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("coding", BOMBS)
async def test_t051_a_compressed_body_is_refused_at_once_and_the_next_request_is_answered(
    web: httpx.AsyncClient, coding: str
) -> None:
    before = most_memory()
    for path, kind in (("/wishes", JSON), ("/forms", FORM)):
        started = time.process_time()
        headers = {"Content-Type": kind, "Content-Encoding": coding}
        refused = await web.post(path, content=BOMBS[coding], headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-encoding"), path
        assert time.process_time() - started < 1
    assert most_memory() - before < MEMORY
    assert (await web.post("/wishes", json={"name": "Ada", "count": 2})).status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
async def test_t051_a_compressed_body_that_does_not_say_so_is_no_json_and_no_form(
    web: httpx.AsyncClient, coding: str
) -> None:
    for path, kind in (("/wishes", JSON), ("/forms", FORM)):
        refused = await web.post(path, content=BOMBS[coding], headers={"Content-Type": kind})
        assert refused.status_code == 400, path


class Dripping:
    """A body without end, of `size` bytes at a time; it counts what was taken of it."""

    def __init__(self, size: int) -> None:
        self.piece, self.taken = b" " * size, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < 100 * MAX_BODY:
            self.taken += len(self.piece)
            yield self.piece


async def test_t051_no_more_than_the_limit_is_taken_of_a_body_without_end(
    web: httpx.AsyncClient, signed_in: httpx.AsyncClient
) -> None:
    size = 8192
    body = Dripping(size)
    answer = await web.post("/wishes", content=body, headers={"Content-Type": JSON})
    assert (answer.status_code, body.taken <= MAX_BODY + 2 * size) == (413, True)
    form = Dripping(size)  # the edge itself reads a form with a session, to find its token
    answer = await signed_in.post(
        "/forms", content=form, headers={"Content-Type": FORM, "Origin": "https://clinic.test"}
    )
    assert (answer.status_code, form.taken <= Rules().max_form + 2 * size) == (413, True)
    named = Dripping(size)
    answer = await signed_in.post("/forms", content=named, headers={"Content-Type": FORM, "X-CSRF-Token": CSRF})
    assert (answer.status_code, named.taken <= MAX_BODY + 2 * size) == (413, True)


async def test_t051_a_length_that_is_said_to_be_too_large_is_refused_before_anything_is_taken(
    web: httpx.AsyncClient,
) -> None:
    for length in (MAX_BODY + 1, 10 * 1024**3, 10**30):
        body = Dripping(8192)
        answer = await web.post("/wishes", content=body, headers={"Content-Type": JSON, "Content-Length": str(length)})
        assert (answer.status_code, body.taken) == (413, 0), length
    lied = Dripping(8192)  # said to be short, and is not
    answer = await web.post("/wishes", content=lied, headers={"Content-Type": JSON, "Content-Length": "10"})
    assert answer.status_code in REFUSED
    assert lied.taken <= MAX_BODY + 2 * 8192


# ------------------------------------------------------------------ the whole product
@pytest.fixture
async def everything(
    bus: Bus, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx.AsyncClient, tuple[Door, ...]]]:
    """The product, to somebody who may do everything; what they do does not last."""
    may = replace(admin, permissions=frozenset(bus.permissions()))
    doors = (api.door(bus), web.door(bus), fhir.door(bus))
    app: Any = build(bus, doors, Setup(sessions=Everybody({"EVERYTHING": may}), stop=False))

    async def rehearse(tx: Tx) -> None:
        await tx.flush()
        raise Rehearsed()

    monkeypatch.setattr(Tx, "end", rehearse)
    headers = {"Authorization": "Bearer EVERYTHING", "If-Match": "*"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://testserver", headers=headers
    ) as client:
        yield client, doors


def filled(path: str) -> str:
    parts = [("0" if ":int" in part else str(uuid4())) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


async def sent(client: httpx.AsyncClient, path: str, route: Route, **headers: str) -> httpx.Response:
    kind = FORM if route.media == "text/html" else JSON
    return await client.request(
        route.method, filled(path), content=BOMBS["gzip, gzip"], headers={"Content-Type": kind} | headers
    )


async def test_t051_no_route_of_the_product_unpacks_what_it_is_sent(
    everything: tuple[httpx.AsyncClient, tuple[Door, ...]],
) -> None:
    client, doors = everything
    mounted = {(each.method, path): each for door in doors for path, each in door.mounted()}
    del mounted["POST", "/register"]  # off unless an installation wants it: there is nothing, whatever is sent
    before, answered = most_memory(), dict[str, tuple[int, int]]()
    for (method, path), route in mounted.items():
        if method == "GET" or route.takes is None:
            continue
        said = await sent(client, path, route, **{"Content-Encoding": "gzip, gzip"})
        unsaid = await sent(client, path, route)
        answered[f"{method} {path}"] = said.status_code, unsaid.status_code
    assert len(answered) > 100
    assert {path: both for path, both in answered.items() if not REFUSED.issuperset(both)} == {}
    assert most_memory() - before < MEMORY
