"""What is missing in somebody's care, as far as the chart itself says: nothing here is a guideline's advice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from salerno.contexts.encounters.queries import VisitPage
from salerno.contexts.prescribing.queries import TakenMedicine
from salerno.contexts.records.queries import AllergyList

LONG_AGO = timedelta(days=365)
SOON = timedelta(days=14)
LEFT_OPEN = timedelta(days=1)


class Gap(Struct, frozen=True, kw_only=True):
    """`kind` names the sentence; `what` and `since` stand in it. `section` is where it can be closed."""

    kind: str
    section: str
    what: str = ""
    since: datetime | None = None


def gaps_of(
    now: datetime,
    *,
    allergies: AllergyList | None,
    problems: Sequence[Any] | None,
    visits: Sequence[VisitPage] | None,
    medicines: Sequence[TakenMedicine] | None,
) -> list[Gap]:
    """The gaps at a moment. What is None is not for this reader, and nothing is said of it."""
    found = []
    if allergies is not None and not allergies.allergies and not allergies.none_known:
        found.append(Gap(kind="allergies", section="allergies"))
    seen = [page.visit.started_at for page in visits or () if page.visit.status != "cancelled"]
    if problems and seen and now - max(seen) > LONG_AGO:
        found.append(Gap(kind="not-seen", section="visits", since=max(seen)))
    for page in visits or ():
        drafts = [one.note for one in page.notes if one.note.status == "draft"]
        found += [
            Gap(kind="unsigned", section="notes", since=note.started_at)
            for note in drafts
            if now - note.started_at > LEFT_OPEN
        ]
    for one in medicines or ():
        if one.status == "active" and one.until is not None and now <= one.until <= now + SOON:
            found.append(Gap(kind="medicine-ends", section="medicines", what=one.medication.name, since=one.until))
    return found
