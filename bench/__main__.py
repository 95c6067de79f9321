"""Measures, and prints each figure beside the limit of the same server in the same run.

`python -m bench` takes about six minutes; `--patients 10000` makes it shorter.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import uvloop

from bench import guarding, importing, limits, load, replay
from bench.load import Result, request
from bench.world import World, memory_of, opened, serving

STAGES = (1_000, 10_000, 100_000)
ROW = "{:52}{:>10}{:>9}{:>9}{:>9}{:>11}   {}"


def show(name: str, result: Result, beside: str = "") -> None:
    failed = f"  FAILED {result.failures} {result.sample[:160]!r}" if result.failures else ""
    figures = (f"{result.rate:,.0f}/s", *(f"{result.percentile(share):.1f}" for share in (0.5, 0.95, 0.99)))
    print(ROW.format(name, *figures, f"{len(result.latencies):,}", beside + failed), flush=True)


class Measured:
    """The reads of one stage, each as a maker of requests."""

    def __init__(self, world: World) -> None:
        self.world = world

    def get(self, path: Callable[[], str]) -> load.Make:
        return lambda _: request("GET", path(), self.world.token)

    def patient(self) -> load.Make:
        return self.get(lambda: f"/api/v1/patients/{self.world.somebody()}")

    def search(self, *, slip: bool = False) -> load.Make:
        return self.get(lambda: f"/api/v1/patients/search?limit=20&q={quote(self.world.asked(slip=slip))}")

    def page(self) -> load.Make:
        return self.get(lambda: f"/api/v1/patients/search?limit=20&q={quote(self.world.dice.choice(NAMES))}")

    def day(self) -> load.Make:
        return self.get(lambda: f"/api/v1/appointments?date={TOMORROW}&limit=50")


NAMES = ("maria", "giuseppe", "francesco", "chiara", "andrea")
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()


async def stage(world: World, count: int) -> dict[str, Result]:
    await world.register(count - len(world.patients))
    async with world.house.database.owner() as owner:
        await owner.execute("ANALYZE")
    await world.house.bus.settled()
    measured, port = Measured(world), world.settings.port
    await load.run(port, 8, measured.patient(), seconds=1)
    return {
        "patient by id": await load.run(port, 32, measured.patient(), seconds=4),
        "search by name": await load.run(port, 32, measured.search(), seconds=4),
        "search by name, a letter missing": await load.run(port, 32, measured.search(slip=True), seconds=4),
        "page of 20 by name": await load.run(port, 32, measured.page(), seconds=4),
        "calendar day": await load.run(port, 32, measured.day(), seconds=3),
        "search by name, one at a time": await load.run(port, 1, measured.search(), seconds=3),
    }


async def writes(world: World) -> dict[str, Result]:
    def register(n: int) -> bytes:
        return request("POST", "/api/v1/patients", world.token, json.dumps(world.person()).encode())

    start = datetime.combine(TOMORROW, datetime.min.time(), UTC)

    def book(n: int) -> bytes:
        body = {
            "patient_id": str(world.patients[n % len(world.patients)]),
            "doctor_id": str(world.doctors[n % len(world.doctors)]),
            "appointment_datetime": (start + timedelta(minutes=15 * (n // len(world.doctors)))).isoformat(),
            "duration_minutes": 15,
            "visit_type": "consultation",
            "reason": "Check",
            "overbook_reason": "Bench",
        }
        return request("POST", "/api/v1/appointments", world.token, json.dumps(body).encode())

    port = world.settings.port
    return {
        "register patient": await load.run(port, 32, register, seconds=6),
        "book appointment": await load.run(port, 32, book, count=min(8_000, len(world.patients))),
    }


async def clinical(world: World) -> dict[str, Result]:
    patient = world.patients[0]
    await world.long_history(patient)
    port, token = world.settings.port, world.token
    paths = {
        "50 observations of a patient": f"/api/v1/patients/{patient}/observations?limit=50",
        "chart sections": f"/api/v1/patients/{patient}/chart",
        "chart with 50 encounters": f"/api/v1/patients/{patient}/encounters",
    }
    found = {}
    for name, path in paths.items():
        found[name] = await load.run(port, 32, lambda _, path=path: request("GET", path, token), seconds=4)
    return found


async def measure(patients: int) -> None:
    begun = time.perf_counter()
    async with opened() as world:
        limit = await asyncio.to_thread(limits.measure, world.server)
        print("\nThe same server, by pgbench (single rows)")
        for kind, rates in limit.items():
            print(f"  {kind:8}" + "".join(f"{clients:>4} clients {rate:>9,.0f}/s" for clients, rate in rates.items()))
        reads, inserts = limit["read"][32], limit["insert"][32]
        async with serving(world) as process:
            growth: dict[int, dict[str, Result]] = {}
            for count in [size for size in STAGES if size <= patients]:
                growth[count] = await stage(world, count)
            title = f"One worker, 32 connections, {len(world.patients):,} patients"
            print("\n" + ROW.format(title, "", "p50 ms", "p95", "p99", "requests", "beside the limit"))
            last = growth[max(growth)]
            show("patient by id", last["patient by id"], f"{last['patient by id'].rate / reads:.1%} of the read limit")
            for name in list(last)[1:]:
                show(name, last[name])
            for connections in (1, 8):
                reading = await load.run(world.settings.port, connections, Measured(world).patient(), seconds=3)
                show(f"patient by id, {connections} connections", reading)
            for name, result in (await clinical(world)).items():
                show(name, result)
            for name, result in (await writes(world)).items():
                show(name, result, f"{result.rate / inserts:.1%} of the insert limit")
            await guarding.measure(world)
            print(f"\nMemory of the worker: {memory_of(process):.0f} MB")
        _print_growth(growth)
        await replay.measure(world)
        await importing.measure(world)
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


def _print_growth(growth: dict[int, dict[str, Result]]) -> None:
    print("\nGrowth: p50 in ms at " + ", ".join(f"{count:,}" for count in growth) + " patients")
    first, last = min(growth), max(growth)
    for name in growth[first]:
        times = [growth[count][name].percentile(0.5) for count in growth]
        ratio = times[-1] / times[0] if times[0] else float("nan")
        print(f"  {name:34}" + "".join(f"{ms:9.1f}" for ms in times) + f"   x{ratio:.2f} from {first:,} to {last:,}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    uvloop.run(measure(max(STAGES[0], parser.parse_args().patients)))


if __name__ == "__main__":
    main()
