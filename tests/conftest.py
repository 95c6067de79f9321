"""What every test may ask for: a real PostgreSQL, the bus with all rooms, a fresh organisation, and people in it."""

import csv
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings

from salerno.app import House, opened, prepare, rooms
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock
from salerno.kernel.vault import Vault

# How long an example takes says something of the machine, not of the rule.
settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("shared-machine")

LONG_FOLDERS = frozenset({"journeys", "operations", "security"})
LONG_KINDS = frozenset({"browser", "chaos", "postgres15", "slow"})
ROLES = Path(__file__).parents[1] / "src/salerno/contexts/identity/data/roles.csv"
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: nobody waits at the end for one that was begun last."""
    long = {
        item.path
        for item in items
        if item.path.parent.name in LONG_FOLDERS or LONG_KINDS.intersection(mark.name for mark in item.iter_markers())
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A cluster of this test process's own, without the durability that tests of durability bring themselves."""
    folder = tmp_path_factory.mktemp("postgres", numbered=True)
    for parent in (folder, *folder.parents):
        if parent.owner() == folder.owner() and parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)  # the server runs as its own user when we are root
    with EmbeddedPostgres(folder / "pg", conf=QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(autouse=True)
def _clock_is_put_back(clock: MovableClock) -> Iterator[None]:
    yield
    clock.set(None)


@pytest.fixture(scope="session")
async def house(postgres: EmbeddedPostgres, clock: MovableClock) -> AsyncIterator[House]:
    database = Database(postgres.url("salerno_app"), postgres.url(), pool_max=40)
    await prepare(database, rooms())
    async with database.owner() as owner:
        await owner.fetchval("SELECT kernel.ensure_partitions($1, $2)", date(2024, 1, 1), date(2028, 12, 1))
    async with opened(database, Vault(os.urandom(32)), clock=clock) as house:
        yield house


@pytest.fixture(scope="session")
def bus(house: House) -> Bus:
    return house.bus


@pytest.fixture
def organisation() -> UUID:
    return uuid4()


@cache
def permissions_of(role: str) -> frozenset[str]:
    """What a role may do, read from the product's own table."""
    with ROLES.open() as table:
        rows = [(row["permission"], row[role].strip()) for row in csv.DictReader(table)]
    return frozenset(
        name if part == "yes" else f"{name}:{part}" for name, how in rows if how for part in how.split("+")
    )


@pytest.fixture
def caller(organisation: UUID) -> Callable[..., Caller]:
    """`caller("DOCTOR")`: somebody of that role in this test's organisation."""

    def make(role: str, *, subject: UUID | None = None, organisation_id: UUID | None = None) -> Caller:
        return Caller(
            actor=uuid4(),
            organisation=organisation_id or organisation,
            role=role,
            permissions=permissions_of(role),
            subject=subject,
            name=role.title(),
            address="127.0.0.1",
            request="test",
        )

    return make


@pytest.fixture
def doctor(caller: Callable[..., Caller]) -> Caller:
    return caller("DOCTOR")


@pytest.fixture
def nurse(caller: Callable[..., Caller]) -> Caller:
    return caller("NURSE")


@pytest.fixture
def receptionist(caller: Callable[..., Caller]) -> Caller:
    return caller("RECEPTIONIST")


@pytest.fixture
def pharmacist(caller: Callable[..., Caller]) -> Caller:
    return caller("PHARMACIST")


@pytest.fixture
def admin(caller: Callable[..., Caller]) -> Caller:
    return caller("ADMIN")


@pytest.fixture
def patient_caller(caller: Callable[..., Caller]) -> Callable[[UUID], Caller]:
    """`patient_caller(chart)`: the patient whose chart that is."""
    return lambda subject: caller("PATIENT", subject=subject)


@pytest.fixture
def nine() -> datetime:
    return datetime(2026, 3, 2, 9, tzinfo=UTC)
