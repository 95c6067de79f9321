"""demo: a believable polyclinic in an empty data folder, made by the product's own commands."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from salerno import app
from salerno.interfaces.cli.demo.clinic import COLLEAGUES, PASSWORD, open_clinic
from salerno.interfaces.cli.demo.days import Chronicle
from salerno.interfaces.cli.demo.unusual import a_day_to_look_at
from salerno.interfaces.cli.house import OUT, settings_or_exit
from salerno.interfaces.cli.serving import run_server
from salerno.kernel.clock import SettableClock, SystemClock
from salerno.kernel.settings import Settings

HISTORY = timedelta(weeks=30)


@click.command()
@click.option("--patients", default=200, show_default=True, type=click.IntRange(40, 5000))
@click.option("--serve/--no-serve", default=True, help="Serve it when it is made.")
@click.option("--again", is_flag=True, help="Throw the demo clinic of this folder away first.")
def demo(patients: int, serve: bool, again: bool) -> None:
    """The demo clinic, with its logins printed. Development only: its passwords are public."""
    settings = settings_or_exit()
    if settings.production or settings.database_url:
        click.echo("The demo is for development, on its own embedded database.", err=True)
        sys.exit(2)
    if again and settings.demo_mark.exists():
        shutil.rmtree(settings.data)
    if not settings.demo_mark.exists():
        if (settings.postgres / "data").exists() and not (settings.data / "demo-unfinished").exists():
            click.echo(f"{settings.data} already holds data. Set SALERNO_DATA to an empty folder.", err=True)
            sys.exit(2)
        _make(settings, patients)
    _print_logins(settings, serve)
    if serve:
        run_server(settings)


def _make(settings: Settings, patients: int) -> None:
    unfinished = settings.data / "demo-unfinished"
    if unfinished.exists():  # a demo that was interrupted is begun anew
        shutil.rmtree(settings.data)
    settings.data.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    asyncio.run(_play(settings, patients))
    settings.demo_mark.touch()
    unfinished.unlink()


async def _play(settings: Settings, patients: int) -> None:
    now = SystemClock().now()
    today = now.date()
    first = today - HISTORY
    clock = SettableClock(datetime(first.year, first.month, first.day, 7, tzinfo=UTC) - timedelta(days=8))
    columns = (TextColumn("{task.description:24}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    async with app.running(settings, clock=clock) as house:
        async with house.database.owner() as owner:
            await owner.fetchval("SELECT kernel.ensure_partitions($1, $2)", clock.now().date(), today)
        with Progress(*columns, TimeElapsedColumn(), console=OUT) as bar:
            clinic = await open_clinic(house)
            story = Chronicle(house, clock, clinic, seed=7)
            people = bar.add_task("People register", total=patients)
            await story.register_everybody(patients, first, _told(bar, people))
            days = bar.add_task("Thirty weeks pass", total=_working_days(first, today))
            await story.play(first, today, now, _told(bar, days), partial(a_day_to_look_at, story))


def _told(bar: Progress, task: TaskID) -> Callable[[int, int], None]:
    return lambda done, total: bar.update(task, completed=done, total=total)


def _working_days(first: date, until: date) -> int:
    return sum((first + timedelta(days=n)).weekday() < 5 for n in range((until - first).days))


def _print_logins(settings: Settings, serve: bool) -> None:
    table = Table(title="Poliambulatorio Salerno", title_justify="left", box=None, pad_edge=False)
    for heading, letters in (("Who", 20), ("Role", 14), ("E-mail", 29), ("Password", len(PASSWORD))):
        table.add_column(heading, no_wrap=True, width=letters)  # eighty columns: long names give way
    for colleague in COLLEAGUES:
        name = f"{colleague.title} {colleague.given_name} {colleague.family_name}".strip()
        table.add_row(name, colleague.role, f"test.{colleague.login}@example.com", PASSWORD)
    OUT.print(table)
    address = f"[bold]{settings.base_url}[/bold] · programs: {settings.base_url}/api/docs"
    OUT.print(f"\nOpen {address} · stop with Ctrl-C\n" if serve else "\nServe it with: salerno demo\n", soft_wrap=True)


VERBS = (demo,)
