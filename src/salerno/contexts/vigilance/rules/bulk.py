"""Many charts in a short time: how many different ones an account has opened within the last ten minutes."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

WINDOW = timedelta(minutes=10)
MOST = 1_000  # charts that are counted
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

    `window` says of each chart when it was last opened; before `quiet_until` nothing is said again. Of a program that
    opens thousands no more than the last `MOST` are counted: beyond that the number says nothing new.
    """
    last, found = OrderedDict(sorted(window.items(), key=itemgetter(1))), list[Crossing]()  # the longest ago first
    for at, patient in opened:
        last[patient] = max(at, last.pop(patient, at))
        while len(last) > max(MOST, limit + 1) or next(iter(last.values())) <= at - WINDOW:
            last.popitem(last=False)
        if len(last) > limit and (quiet_until is None or at >= quiet_until):
            found.append(Crossing(at, len(last), next(iter(last.values()))))
            quiet_until = at + WINDOW
    return found, dict(last)
