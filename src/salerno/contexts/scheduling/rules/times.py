"""Wall clocks and instants: what a local time means where the organisation is."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from salerno.contexts.scheduling.errors import NoSuchTime
from salerno.kernel.errors import Invalid

FIRST_OF_TWO = "first-of-two"
FIRST_YEAR, LAST_YEAR = 2000, 2100
HOME = ZoneInfo("Europe/Rome")


@lru_cache(maxsize=600)
def zone_named(name: str) -> ZoneInfo:
    """The zone of this name; Salerno's own where the name says nothing to the zone database."""
    try:
        return ZoneInfo(name) if name else HOME
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return HOME


def instant(moment: datetime, zone: ZoneInfo, field: str = "appointment_datetime") -> tuple[datetime, str]:
    """The instant meant, and a note where a local time was ambiguous and its first occurrence was taken."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid.field(field, "out-of-range", f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC), ""
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC), ""
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(fold=0):
        raise NoSuchTime(errors=[{"path": field, "code": NoSuchTime.code, "message": NoSuchTime.sentence}])
    return first.astimezone(UTC), FIRST_OF_TWO


def day_bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment of one local day to the first after another: 23, 24 or 25 hours a day."""
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return at_minute(day, 0, zone)


def at_minute(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant when a clock on the wall shows this many minutes after midnight."""
    return (datetime.combine(day, time(), zone) + timedelta(minutes=minute)).astimezone(UTC)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
