"""kill -9 under load: nothing acknowledged is lost, nothing happens twice, and the service is back by itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bench.chaos import LONGEST, Load, World, back_after, kill_postmaster, kill_server, oracle

pytestmark = pytest.mark.chaos
KILLS = 3
SLOW_MACHINE = 40.0  # seconds; the soak holds the ten of the promise on a machine of its own


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    made = World()
    try:
        await made.begin()
        yield made
    finally:
        await asyncio.to_thread(made.end)


async def test_t102_t103_kills_of_the_server_process_and_of_postgresql_lose_nothing(world: World) -> None:
    load = Load(world.server.url, await world.token("receptionist"))
    async with load.running() as seen:
        for nth in range(KILLS):
            await asyncio.sleep(0.7 + nth / 3)
            assert await back_after(load, lambda: kill_server(world)) < SLOW_MACHINE
        process = world.server.process
        for nth in range(KILLS):
            await asyncio.sleep(0.7 + nth / 3)
            assert await back_after(load, lambda: kill_postmaster(world)) < SLOW_MACHINE
        assert process is world.server.process and process is not None and process.poll() is None
        await asyncio.sleep(0.5)
    assert seen.wrong == [], world.server.complaints()
    assert seen.longest < LONGEST
    assert seen.statuses[503] + seen.lost > 0
    found = await oracle(world, seen)
    assert found["acknowledged"] > 20
