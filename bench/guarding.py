"""What guarding the door costs: a limit for each request, in memory and in Redis; sign-ins beside other requests."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import load
from bench.harness import free_port
from bench.load import request
from bench.world import EMAIL, PASSWORD, World
from salerno.interfaces.http.limits import SIGNED_IN, Limiting, Limits, Policy, SharedLimits
from salerno.interfaces.http.sessions import sessions_of

BOUNDLESS = [Policy(SIGNED_IN, 10**7, 60.0)]
SIGN_INS = 32
SECONDS = 5.0


async def measure(world: World) -> None:
    print("\nGuarding the door")
    own = await _microseconds(Limits(BOUNDLESS), 100_000)
    print(f"  a limit in memory            {own:9.1f} µs a request")
    async with _redis() as url:
        if url:
            shared = SharedLimits(url, bytes(32), BOUNDLESS)
            one, many = await _microseconds(shared, 5_000), await _microseconds(shared, 10_000, at_once=32)
            print(f"  a limit in Redis             {one:9.1f} µs a request, {many:.1f} µs of it the process's own work")
            await shared.close()
    await _tokens(world)
    await _beside_sign_ins(world)


async def _tokens(world: World) -> None:
    """What validating a bearer token adds: looked up (once in two seconds, by one for all), and remembered."""
    sessions = sessions_of(world.house.bus)
    spent = list[float]()
    for _ in range(1_000):
        sessions.forget()
        started = time.perf_counter()
        if await sessions.caller_by_bearer(world.token) is None:
            raise RuntimeError("the bench's own token is not valid")
        spent.append(time.perf_counter() - started)
    started = time.perf_counter()
    for _ in range(10_000):
        await sessions.caller_by_bearer(world.token)
    remembered = (time.perf_counter() - started) / 10_000
    print(f"  a token looked up            {sorted(spent)[500] * 1000:9.2f} ms, the middle one of 1,000 one by one")
    print(f"  a token remembered           {remembered * 1e6:9.1f} µs")


async def _microseconds(limits: Limiting, times: int, at_once: int = 1) -> float:
    async def some() -> None:
        for nth in range(times // at_once):
            await limits.take(SIGNED_IN, f"account {nth % 200}")

    await limits.take(SIGNED_IN, "account")
    started = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return (time.perf_counter() - started) / times * 1e6


async def _beside_sign_ins(world: World) -> None:
    """How long a request waits that asks nothing, while passwords are hashed in two threads beside it."""
    port, body = world.settings.port, json.dumps({"email": EMAIL, "password": PASSWORD}).encode()

    def probe(_: int) -> bytes:
        return request("GET", "/livez", "")

    def sign_in(_: int) -> bytes:
        return request("POST", "/auth/login", "", body)

    await load.run(port, SIGN_INS, sign_in, seconds=1)
    idle = await load.run(port, 1, probe, seconds=SECONDS)
    beside, signed_in = await asyncio.gather(
        load.run(port, 1, probe, seconds=SECONDS), load.run(port, SIGN_INS, sign_in, seconds=SECONDS)
    )
    for share in (0.5, 0.99):
        alone, busy = idle.percentile(share), beside.percentile(share)
        told = f"{alone:9.1f} ms idle, {busy:.1f} ms beside {SIGN_INS} sign-ins at once: x{busy / alone:.1f}"
        print(f"  /livez, p{share * 100:.0f}                  {told}")
    print(f"  sign-ins                     {signed_in.rate:9.0f} a second, p50 {signed_in.percentile(0.5):.0f} ms")
    if signed_in.failures:
        print(f"  FAILED {signed_in.failures} {signed_in.sample[:160]!r}")


@asynccontextmanager
async def _redis() -> AsyncIterator[str]:
    """A Redis of one's own, or "" where the machine has none."""
    program = shutil.which("redis-server")
    if program is None:
        print("  redis-server is not installed: not measured")
        yield ""
        return
    port, folder = free_port(), tempfile.mkdtemp(prefix="salerno-bench-redis-")
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *words], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        await asyncio.sleep(1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)
