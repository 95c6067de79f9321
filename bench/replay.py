"""How fast the log is read back: appended, replayed, rebuilt; and what an event takes on disk."""

import asyncio
from time import perf_counter

from bench.world import World
from salerno.contexts.patients.commands import UpdatePatient
from salerno.kernel import eventstore, rebuild

PAGE = f"""
    SELECT {eventstore.COLUMNS} FROM kernel.event_store WHERE position > $1 AND hospital_id = $2
    ORDER BY position LIMIT 2000"""
DISK = """
    SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE i.inhparent = 'kernel.event_store'::regclass"""


async def measure(world: World) -> None:
    print("\nThe log")
    await _append(world)
    count = await _replay(world)
    started = perf_counter()
    done = await rebuild.rebuild(world.house.bus, "patients.patients")
    seconds = perf_counter() - started
    content = "equal" if done.equal else "DIFFERS"
    print(f"  rebuild patients.patients   {done.events / seconds:>10,.0f} events/s, content {content}")
    async with world.house.database.owner() as owner:
        size = await owner.fetchval(DISK)
        whole = await owner.fetchval("SELECT pg_database_size(current_database())")
    print(f"  on disk                     {size / count:>10,.0f} bytes an event in the log,", end=" ")
    print(f"{whole / count:,.0f} with everything kept from it")


async def _append(world: World) -> None:
    async def one(nth: int) -> None:
        for n in range(40):
            wish = UpdatePatient(patient_id=world.patients[nth * 40 + n], phone=f"+39340{nth:03}{n:04}")
            await world.house.bus.handle(wish, world.caller)

    started = perf_counter()
    await asyncio.gather(*(one(nth) for nth in range(24)))
    rate = 24 * 40 / (perf_counter() - started)
    print(f"  load, decide, append        {rate:>10,.0f} events/s in process, 24 at a time")


async def _replay(world: World) -> int:
    bus, organisation = world.house.bus, world.caller.organisation
    position = count = 0
    started = perf_counter()
    async with world.house.database.context("salerno_kernel", organisation, "kernel") as connection:
        while rows := await connection.fetch(PAGE, position, organisation):
            opened = await eventstore.open_rows(
                connection, bus.vault, bus.catalogue, organisation, rows, world.house.bus.clock.now()
            )
            count += len(opened)
            position = rows[-1]["position"]
    rate = count / (perf_counter() - started)
    print(f"  replay (read, open, decode) {rate:>10,.0f} events/s: a million in {1_000_000 / rate:.0f} s")
    return count
