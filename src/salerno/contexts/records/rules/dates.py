"""Dates as precise as they are known: a year, a month, a day or an instant."""

from datetime import UTC, date, datetime

from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin


def refuse_impossible(path: str, text: str, origin: Origin) -> None:
    """The thirtieth of February does not exist, and what has begun did not begin tomorrow."""
    if not text:
        return
    try:
        first = earliest(text)
    except ValueError:
        raise Invalid.field(path, "no-such-date", "There is no such date.") from None
    if first > origin.recorded_at:
        raise Invalid.field(path, "in-the-future", "This date has not come yet.")


def refuse_future(path: str, moment: datetime | None, origin: Origin) -> None:
    if moment is not None and moment > origin.recorded_at:
        raise Invalid.field(path, "in-the-future", "This moment has not come yet.")


def earliest(text: str) -> datetime:
    """The first instant that a partial date may mean."""
    if "T" in text:
        return datetime.fromisoformat(text)
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    first = date(year, month, day)
    return datetime(first.year, first.month, first.day, tzinfo=UTC)
