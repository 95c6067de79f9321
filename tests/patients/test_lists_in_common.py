"""Who is in two lists of the blind index: the same whichever of them is longer, and however it is found out."""

from itertools import permutations
from uuid import UUID

import pytest

from salerno.kernel.bus import Bus

PEOPLE = [UUID(int=1_000_000 + n) for n in range(2_400)]
LISTS = {
    1: PEOPLE[::60],  # 40: rare
    2: PEOPLE[::8],  # 300: neither rare nor common
    3: PEOPLE[::2],  # 1,200: common
    4: PEOPLE[1::2],  # as common, and nobody in both
    5: PEOPLE[:1_500],  # common, and none of them among the newest
    6: [],
}
PUT = "INSERT INTO search_tokens (organisation, token, subject) SELECT $1, $2, unnest($3::uuid[])"
ASK = "SELECT * FROM newest_with_two($1, $2, $3, $4)"


@pytest.mark.parametrize("most", [1, 21, 5_000])
async def test_the_newest_who_are_in_both_lists_are_found(bus: Bus, organisation: UUID, most: int) -> None:
    async with bus.database.context("salerno_patients", organisation, "patients") as connection:
        for token, people in LISTS.items():
            await connection.execute(PUT, organisation, token, people)
        for one, other in permutations(LISTS, 2):
            rows = await connection.fetch(ASK, organisation, one, other, most)
            both = sorted(set(LISTS[one]).intersection(LISTS[other]), reverse=True)
            assert [UUID(bytes=row[0].bytes) for row in rows] == both[:most], (one, other)
