"""What the verbs share: settings, an open house, an operator as the caller, and how refusals are said."""

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec
from uuid import UUID

import click
import msgspec
from rich.console import Console

from salerno import app
from salerno.kernel.embedded import EmbeddedPostgresError
from salerno.kernel.errors import Invalid, Refused
from salerno.kernel.logs import configure_logs
from salerno.kernel.messages import OPERATOR, Caller
from salerno.kernel.settings import Settings, SettingsError, read_settings
from salerno.kernel.vault import WrongMasterKey

P = ParamSpec("P")
OUT = Console(highlight=False)


def settings_or_exit() -> Settings:
    try:
        settings = read_settings()
    except SettingsError as error:
        for sentence in error.sentences:
            click.echo(sentence, err=True)
        sys.exit(2)
    configure_logs("warning" if settings.level == "debug" else settings.level)
    return settings


def verb(work: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """An async verb: a refusal becomes a sentence and exit code 1, never a traceback."""

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(work(*args, **kwargs))  # type: ignore[arg-type]
        except Refused as refused:
            click.echo(str(refused), err=True)
            for error in refused.errors if isinstance(refused, Invalid) else ():
                click.echo(f"  {error['path']}: {error['message']}", err=True)
            sys.exit(1)
        except OSError as error:  # a folder that cannot be written, a database that does not answer
            click.echo(f"{error.filename}: {error.strerror}" if error.filename else str(error), err=True)
            sys.exit(1)
        except (SettingsError, WrongMasterKey, EmbeddedPostgresError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)

    return run


@asynccontextmanager
async def open_house(*, follow: bool = False) -> AsyncIterator[app.House]:
    async with app.running(settings_or_exit(), follow=follow) as house:
        yield house


def operator(house: app.House, organisation: UUID) -> Caller:
    """Whoever may run commands on this machine: everything, and written down as such."""
    return Caller(
        actor=OPERATOR,
        organisation=organisation,
        role="SUPER_ADMIN",
        permissions=frozenset(house.bus.permissions()),
        name="operator",
        purpose="operations",
        address="console",
    )


async def organisations(house: app.House) -> list[UUID]:
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch("SELECT DISTINCT organisation FROM kernel.streams ORDER BY 1")
    return [UUID(bytes=row[0].bytes) for row in rows]


def print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
