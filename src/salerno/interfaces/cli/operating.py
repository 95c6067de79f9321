"""events, projections, snapshots, schemas: looking at the log and what is derived from it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from salerno import app
from salerno.interfaces.cli.house import OUT, open_house, operator, organisations, print_json, verb
from salerno.kernel import eventstore, rebuild
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Recorded
from salerno.kernel.subscriptions import Subscription

STREAMS = "SELECT organisation, aggregate_type FROM kernel.streams WHERE aggregate_id = $1"
NEWEST = """
    SELECT "timestamp", aggregate_type, aggregate_id, version, event_type FROM kernel.event_store
    ORDER BY position DESC LIMIT $1"""
LAG = """
    SELECT c.reader, c.updated_at, (SELECT count(*) FROM kernel.event_store e
        WHERE (e.xid, e.position) > (c.xid, c.position)) AS behind
    FROM kernel.projection_checkpoints c ORDER BY c.reader"""
ERRORS = """
    SELECT reader, event_type, aggregate_id, position, error, attempts, first_at, last_at, resolved_at
    FROM kernel.projection_errors WHERE $1 OR resolved_at IS NULL ORDER BY id DESC LIMIT 200"""


class Moment(click.ParamType[datetime]):
    """An instant in ISO 8601; without an offset, UTC."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-03-02T09:00:00+01:00", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.group()
def events() -> None:
    """The log itself."""


@events.command("show")
@click.argument("stream", type=click.UUID)
@click.option("--as-of", type=Moment(), help="Only what had been recorded by then.")
@verb
async def show(stream: UUID, as_of: datetime | None) -> None:
    """Every event of one aggregate, in order of version. The access log says that you looked."""
    async with open_house() as house:
        async with house.database.context("salerno_reader", None, "kernel") as connection:
            found = await connection.fetch(STREAMS, stream)
        if not found:
            raise NotFound("There is no stream of that id.")
        for row in found:
            room = next(iter(house.bus.rooms))
            async with house.bus.reading(room, row["organisation"]) as tx:
                items = await tx.history(row["aggregate_type"], stream, as_of)
            seen = sorted({item.subject for item in items})
            caller = operator(house, UUID(bytes=row["organisation"].bytes))
            await house.bus.access_log.record(caller, "EventsShow", "everything", "disclosed", seen)
            for item in items:
                _print_event(item)


def _print_event(item: Recorded[Any]) -> None:
    name = eventstore.name_of(type(item.event))
    at = item.origin.recorded_at.isoformat(timespec="milliseconds")
    OUT.print(f"[bold]{item.version:4}[/bold]  {at}  {name}  by {item.origin.actor}")
    click.echo(msgspec.json.format(msgspec.json.encode(item.event), indent=2))


@events.command("tail")
@click.option("--lines", default=20, show_default=True, type=click.IntRange(1, 1000))
@verb
async def tail(lines: int) -> None:
    """The newest events: names and ids, nothing of their content."""
    async with open_house() as house, house.database.context("salerno_reader", None, "kernel") as connection:
        for row in reversed(await connection.fetch(NEWEST, lines)):
            OUT.print(
                f"{row['timestamp'].isoformat(timespec='milliseconds')}  {row['event_type']:45}"
                f"{row['aggregate_id']}  v{row['version']}"
            )


@click.group()
def projections() -> None:
    """Read models: what is kept from the log, and how far each has come."""


@projections.command("list")
@verb
async def list_() -> None:
    """Every projection by name."""
    async with open_house() as house:
        for name in rebuild.names(house.bus):
            OUT.print(name)


@projections.command("lag")
@verb
async def lag() -> None:
    """How many events each reader has not heard yet."""
    async with open_house() as house, house.database.context("salerno_reader", None, "kernel") as connection:
        for row in await connection.fetch(LAG):
            OUT.print(f"{row['reader']:20}{row['behind']:8} behind   {row['updated_at'] or 'never'}")


@projections.command("errors")
@click.option("--all", "everything", is_flag=True, help="Also those that were resolved.")
@verb
async def errors(everything: bool) -> None:
    """What could not be applied, and why."""
    async with open_house() as house, house.database.context("salerno_reader", None, "kernel") as connection:
        rows = await connection.fetch(ERRORS, everything)
        for row in rows:
            state = "resolved" if row["resolved_at"] else f"tried {row['attempts']}×"
            OUT.print(f"{row['reader']:14}{row['event_type']:40}{row['aggregate_id']}  {row['error']}  ({state})")
        if not rows:
            OUT.print("No errors.")


@projections.command("retry")
@verb
async def retry() -> None:
    """Try again what could not be applied."""
    async with open_house() as house:
        for room in house.bus.rooms.values():
            subscription = Subscription(house.bus, room)
            if not subscription.silent:
                OUT.print(f"{room.name:20}{await subscription.retry()} resolved")


@projections.command("rebuild")
@click.argument("names", nargs=-1)
@click.option("--accept", is_flag=True, help="Take the new content also where it differs from the live one.")
@verb
async def rebuild_(names: tuple[str, ...], accept: bool) -> None:
    """Make read models again from the log while the product runs; all of them, or those named."""
    async with open_house() as house:
        bar = Progress(TextColumn("{task.description:40}"), BarColumn(), TextColumn("{task.completed} events"),
                       TimeElapsedColumn(), console=OUT)  # fmt: skip
        with bar:
            for name in names or rebuild.names(house.bus):
                task = bar.add_task(name, total=None)
                try:
                    done = await rebuild.rebuild(
                        house.bus,
                        name,
                        accept=accept,
                        told=lambda count, at=task: bar.update(at, completed=count),  # type: ignore[misc]
                    )
                except rebuild.Differs as differs:
                    raise NotFound(f"{differs}. Nothing was changed; --accept takes the new content.") from None
                bar.update(task, total=done.events, completed=done.events)
                bar.console.print(f"{name}: {done.rows} rows, content {'equal' if done.equal else 'changed'}")


@click.group()
def snapshots() -> None:
    """Shortcuts to the state of long streams."""


@snapshots.command("create")
@verb
async def create() -> None:
    """Drop every snapshot; they are made again as streams are written."""
    async with open_house() as house, house.database.context("salerno_reader", None, "kernel") as connection:
        dropped = await connection.execute("DELETE FROM kernel.aggregate_snapshots")
        OUT.print(f"{dropped.split()[-1]} dropped.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("schemas"))
@verb
async def schemas(folder: Path) -> None:
    """Write the JSON Schema of every event into a folder."""
    from salerno.kernel.schemas import write_schemas

    count = write_schemas(app.rooms(), folder)
    OUT.print(f"{count} schemas in {folder}")


@click.command("organisations")
@verb
async def organisations_() -> None:
    """The ids of the organisations in this database."""
    async with open_house() as house:
        print_json(await organisations(house))


VERBS = (events, projections, snapshots, schemas, organisations_)
