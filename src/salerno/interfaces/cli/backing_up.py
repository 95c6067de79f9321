"""backup, restore: a whole installation into a folder, and back."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from salerno import app
from salerno.interfaces.cli.house import OUT, operator, settings_or_exit, verb
from salerno.kernel import backup, erasure
from salerno.kernel.backup import Manifest
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.errors import Invalid
from salerno.kernel.ledger.findings import Report
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.verify import verify
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.master_key import FILE as MASTER_KEY
from salerno.kernel.master_key import master_key
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.migrations import make_roles
from salerno.kernel.settings import Settings
from salerno.kernel.vault import Vault

RESTORING = "restoring"  # the folder of a restore that has not ended; its name is the mark of one that was cut off
SUPERUSER = "postgres"
HIGHEST = """
    SELECT (SELECT coalesce(max(xid), '0') FROM kernel.event_store) < pg_snapshot_xmax(pg_current_snapshot())
       AND (SELECT coalesce(max(xid), '0') FROM kernel.access_log) < pg_snapshot_xmax(pg_current_snapshot())"""
# Whoever was signed out or locked out since must not be in again, and no process of then is where it was.
SHUT = (
    ("salerno_identity", "identity", "DELETE FROM sessions"),
    ("salerno_identity", "identity", "DELETE FROM challenges"),
    ("salerno_reader", "kernel", "DELETE FROM room_addresses"),
)


def _bar() -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=OUT)


# -------------------------------------------------------------------- backup
@click.command("backup")
@click.argument("to", type=click.Path(path_type=Path, resolve_path=True))
@verb
async def backup_(to: Path) -> None:
    """Write a whole installation into a new folder while it runs. The master key is not part of it: keep it apart."""
    settings = settings_or_exit()
    half = backup.begin(to)
    try:
        async with app.running(settings) as house:
            with _bar() as bar:
                manifest = await _write(settings, house, half, bar)
            await house.bus.access_log.record(operator(house, INSTALLATION), "Backup", "everything", "disclosed")
        done = await asyncio.to_thread(backup.finish, half, to, manifest, master_key(settings))
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    size = sum(part.size for part in done.parts) / 1e6
    OUT.print(f"{to}: {size:.1f} MB, whole as of {done.made_at.isoformat(timespec='seconds')}", soft_wrap=True)
    OUT.print("It opens with this installation's master key only: keep ENCRYPTION_KEY or master.key somewhere else.")


async def _write(settings: Settings, house: app.House, half: Path, bar: Progress) -> Manifest:
    keys = app.signing_keys_of(settings)
    await app.sealer_of(settings, house.database, house.bus.clock).seal()
    # The witness first: what it knows is then surely in the dump. Whoever is erased meanwhile is in the tombstones.
    backup.copy_folder(settings.data / "ledger", half / "ledger")
    backup.copy_folder(settings.witness, half / "witness")
    if settings.demo_mark.is_file():
        shutil.copyfile(settings.demo_mark, half / settings.demo_mark.name)
    at = house.bus.clock.now()
    task = bar.add_task("dumping the database")
    tools, url = await _source(settings, house.database)
    await backup.dump(
        tools, url, half / backup.DUMP, lambda size: bar.update(task, description=f"dumped {size / 1e6:.1f} MB")
    )
    backup.keep_tombstones(half, await erasure.tombstones(house.database))
    async with house.database.owner() as owner:
        last, major = await _counter(settings, house.database), owner.get_server_version().major
    return Manifest(
        format=backup.FORMAT, version=app.version(), made_at=at, installation=keys.installation,
        master_id=house.bus.vault.master_id, postgres=major, last_transaction=last, parts=[],
    )  # fmt: skip


async def _source(settings: Settings, database: Database) -> tuple[Path, str]:
    server = app.embedded(settings)
    if server is not None:
        return server.dump_tools(), server.url(SUPERUSER)
    await backup.refuse_row_security(database)
    return await backup.tools_for(database, _wheels(settings)), database.owner_url


def _wheels(settings: Settings) -> Path:
    return EmbeddedPostgres(settings.postgres).dump_tools()


async def _counter(settings: Settings, database: Database) -> int:
    """Read by whoever reads past row-level security, or else the rows would not count."""
    async with Database((await _source(settings, database))[1]).owner() as connection:
        return await backup.last_transaction(connection)


# -------------------------------------------------------------------- restore
@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True))
@click.option("--accept-findings", is_flag=True, help="Restore although the ledger says that history was changed.")
@verb
async def restore(source: Path, accept_findings: bool) -> None:
    """Bring a backup back into an empty data folder (and, with DATABASE_URL, an empty database).

    Whoever was erased since, as far as this backup or one beside it knows, is erased again before anything is
    served. Everybody has to sign in again. The ledger is verified.
    """
    settings = settings_or_exit()
    key, vault = _key(settings)
    manifest = await asyncio.to_thread(backup.read, source, key, vault.master_id)
    _refuse_full(settings)
    with _bar() as bar:
        report, again = await _bring_back(settings, source, manifest, key, bar, accept_findings)
    for found in report:
        OUT.print(f"[bold red]{found}[/bold red]")
    OUT.print(f"Restored as of {manifest.made_at.isoformat(timespec='seconds')}; {again} people erased again.")
    OUT.print("The ledger is sound." if report.sound else "The ledger says that history was changed, see above.")


def _key(settings: Settings) -> tuple[bytes, Vault]:
    """Never a new one: what is restored was sealed under one that exists."""
    if not settings.encryption_key and not (settings.data / MASTER_KEY).exists():
        raise Invalid(
            "The backup opens only with its master key: set ENCRYPTION_KEY, or put the file that it was kept in "
            f"at {settings.data / MASTER_KEY}."
        )
    key = master_key(settings)
    return key, Vault(key)


def _refuse_full(settings: Settings) -> None:
    held = {path.name for path in settings.data.iterdir()} if settings.data.is_dir() else set()
    cut_off = {"ledger", "witness"} if RESTORING in held else set()
    if strange := sorted(held - {MASTER_KEY, RESTORING} - cut_off):
        raise Invalid(
            f"{settings.data} is not empty: it holds {', '.join(strange[:3])}. A backup is restored into an empty "
            "folder only. Nothing was changed."
        )


async def _bring_back(
    settings: Settings, source: Path, manifest: Manifest, key: bytes, bar: Progress, accept: bool
) -> tuple[Report, int]:
    async with AsyncExitStack() as stack:
        server = await asyncio.to_thread(_fresh_server, settings, manifest)
        if server is not None:
            stack.push_async_callback(asyncio.to_thread, server.stop)
            database = app.database_of(settings, server)
            tools, url = server.dump_tools(), server.url(SUPERUSER)
        else:
            database = app.database_of(settings, None)
            await _refuse_unfit_server(database, manifest)
            tools, url = await backup.tools_for(database, _wheels(settings)), database.owner_url
        await _load(database, tools, url, source, bar, owners=server is not None)
        report, again = await _mend(settings, database, source, manifest, key)
        if not report.sound and not accept:
            sentences = "\n".join(str(found) for found in report)
            raise Invalid(
                f"The ledger says that history was changed:\n{sentences}\nNothing was put in place. Where a witness "
                "knows more than this backup, keep its folder as evidence and set SALERNO_WITNESS to a new one; "
                "otherwise --accept-findings restores it all the same."
            )
    await asyncio.to_thread(_put_in_place, settings, source, server)
    return report, again


def _fresh_server(settings: Settings, manifest: Manifest) -> EmbeddedPostgres | None:
    """An empty cluster whose transactions are numbered above every one in the backup (docs/decisions/0020)."""
    if settings.database_url:
        return None
    home = settings.data / RESTORING
    shutil.rmtree(home, ignore_errors=True)
    server = EmbeddedPostgres(home)
    server.start()
    server.stop()
    server.begin_epoch((manifest.last_transaction >> 32) + 1)
    return server.start()


async def _refuse_unfit_server(database: Database, manifest: Manifest) -> None:
    await backup.refuse_row_security(database)
    async with database.owner() as owner:
        if await owner.fetchval("SELECT to_regnamespace('kernel') IS NOT NULL"):
            raise Invalid("The database of DATABASE_URL is not empty. A backup is restored into an empty one only.")
        counter = int(await owner.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))
    if counter <= manifest.last_transaction:
        epoch = (manifest.last_transaction >> 32) + 1
        raise Invalid(
            f"This server counts its transactions at {counter}, and the backup holds some up to "
            f"{manifest.last_transaction}: what is written next would be taken for older than what is restored. "
            f"Stop the server, run pg_resetwal -e {epoch} on its data folder, and try again. Where that cannot be "
            "done, restore into the embedded server, or into the server that the backup came from."
        )


async def _load(database: Database, tools: Path, url: str, source: Path, bar: Progress, *, owners: bool) -> None:
    task = bar.add_task("restoring the database")
    async with database.owner() as owner:
        await make_roles(owner, [room.name for room in app.rooms()])
    await backup.load(tools, url, source / backup.DUMP, owners=owners, told=lambda _: bar.advance(task, 0))
    bar.update(task, description="bringing the structure up to date")
    await app.prepare(database, app.rooms())


async def _mend(
    settings: Settings, database: Database, source: Path, manifest: Manifest, key: bytes
) -> tuple[Report, int]:
    """What must be so before anything is served: the erased erased, sessions ended, the ledger verified."""
    stones = backup.tombstones_of([source, *backup.beside(source, key, manifest)])
    async with app.opened(database, Vault(key), follow=False) as house:
        again = await erasure.bury_again(database, app.rooms(), stones)
        for role, schema, statement in SHUT:
            async with database.context(role, None, schema) as connection:
                await connection.execute(statement)
        async with database.context("salerno_ledger", None, "kernel") as connection:
            if not await connection.fetchval(HIGHEST):
                raise Invalid("The restored rows are numbered above the server's counter. Nothing was put in place.")
        keys = SigningKeys(source / "ledger", key)
        report = await verify(database, keys.origin, keys.verifiers(), [_witness(settings, source, keys)])
        await house.bus.access_log.record(operator(house, INSTALLATION), "Restore", "everything", "disclosed")
    return report, again


def _witness(settings: Settings, source: Path, keys: SigningKeys) -> FolderWitness:
    """The living witness where there is one: it may know more than the backup's copy of it."""
    living = FolderWitness(settings.witness)
    return living if living.newest(keys.origin("events")) else FolderWitness(source / "witness")


def _put_in_place(settings: Settings, source: Path, server: EmbeddedPostgres | None) -> None:
    """The database last: a data folder that has one is whole."""
    shutil.rmtree(settings.data / "ledger", ignore_errors=True)
    backup.copy_folder(source / "ledger", settings.data / "ledger")
    (settings.data / "ledger").chmod(0o700)
    (settings.data / "ledger" / "signing.key").chmod(0o600)
    if not settings.witness.is_dir():
        backup.copy_folder(source / "witness", settings.witness)
    if (source / settings.demo_mark.name).is_file():
        shutil.copyfile(source / settings.demo_mark.name, settings.demo_mark)
    if server is not None:
        server.home.rename(settings.postgres)


VERBS = (backup_, restore)
