"""db, keys, erase, doctor: keeping an installation in order."""

import os
from uuid import UUID

import click

from salerno import app
from salerno.interfaces.cli.house import OUT, open_house, operator, organisations, print_json, settings_or_exit, verb
from salerno.kernel import erasure, rotation
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.migrations import pending


@click.group()
def db() -> None:
    """The database's structure."""


@db.command("migrate")
@verb
async def migrate() -> None:
    """Bring the structure up to date. Every other verb does so by itself."""
    settings = settings_or_exit()
    house, server = app.house_of(settings)
    if server is not None:
        server.start()
    try:
        applied = await app.prepare(house.database, app.rooms())
    finally:
        if server is not None:
            server.stop()
    OUT.print("\n".join(applied) or "Nothing to do.")


@db.command("status")
@verb
async def status() -> None:
    """Which migrations are not yet applied, and how much there is."""
    async with open_house() as house, house.database.owner() as connection:
        missing = await pending(connection, [(room.name, room.folder) for room in app.rooms()])
        size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
        server = await connection.fetchval("SHOW server_version")
        OUT.print(f"PostgreSQL {server}, {size}")
        OUT.print("\n".join(f"not applied: {name}" for name in missing) or "Up to date.")


@db.command("shell")
def shell() -> None:
    """An SQL prompt as the owner of the tables. Everything that identifies a person is ciphertext."""
    settings = settings_or_exit()
    server = app.embedded(settings)
    if server is None:
        os.execvp("psql", ["psql", settings.database_owner_url or settings.database_url])  # noqa: S606
    server.start()
    psql = str(server.dump_tools() / "psql")
    os.execv(psql, [psql, server.url()])  # noqa: S606


@click.group()
def keys() -> None:
    """Master, organisation and subject keys."""


@keys.command("status")
@verb
async def key_status() -> None:
    """Which master key wraps what, and how many subjects have a key. No key is shown."""
    async with open_house() as house:
        for line in await rotation.status(house.database, house.bus.vault):
            current = "current master" if line.current_master else f"master {line.master_id}"
            OUT.print(f"{line.organisation}  {current}  {line.living} living  {line.destroyed} destroyed")


@keys.command("rotate")
@verb
async def rotate() -> None:
    """Give every organisation a new wrapping key under the current ENCRYPTION_KEY, while the product runs."""
    async with open_house() as house:
        moved = await rotation.rotate(house.database, house.bus.vault, house.bus.clock)
    OUT.print(f"{moved} keys wrapped anew. ENCRYPTION_KEY_PREVIOUS is no longer needed.")


async def _organisation_of(house: app.House, subject: UUID) -> UUID:
    for organisation in await organisations(house):
        async with house.database.context("salerno_kernel", organisation, "kernel") as connection:
            if await connection.fetchval(
                "SELECT true FROM kernel.subject_keys WHERE organisation = $1 AND subject = $2", organisation, subject
            ):
                return organisation
    raise NotFound("There is no such subject.")


@click.command()
@click.argument("subject", type=click.UUID)
@click.option("--reason", required=True, help="Why: it is kept with the erasure.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@verb
async def erase(subject: UUID, reason: str, yes: bool) -> None:
    """Erase a person for ever: their key is destroyed, the log stays whole and verifiable."""
    if not yes and not click.confirm(f"Erase {subject}? This cannot be undone", default=False):
        raise Invalid("Nothing was erased.")
    async with open_house() as house:
        organisation = await _organisation_of(house, subject)
        done = await erasure.erase(house.bus, app.rooms(), operator(house, organisation), subject, reason)
    print_json(done)


VERBS = (db, keys, erase)
