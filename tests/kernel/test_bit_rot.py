"""A bit turns on the disk, below PostgreSQL: it is found before a wrong value is shown, and it can be mended."""

import asyncio
import os
import random
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.conftest import QUICK, permissions_of
from tests.soaking import times

from salerno.app import House, opened, prepare, rooms
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import PatientById
from salerno.kernel import rebuild
from salerno.kernel.clock import SystemClock
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.errors import IntegrityError
from salerno.kernel.ledger.findings import Kind
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.sealer import Sealer
from salerno.kernel.ledger.verify import verify
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.messages import Caller
from salerno.kernel.rebuild import Differs
from salerno.kernel.vault import Vault

pytestmark = pytest.mark.slow
PAGE = 8192
FILES = """
    SELECT c.relname, c.relkind::text AS kind, pg_relation_filepath(c.oid) AS path FROM pg_class c
    WHERE c.relnamespace::regnamespace::text = ANY('{kernel,patients}') AND c.relkind IN ('r', 'i')
      AND (c.relname ~ '^(event_store|access_log|ledger|streams|patients)') AND pg_relation_size(c.oid) > 0"""


@dataclass
class Disk:
    """A stopped cluster with some patients in it, whose files may be edited."""

    server: EmbeddedPostgres
    vault: Vault
    keys: SigningKeys
    witness: FolderWitness
    caller: Caller
    patients: list[UUID]
    files: dict[str, tuple[str, Path]]  # by name: table or index, and where

    @asynccontextmanager
    async def running(self) -> AsyncIterator[House]:
        with self.server:
            database = Database(self.server.url("salerno_app"), self.server.url())
            async with opened(database, self.vault, follow=False) as house:
                yield house

    @contextmanager
    def one_bit_turned(self, name: str, chance: random.Random) -> Iterator[int]:
        """Somewhere in that file; answers its block."""
        path = self.files[name][1]
        at, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
        _turn(path, at, bit)
        try:
            yield at // PAGE
        finally:
            _turn(path, at, bit)

    def damaged_blocks(self, path: Path) -> set[int]:
        """What PostgreSQL's own program finds in one file of the stopped cluster."""
        words = ["pg_checksums", "--check", "-D", self.server.data, "-f", path.name]
        options = {"cwd": "/", **self.server._user.identity}
        done = subprocess.run(
            [self.server.dump_tools() / words[0], *words[1:]], capture_output=True, text=True, **options
        )
        return {int(block) for block in re.findall(r'", block (\d+): calculated', done.stderr)}


def _turn(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


@pytest.fixture(scope="module")
async def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    folder = tmp_path_factory.mktemp("disk", numbered=True)
    for parent in (folder, *folder.parents):
        if parent != Path("/") and parent.owner() == folder.owner() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    server = EmbeddedPostgres(folder / "pg", conf=QUICK)
    keys, witness = SigningKeys(folder / "ledger", os.urandom(32)).open(), FolderWitness(folder / "witness")
    caller = Caller(actor=uuid4(), organisation=uuid4(), role="DOCTOR", permissions=permissions_of("DOCTOR"))
    made = Disk(server, Vault(os.urandom(32)), keys, witness, caller, [], {})
    with server:
        await prepare(Database(server.url("salerno_app"), server.url()), rooms())
        async with made.running() as house:
            for nth in range(25):
                wish = RegisterPatient(
                    full_name=f"Ada {chr(65 + nth)}rossi", date_of_birth=date(1950 + nth, 5, 4), gender="female",
                    confirmed_not_duplicate=True,
                )  # fmt: skip
                made.patients.append((await house.bus.handle(wish, caller)).aggregate_id)
                phone = UpdatePatient(patient_id=made.patients[-1], phone=f"+39089123{nth:04}")
                await house.bus.handle(phone, caller)
                await house.bus.ask(PatientById(patient_id=made.patients[-1]), caller)
            await Sealer(house.database, SystemClock(), keys, [witness]).seal()
            async with house.database.owner() as owner:
                rows = await owner.fetch(FILES)
        made.files = {
            row["relname"]: ("table" if row["kind"] == "r" else "index", server.data / row["path"]) for row in rows
        }
    return made


async def test_t086_t113_one_bit_in_any_page_of_a_table_or_an_index_is_found(disk: Disk) -> None:
    chance = random.Random(113)
    assert {kind for kind, _ in disk.files.values()} == {"table", "index"} and len(disk.files) > 12
    for _ in range(times(1_000)):
        name = chance.choice(sorted(disk.files))
        path = disk.files[name][1]
        with disk.one_bit_turned(name, chance) as block:
            assert await asyncio.to_thread(disk.damaged_blocks, path) == {block}, name
    assert not any(disk.damaged_blocks(path) for _, path in disk.files.values())


async def test_t086_t113_the_verification_names_the_damaged_page_and_goes_on_with_the_other_log(disk: Disk) -> None:
    chance = random.Random(86)
    for log, other in (("event_store", "access"), ("access_log", "events")):
        name = next(name for name, (kind, _) in disk.files.items() if kind == "table" and name.startswith(log))
        with disk.one_bit_turned(name, chance) as block:
            async with disk.running() as house:
                report = await verify(house.database, disk.keys.origin, disk.keys.verifiers(), [disk.witness])
        (found,) = report
        assert (found.kind, found.log) == (Kind.UNREADABLE, "events" if log == "event_store" else "access")
        assert f"page {block} of the table kernel.{name} is damaged" in found.sentence
        assert next(each for each in report.logs if each.log == other).leaves >= 25
    async with disk.running() as house:
        assert (await verify(house.database, disk.keys.origin, disk.keys.verifiers(), [disk.witness])).sound


async def test_t113_a_damaged_chart_is_refused_and_never_shown_and_a_rebuild_mends_it(disk: Disk) -> None:
    _turn(disk.files["patients"][1], 5_000, 3)
    async with disk.running() as house:
        refused = 0
        for nth, patient in enumerate(disk.patients):
            try:
                shown = await house.bus.ask(PatientById(patient_id=patient), disk.caller)
                assert shown.patient.phone == f"+39089123{nth:04}"
            except IntegrityError:
                refused += 1
        assert refused
        with pytest.raises(Differs):
            await rebuild.rebuild(house.bus, "patients.patients")
        mended = await rebuild.rebuild(house.bus, "patients.patients", accept=True)
        assert mended.rows == len(disk.patients)
        for nth, patient in enumerate(disk.patients):
            shown = await house.bus.ask(PatientById(patient_id=patient), disk.caller)
            assert shown.patient.phone == f"+39089123{nth:04}"
