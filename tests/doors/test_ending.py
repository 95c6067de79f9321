"""What a door remembers of sessions ends when the log says so, and when nobody can say anything."""

import asyncio
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


class SlowRoom(Room):
    """It answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def by_cookie(self, digest: bytes, user_initiated: bool) -> Found | None:
        found = await super().by_cookie(digest, user_initiated)
        await self.may_answer.wait()
        return found


async def test_requests_that_come_together_ask_once_and_one_that_gives_up_takes_nothing_from_the_others() -> None:
    room = SlowRoom()
    sessions = RememberedSessions(room.by_cookie, room.by_bearer)
    first, *others = [asyncio.create_task(sessions.caller_by_bearer("token")) for _ in range(32)]
    await asyncio.sleep(0)
    first.cancel()
    room.may_answer.set()
    found = await asyncio.gather(*others)
    assert first.cancelled() and room.asked == 1
    assert {one.caller.actor for one in found if one} == {room.account}


async def test_what_was_asked_before_access_ended_is_neither_kept_nor_shared_afterwards() -> None:
    room = SlowRoom()
    sessions = RememberedSessions(room.by_cookie, room.by_bearer)
    before = asyncio.create_task(sessions.caller_by_bearer("token"))
    await asyncio.sleep(0)
    end_access(sessions, Live(), news(room.account))
    after = asyncio.create_task(sessions.caller_by_bearer("token"))
    await asyncio.sleep(0)
    room.may_answer.set()
    await asyncio.gather(before, after)
    assert room.asked == 2
    await sessions.caller_by_bearer("token")
    assert room.asked == 2, "the second answer is kept"


async def test_a_room_that_cannot_answer_is_asked_again_by_the_next(room: Room, sessions: RememberedSessions) -> None:
    room.away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            await sessions.caller_by_cookie("token")
    room.away = False
    assert await sessions.caller_by_cookie("token") is not None
    assert room.asked == 3


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
