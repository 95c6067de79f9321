"""The signed checkpoints of one log, from the database and from the witnesses, held against each other."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from salerno.kernel.database import Connection
from salerno.kernel.ledger import store
from salerno.kernel.ledger.checkpoint import BadNote, Checkpoint, Verifier, open_note
from salerno.kernel.ledger.findings import Kind, LogReport
from salerno.kernel.ledger.records import Log
from salerno.kernel.ledger.witness import Witness


@dataclass(frozen=True, slots=True)
class Signed:
    """Roots by tree size that a known key has signed. A witness's word goes before the database's."""

    roots: dict[int, bytes]
    newest_witnessed: int


async def read_notes(
    connection: Connection, log: Log, verifiers: Sequence[Verifier], witnesses: Sequence[Witness], report: LogReport
) -> Signed:
    rows = await connection.fetch(store.CHECKPOINTS_ABOVE, log.name, -1)
    kept = _believed(((row["size"], row["note"]) for row in rows), "the database", verifiers, report)
    for row in rows:
        if row["size"] in kept and kept[row["size"]].root != row["root"]:
            report.add(Kind.LEDGER_CHANGED, f"the stored root of checkpoint {row['size']} is not the signed one")
    seen: dict[int, Checkpoint] = {}
    for witness in witnesses:
        notes = await asyncio.to_thread(lambda held: list(held.notes(report.origin)), witness)
        seen |= _believed(((note.size, note.note) for note in notes), "the witness", verifiers, report)
    report.checkpoints, report.witnessed = len(rows), len(seen)
    _compare(kept, seen, {row["size"] for row in rows}, report)
    roots = {size: each.root for size, each in (kept | seen).items()}
    return Signed(dict(sorted(roots.items())), max(seen, default=0))


def _believed(
    notes: Iterable[tuple[int, str]], where: str, verifiers: Sequence[Verifier], report: LogReport
) -> dict[int, Checkpoint]:
    believed: dict[int, Checkpoint] = {}
    for size, note in notes:
        try:
            checkpoint = open_note(note, verifiers)
        except BadNote as broken:
            report.add(Kind.BAD_SIGNATURE, f"checkpoint {size} in {where}: {broken}")
            continue
        if (checkpoint.origin, checkpoint.size) != (report.origin, size):
            sentence = f"checkpoint {size} in {where} speaks of {checkpoint.size} records of {checkpoint.origin}"
            report.add(Kind.BAD_SIGNATURE, sentence)
            continue
        believed[size] = checkpoint
    return believed


def _compare(kept: dict[int, Checkpoint], seen: dict[int, Checkpoint], stored: set[int], report: LogReport) -> None:
    newest = max(stored, default=0)
    for size, checkpoint in sorted(seen.items()):
        if size in kept and kept[size].root != checkpoint.root:
            sentence = f"the witness saw another tree of {size} records than the database shows"
            report.add(Kind.REWRITTEN, sentence, leaf=size - 1)
        elif size not in stored and size < newest:
            report.add(Kind.CHECKPOINT_LOST, f"checkpoint {size} is missing in the database")
    for size in sorted(kept.keys() - seen.keys()):
        if seen and size < max(seen):
            report.add(Kind.CHECKPOINT_LOST, f"checkpoint {size} is missing at the witness")
