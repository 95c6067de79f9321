"""The end of the log, for those who only want to know that something happened: browsers, caches."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import structlog
from msgspec import Struct

from salerno.kernel.bus import Bus
from salerno.kernel.erasure import ERASURE
from salerno.kernel.messages import Event

LOG = structlog.get_logger("salerno.tail")
GATHER = 0.04  # seconds: what is written meanwhile is told together
END = """
    SELECT xid::text AS xid, position FROM kernel.event_store ORDER BY event_store.xid DESC, event_store.position DESC
    LIMIT 1"""
NEWS = """
    SELECT xid::text AS xid, position, hospital_id, event_type, aggregate_type, aggregate_id, subject_id
    FROM kernel.event_store
    WHERE (xid, position) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY event_store.xid, event_store.position LIMIT 1000"""


class News(Struct, frozen=True):
    """That an event was recorded: its name and ids, and nothing of its content."""

    organisation: UUID
    event: str
    kind: str
    aggregate: UUID
    subject: UUID


class Tail:
    """One reader per process, from now on; whoever registered in `listeners` is told of each event."""

    def __init__(self, bus: Bus, look_every: float = 0.25) -> None:
        self.bus = bus
        self.look_every = look_every
        self.listeners: list[Callable[[News], None]] = []
        self.missed: list[Callable[[], None]] = []  # told after the database was away: look for yourselves
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.bus.woken.append(self._woken)
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        with suppress(ValueError):
            self.bus.woken.remove(self._woken)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _woken(self, kinds: frozenset[type[Event]]) -> None:
        self._wake.set()

    async def _follow(self) -> None:
        mark: tuple[str, int] | None = None
        while True:
            try:
                mark = await self._look(mark)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - a reader never dies of a database that is away
                LOG.warning("tail.away", error=type(error).__name__)
                mark = None
                await asyncio.sleep(0.5)
                for told in self.missed:
                    told()
            self._wake.clear()
            # Not wait_for: in Python 3.11 it can lose a cancellation that meets the wake-up.
            with suppress(TimeoutError):
                async with asyncio.timeout(self.look_every):
                    await self._wake.wait()
                    await asyncio.sleep(GATHER)

    async def _look(self, mark: tuple[str, int] | None) -> tuple[str, int]:
        async with self.bus.database.context("salerno_reader", None, "kernel", aside=True) as connection:
            if mark is None:
                row = await connection.fetchrow(END)
                return (row["xid"], row["position"]) if row else ("0", 0)
            while rows := await connection.fetch(NEWS, *mark):
                for row in rows:
                    self._tell(
                        News(
                            row["hospital_id"],
                            row["event_type"],
                            row["aggregate_type"],
                            row["aggregate_id"],
                            row["subject_id"],
                        )
                    )
                mark = (rows[-1]["xid"], rows[-1]["position"])
        return mark

    def _tell(self, news: News) -> None:
        if news.kind == ERASURE:
            self.bus.vault.forget(news.organisation, news.aggregate)
        for listener in list(self.listeners):
            listener(news)
