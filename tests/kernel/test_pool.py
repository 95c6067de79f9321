"""Connections are lent again only when nothing can be left on them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from salerno.app import House
from salerno.kernel.database import Database

PLACE = ("salerno_patients", uuid4(), "patients")


@pytest.fixture
async def small(house: House) -> AsyncIterator[Database]:
    database = Database(house.database.url, pool_min=0, pool_max=2)
    await database.open()
    yield database
    await database.close()


async def test_more_wishes_than_connections_wait_for_their_turn(small: Database) -> None:
    async def one() -> int:
        async with small.context(*PLACE) as connection:
            return int(await connection.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.01)"))

    pids = await asyncio.gather(*(one() for _ in range(20)))
    assert len(set(pids)) <= 2


async def test_a_connection_whose_work_was_cancelled_is_never_lent_again(small: Database) -> None:
    async with small.context(*PLACE) as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")

    async def slow() -> None:
        async with small.context(*PLACE) as connection:
            await connection.fetchval("SELECT pg_sleep(5)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with small.context(*PLACE) as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != pid


async def test_waiting_and_giving_up_leaves_the_turn_to_the_next(small: Database) -> None:
    async def ask() -> int:
        async with small.context(*PLACE) as connection:
            return int(await connection.fetchval("SELECT 1"))

    async with small.context(*PLACE), small.context(*PLACE):
        impatient, patient = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        assert not patient.done()
    async with asyncio.timeout(2):
        assert await patient == 1


async def test_an_error_in_the_work_leaves_the_connection_usable(small: Database) -> None:
    for _ in range(5):
        with pytest.raises(asyncpg.UndefinedTableError):
            async with small.context(*PLACE) as connection, connection.transaction():
                await connection.execute("SELECT * FROM nothing_of_that_name")
    async with small.context(*PLACE) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_connection_that_the_server_ended_is_replaced(small: Database, house: House) -> None:
    async with small.context(*PLACE) as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.fetchval("SELECT set_config('idle_session_timeout', '50ms', false)")
    await asyncio.sleep(0.3)
    async with small.context(*PLACE) as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != pid


async def test_a_loan_stands_where_it_was_wanted_whoever_had_it_before(small: Database) -> None:
    for _ in range(10):
        organisation = uuid4()
        async with small.context("salerno_staff", organisation, "staff") as connection:
            row = await connection.fetchrow("SELECT current_user::text AS role, kernel.current_organisation() AS place")
            assert (row["role"], row["place"]) == ("salerno_staff", organisation)
