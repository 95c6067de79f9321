"""Puts FHIR files through the bus: a bundle is one transaction, a second run adds nothing, a broken one is left out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from salerno.contexts.records.queries import KeptResources
from salerno.interfaces.fhir.bundles import LINED, Batch, batches_of, first_type
from salerno.interfaces.fhir.problems import Broken, Unresolved
from salerno.interfaces.fhir.references import identifiers_of, our_id
from salerno.interfaces.fhir.reports import ImportReport, Refusal
from salerno.interfaces.fhir.translation import REFERRED_TO, Item, Translated, in_order, translate
from salerno.interfaces.fhir.translators.table import RANK
from salerno.interfaces.fhir.translators.wishes import Wish
from salerno.kernel.bus import Bus
from salerno.kernel.clock import stopwatch
from salerno.kernel.errors import IntegrityError, Invalid, NotAllowed, Refused, TooMany, Unavailable, VersionConflict
from salerno.kernel.messages import Caller, Page

PAGE = 500
GONE = "is neither here nor imported"
NOT_ITS_CONTENT = (Unavailable, NotAllowed, TooMany, IntegrityError, VersionConflict)
Told: TypeAlias = Callable[[int, int], None]  # resources and bytes that were dealt with just now


_Read: TypeAlias = tuple[Path, Batch | Broken, Translated | None]


class Importer:
    """One run over some files, in one organisation."""

    def __init__(self, bus: Bus, caller: Caller, told: Told | None = None) -> None:
        self.report = ImportReport()
        self._bus = bus
        self._caller = caller
        self._told = told or _silent
        self._met: dict[tuple[str, str], UUID] = {}
        self._remembered = False

    async def run(self, files: Sequence[Path]) -> ImportReport:
        """Every file once; what waits for another file's resources is tried again when those have come."""
        started = stopwatch()
        waiting = []
        async for path, batch, found in self._ahead(sorted(files, key=_rank)):
            if isinstance(batch, Broken):
                self._refuse(path.name, batch)
            elif found and not await self._batch(batch, found):
                waiting.append(batch)
        while waiting:
            still = [batch for batch in waiting if not await self._batch(batch, self._translate(batch))]
            if len(still) == len(waiting) and self._remembered:
                for batch in still:
                    await self._batch(batch, self._translate(batch), last=True)
                break
            if len(still) == len(waiting):
                await self._remember()
            waiting = still
        self.report.seconds = stopwatch() - started
        return self.report

    async def _ahead(self, files: Sequence[Path]) -> AsyncIterator[_Read]:
        """Reads and translates the next batch while the database is busy with this one."""
        source = self._read(files)
        coming = asyncio.create_task(asyncio.to_thread(next, source, None))
        try:
            while (found := await coming) is not None:
                coming = asyncio.create_task(asyncio.to_thread(next, source, None))
                yield found
        finally:
            await asyncio.gather(coming, return_exceptions=True)

    def _read(self, files: Sequence[Path]) -> Iterator[_Read]:
        for path in files:
            try:
                for batch in batches_of(path):
                    yield path, batch, self._translate(batch)
            except Broken as problem:
                yield path, problem, None
            except OSError as error:
                yield path, Broken("", f"this cannot be read: {error.strerror}"), None

    def _translate(self, batch: Batch) -> Translated:
        return translate(batch.entries, self._caller.organisation, self._met)

    async def _remember(self) -> None:
        """The identifiers of those who were met in earlier runs: they were kept word for word."""
        self._remembered = True
        for type in REFERRED_TO:
            offset, total = 0, 1
            while offset < total:
                asked = KeptResources(resource_type=type, limit=PAGE, offset=offset)
                page: Page[Any] = await self._bus.ask(asked, self._caller)
                for kept in page.items:
                    id = our_id(self._caller.organisation, type, kept.resource_id)
                    for token in identifiers_of(msgspec.json.decode(kept.content)):
                        self._met.setdefault((type, token), id)
                offset, total = offset + PAGE, page.total

    async def _batch(self, batch: Batch, found: Translated, *, last: bool = False) -> bool:
        """Deal with a batch. False where it waits for other files."""
        known = await self._known(found)
        problems = _problems(found, known, one_by_one=not batch.whole)
        if problems and not last and all(isinstance(problem, Unresolved) for problem in problems):
            return False
        for problem in batch.broken:
            self._refuse(batch.label, problem)
        if problems and batch.whole:
            self._refuse(batch.label, problems[0], len(batch.entries), len(problems) - 1)
        else:
            for problem in problems:
                self._refuse(batch.label, problem)
            wrong = {problem.place for problem in problems}
            items = [item for item in found.items if item.path not in wrong]
            self._met |= found.identifiers
            await self._take(batch, items, known)
        self._told(len(batch.entries) + len(batch.broken), batch.size)
        return True

    async def _known(self, found: Translated) -> set[UUID]:
        asked = {stream for item in found.items for stream in item.streams} | {link.id for link in found.links}
        return await self._bus.known(asked, self._caller)

    async def _take(self, batch: Batch, items: Sequence[Item], known: set[UUID]) -> None:
        """Ask for what is new, in one transaction; what a room refuses is asked differently, or refused."""
        new = [item for item in items if not item.streams <= known]
        wishes = [wish for wish in in_order(new) if wish.stream not in known]
        refused: set[str] = set()
        lessened: set[str] = set()
        while wishes:
            try:
                await self._ask(wishes)
                break
            except Refused as refusal:
                if isinstance(refusal, NOT_ITS_CONTENT):
                    raise
                wish = wishes[refusal.nth]
                if (instead := wish.instead(refusal) if wish.instead else None) is not None:
                    wishes[refusal.nth : refusal.nth + 1] = instead
                    lessened.add(wish.path)
                    continue
                self._refuse(batch.label, Broken(wish.path, _words(refusal)), len(batch.entries) if batch.whole else 1)
                if batch.whole:
                    return
                refused.add(wish.path)
                wishes = [each for each in wishes if each.path != wish.path]
        self._count(items, new, refused, lessened)

    async def _ask(self, wishes: Sequence[Wish]) -> None:
        asked = [(wish.command, wish.happened_at, wish.source_recorded_at) for wish in wishes]
        await self._bus.handle_all(asked, self._caller, absent=[wish.stream for wish in wishes])

    def _count(self, items: Sequence[Item], new: Sequence[Item], refused: set[str], lessened: set[str]) -> None:
        fresh = {item.path for item in new}
        self.report.bundles += 1
        for item in items:
            if item.path in refused:
                continue
            if item.path not in fresh:
                self.report.there[item.type] += 1
                continue
            (self.report.kept if item.kept else self.report.taken)[item.type] += 1
            self.report.beside[item.type] += item.beside or item.path in lessened

    def _refuse(self, source: str, problem: Broken, resources: int = 1, more: int = 0) -> None:
        further = f" (and {more} more)" if more > 0 else ""
        self.report.refused.append(Refusal(source, problem.path, problem.reason + further))
        self.report.refused_resources += resources


def _silent(resources: int, size: int) -> None:
    """Nobody is watching."""


def _problems(found: Translated, known: set[UUID], *, one_by_one: bool) -> list[Broken]:
    """What is wrong; one by one also what then leads to something that is not taken, until nothing more follows."""
    problems = list(found.broken)
    if problems and not one_by_one:
        return problems
    while True:
        wrong = {problem.place for problem in problems}
        there = known | {item.id for item in found.items if item.path not in wrong}
        loose = (Unresolved(link.path, f"{link.text} {GONE}") for link in found.links if link.id not in there)
        following = {each.place: each for each in reversed(list(loose)) if each.place not in wrong}
        if not following:
            return problems
        problems += reversed(following.values())


def _words(refusal: Refused) -> str:
    details = [f"{each['path']}: {each['message']}" for each in refusal.errors] if isinstance(refusal, Invalid) else []
    return " ".join([str(refusal), *details])


def _rank(path: Path) -> tuple[int, str]:
    """Files of one type each go in the order in which their resources refer to one another."""
    return (RANK.get(first_type(path), len(RANK)) if path.suffix in LINED else 0, path.name)
