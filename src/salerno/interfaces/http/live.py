"""Live updates: browsers listen to topics; a burst keeps only the newest of each key, so memory stays small."""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple
from uuid import UUID

BEAT = 15.0
ABOUT_OWNER = b"event: session\n"


def account_topic(account: UUID) -> str:
    """What streams of this account listen to beside their organisation's news."""
    return f"account:{account}"


class Listener(NamedTuple):
    pending: dict[str, bytes]
    wake: asyncio.Event


class Live:
    """One per worker. What is published says that something changed, and never what: each browser reads it itself,
    with its own permissions, in its own language."""

    def __init__(self) -> None:
        self.topics: dict[str, dict[int, Listener]] = {}
        self.closed = False
        self._next = 0

    def publish(self, topic: str, key: str, data: str, event: str = "message") -> None:
        lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        frame = f"event: {event}\n{lines}\n".encode()
        for listener in self.topics.get(topic, {}).values():
            listener.pending[key] = frame
            listener.wake.set()

    def look_again(self, account: UUID) -> None:
        """Every stream of this account asks at once whether its session still lives."""
        self.publish(account_topic(account), "session", "", event="session")

    def look_again_at(self, topic: str) -> None:
        """Every stream on this chart asks at once whether it may go on."""
        self.publish(topic, "session", "", event="session")

    def all_look_again(self, organisation: UUID) -> None:
        """Every stream of this organisation asks at once whether its session still lives."""
        self.publish(str(organisation), "session", "", event="session")

    def missed(self) -> None:
        """Nobody knows what happened while the log could not be read: everybody looks again."""
        for topic in list(self.topics):
            self.publish(topic, "missed", "", event="missed")

    def close(self) -> None:
        self.closed = True
        for listeners in self.topics.values():
            for listener in listeners.values():
                listener.wake.set()

    async def stream(self, topics: list[str], beat: float = BEAT) -> AsyncGenerator[bytes, None]:
        """Frames for one browser. The first bytes come at once, so that it knows it is connected."""
        me, listener = self._join(topics)
        try:
            yield b"retry: 2000\n\n"
            while not self.closed:
                try:
                    await asyncio.wait_for(listener.wake.wait(), beat)
                except TimeoutError:
                    yield b": beat\n\n"
                    continue
                listener.wake.clear()
                frames = b"".join(listener.pending.values())
                listener.pending.clear()
                if frames:
                    yield frames
        finally:
            self._leave(me, topics)

    def _join(self, topics: list[str]) -> tuple[int, Listener]:
        self._next += 1
        listener = Listener({}, asyncio.Event())
        for topic in topics:
            self.topics.setdefault(topic, {})[self._next] = listener
        return self._next, listener

    def _leave(self, me: int, topics: list[str]) -> None:
        for topic in topics:
            listeners = self.topics.get(topic, {})
            listeners.pop(me, None)
            if not listeners:
                self.topics.pop(topic, None)
