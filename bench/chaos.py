"""Load with idempotency keys while processes are killed, and the oracle that says whether anything was lost."""

import asyncio
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from bench.harness import UNLIMITED, Process
from salerno import app
from salerno.interfaces.cli.demo.clinic import PASSWORD, Clinic, open_clinic
from salerno.kernel import eventstore, rebuild
from salerno.kernel.ledger.verify import verify
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.settings import read_settings

LONGEST = 10.0  # seconds that any request may take
PATIENTS_EVENTS = "SELECT count(*) FROM kernel.event_store WHERE aggregate_type = 'patients.patient'"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUMBERS = count(1)


def word(number: int) -> str:
    """A family name that stands for one wish."""
    found = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        found += LETTERS[digit]
    return found.title()


@dataclass
class Wish:
    """One command with its key, and what became of it. `mark` is in the event that it makes."""

    mark: str
    name: str
    payload: dict[str, Any]
    key: str = field(default_factory=lambda: uuid4().hex)
    receipt: dict[str, Any] | None = None


@dataclass
class Seen:
    """What the clients saw."""

    wishes: list[Wish] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    last_success: float = 0.0  # when the newest request that was granted began

    @property
    def acknowledged(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.receipt]


class Load:
    """Clients that register people and change their telephone numbers; most try again with their key, some give up."""

    def __init__(self, url: str, token: str, clients: int = 8, pause: float = 0.1) -> None:
        self.url, self.clients, self.pause = url, clients, pause
        self.headers = {"Authorization": f"Bearer {token}"}
        self.seen = Seen()
        self.patients: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Seen]:
        limits = httpx.Limits(max_connections=self.clients)
        async with httpx.AsyncClient(
            base_url=self.url, timeout=LONGEST + 5, limits=limits, headers=self.headers
        ) as client:
            self._tasks = [asyncio.create_task(self._work(client, random.Random(n))) for n in range(self.clients)]
            try:
                yield self.seen
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self, client: httpx.AsyncClient, dice: random.Random) -> None:
        while True:
            wish = self._next(dice)
            self.seen.wishes.append(wish)
            stubborn = dice.random() < 0.7
            while not await self._ask(client, wish) and stubborn:
                await asyncio.sleep(0.2)
            await asyncio.sleep(self.pause * dice.uniform(0.5, 1.5))

    def _next(self, dice: random.Random) -> Wish:
        number = next(NUMBERS)
        if self.patients and dice.random() < 0.5:
            phone = f"+39089{number:07}"
            return Wish(phone, "update-patient", {"patient_id": dice.choice(self.patients), "phone": phone})
        name = word(number)
        wish = {"full_name": f"Ada {name}", "date_of_birth": "1950-12-10", "gender": "female"}
        return Wish(name, "register-patient", {**wish, "confirmed_not_duplicate": True})

    async def _ask(self, client: httpx.AsyncClient, wish: Wish) -> bool:
        """Whether there is nothing more to ask: it was granted, or refused for good."""
        started = time.monotonic()
        try:
            answer = await client.post(
                f"/commands/{wish.name}", json={"payload": wish.payload}, headers={"Idempotency-Key": wish.key}
            )
        except httpx.TransportError as error:
            if isinstance(error, httpx.ReadTimeout):
                self.seen.wrong.append(f"{wish.name} hung")
            self.seen.lost += 1
            return False
        finally:
            self.seen.longest = max(self.seen.longest, time.monotonic() - started)
        self.seen.statuses[answer.status_code] += 1
        if answer.is_success:
            wish.receipt = answer.json()
            self.seen.last_success = max(self.seen.last_success, started)
            if wish.name == "register-patient":
                self.patients.append(answer.json()["aggregate_id"])
            return True
        later = answer.status_code in (503, 507)
        if later and "Retry-After" not in answer.headers:
            self.seen.wrong.append(f"{answer.status_code} without Retry-After")
        if not later and answer.status_code != 409:
            self.seen.wrong.append(f"{answer.status_code} {answer.text[:300]}")
        return not later


