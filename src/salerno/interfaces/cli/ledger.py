"""ledger: proof that nothing was changed."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from salerno import app
from salerno.interfaces.cli.house import OUT, print_json, settings_or_exit, verb
from salerno.kernel.errors import Invalid
from salerno.kernel.ledger import prove
from salerno.kernel.ledger.checkpoint import BadNote, Verifier
from salerno.kernel.ledger.findings import Report
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.records import LOGS
from salerno.kernel.ledger.verify import verify
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.settings import Settings

Log = click.Choice([log.name for log in LOGS])
Keys = click.option("--keys", type=click.Path(path_type=Path, exists=True), help="A file of public keys to trust.")


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[app.House, Settings, SigningKeys]]:
    settings = settings_or_exit()
    async with app.running(settings) as house:
        yield house, settings, app.signing_keys_of(settings)


def _trusted(path: Path | None, keys: SigningKeys) -> list[Verifier]:
    """The keys in the file; without one, those that this installation has published."""
    if path is None:
        return keys.verifiers()
    try:
        return [Verifier.parse(line) for line in path.read_text("utf-8").split()]
    except (BadNote, UnicodeDecodeError) as broken:
        raise Invalid(f"{path} holds no public keys: {broken}") from None


@click.group()
def ledger() -> None:
    """Proof that nothing was changed: Merkle trees over the log and over who has looked."""


@ledger.command("checkpoint")
@verb
async def checkpoint() -> None:
    """Seal and sign everything up to now, and show it to the witness."""
    async with _open() as (house, settings, _):
        newest = await app.sealer_of(settings, house.database, house.bus.clock).seal()
    for each in newest.values():
        OUT.print(each.text().strip() + "\n")


@ledger.command("verify")
@click.option(
    "--witness", type=click.Path(path_type=Path, exists=True), help="Another witness folder than the set one."
)
@Keys
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@verb
async def verify_(witness: Path | None, keys: Path | None, as_json: bool) -> None:
    """Recompute everything from the records. Names what was changed, and exits with 1 if anything was."""
    async with _open() as (house, settings, own):
        bar = Progress(
            TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=OUT, disable=as_json,
        )  # fmt: skip
        with bar:
            tasks = {log.name: bar.add_task(log.name, total=None) for log in LOGS}
            report = await verify(
                house.database,
                own.origin,
                _trusted(keys, own),
                [FolderWitness(witness or settings.witness)],
                lambda log, done, total: bar.update(tasks[log], completed=done, total=total),
            )
    print_json(_as_json(report)) if as_json else _say(report)
    if not report.sound:
        sys.exit(1)


def _say(report: Report) -> None:
    for log in report.logs:
        counts = (
            f"{log.leaves} sealed, {log.unsealed} not yet, {log.checkpoints} checkpoints, {log.witnessed} witnessed"
        )
        OUT.print(f"{log.log:8}{counts}")
        if not log.witnessed and log.leaves:
            OUT.print("        no witness: a past restored together with its checkpoints would not show")
    for found in report:
        OUT.print(f"[bold red]{escape(str(found))}[/bold red]")
    for log in report.logs:
        if log.left_out:
            OUT.print(f"{log.log}: and {log.left_out} more")
    verdict = "[bold green]Nothing was changed." if report.sound else "[bold red]History was changed, see above."
    OUT.print(f"{verdict}[/] ({report.seconds:.1f} s)")


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "sound": report.sound,
        "seconds": report.seconds,
        "logs": [
            {"log": log.log, "origin": log.origin, "leaves": log.leaves, "unsealed": log.unsealed,
             "root": log.root.hex(), "checkpoints": log.checkpoints, "witnessed": log.witnessed}
            for log in report.logs
        ],
        "findings": [
            {"log": found.log, "kind": found.kind.value, "position": found.position, "leaf": found.leaf,
             "sentence": found.sentence}
            for found in report
        ],
    }  # fmt: skip


@ledger.command("prove")
@click.argument("event")
@click.option("--log", type=Log, default="events", show_default=True, help="With access, EVENT is a position.")
@verb
async def prove_(event: str, log: str) -> None:
    """A proof, as JSON, that an event (its id or position) is in the log. Anybody can check it with the public key."""
    chosen = next(each for each in LOGS if each.name == log)
    async with _open() as (house, _, keys), house.database.context("salerno_ledger", None, "kernel") as connection:
        if event.isascii() and event.isdigit() and len(event) < 19:
            proof = await prove.prove_record(connection, chosen, int(event), keys.verifiers())
        else:
            proof = await prove.prove_event(connection, _event_id(event), keys.verifiers())
    print_json(proof)


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("An event is named by its id or by its position.") from None


@ledger.command("consistency")
@click.argument("old", type=click.IntRange(1))
@click.argument("new", type=click.IntRange(1))
@click.option("--log", type=Log, default="events", show_default=True)
@verb
async def consistency(old: int, new: int, log: str) -> None:
    """A proof, as JSON, that the checkpoint of NEW records only adds to that of OLD records."""
    chosen = next(each for each in LOGS if each.name == log)
    async with _open() as (house, _, keys), house.database.context("salerno_ledger", None, "kernel") as connection:
        print_json(await prove.prove_consistency(connection, chosen, old, new, keys.verifiers()))


@ledger.command("check")
@click.argument("proof", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--keys", type=click.Path(path_type=Path, exists=True), required=True, help="Public keys to trust.")
def check(proof: Path, keys: Path) -> None:
    """Check a proof against public keys. Needs no database and no secret."""
    try:
        verifiers = [Verifier.parse(line) for line in keys.read_text("utf-8").split()]
        read = prove.read_proof(proof.read_bytes())
        if isinstance(read, prove.Inclusion):
            covering = prove.check_inclusion(read, verifiers)
            OUT.print(f"The record is leaf {read.leaf_index} of {covering.origin} at {covering.size} records.")
        else:
            first, second = prove.check_consistency(read, verifiers)
            OUT.print(f"{second.origin}: {second.size} records begin with the {first.size} of the older checkpoint.")
    except (prove.FalseProof, BadNote, UnicodeDecodeError) as false:
        click.echo(f"The proof does not hold: {false}", err=True)
        sys.exit(1)


@ledger.command("rebase")
@click.option("--yes", is_flag=True, help="A dump was restored, nobody writes now, and the old database is gone.")
@verb
async def rebase(yes: bool) -> None:
    """Once after restoring a logical dump into a new server, before anybody writes."""
    if not yes:
        raise Invalid("Nothing was done. Read docs/ledger.md, then say --yes.")
    async with _open() as (house, settings, _):
        await app.sealer_of(settings, house.database, house.bus.clock).rebase()
    OUT.print("The ledger goes on from here.")


VERBS = (ledger,)
