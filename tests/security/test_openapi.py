"""T047: every operation of the OpenAPI document, with what schemathesis makes of it: valid, invalid, without a token.

Every command is rehearsed as in `test_matrix`: done in full, and not made to last. `make soak` draws two thousand
requests for each operation and kind; otherwise every fifth operation gets one.
"""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.control import SkipTest
from tests.applications import build
from tests.security.test_matrix import Everybody, Rehearsed
from tests.soaking import times

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.interfaces import api
from salerno.interfaces.api.openapi import document
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.observing import AccessLog
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

EXAMPLES = times(2_000, 2_000)  # of each operation
SOAKING = EXAMPLES > 1
PART = 1 if SOAKING else 5
AWAY = 503  # a part that is not there in tests, such as the post
EVERYWHERE = frozenset({"404", "405", "413", "414", "431"})  # said before any operation is reached
UNSAID = {  # what the document does not say yet: of who is not signed in, and of a draft that is not there
    "GET /userinfo": "401", "POST /userinfo": "401", "POST /api/v1/auth/logout": "401",
    "POST /api/v1/auth/refresh": "401", "POST /api/v1/users/me/lock": "401",
    "GET /api/v1/visits/{visit_id}/draft": "204", "GET /.well-known/jwks.json": "409",
}  # fmt: skip
PROBLEM = "application/problem+json"


class Wish(NamedTuple):
    """One request, and the operation for which it was made."""

    operation: str
    valid: bool
    protected: bool
    answers: frozenset[str]
    request: requests.PreparedRequest


class Heard(NamedTuple):
    status: int
    media: str
    body: bytes


@pytest.fixture
def everybody(caller: Callable[..., Caller], bus: Bus) -> Caller:
    return msgspec.structs.replace(caller("SUPER_ADMIN"), permissions=frozenset(bus.permissions()))


@pytest.fixture
async def application(bus: Bus, everybody: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    wish = RegisterOrganisation(organisation_id=everybody.organisation, kind="clinic", name="Poliambulatorio")
    await bus.handle(wish, everybody)
    await bus.settled()

    async def rehearse(tx: Tx) -> None:
        await tx.flush()
        raise Rehearsed()

    monkeypatch.setattr(Tx, "end", rehearse)
    return build(
        bus,
        [api.door(bus)],
        Setup(sessions=Everybody({"everybody": everybody}), stop=False, log=AccessLog(io.BytesIO())),
    )


def _wishes(bus: Bus) -> Iterator[Wish]:
    described = msgspec.json.decode(msgspec.json.encode(document(api.door(bus), bus.needs, "0")))
    schema = schemathesis.openapi.from_dict(described)
    for nth, made in enumerate(schema.get_all_operations()):
        if nth % PART:
            continue
        operation = made.ok()
        said = described["paths"][operation.path][operation.method.lower()]
        for valid in (True, False) if SOAKING else (nth % 2 == 0,):
            for case in _drawn(operation, GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE):
                asked = requests.Request(**case.as_transport_kwargs(base_url="https://clinic.test"))
                with suppress(requests.RequestException):  # a header that no client would send
                    yield Wish(
                        operation.label, valid, "security" in said, frozenset(said["responses"]), asked.prepare()
                    )


def _drawn(operation: Any, mode: GenerationMode) -> list[Any]:
    """What hypothesis draws first, always the same: what fails once fails again. Some have nothing to be wrong in."""
    found: list[Any] = []

    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        found.append(case)

    try:
        draw()
    except (SkipTest, Unsatisfiable, pytest.skip.Exception):
        return []
    return found


async def _heard(application: Any, request: requests.PreparedRequest, token: str) -> Heard:
    url, body = urlsplit(str(request.url)), request.body or b""
    content = body.encode() if isinstance(body, str) else body
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": "clinic.test", "content-length": str(len(content))}
    if token:
        headers["authorization"] = f"Bearer {token}"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "https",
        "path": unquote_to_bytes(url.path).decode("utf-8", "replace"), "raw_path": url.path.encode(),
        "query_string": url.query.encode(), "root_path": "", "client": ("127.0.0.1", 1), "server": ("clinic.test", 443),
        "headers": [(_bytes(name), _bytes(value)) for name, value in headers.items()],
    }  # fmt: skip
    said: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said["status"], said["headers"] = message["status"], dict(message["headers"])
        else:
            said["body"] += message.get("body", b"")

    async with asyncio.timeout(30):
        await application(scope, receive, send)
    media = next((value for name, value in said["headers"].items() if name.lower() == b"content-type"), b"")
    return Heard(said["status"], media.decode().partition(";")[0], said["body"])


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _code(heard: Heard) -> str:
    return str(msgspec.json.decode(heard.body).get("code")) if heard.media == PROBLEM else ""


def _wrong(wish: Wish, heard: Heard) -> str:
    """What an answer to somebody who may do everything must not be; "" where it is as described."""
    if heard.status >= 500 and heard.status != AWAY:
        return f"{heard.status} {heard.body[:300]!r}"
    if heard.status >= 400 and heard.media != PROBLEM:
        return f"{heard.status} is no problem but {heard.media}"
    if str(heard.status) not in wish.answers | EVERYWHERE | {UNSAID.get(wish.operation)}:
        return f"{heard.status} is not described {heard.body[:200]!r}"
    if heard.status == 401 and wish.protected:
        return "401 although signed in"
    return ""


async def test_t047_no_request_whatever_is_in_it_makes_the_server_fail(bus: Bus, application: Any) -> None:
    wrong: list[str] = []
    operations: set[str] = set()
    for wish in _wishes(bus):
        operations.add(wish.operation)
        heard = await _heard(application, wish.request, "everybody")
        if found := _wrong(wish, heard):
            wrong.append(f"{wish.operation} valid={wish.valid}: {found} {wish.request.url} {wish.request.body!r}"[:900])
        unsigned = await _heard(application, wish.request, "")
        if wish.protected and unsigned.status not in (401, 404, 405):
            wrong.append(f"{wish.operation}: {unsigned.status} without a token")
        if unsigned.status >= 500 and unsigned.status != AWAY:
            wrong.append(f"{wish.operation}: {unsigned.status} without a token {unsigned.body!r}")
    assert len(operations) * PART > 150
    assert wrong == []
