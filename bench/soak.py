"""`make soak`: kills under load, 200 clients for one slot, and the long cases in full. About half an hour.

It says of each what held, and ends with 1 if anything broke.

python -m bench.soak [--kills 25] [--rounds 20] [--clients 200] [--without-cases]
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.chaos import LONGEST, Load, World, back_after, kill_postmaster, kill_server, oracle, written
from salerno import app
from salerno.interfaces.cli.demo.clinic import Clinic

SOON = 10.0  # seconds until it serves again
LONGEST_CASE = 1800.0
CASES = (
    ("T014 sign-outs that are killed are whole or have not been", "tests/journeys/test_signing_out.py", "t014"),
    ("T086 10,000 turned bits of both logs are each named", "tests/kernel/test_ledger_tampering.py", "t086"),
    ("T086, T113 1,000 turned bits of tables and indexes are each found", "tests/kernel/test_bit_rot.py", "t113"),
    ("T106 disks that fail lose nothing acknowledged", "tests/kernel/test_bad_disks.py", "t106"),
    ("T107 on full disks reading goes on, and it resumes by itself", "tests/kernel/test_bad_disks.py", "t107"),
)


async def kills(world: World, name: str, kill: Callable[[World], Awaitable[None]], count: int) -> list[str]:
    before = await written(world)
    load = Load(world.server.url, await world.token("receptionist"))
    dice, gaps = random.Random(count), []
    async with load.running() as seen:
        for nth in range(count):
            await asyncio.sleep(dice.uniform(0.2, 3.0))
            gaps.append(await back_after(load, lambda: kill(world)))
            print(f"  {name} {nth + 1}/{count}: back after {gaps[-1]:.1f} s", flush=True)
    found = await oracle(world, seen, before)
    print(f"{name}: {found}, {dict(seen.statuses)}, {seen.lost} connections lost, longest request {seen.longest:.1f} s")
    wrong = [f"{name}: {each}" for each in seen.wrong]
    wrong += [f"{name}: a request took {seen.longest:.1f} s"] if seen.longest > LONGEST else []
    return wrong + ([f"{name}: it took {max(gaps):.1f} s to serve again"] if max(gaps) > SOON else [])


async def one_slot(world: World, clinic: Clinic, rounds: int, clients: int) -> list[str]:
    """T123: everybody wants the same half hour; one gets it, and nothing is left of the others."""
    headers = {"Authorization": f"Bearer {await world.token('receptionist')}"}
    limits = httpx.Limits(max_connections=clients)
    wrong: list[str] = []
    async with httpx.AsyncClient(base_url=world.server.url, timeout=60, headers=headers, limits=limits) as client:
        patients = [await _register(client, nth) for nth in range(clients)]
        for nth in range(rounds):
            at = _half_hour(nth)
            answers = await asyncio.gather(*(_book(client, clinic, patient, at) for patient in patients))
            statuses = Counter(answers)
            print(f"  one slot {nth + 1}/{rounds}: {dict(statuses)}", flush=True)
            if statuses != Counter({200: 1, 409: clients - 1}):
                wrong.append(f"T123 round {nth + 1}: {dict(statuses)}")
    booked = await _booked(world)
    return wrong + ([] if booked == rounds else [f"T123: {booked} appointments stand for {rounds} slots"])


async def _register(client: httpx.AsyncClient, nth: int) -> str:
    wish = {"full_name": f"Bice {chr(65 + nth % 26)}{chr(97 + nth // 26)}rossi", "date_of_birth": "1960-01-02"}
    payload = {**wish, "gender": "female", "confirmed_not_duplicate": True}
    answer = await client.post("/commands/register-patient", json={"payload": payload})
    assert answer.is_success, answer.text
    return str(answer.json()["aggregate_id"])


def _half_hour(nth: int) -> datetime:
    now = datetime.now(UTC)
    day = now + timedelta(days=(1 - now.weekday()) % 7 + 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(minutes=30 * (nth % 6), days=nth // 6)


async def _book(client: httpx.AsyncClient, clinic: Clinic, patient: str, at: datetime) -> int:
    payload: dict[str, Any] = {
        "patient_id": patient, "doctor_id": str(clinic.staff["doctor"]), "appointment_datetime": at.isoformat(),
        "duration_minutes": 30, "reason": "cough", "overbook_reason": "soak",
    }  # fmt: skip
    return (await client.post("/commands/schedule-appointment", json={"payload": payload})).status_code


async def _booked(world: World) -> int:
    async with (
        app.running(world.settings) as house,
        house.database.context("salerno_reader", None, "kernel") as connection,
    ):
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM kernel.event_store WHERE aggregate_type = 'scheduling.appointment'"
            )
        )


class Verdicts:
    """What held and what did not, as it becomes known."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.broken = False

    async def of(self, promise: str, work: Awaitable[list[str]]) -> None:
        """An exception is a broken promise too, and the next case is tried all the same."""
        print(promise, flush=True)
        try:
            wrong = await work
        except Exception as error:  # the oracle asserts
            wrong = [f"{type(error).__name__}: {error}"]
        self.broken |= bool(wrong)
        self.lines += [f"{'BROKEN' if wrong else 'held  '}  {promise}", *(f"        {each}" for each in wrong)]


async def in_full(path: str, word: str) -> list[str]:
    """Tests of the suite that try a tenth otherwise."""
    words = [sys.executable, "-m", "pytest", "-q", "-k", word, path]
    done = await asyncio.to_thread(
        subprocess.run, words, env={**os.environ, "SOAK": "1"}, capture_output=True, text=True, timeout=LONGEST_CASE
    )
    said = done.stdout.strip().splitlines()
    print("  " + (said[-1] if said else "said nothing"), flush=True)
    skipped = any("skipped" in line for line in said[-1:])
    return said[-12:] if done.returncode or skipped else []


async def soak(count: int, rounds: int, clients: int, cases: bool) -> Verdicts:
    verdicts = Verdicts()
    world = World()
    try:
        clinic = await world.begin()
        await verdicts.of(
            f"T123 {clients} clients want one slot, {rounds} times: one gets it, the others are told why",
            one_slot(world, clinic, rounds, clients),
        )
        for name, kill in (
            ("T102 kill -9 of the server process", kill_server),
            ("T103 kill -9 of the postmaster", kill_postmaster),
        ):
            promise = f"{name} under load, {count} times: nothing acknowledged is lost, nothing happens twice"
            await verdicts.of(promise, kills(world, name, kill, count))
    finally:
        await asyncio.to_thread(world.end)
    for promise, path, word in CASES if cases else ():
        await verdicts.of(promise, in_full(path, word))
    return verdicts


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=25)
    asked.add_argument("--rounds", type=int, default=20)
    asked.add_argument("--clients", type=int, default=200)
    asked.add_argument("--without-cases", action="store_true", help="load and kills only")
    given = asked.parse_args()
    verdicts = asyncio.run(soak(given.kills, given.rounds, given.clients, not given.without_cases))
    print("\n" + "\n".join(verdicts.lines))
    print("\nSomething broke." if verdicts.broken else "\nEverything held: nothing was lost, nothing happened twice.")
    sys.exit(1 if verdicts.broken else 0)


if __name__ == "__main__":
    main()
