"""export: everything of one organisation in open formats."""

from pathlib import Path
from uuid import UUID

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from salerno.interfaces.cli.house import OUT, open_house, operator, verb
from salerno.kernel.export import export


@click.command("export")
@click.option("--organisation", type=click.UUID, required=True, help="`salerno organisations` lists them.")
@click.argument("to", type=click.Path(path_type=Path, resolve_path=True))
@verb
async def export_(organisation: UUID, to: Path) -> None:
    """Write everything of an organisation, opened, as NDJSON into a new folder. The access log says so."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=OUT
    )
    async with open_house() as house:
        with bar:
            task = bar.add_task("events", total=None)
            done = await export(
                house.bus,
                operator(house, organisation),
                to,
                lambda count, total: bar.update(task, completed=count, total=total),
            )
    others = sum(file.records for file in done.files) - done.events
    OUT.print(f"{done.events} events and {others} other records in {to}", soft_wrap=True)
    if done.erased:
        OUT.print(f"{done.erased} events of erased people cannot be opened by anybody.")
    OUT.print("These files are readable by whoever gets hold of them: keep them as you would a paper chart.")


VERBS = (export_,)
