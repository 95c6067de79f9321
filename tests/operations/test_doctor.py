"""An operator's first and last questions: who may enter, and is this fit for people's records?"""

import asyncio
import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from tests.operations.conftest import Installation
from tests.redis_server import redis_server

from salerno import app
from salerno.contexts.identity.commands import SignIn
from salerno.interfaces.http.sessions import NOBODY
from salerno.kernel import fitness
from salerno.kernel.clock import SettableClock, SystemClock
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres

PASSWORD = "salerno-vesuvio-72-limone"
PRODUCTION = {"SALERNO_ENV": "production", "SALERNO_BASE_URL": "https://ehr.example.com"}
PARKED = """
    INSERT INTO kernel.projection_errors
        (reader, organisation, aggregate_id, event_type, xid, position, error, first_at, last_at)
    VALUES ('audit', gen_random_uuid(), gen_random_uuid(), 'x.v1', '7', 7, 'ValueError', now(), now())"""
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@pytest.fixture(scope="module")
def careful(top: Path) -> Iterator[Installation]:
    there = Installation(top / "careful")
    there.data.mkdir(mode=0o711)
    there.given["ENCRYPTION_KEY"] = base64.b64encode(os.urandom(32)).decode()
    with (
        EmbeddedPostgres(there.data / "postgres"),
        tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere,  # another file system than the data's
    ):
        there.given["SALERNO_WITNESS"] = elsewhere
        there.must("db", "migrate")
        yield there


@pytest.fixture(scope="module")
def careless(top: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(top / "careless", conf=CARELESS) as server:
        yield server


def test_init_makes_a_super_administrator_who_can_sign_in(careful: Installation) -> None:
    said = careful.must("init", "--admin-email", "boss@example.com", typed=f"{PASSWORD}\n")
    assert "boss@example.com" in said
    assert PASSWORD not in said

    async def sign_in() -> str:
        async with app.running(careful.settings) as house:
            opened = await house.bus.ask(SignIn(email="boss@example.com", password=PASSWORD), NOBODY)
            return str(opened.user.role)

    assert asyncio.run(sign_in()) == "SUPER_ADMIN"


WRONG = [("second@example.com", ""), ("second@example.com", "password\n"), ("boss", f"{PASSWORD}\n")]


@pytest.mark.parametrize(("email", "typed"), WRONG)
def test_init_refuses_a_missing_or_weak_password_and_a_wrong_address(
    careful: Installation, email: str, typed: str
) -> None:
    refused = careful.run("init", "--admin-email", email, typed=typed)
    assert refused.exit_code == 1
    assert refused.output


def test_doctor_finds_a_careful_installation_fit(careful: Installation) -> None:
    fit = Installation(careful.data, careful.given | PRODUCTION)
    result = fit.run("doctor")
    if fitness.same_disk(Path(careful.given["SALERNO_WITNESS"]), careful.data):  # a machine with one file system
        assert ("same disk" in result.output, "1 to mend" in result.output) == (True, True), result.output
    else:
        assert (result.exit_code, "Fit for production" in result.output) == (0, True), result.output


def test_doctor_names_what_is_unfit_and_exits_with_one(careful: Installation) -> None:
    unfit = Installation(careful.data, {**careful.given, "SALERNO_WITNESS": str(careful.data / "witness")})
    result = unfit.run("doctor")
    assert result.exit_code == 1
    assert "SALERNO_BASE_URL" in result.output
    assert "same disk" in result.output


def test_doctor_says_what_keeps_production_from_starting(careful: Installation) -> None:
    result = Installation(careful.data, {**careful.given, "SALERNO_ENV": "production"}).run("doctor")
    assert (result.exit_code, "SALERNO_BASE_URL" in result.output) == (1, True)


def test_c20_doctor_asks_for_a_store_where_more_than_one_server_runs(careful: Installation) -> None:
    """Servers are known by how their connections name themselves; two workers of one port are one server."""

    async def examined(*servers: int, **given: str) -> str:
        async with AsyncExitStack() as stack:
            for port in servers:
                database = app.database_of(careful.settings, app.embedded(careful.settings))
                database.name = fitness.serving_name(port)
                await database.open()
                stack.push_async_callback(database.close)
            return (await asyncio.to_thread(Installation(careful.data, careful.given | given).run, "doctor")).output

    alone = asyncio.run(examined(3001, 3001))
    assert "servers use" not in alone
    pair = asyncio.run(examined(3001, 3002, 3002))
    assert "2 servers use this database and REDIS_URL is empty: each counts requests for itself." in pair
    assert "2 servers use this database, and SALERNO_INSTANCES says 1." in pair
    with redis_server() as store:
        shared = {"REDIS_URL": store.url, "SALERNO_INSTANCES": "2"}
        assert "REDIS_URL" not in (said := asyncio.run(examined(3001, 3002, **shared))) and "servers use" not in said
        store.kill()
        assert "REDIS_URL does not answer" in asyncio.run(examined(3001, 3002, **shared))


def test_p20_an_unsafe_server_and_a_superuser_are_named(careless: EmbeddedPostgres) -> None:
    found = asyncio.run(fitness.dangers(Database(careless.url("postgres"))))
    assert [name for name in CARELESS if any(name in sentence for sentence in found)] == list(CARELESS)
    assert "superuser" in found[-1]


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_p20_production_does_not_start_on_an_unsafe_database(careless: EmbeddedPostgres, top: Path, verb: str) -> None:
    there = Installation(top / "unsafe", PRODUCTION | {
        "ENCRYPTION_KEY": base64.b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": careless.url("postgres"), "DATABASE_OWNER_URL": careless.url("postgres"), "PORT": "39999",
    })  # fmt: skip
    refused = there.run(verb)
    assert refused.exit_code == 2
    for word in ("fsync", "full_page_writes", "superuser"):
        assert word in refused.output


def test_doctor_sees_clocks_apart_parked_events_missing_partitions_and_migrations(careful: Installation) -> None:
    async def look() -> tuple[list[str], list[str]]:
        async with app.running(careful.settings) as house:
            late = SettableClock(SystemClock().now() - timedelta(seconds=8))
            assert await fitness.weaknesses(house.database, SystemClock()) == []
            async with house.database.owner() as owner:
                await owner.execute(PARKED)
                applied = await owner.fetchrow("DELETE FROM kernel.migrations WHERE room = 'audit' RETURNING *")
            weak = await fitness.weaknesses(house.database, late)
            missing = await fitness.unapplied(house.database, [(room.name, room.folder) for room in app.rooms()])
            async with house.database.owner() as owner:
                await owner.execute("DELETE FROM kernel.projection_errors")
                await owner.execute("INSERT INTO kernel.migrations VALUES ($1, $2, $3, $4)", *applied)
        return weak, missing

    weak, missing = asyncio.run(look())
    assert [("8 s apart" in weak[0]), ("1 events could not be applied" in weak[1])] == [True, True]
    assert missing == ["1 migrations are not applied, the first is audit/0001_tables.sql."]