class World:
    """A clinic on durable settings, served by a process that may be killed."""

    def __init__(self, top: Path | None = None) -> None:
        self.top = top or Path(tempfile.mkdtemp(prefix="salerno-chaos-"))
        self.top.chmod(0o711)
        self.data = self.top / "data"
        environment = {**UNLIMITED, "SALERNO_DATA": str(self.data), "LOG_LEVEL": "error"}
        self.settings = read_settings(environment, Path("/nowhere"))
        self.server = Process(self.data, "--doors", "api")
        self.organisation = UUID(int=0)

    async def begin(self) -> Clinic:
        async with app.running(self.settings, follow=True) as house:
            clinic = await open_clinic(house)
        self.organisation = clinic.organisation
        await asyncio.to_thread(lambda: self.server.start().ready())
        return clinic

    async def token(self, who: str) -> str:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as client:
            login = {"email": f"test.{who}@example.com", "password": PASSWORD}
            answer = await client.post("/auth/login", json=login)
            return str(answer.json()["token"])

    def postmaster(self) -> int:
        return int((self.settings.postgres / "data" / "postmaster.pid").read_text().split("\n")[0])

    def end(self) -> None:
        self.server.stop()
        shutil.rmtree(self.top, ignore_errors=self.top.is_mount())


async def back_after(load: Load, kill: Callable[[], Awaitable[None]]) -> float:
    """Seconds from the kill until a request that began after it was granted."""
    await kill()
    killed = time.monotonic()
    while load.seen.last_success < killed:
        await asyncio.sleep(0.05)
        if time.monotonic() - killed > 120:
            raise AssertionError(f"no service for two minutes: {load.seen.statuses}")
    return time.monotonic() - killed


async def kill_server(world: World) -> None:
    await asyncio.to_thread(world.server.kill)
    await asyncio.to_thread(world.server.start)


async def kill_postmaster(world: World) -> None:
    os.kill(world.postmaster(), signal.SIGKILL)


async def oracle(world: World, seen: Seen, before: int = 0) -> dict[str, int]:
    """ORACLE-K: acknowledged once, unacknowledged at most once and whole, rebuilt the same, sealed and sound.

    `before` events of patients had been there.
    """
    async with app.running(world.settings) as house:
        await house.bus.settled()
        marks = await _marks(house, world.organisation)
        for wish in seen.wishes:
            found = marks[wish.mark]
            assert found == 1 if wish.receipt else found <= 1, f"{wish.name} {wish.mark} stands {found} times"
        assert sum(marks.values()) - before == sum(marks[wish.mark] for wish in seen.wishes), "nobody wished for it"
        async with house.database.context("salerno_reader", None, "kernel") as connection:
            assert await connection.fetchval("SELECT count(*) FROM kernel.projection_errors") == 0
        for name in rebuild.names(house.bus):
            assert (await rebuild.rebuild(house.bus, name)).equal, name
        await app.sealer_of(world.settings, house.database, house.bus.clock).seal()
        keys = app.signing_keys_of(world.settings)
        witnesses = [FolderWitness(world.settings.witness)]
        report = await verify(house.database, keys.origin, keys.verifiers(), witnesses)
        assert report.sound, [str(found) for found in report]
    return {
        "wishes": len(seen.wishes),
        "acknowledged": len(seen.acknowledged),
        "taken without an answer": sum(marks[wish.mark] for wish in seen.wishes if not wish.receipt),
    }


async def written(world: World) -> int:
    """How many events of patients there are."""
    async with (
        app.running(world.settings) as house,
        house.database.context("salerno_reader", None, "kernel") as connection,
    ):
        return int(await connection.fetchval(PATIENTS_EVENTS))


async def _marks(house: app.House, organisation: UUID) -> Counter[str]:
    """How often each wish's mark stands in the log."""
    async with house.bus.reading("patients", organisation) as tx:
        rows = await tx.fetch(
            f"SELECT {eventstore.COLUMNS} FROM kernel.event_store WHERE aggregate_type = 'patients.patient'"
        )
        items = await eventstore.open_rows(
            tx.connection, house.bus.vault, house.bus.catalogue, organisation, rows, tx.now
        )
    return Counter(str(item.event.family_name if item.version == 1 else item.event.phone) for item in items)
