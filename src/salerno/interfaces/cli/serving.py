"""serve, worker, routes: the running product."""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
from typing import Any

import click
from prometheus_client import start_http_server, values

from salerno import app
from salerno.interfaces.cli.house import OUT, open_house, print_json, settings_or_exit, verb
from salerno.interfaces.http.observing import gathered
from salerno.interfaces.http.routes import listing
from salerno.kernel.fitness import dangers, servers, serving_name
from salerno.kernel.settings import Settings

SHARED_NUMBERS = "PROMETHEUS_MULTIPROC_DIR"


def _lock_port(settings: Settings) -> int:
    """A second server on the port would start and take half of the requests: the kernel allows it, we do not."""
    settings.data.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.data / f"port-{settings.port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        click.echo(f"Port {settings.port} is served by another Salerno of this data folder.", err=True)
        sys.exit(2)
    return lock


def _serve_metrics(settings: Settings) -> None:
    """On a port of their own, gathered from all workers; these find the folder in their environment."""
    folder = settings.metrics_folder
    if folder is None:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.environ[SHARED_NUMBERS] = str(folder)  # noqa: TID251 - as the library in the workers wants it
    # It has decided when it was imported, and workers are forks of this process.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    try:
        start_http_server(settings.metrics_port, settings.host, gathered(folder))
    except OSError as taken:
        click.echo(f"METRICS_PORT {settings.metrics_port} cannot be opened: {taken.strerror}.", err=True)
        sys.exit(2)


async def _prepare(settings: Settings, house: app.House) -> None:
    """Bring the database up to date; in production only one that keeps what it acknowledges."""
    await _refuse_dangers(settings, house)
    await app.prepare(house.database, app.rooms())
    others = await servers(house.database) - {serving_name(settings.port)}
    if others and not settings.redis_url:
        click.echo(f"{len(others) + 1} servers use this database, and each counts requests for itself.", err=True)
        click.echo("Set REDIS_URL to one that all of them use, or SALERNO_INSTANCES to their number.", err=True)


async def _refuse_dangers(settings: Settings, house: app.House) -> None:
    if settings.production and (found := await dangers(house.database)):
        for sentence in found:
            click.echo(sentence, err=True)
        sys.exit(2)


def run_server(settings: Settings) -> None:
    """Prepare the database, then serve until told to stop. Blocks."""
    from granian.constants import Interfaces, Loops
    from granian.server import Server

    lock = _lock_port(settings)
    _serve_metrics(settings)
    house, server = app.house_of(settings)
    if server is not None:
        server.start()
    try:
        asyncio.run(_prepare(settings, house))
        Server(
            "salerno.app:create",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            factory=True,
            workers=settings.salerno_workers,
            websockets=False,
            loop=Loops.uvloop,
            http="1",  # type: ignore[arg-type]
            workers_kill_timeout=10,
            backpressure=512,
            respawn_failed_workers=True,
            log_access=False,
            log_enabled=True,
        ).serve()
    finally:
        if server is not None:
            server.stop()
        os.close(lock)


@click.command()
@click.option("--rooms", default="", help="The rooms this process answers for, with commas between.")
@click.option("--doors", default="", help="The doors it opens: web, api, fhir.")
@click.option("--workers", type=click.IntRange(1, 64), help="Instead of SALERNO_WORKERS.")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of PORT.")
@click.option("--host", help="Instead of HOST.")
def serve(rooms: str, doors: str, workers: int | None, port: int | None, host: str | None) -> None:
    """Serve pages, REST and FHIR until told to stop."""
    given = {"SALERNO_ROOMS": rooms, "SALERNO_DOORS": doors, "SALERNO_WORKERS": workers, "PORT": port, "HOST": host}
    for name, value in given.items():
        if value:
            os.environ[name] = str(value)  # noqa: TID251 - the workers read their settings there
    settings = settings_or_exit()
    for sentence in settings.unneeded:
        click.echo(sentence, err=True)
    OUT.print(f"Salerno {app.version()} at {settings.base_url}")
    run_server(settings)


@click.command()
@verb
async def worker() -> None:
    """Hear the log and seal the ledger, without any door."""
    settings = settings_or_exit()
    planned, embedded = app.house_of(settings)
    if embedded is None:  # before anything is written there; our own server is set up by us
        await _refuse_dangers(settings, planned)
    async with app.running(settings, follow=True) as house:
        sealing = asyncio.create_task(app.sealer_of(settings, house.database, house.bus.clock).run())
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        OUT.print("Working. Stop with Ctrl-C.")
        await stop.wait()
        sealing.cancel()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@verb
async def routes(as_json: bool) -> None:
    """Every route with its method, permission and door."""
    async with open_house() as house:
        doors = app.doors_of(list(app.DOORS), house.bus, b"")
        lines: list[Any] = listing(doors, house.bus.needs)
    if as_json:
        print_json(lines)
        return
    for line in sorted(lines, key=lambda each: (each.path, each.method)):
        OUT.print(f"{line.method:7}{line.path:55}{line.permission or line.public:40}{line.door}", soft_wrap=True)


VERBS = (serve, worker, routes)
