"""A backup is whole or refused, opens with its master key only, and what comes back goes on as if nothing had been."""

import asyncio
import base64
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from tests.operations.conftest import Installation

from salerno import app
from salerno.contexts.audit.queries import AccessesOfPatient
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.patients.queries import PatientById
from salerno.interfaces.cli.house import operator
from salerno.kernel import rebuild
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.errors import NotFound
from salerno.kernel.ledger.verify import verify
from salerno.kernel.ledger.witness import FolderWitness

ORGANISATION = uuid4()
PASSWORD = "salerno-vesuvio-72-limone"


async def register(house: app.House, *names: str) -> list[UUID]:
    caller = operator(house, ORGANISATION)
    found = []
    for nth, name in enumerate(names):
        wish = RegisterPatient(full_name=name, date_of_birth=date(1950 + nth, 5, 4), gender="female")
        found.append((await house.bus.handle(wish, caller)).aggregate_id)
    await house.bus.settled()
    return found


async def names_of(house: app.House, *patients: UUID) -> list[str]:
    caller, found = operator(house, ORGANISATION), []
    for patient in patients:
        try:
            found.append((await house.bus.ask(PatientById(patient_id=patient), caller)).patient.family_name)
        except NotFound:
            found.append("nobody")
    return found


async def heard(house: app.House) -> int:
    """How many patients scheduling has been told of."""
    async with house.database.context("salerno_scheduling", ORGANISATION, "scheduling") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM people"))


class Past:
    """An installation whose older backup knows Ada and Bice; then Ada was erased, Carla came, a second was made."""

    def __init__(self, top: Path) -> None:
        self.installation = Installation(top / "data")
        self.older, self.newer = top / "backups" / "older", top / "backups" / "newer"
        asyncio.run(self._begin())
        self.installation.must("init", "--admin-email", "boss@example.com", typed=f"{PASSWORD}\n")
        self.installation.must("backup", self.older)
        self.installation.must("erase", str(self.ada), "--reason", "asked for it", "--yes")
        asyncio.run(self._go_on())
        self.installation.must("backup", self.newer)

    async def _begin(self) -> None:
        async with app.running(self.installation.settings) as house:
            self.ada, self.bice = await register(house, "Ada Uno", "Bice Due")

    async def _go_on(self) -> None:
        async with app.running(self.installation.settings) as house:
            (self.carla,) = await register(house, "Carla Tre")

    def folder(self, name: str) -> Installation:
        """A new data folder with nothing in it but the master key."""
        there = Installation(self.installation.data.with_name(name))
        there.data.mkdir(mode=0o711)
        shutil.copy(self.installation.data / "master.key", there.data / "master.key")
        return there


@pytest.fixture(scope="module")
def past(top: Path) -> Iterator[Past]:
    (top / "data").mkdir(mode=0o711)
    (top / "data" / "master.key").write_bytes(os.urandom(32))
    with EmbeddedPostgres(top / "data" / "postgres"):  # joined by every verb, so that none has to start it
        yield Past(top)


@pytest.fixture(scope="module")
def restored(past: Past) -> Iterator[Installation]:
    there = past.folder("restored")
    said = there.must("restore", past.older)
    assert "1 people erased again" in said
    assert "The ledger is sound" in said
    with EmbeddedPostgres(there.data / "postgres"):
        yield there


def test_t092_who_was_erased_after_the_backup_is_erased_again_by_the_restore(
    past: Past, restored: Installation
) -> None:
    async def look() -> None:
        async with app.running(restored.settings) as house:
            assert await names_of(house, past.ada, past.bice, past.carla) == ["nobody", "Due", "nobody"]
            assert await heard(house) == 1

    asyncio.run(look())


def test_p17_after_a_restore_readers_neither_skip_nor_repeat_and_the_ledger_goes_on(
    past: Past, restored: Installation
) -> None:
    async def look() -> None:
        async with app.running(restored.settings) as house:
            before = await heard(house)
            await register(house, "Dora Quattro", "Elsa Cinque")
            assert await heard(house) == before + 2
            async with house.database.owner() as owner:
                marks = await owner.fetch("SELECT xid::text::bigint AS xid FROM kernel.projection_checkpoints")
                now = int(await owner.fetchval("SELECT pg_current_xact_id()::text"))
            assert now >> 32 == 1
            assert max(mark["xid"] for mark in marks) >> 32 == 1
            sealer = app.sealer_of(restored.settings, house.database, house.bus.clock)
            await sealer.seal()
            keys = app.signing_keys_of(restored.settings)
            witness = FolderWitness(restored.settings.witness)
            report = await verify(house.database, keys.origin, keys.verifiers(), [witness])
            assert report.sound, list(report)
            assert [log.unsealed for log in report.logs] == [0, 0]
            for name in rebuild.names(house.bus):
                assert (await rebuild.rebuild(house.bus, name)).equal, name

    asyncio.run(look())


