"""Many charts in a short time: how many different ones an account has opened within the last ten minutes."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
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

    `window` says of each chart when it was last opened. Once it was said, nothing is counted until the window is over:
    of a program that opens thousands, each look costs nothing.
    """
    last, found = OrderedDict(sorted(window.items(), key=itemgetter(1))), list[Crossing]()  # the longest ago first
    for at, patient in opened:
        if quiet_until is not None and at < quiet_until:
            continue
        last[patient] = max(at, last.pop(patient, at))
        while next(iter(last.values())) <= at - WINDOW:
            last.popitem(last=False)
        if len(last) > limit:
            found.append(Crossing(at, len(last), next(iter(last.values()))))
            quiet_until = at + WINDOW
            last.clear()
    return found, dict(last)
