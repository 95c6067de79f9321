"""doctor: is this fit for production?"""

import asyncio
import sys
from collections.abc import Sequence

import click

from salerno import app
from salerno.interfaces.cli.house import OUT, verb
from salerno.interfaces.http.limits.shared import answers
from salerno.kernel import fitness
from salerno.kernel.ledger.sealer import Sealer
from salerno.kernel.logs import configure_logs
from salerno.kernel.settings import Settings, SettingsError, read_settings


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _say(error.sentences)
        raise AssertionError("unreachable") from None


def _say(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        OUT.print(f"[bold red]✗[/] {sentence}", soft_wrap=True)
    if sentences:
        OUT.print(f"Not fit for production: {len(sentences)} to mend.")
        sys.exit(1)
    OUT.print("[bold green]Fit for production.")


async def _examine(settings: Settings) -> list[str]:
    found = settings.problems()
    if fitness.same_disk(settings.witness, settings.data):
        found.append(
            "The ledger's witness lies on the same disk as the data: whoever rewrites one can rewrite the other. "
            "Set SALERNO_WITNESS to a folder on another machine or disk."
        )
    if missing := await _unapplied(settings):
        return [*found, *missing]
    async with app.running(settings) as house:
        found += await fitness.dangers(house.database)
        found += await fitness.weaknesses(house.database, house.bus.clock)
        found += await _shared_limits(settings, len(await fitness.servers(house.database)))
        sealer = app.sealer_of(settings, house.database, house.bus.clock)
        return found + await _sealing(sealer)


async def _shared_limits(settings: Settings, servers: int) -> list[str]:
    """Whether those who share the work count requests together."""
    found = []
    if servers > 1 and not settings.redis_url:
        found.append(f"{servers} servers use this database and REDIS_URL is empty: each counts requests for itself.")
    if servers > settings.salerno_instances:
        found.append(f"{servers} servers use this database, and SALERNO_INSTANCES says {settings.salerno_instances}.")
    if settings.redis_url and not await answers(settings.redis_url):
        found.append("REDIS_URL does not answer: each process counts its share of the requests by itself.")
    return found


async def _unapplied(settings: Settings) -> list[str]:
    """Looked at before any verb would bring the structure up to date by itself."""
    house, server = app.house_of(settings)
    if server is not None:
        await asyncio.to_thread(server.start)
    try:
        return await fitness.unapplied(house.database, [(room.name, room.folder) for room in app.rooms()])
    finally:
        if server is not None:
            await asyncio.to_thread(server.stop)


async def _sealing(sealer: Sealer) -> list[str]:
    try:
        await sealer.seal()
    except Exception as error:  # noqa: BLE001 - whatever keeps it from sealing is the finding
        return [f"The ledger cannot be sealed: {error}"]
    return []


@click.command()
@verb
async def doctor() -> None:
    """Is this fit for production? Says what is not, and exits with 1 if anything is not."""
    settings = _settings()
    configure_logs("warning")
    _say(await _examine(settings))


VERBS = (doctor,)