def test_after_a_restore_everybody_signs_in_again(past: Past, restored: Installation) -> None:
    async def count() -> tuple[int, int]:
        async with app.running(restored.settings) as house, house.database.owner() as owner:
            return await owner.fetchval("SELECT count(*) FROM identity.sessions"), await owner.fetchval(
                "SELECT count(*) FROM identity.logins"
            )

    assert asyncio.run(count()) == (0, 1)


def test_backup_and_restore_stand_in_the_access_log(past: Past, restored: Installation) -> None:
    async def actions(there: Installation) -> set[str]:
        sql = "SELECT DISTINCT action FROM kernel.access_log WHERE address = 'console'"
        async with (
            app.running(there.settings) as house,
            house.database.context("salerno_ledger", None, "kernel") as connection,
        ):
            rows = await connection.fetch(sql)
        return {row["action"] for row in rows}

    assert "Backup" in asyncio.run(actions(past.installation))
    assert "Restore" in asyncio.run(actions(restored))


def test_a_restored_installation_is_backed_up_and_restored_once_more(past: Past, restored: Installation) -> None:
    again = past.installation.data.parent / "second" / "backup"
    restored.must("backup", again)
    there = past.folder("twice")
    there.must("restore", again)

    async def look() -> None:
        async with app.running(there.settings) as house:
            assert await names_of(house, past.ada, past.bice) == ["nobody", "Due"]
            async with house.database.owner() as owner:
                assert int(await owner.fetchval("SELECT pg_current_xact_id()::text")) >> 32 == 2

    asyncio.run(look())


def test_a_given_server_that_counts_lower_is_refused_and_one_that_counts_on_is_taken(past: Past, top: Path) -> None:
    server = EmbeddedPostgres(top / "given")
    with server:
        there = given(server, past, "elsewhere")
        refused = there.run("restore", past.newer)
        assert refused.exit_code == 1
        assert "pg_resetwal -e 1" in refused.output
    server.begin_epoch(1)
    with server:
        assert "The ledger is sound" in there.must("restore", past.newer)
        assert "is not empty" in given(server, past, "elsewhere too").run("restore", past.newer).output

        async def look() -> None:
            async with app.running(there.settings) as house:
                assert await names_of(house, past.ada, past.bice, past.carla) == ["nobody", "Due", "Tre"]

        asyncio.run(look())


def test_t141_a_backup_is_restored_where_the_owner_of_the_tables_is_called_otherwise(past: Past, top: Path) -> None:
    """And what the database does by itself, such as finding who has looked, goes on."""
    server = EmbeddedPostgres(top / "otherwise")
    with server:
        asyncio.run(rename_owner(server))
    server.begin_epoch(1)
    with server:
        there = given(server, past, "of another owner", owner="clinic_owner")
        assert "The ledger is sound" in there.must("restore", past.newer)

        async def look() -> int:
            async with app.running(there.settings) as house:
                await names_of(house, past.bice)
                page = await house.bus.ask(AccessesOfPatient(patient_id=past.bice), operator(house, ORGANISATION))
                return int(page.total)

        assert asyncio.run(look()) >= 1


