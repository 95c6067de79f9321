"""import: FHIR R4 bundles and NDJSON into an organisation."""

import sys
from pathlib import Path
from uuid import UUID

import click
import msgspec
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from salerno import app
from salerno.interfaces.cli.house import OUT, open_house, operator, organisations, print_json, verb
from salerno.interfaces.fhir.bundles import files_of
from salerno.interfaces.fhir.importer import Importer
from salerno.interfaces.fhir.reports import ImportReport
from salerno.kernel.errors import Invalid


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--organisation", type=click.UUID, help="Whose records they become; needed where there are several.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@verb
async def import_(paths: tuple[Path, ...], organisation: UUID | None, as_json: bool) -> None:
    """Take in FHIR R4 bundles (.json) and NDJSON, from files and folders.

    Each bundle is taken whole or not at all; what came before is recognised, so that it can be run again.
    Exits with 1 where something was refused.
    """
    files = files_of(paths)
    if not files:
        raise Invalid("There are no .json or .ndjson files there.")
    async with open_house() as house:
        caller = operator(house, await _chosen(house, organisation))
        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
            TextColumn("{task.fields[count]} resources"), TimeRemainingColumn(), console=OUT, disable=as_json,
        )  # fmt: skip
        with bar:
            task = bar.add_task("import", total=sum(path.stat().st_size for path in files), count=0)

            def tell(resources: int, size: int) -> None:
                bar.update(task, advance=size, count=bar.tasks[task].fields["count"] + resources)

            report = await Importer(house.bus, caller, tell).run(files)
    print_json(_as_json(report)) if as_json else _say(report)
    if report.refused:
        sys.exit(1)


async def _chosen(house: app.House, given: UUID | None) -> UUID:
    known = await organisations(house)
    if given is not None:
        if given not in known:
            raise Invalid("There is no such organisation. `salerno organisations` lists them.")
        return given
    if len(known) != 1:
        several = "Name one with --organisation; `salerno organisations` lists them."
        raise Invalid(several if known else "There is no organisation yet: make one with `salerno init`.")
    return known[0]


def _say(report: ImportReport) -> None:
    table = Table("Resource", "taken", "kept as it is", "already there", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in report.types():
        table.add_row(name, *(str(each[name] or "") for each in (report.taken, report.kept, report.there)))
    table.add_row("[bold]all", *(f"[bold]{each.total()}" for each in (report.taken, report.kept, report.there)))
    OUT.print(table)
    if report.beside.total():
        OUT.print(f"{report.beside.total()} of those taken say more than their room can: kept word for word as well.")
    if report.there.total():
        OUT.print(
            f"{report.there.total()} had come before and stay as they are: they are not compared, "
            "and what a file says differently now is not taken."
        )
    for refusal in report.refused:
        OUT.print(f"[bold red]refused[/] {escape(str(refusal))}", soft_wrap=True)
    rate = report.resources / report.seconds if report.seconds else 0
    OUT.print(f"{report.resources} resources in {report.seconds:.1f} s ({rate:.0f}/s)")
    if report.refused_resources:
        OUT.print(f"{report.refused_resources} resources were refused.")


def _as_json(report: ImportReport) -> dict[str, object]:
    counts = {name: dict(getattr(report, name)) for name in ("taken", "kept", "beside", "there")}
    refused = [msgspec.to_builtins(each) for each in report.refused]
    return {**counts, "refused": refused, "refused_resources": report.refused_resources, "seconds": report.seconds}


VERBS = (import_,)
