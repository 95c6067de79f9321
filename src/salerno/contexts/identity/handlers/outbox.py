"""What an operator may do about letters that are not out. Every look at an address, and every act, is on record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from salerno.contexts.identity.commands.outbox import DropLetter, LetterLine, Letters, RetryLetters
from salerno.contexts.identity.errors import LetterOver, NoSuchLetter
from salerno.contexts.identity.handlers.letters import Written
from salerno.contexts.identity.projections import SQL
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller, Query
from salerno.kernel.room import Answer


async def letters(desk: Desk, errand: Letters, caller: Caller) -> list[LetterLine]:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch(SQL["letters"], errand.failed, errand.limit)
    addresses = await _addresses(desk, rows, caller) if errand.addresses else {}
    return [_line(row, desk.now, addresses.get(_id(row["id"]), "")) for row in rows]


async def _addresses(desk: Desk, rows: Sequence[Any], caller: Caller) -> dict[UUID, str]:
    """Of the letters that can still be opened. On record, account by account, before anything is shown."""
    found: dict[UUID, str] = {}
    for home in dict.fromkeys(_id(row["home"]) for row in rows):
        mine = [row for row in rows if row["home"] == home and row["doc"]]
        if not mine:
            continue
        async with desk.bus.reading("identity", home) as tx:
            keys = await tx.keys_of({row["subject"] for row in mine})
            mine = [row for row in mine if row["subject"] in keys]
            docs = await tx.open_docs("letters", mine, Written)
        await _record(desk, caller, "Letters", home, sorted({_id(row["subject"]) for row in mine}))
        found |= {_id(row["id"]): doc.to for row, doc in zip(mine, docs, strict=True)}
    return found


def _line(row: Any, now: datetime, to: str) -> LetterLine:
    over = row["until"] <= now or not row["doc"]
    return LetterLine(
        letter=_id(row["id"]),
        organisation=_id(row["home"]),
        kind=row["kind"],
        status="over" if over else ("failed" if row["failed_at"] else "waiting"),
        written_at=row["written_at"],
        due_at=row["due_at"],
        until=row["until"],
        tries=row["tries"],
        cause=row["cause"],
        to=to,
    )


async def retry_letters(desk: Desk, errand: RetryLetters, caller: Caller) -> int:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        if errand.letter_id is not None and await tx.fetchrow(SQL["letter"], errand.letter_id) is None:
            raise NoSuchLetter()
        rows = await tx.fetch(SQL["letters_again"], errand.letter_id, desk.now)
    if errand.letter_id is not None and not rows:
        raise LetterOver()
    for home in dict.fromkeys(_id(row["home"]) for row in rows):
        subjects = sorted({_id(row["account"]) for row in rows if row["home"] == home})
        await _record(desk, caller, "RetryLetters", home, subjects)
    return len(rows)


async def drop_letter(desk: Desk, errand: DropLetter, caller: Caller) -> None:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["drop_letter"], errand.letter_id)
    if row is None:
        raise NoSuchLetter()
    await _record(desk, caller, "DropLetter", _id(row["home"]), [_id(row["account"])])


async def _record(desk: Desk, caller: Caller, action: str, home: UUID, accounts: Sequence[UUID]) -> None:
    there = replace(caller, organisation=home)
    await desk.bus.access_log.record(there, action, "letters", "disclosed", list(accounts))


def _id(found: Any) -> UUID:
    return UUID(bytes=found.bytes)


OUTBOX: dict[type[Query], Answer] = {Letters: letters, RetryLetters: retry_letters, DropLetter: drop_letter}
