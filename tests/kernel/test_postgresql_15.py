"""The oldest server that is supported keeps the same promises: the kernel's own tests once more, on Debian's 15."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.kernel.test_eventstore import *  # noqa: F403
from tests.kernel.test_readers import *  # noqa: F403
from tests.kernel.test_tenants import *  # noqa: F403

from salerno.app import House, opened, prepare, rooms
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.testing import MovableClock
from salerno.kernel.vault import Vault

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
ABSENT = not (PROGRAMS / "postgres").exists() and os.environ.get("CI") != "true"
pytestmark = [
    pytest.mark.postgres15,
    pytest.mark.skipif(ABSENT, reason="there is no PostgreSQL 15 here: apt-get install postgresql-15"),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="salerno-15-"))
    folder.chmod(0o711)
    with EmbeddedPostgres(folder / "pg", PROGRAMS, conf=QUICK) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def house(postgres: EmbeddedPostgres, clock: MovableClock) -> AsyncIterator[House]:
    database = Database(postgres.url("salerno_app"), postgres.url(), pool_max=40)
    await prepare(database, rooms())
    async with database.owner() as owner:
        await owner.fetchval("SELECT kernel.ensure_partitions($1, $2)", date(2024, 1, 1), date(2028, 12, 1))
    async with opened(database, Vault(os.urandom(32)), clock=clock) as house:
        yield house


@pytest.fixture(scope="module")
def bus(house: House) -> Bus:
    return house.bus


async def test_this_really_is_postgresql_15(house: House) -> None:
    async with house.database.owner() as owner:
        assert owner.get_server_version().major == 15
