"""What a transaction writes, put off until something must be read or the work ends: few round trips instead of many.

Statements that were put off together go out as one statement, so none of them may depend on a row that another of
them writes. Each round trip costs more than most of the statements themselves.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from salerno.kernel import eventstore
from salerno.kernel.database import Connection
from salerno.kernel.eventstore import Append

PARAMETER = re.compile(r"\$(\d+)")


class Outgoing:
    """The rows that wait, in the order in which they were given, and where the events among them came to lie."""

    __slots__ = ("_waiting", "positions")

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Sequence[Any], Append | None]] = []
        self.positions: dict[UUID, int] = {}  # by event id

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def one_statement(self) -> bool:
        """Whether all that waits can go out at once (also where nothing waits)."""
        return len(_distinct(self._waiting)) == len(self._waiting)

    def put(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._waiting += [(sql, row, None) for row in rows]

    def append(self, asked: Append) -> None:
        self._waiting.append((eventstore.APPEND, asked.row, asked))

    async def send(self, connection: Connection) -> None:
        """Everything that waits. Raises what PostgreSQL says of it; a stream that moved on is a VersionConflict."""
        waiting, self._waiting = self._waiting, []
        while waiting:
            wave = _distinct(waiting)
            waiting = waiting[len(wave) :]
            asked = next((append for _, _, append in wave if append), None)
            sql = wave[0][0] if len(wave) == 1 else together(tuple(sql for sql, _, _ in wave))
            with eventstore.conflicts(asked.row[2] if asked else None):
                if asked is None:
                    await connection.execute(sql, *(value for _, row, _ in wave for value in row))
                    continue
                rows = await connection.fetch(sql, *(value for _, row, _ in wave for value in row))
            self.positions.update(zip((item.id for item in asked.events), (row[0] for row in rows), strict=True))

    async def send_by_kind(self, connection: Connection) -> None:
        """Everything that waits, statement by statement with all its rows: for many wishes at once."""
        kinds: dict[str, list[Sequence[Any]]] = {}
        for sql, row, _ in self._waiting:
            kinds.setdefault(sql, []).append(row)
        self._waiting = []
        for sql, rows in kinds.items():
            with eventstore.conflicts():
                await connection.executemany(sql, rows)


def _distinct(waiting: Sequence[tuple[str, Sequence[Any], Append | None]]) -> list[Any]:
    """As many from the front as are different statements."""
    seen: set[str] = set()
    wave = []
    for one in waiting:
        if one[0] in seen:
            break
        seen.add(one[0])
        wave.append(one)
    return wave


@cache
def together(statements: tuple[str, ...]) -> str:
    """One statement that does what these do; their parameters follow one another, an append's positions come back."""
    parts, given, answer = [], 0, "SELECT"
    for nth, sql in enumerate(statements):
        numbers = [int(number) for number in PARAMETER.findall(sql)]
        shifted = _shifted(sql, given)
        given += max(numbers)
        if sql == eventstore.APPEND:
            shifted, answer = f"{shifted} AS position", f"SELECT position FROM said_{nth}"
        parts.append(f"said_{nth} AS ({shifted})")
    return f"WITH {', '.join(parts)} {answer}"


def _shifted(sql: str, by: int) -> str:
    return PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
