"""What a door remembers of sessions ends when the log says so, and when nobody can say anything."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from salerno.interfaces.http.ending import OF_ACCESS, end_access
from salerno.interfaces.http.live import Live
from salerno.interfaces.http.sessions import Found, RememberedSessions
from salerno.interfaces.web.shell import _still_signed_in, _while_permitted
from salerno.kernel.errors import Unavailable
from salerno.kernel.messages import Caller
from salerno.kernel.tail import News

ORGANISATION = uuid4()


class Room:
    """The identity room: who is behind a token, and how often it was asked."""

    def __init__(self) -> None:
        self.account, self.asked, self.away, self.locked = uuid4(), 0, False, False

    async def by_cookie(self, digest: bytes, user_initiated: bool) -> Found | None:
        self.asked += 1
        if self.away:
            raise Unavailable()
        caller = Caller(actor=self.account, organisation=ORGANISATION)
        return Found(caller=caller, csrf="x", expires_at=datetime(2030, 1, 1, tzinfo=UTC), locked=self.locked)

    async def by_bearer(self, token: str) -> Found | None:
        return await self.by_cookie(b"", True)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def sessions(room: Room) -> RememberedSessions:
    return RememberedSessions(room.by_cookie, room.by_bearer)


def news(account: UUID, event: str = "identity.sessions_ended.v1", kind: str = "identity.account") -> News:
    return News(ORGANISATION, event, kind, account, account)


def request_of(sessions: Any) -> Any:
    app = SimpleNamespace(state={"sessions": sessions})
    return SimpleNamespace(app=app, scope={"state": {"cookie": "token"}})


async def test_what_is_remembered_of_an_account_is_dropped_when_its_access_ends(
    room: Room, sessions: RememberedSessions
) -> None:
    for _ in range(3):
        await sessions.caller_by_cookie("token")
        await sessions.caller_by_bearer("token")
    assert room.asked == 2
    end_access(sessions, Live(), news(uuid4()))
    end_access(sessions, Live(), news(room.account, "identity.signed_in.v1"))
    end_access(sessions, Live(), news(room.account, kind="staff.member"))
    await sessions.caller_by_cookie("token")
    assert room.asked == 2
    end_access(sessions, Live(), news(room.account))
    await sessions.caller_by_cookie("token")
    await sessions.caller_by_bearer("token")
    assert room.asked == 4


async def test_a_changed_role_makes_everybody_of_its_organisation_be_asked_about_again(
    room: Room, sessions: RememberedSessions
) -> None:
    live, role = Live(), uuid4()
    stream = live.stream([str(ORGANISATION)], 60)
    await anext(stream)
    for event, organisation, asked in (
        ("identity.role_defined.v1", ORGANISATION, 1),
        ("identity.role_changed.v1", uuid4(), 1),
        ("identity.role_changed.v1", ORGANISATION, 2),
        ("identity.role_retired.v1", ORGANISATION, 3),
    ):
        await sessions.caller_by_cookie("token")
        end_access(sessions, live, News(organisation, event, "identity.role", role, organisation))
        await sessions.caller_by_cookie("token")
        assert room.asked == asked, event
    assert await anext(stream) == b"event: session\ndata: \n\n"


def test_the_events_that_end_access_are_those_of_the_catalogue() -> None:
    assert {"identity.signed_out.v1", "identity.sessions_ended.v1", "identity.account_deactivated.v1"} <= OF_ACCESS


async def test_a_stream_asks_when_its_account_is_spoken_of_and_fails_closed(
    room: Room, sessions: RememberedSessions
) -> None:
    live, heard = Live(), list[bytes]()
    topics = ["account:" + str(room.account)]
    stream = _while_permitted(request_of(sessions), live.stream(topics, 60), None)
    heard.append(await anext(stream))
    end_access(sessions, live, news(room.account))
    heard.append(await anext(stream))
    assert b"event: session" in heard[1]
    assert room.asked == 1
    room.away = True
    end_access(sessions, live, news(room.account))
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert live.topics == {}


async def test_a_locked_session_has_no_stream(room: Room, sessions: RememberedSessions) -> None:
    assert await _still_signed_in(request_of(sessions))
    room.locked = True
    assert not await _still_signed_in(request_of(sessions))
