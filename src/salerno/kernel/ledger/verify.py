"""Recomputes both trees from the rows themselves and holds them against the ledger, its signatures and the witness."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from salerno.kernel.clock import stopwatch
from salerno.kernel.database import ROTTEN, Connection, Database
from salerno.kernel.ledger import store
from salerno.kernel.ledger.checkpoint import Verifier
from salerno.kernel.ledger.diagnosis import diagnose
from salerno.kernel.ledger.findings import Kind, LogReport, Report
from salerno.kernel.ledger.merkle import Frontier, leaf_hash, unpack
from salerno.kernel.ledger.notes import Signed, read_notes
from salerno.kernel.ledger.records import LOGS, Log
from salerno.kernel.ledger.surroundings import look_around, name_page
from salerno.kernel.ledger.witness import Witness

STRETCH = 5_000  # leaves compared at once, at least
PAGE = 2_000  # rows fetched at once

Progress: TypeAlias = Callable[[str, int, int], None]  # log, leaves done, leaves in all


async def verify(
    database: Database,
    origin_of: Callable[[str], str],
    verifiers: Sequence[Verifier],
    witnesses: Sequence[Witness] = (),
    progress: Progress | None = None,
) -> Report:
    """Everything, under one snapshot of the database; writing may go on meanwhile."""
    async with (
        database.context("salerno_ledger", None, "kernel") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await recompute(connection, origin_of, verifiers, witnesses, progress or silent)


async def recompute(
    connection: Connection,
    origin_of: Callable[[str], str],
    verifiers: Sequence[Verifier],
    witnesses: Sequence[Witness],
    progress: "Progress",
) -> Report:
    """Verify inside a transaction that is already open."""
    started = stopwatch()
    reports = []
    for log in LOGS:
        report = LogReport(log.name, origin_of(log.name))
        signed = await read_notes(connection, log, verifiers, witnesses, report)
        leaves = [await asyncio.to_thread(_witnessed, witness, report.origin) for witness in witnesses]
        try:
            async with connection.transaction():
                await _Tree(connection, log, signed, leaves, report, progress).check()
                await look_around(connection, log, report)
        except ROTTEN as error:
            await name_page(connection, log, error, report)
        reports.append(report)
    return Report(tuple(reports), stopwatch() - started)


def silent(log: str, done: int, total: int) -> None:
    """Nobody is watching."""


def _witnessed(witness: Witness, origin: str) -> bytes:
    """All its leaf hashes end to end; what a cut-off file leaves over is not looked at."""
    found = b"".join(witness.leaves(origin))
    return found[: len(found) // 32 * 32]


@dataclass
class Stretch:
    """A run of leaves that ends where a checkpoint does: as stored, as true, and where its rows lie in the log."""

    first: int
    above: int
    start: tuple[str, int]
    end: tuple[str, int] = ("0", 0)
    positions: list[int] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    true: list[bytes] = field(default_factory=list)

    @property
    def next(self) -> int:
        return self.first + len(self.stored)


class _Tree:
    def __init__(
        self,
        connection: Connection,
        log: Log,
        signed: Signed,
        witnessed: Sequence[bytes],
        report: LogReport,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._log = log
        self._signed = signed
        self._witnessed = witnessed
        self._report = report
        self._progress = progress
        self._frontier = Frontier()
        self._broken = False  # a root was wrong: all later ones will be, and say nothing new

    async def check(self) -> None:
        head = await self._head()
        total = head.frontier.size
        async for stretch in self._stretches():
            self._establish(stretch)
            if not await self._rows_are(stretch):
                await diagnose(self._connection, self._log, stretch, total, self._report)
            self._progress(self._log.name, stretch.next, total)
        self._report.leaves, self._report.root = self._frontier.size, self._frontier.root()
        self._compare_sizes()
        if not self._broken and head.frontier.to_bytes() != self._frontier.to_bytes():
            sentence = "the ledger's newest batch does not end in the tree that its leaves make"
            self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=self._frontier.size)
        self._report.unsealed = await store.count_unsealed(self._connection, self._log, head)

    async def _head(self) -> store.Head:
        """Where the sealer would go on; nowhere, if what it has written down cannot be."""
        try:
            return await store.head(self._connection, self._log)
        except ValueError:
            return store.Head(Frontier())

    async def _stretches(self) -> AsyncIterator[Stretch]:
        """Whole batches of one epoch, until there are enough and a checkpoint (or the end) is reached."""
        stretch = Stretch(0, 0, ("0", 0))
        async for batch in store.batches(self._connection, self._log, 0, 1 << 62):
            full = len(stretch.stored) >= STRETCH and stretch.next in self._signed.roots
            if full or batch["above"] != stretch.above:
                if stretch.stored:
                    yield stretch
                epoch = batch["above"] != stretch.above
                stretch = Stretch(stretch.next, batch["above"], ("0", 0) if epoch else stretch.end)
            if batch["first"] != stretch.next:
                sentence = f"the ledger goes from leaf {stretch.next} to leaf {batch['first']}"
                self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=stretch.next)
            hashes = unpack(batch["hashes"][: len(batch["hashes"]) // 32 * 32])
            if not len(hashes) == len(batch["positions"]) == batch["leaves"]:
                sentence = f"the ledger's batch from leaf {batch['first']} does not have its {batch['leaves']} leaves"
                self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=batch["first"])
                hashes = (hashes + [b""] * len(batch["positions"]))[: len(batch["positions"])]
            elif batch["positions"][-1:] != [batch["last_position"]]:
                sentence = f"the ledger's batch from leaf {batch['first']} does not end at its own last record"
                self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=batch["first"])
            stretch.positions += batch["positions"]
            stretch.stored += hashes
            stretch.end = (batch["last_xid"], batch["last_position"])
        if stretch.stored:
            yield stretch

    def _establish(self, stretch: Stretch) -> None:
        """Settle which leaves are the true ones: those whose root was signed."""
        for low, high in self._parts(stretch):
            stored = stretch.stored[low - stretch.first : high - stretch.first]
            stretch.true += self._true_leaves(low, high, stored)
        for nth, (stored_hash, true_hash) in enumerate(zip(stretch.stored, stretch.true, strict=True)):
            if stored_hash != true_hash:
                sentence = "the ledger's leaf is not the one that was signed"
                self._report.add(Kind.LEDGER_CHANGED, sentence, stretch.positions[nth], stretch.first + nth)

    def _parts(self, stretch: Stretch) -> Iterator[tuple[int, int]]:
        cuts = [size for size in self._signed.roots if stretch.first < size < stretch.next]
        edges = [stretch.first, *cuts, stretch.next]
        yield from pairwise(edges)

    def _true_leaves(self, low: int, high: int, stored: list[bytes]) -> list[bytes]:
        root = self._signed.roots.get(high)
        seen = [unpack(each[32 * low : 32 * high]) for each in self._witnessed if len(each) >= 32 * high]
        for candidate in (stored, *seen):
            after = Frontier(self._frontier.size, unpack(self._frontier.to_bytes()))
            after.append(candidate)
            if root is None or self._broken or after.root() == root:
                self._frontier = after
                self._question_witnesses(low, high, candidate)
                return candidate
        self._broken = True
        self._frontier.append(stored)
        sentence = f"among leaves {low} to {high - 1} the ledger and its records are not those of checkpoint {high}"
        self._report.add(Kind.REWRITTEN, sentence, leaf=low)
        return stored

    def _question_witnesses(self, low: int, high: int, true: list[bytes]) -> None:
        for each in self._witnessed:
            known = unpack(each[32 * low : 32 * min(high, self._signed.newest_witnessed)])
            if known != true[: len(known)] or len(each) // 32 < min(high, self._signed.newest_witnessed):
                sentence = f"the witness's own leaves {low} to {high - 1} are not those that were signed"
                self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=low)

    async def _rows_are(self, stretch: Stretch) -> bool:
        """Whether the rows of this part of the log are exactly the leaves, in order."""
        done = 0
        async for page in store.pages(self._connection, self._log, stretch, PAGE):
            positions = [row["position"] for row in page]
            hashes = [leaf_hash(row["record"]) for row in page]
            end = done + len(page)
            if positions != stretch.positions[done:end] or hashes != stretch.true[done:end]:
                return False
            done = end
        return done == len(stretch.true)

    def _compare_sizes(self) -> None:
        here = self._report.leaves
        if self._signed.newest_witnessed > here:
            sentence = f"the witness knows {self._signed.newest_witnessed} records, the ledger here {here}"
            self._report.add(Kind.RESTORED_PAST, sentence, leaf=here)
        elif (newest := max(self._signed.roots, default=0)) > here:
            sentence = f"a checkpoint was signed over {newest} records, and the ledger has {here}"
            self._report.add(Kind.LEDGER_CHANGED, sentence, leaf=here)
