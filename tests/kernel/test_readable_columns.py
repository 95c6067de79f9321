"""What the database's own catalogue says is readable is what docs/security.md says."""

import re
from pathlib import Path

import pytest

from salerno.app import ROOMS, House

SECURITY = Path(__file__).parents[2] / "docs/security.md"
SCHEMAS = ["kernel", *(room.name for room in ROOMS)]
SAY_NOTHING = ("uuid", "timestamp with time zone", "boolean", "xid8")  # ids, instants, yes or no, transactions
BYTES = "bytea"
COLUMNS = """
    SELECT n.nspname || '.' || c.relname AS place, a.attname AS name, format_type(a.atttypid, NULL) AS type
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1)"""


def told(mark: str) -> set[tuple[str, str]]:
    """(table, column) of the rows between two marks."""
    text = SECURITY.read_text("utf-8").partition(f"<!-- {mark} -->")[2].partition(f"<!-- end {mark} -->")[0]
    rows = re.findall(r"^\| ([a-z]+\.[a-z_]+) \| ([a-z0-9_, ]+) \|", text, re.MULTILINE)
    return {(table, column) for table, columns in rows for column in columns.split(", ")}


async def columns(house: House) -> list[tuple[str, str, str]]:
    async with house.database.owner() as owner:
        return [tuple(row) for row in await owner.fetch(COLUMNS, SCHEMAS)]


@pytest.mark.parametrize("mark", ["readable", "bytes"])
async def test_every_column_that_could_say_something_is_told(house: House, mark: str) -> None:
    found = {
        (place, name)
        for place, name, kind in await columns(house)
        if (kind == BYTES if mark == "bytes" else kind not in (BYTES, *SAY_NOTHING))
    }
    assert len(found) > 40
    assert sorted(found - told(mark)) == [], "Say in docs/security.md why this may be readable, or seal it."
    assert sorted(told(mark) - found) == [], "docs/security.md names a column that is not there."
