"""Many charts in a short time: how many different ones an account has opened within the last ten minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

WINDOW = timedelta(minutes=10)
Opened = tuple[datetime, UUID]  # when, and whose chart


@dataclass(frozen=True, slots=True)
class Crossing:
    """At this moment it was one chart too many: so many different ones since then."""

    at: datetime
    count: int
    since: datetime


def crossings(
    window: Mapping[UUID, datetime], opened: Sequence[Opened], limit: int, quiet_until: datetime | None = None
) -> tuple[list[Crossing], dict[UUID, datetime]]:
    """When one account opened more than `limit` charts, at most once in a window; and the window afterwards.

    `window` says of each chart when it was last opened; before `quiet_until` nothing is said again.
    """
    last, found = dict(window), list[Crossing]()
    for at, patient in opened:
        last[patient] = max(at, last.get(patient, at))
        if len(last) <= limit:
            continue
        last = {one: when for one, when in last.items() if when > at - WINDOW}
        if len(last) > limit and (quiet_until is None or at >= quiet_until):
            found.append(Crossing(at, len(last), min(last.values())))
            quiet_until = at + WINDOW
    return found, last
