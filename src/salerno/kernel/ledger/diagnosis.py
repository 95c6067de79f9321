"""Says of a stretch that does not fit which record is wrong and in which way."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from salerno.kernel.database import Connection
from salerno.kernel.ledger import store
from salerno.kernel.ledger.findings import Kind, LogReport
from salerno.kernel.ledger.merkle import leaf_hash
from salerno.kernel.ledger.records import Log, describe

if TYPE_CHECKING:
    from salerno.kernel.ledger.verify import Stretch

SWAPS = 200  # changed records that are tried for having changed places with one another


@dataclass(frozen=True, slots=True)
class Found:
    position: int
    xid: int
    record: bytes
    hash: bytes


async def diagnose(connection: Connection, log: Log, stretch: "Stretch", total: int, report: LogReport) -> None:
    rows: dict[int, list[Found]] = defaultdict(list)
    async for page in store.pages(connection, log, stretch, 2_000):
        for row in page:
            found = Found(row["position"], int(row["xid"]), row["record"], leaf_hash(row["record"]))
            rows[found.position].append(found)
    before = len(report.findings) + report.left_out
    await _wrong_or_missing(connection, log, stretch, rows, total, report)
    await _inserted(connection, log, stretch, rows, report)
    if before == len(report.findings) + report.left_out:
        sentence = f"the ledger's order of leaves {stretch.first} to {stretch.next - 1} is not the log's"
        report.add(Kind.LEDGER_CHANGED, sentence, leaf=stretch.first)


async def _wrong_or_missing(
    connection: Connection, log: Log, stretch: "Stretch", rows: dict[int, list[Found]], total: int, report: LogReport
) -> None:
    changed = {
        nth: rows[position][0]
        for nth, position in enumerate(stretch.positions)
        if rows.get(position) and all(found.hash != stretch.true[nth] for found in rows[position])
    }
    places = _swapped(log, stretch, changed)
    gone = _gone_at_the_end(stretch, rows, total)
    for nth, position in enumerate(stretch.positions):
        leaf = stretch.first + nth
        if nth in places:
            sentence = f"here stands what was written at position {places[nth]} ({_words(log, changed[nth].record)})"
            report.add(Kind.REORDERED, sentence, position, leaf)
        elif nth in changed:
            report.add(Kind.CHANGED, _words(log, changed[nth].record), position, leaf)
        elif not rows.get(position):
            await _missing(connection, log, position, leaf, gone, report)


async def _missing(connection: Connection, log: Log, position: int, leaf: int, gone: int, report: LogReport) -> None:
    if await store.count_at(connection, log, position):
        report.add(Kind.REORDERED, "the record stands elsewhere in the order of commit", position, leaf)
    elif leaf >= gone:
        report.add(Kind.TRUNCATED, "this record and all sealed ones after it are gone", position, leaf)
    else:
        report.add(Kind.DELETED, "the record is gone", position, leaf)


def _gone_at_the_end(stretch: "Stretch", rows: dict[int, list[Found]], total: int) -> int:
    """From which leaf on nothing is left, if this stretch is the log's last; otherwise past its end."""
    leaf = stretch.next
    while leaf > stretch.first and stretch.next == total and not rows.get(stretch.positions[leaf - 1 - stretch.first]):
        leaf -= 1
    return leaf


def _swapped(log: Log, stretch: "Stretch", changed: dict[int, Found]) -> dict[int, int]:
    """Which changed records are whole records of other places: by leaf, the position they belong to."""
    if len(changed) > SWAPS:
        return {}
    contents = {nth: (stretch.positions[nth], found) for nth, found in changed.items()}
    return {
        nth: origin
        for nth, here in changed.items()
        for other, (origin, _) in contents.items()
        if other != nth and leaf_hash(_moved(log, here, changed[other])) == stretch.true[other]
    }


def _moved(log: Log, record: Found, place: Found) -> bytes:
    """The record as it would read if it stood in the other's place."""
    at = log.place_at
    return record.record[: at.start] + log.place(place.position, place.xid) + record.record[at.stop :]


async def _inserted(
    connection: Connection, log: Log, stretch: "Stretch", rows: dict[int, list[Found]], report: LogReport
) -> None:
    expected = Counter(stretch.positions)
    for position, found in rows.items():
        surplus = len(found) - expected[position]
        if surplus <= 0 or (not expected[position] and await _belongs_elsewhere(connection, log, position)):
            continue
        false = next((each for each in found if each.hash not in stretch.true), found[-1])
        report.add(Kind.INSERTED, f"never sealed: {_words(log, false.record)}", position)


async def _belongs_elsewhere(connection: Connection, log: Log, position: int) -> bool:
    """A record that was moved here is told at the place that it left."""
    sealed = await connection.fetchval(store.SEALED_AT_POSITION, log.name, position)
    return sealed is not None and await store.count_at(connection, log, position) == 1


def _words(log: Log, record: bytes) -> str:
    seen = describe(log, record)
    if log.name == "events":
        return f"{seen['event_type']}, version {seen['version']} of {seen['aggregate_id']}, event {seen['event_id']}"
    return f"{seen['action']} by {seen['user_id']} in {seen['organisation']}, request {seen['request']}"