async def rename_owner(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    await connection.execute("ALTER ROLE salerno_owner RENAME TO clinic_owner")
    await connection.execute("ALTER ROLE clinic_owner BYPASSRLS")  # for this one command, as its refusal says
    await connection.close()


def given(server: EmbeddedPostgres, past: Past, name: str, owner: str = "postgres") -> Installation:
    there = past.folder(name)
    key = (there.data / "master.key").read_bytes()
    (there.data / "master.key").unlink()
    there.given |= {
        "DATABASE_URL": server.url("salerno_app"),
        "DATABASE_OWNER_URL": server.url(owner),
        "ENCRYPTION_KEY": base64.b64encode(key).decode(),
    }
    return there


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "manifest", "seal"])
def test_t141_a_damaged_backup_is_refused_with_its_cause(past: Past, top: Path, harm: str) -> None:
    bad = top / "bad" / harm
    shutil.copytree(past.older, bad)
    dump = bytearray((bad / "database.dump").read_bytes())
    if harm == "flipped":
        dump[len(dump) // 2] ^= 1
        (bad / "database.dump").write_bytes(dump)
    elif harm == "cut":
        (bad / "database.dump").write_bytes(dump[:-1])
    elif harm == "gone":
        (bad / "ledger" / "signing.key").unlink()
    elif harm == "manifest":
        text = (bad / "manifest.json").read_text()
        (bad / "manifest.json").write_text(text.replace('"postgres": 18', '"postgres": 17'))
    else:
        (bad / "manifest.mac").unlink()
    there = past.folder(f"from {harm}")
    refused = there.run("restore", bad)
    causes = {
        "flipped": "database.dump is not what was written", "cut": "bytes instead of",
        "gone": "ledger/signing.key is missing", "manifest": "not the one that was written",
        "seal": "not the one that was written",
    }  # fmt: skip
    assert refused.exit_code == 1
    assert causes[harm] in refused.output
    assert [path.name for path in there.data.iterdir()] == ["master.key"]


def test_t142_without_its_master_key_a_backup_is_worth_nothing(past: Past, top: Path) -> None:
    without = Installation(top / "without")
    assert "opens only with its master key" in without.run("restore", past.older).output
    assert not without.data.exists()
    other = past.folder("other key")
    (other.data / "master.key").write_bytes(bytes(range(32)))
    refused = other.run("restore", past.older)
    assert refused.exit_code == 1
    assert "belongs to master key" in refused.output
    everything = b"".join(path.read_bytes() for path in past.older.rglob("*") if path.is_file())
    assert (past.installation.data / "master.key").read_bytes() not in everything
    assert b"Bice" not in everything


def test_a_full_folder_is_refused(past: Past) -> None:
    refused = past.installation.run("restore", past.older)
    assert (refused.exit_code, "is not empty" in refused.output) == (1, True)
    assert past.installation.run("backup", past.older).exit_code == 1


def test_a_refused_or_cut_off_export_leaves_nothing_opened_behind(past: Past, top: Path) -> None:
    to = top / "never"
    (top / "never.partial").mkdir()  # the power failed
    refused = past.installation.run("export", "--organisation", str(uuid4()), to)
    assert (refused.exit_code, "no such organisation" in refused.output) == (1, True)
    assert not to.exists()
    assert not (top / "never.partial").exists()


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(past: Past) -> None:
    refused = past.installation.run("backup", "/proc/nothing/x")
    assert refused.exit_code == 1
    assert refused.output.strip().endswith("/proc/nothing: No such file or directory")


def test_p15_a_backup_older_than_what_the_witness_knows_is_not_put_in_place(past: Past, top: Path) -> None:
    there = past.folder("with a witness")
    there.given["SALERNO_WITNESS"] = str(past.installation.settings.witness)
    refused = there.run("restore", past.older)
    assert refused.exit_code == 1
    assert "SALERNO_WITNESS" in refused.output
    assert not (there.data / "postgres").exists()
    there.given["SALERNO_WITNESS"] = str(top / "new witness")
    there.must("restore", past.older)
    assert (there.data / "postgres").exists()


def test_an_export_holds_everything_opened_and_says_so_in_the_access_log(past: Past, top: Path) -> None:
    to = top / "export"
    past.installation.must("export", "--organisation", str(ORGANISATION), to)
    about = msgspec.json.decode((to / "export.json").read_bytes())
    assert about["erased"] >= 1
    lines = [
        msgspec.json.decode(line) for line in (to / "events" / "patients.patient.ndjson").read_bytes().splitlines()
    ]
    assert {line["event"]["family_name"] for line in lines} == {"Due", "Tre"}
    documents = (to / "documents" / "patients.patients.ndjson").read_bytes().splitlines()
    assert {msgspec.json.decode(line)["document"]["family_name"] for line in documents} == {"Due", "Tre"}
    counted = {file["path"]: file["records"] for file in about["files"]}
    assert counted["documents/patients.patients.ndjson"] == 2
    looks = [msgspec.json.decode(line) for line in (to / "access.ndjson").read_bytes().splitlines()]
    exports = [look for look in looks if look["action"] == "Export"]
    assert {str(past.bice), str(past.carla)} <= {subject for look in exports for subject in look["subjects"]}
    refused = past.installation.run("export", "--organisation", str(uuid4()), top / "nobody")
    assert (refused.exit_code, (top / "nobody").exists()) == (1, False)
    assert past.installation.run("export", "--organisation", str(ORGANISATION), to).exit_code == 1
