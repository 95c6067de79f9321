"""Now, or a moment of the past: how an address says it, and the marks of the slider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from salerno.contexts.audit.queries import WritesOfPatient, Written
from salerno.contexts.records.queries import RecordsAsOf
from salerno.interfaces.http import Request, ask, bus_of, invalid, read_query
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import may

MARKS = 400
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=1)  # a browser's clock is no finer


class Shown(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an address of the chart may say. `as_of` without an offset is by the clinic's clock."""

    as_of: Annotated[str, Meta(max_length=40)] = ""
    by: Literal["recording", "source"] = "recording"
    kind: Annotated[str, Meta(max_length=20)] = ""
    before: Annotated[datetime, Meta(tz=True)] | None = None
    beyond: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is None for now. `by_source` follows the recording dates that imported facts brought along."""

    at: datetime | None = None
    by_source: bool = False

    @property
    def query(self) -> str:
        """The part of an address that keeps this moment."""
        return f"?{urlencode(self.parts)}" if self.parts else ""

    @property
    def parts(self) -> dict[str, str]:
        if self.at is None:
            return {}
        return {"as_of": spoken(self.at)} | ({"by": "source"} if self.by_source else {})

    @property
    def other(self) -> str:
        """The same moment by the other dates."""
        return Moment(self.at, not self.by_source).query.removeprefix("?")

    def with_(self, **more: Any) -> str:
        """The same moment with more said in the address."""
        return urlencode(self.parts | {name: str(value) for name, value in more.items() if value})


def spoken(at: datetime) -> str:
    """In UTC, with its full precision, and nothing that an address must escape."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def shown_in(request: Request[Any, Any, Any]) -> tuple[Shown, Moment]:
    """What the address asks for. What has not come yet is now."""
    shown = read_query(request, Shown)
    if not shown.as_of:
        return shown, Moment()
    at = _read(shown.as_of, look_of(request).zone)
    if at >= bus_of(request).clock.now():
        return shown, Moment()
    return shown, Moment(at, shown.by == "source")


def _read(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid([field_error("as_of", "no-such-moment", "This date and time cannot be read.")]) from None
    if at < EARLIEST:
        raise invalid([field_error("as_of", "no-such-moment", "This date and time cannot be read.")])
    return at


class Slider(Struct, frozen=True, kw_only=True):
    """The patient's recorded history from its first mark to now. `written` is the last one before the moment."""

    first: datetime
    last: datetime
    stops: Sequence[str]
    marks: Sequence[int]
    earlier: str
    later: str
    written: Written | None


async def slider_of(request: Request[Any, Any, Any], patient: UUID, moment: Moment) -> Slider | None:
    """Absent for those who may not read the trail, and while there is one mark only."""
    if not (may(request, WritesOfPatient, patient) and may(request, RecordsAsOf, patient)):
        return None
    query = WritesOfPatient(patient_id=patient, by_source=moment.by_source, limit=MARKS)
    written: list[Written] = await ask(request, query)
    now = bus_of(request).clock.now()
    past = sorted((one for one in written if one.at <= now), key=lambda one: one.at)
    return _slider(past, moment, now) if past else None


def _slider(written: list[Written], moment: Moment, now: datetime) -> Slider:
    stops = [_rounded_up(one.at) for one in written]
    at = moment.at or now
    first = stops[0] - max((now - stops[0]) / 100, timedelta(seconds=1))
    span = (now - first) / 1000
    until = [one for one, stop in zip(written, stops, strict=True) if min(stop, one.at) <= at]
    before = [stop for stop, one in zip(stops, written, strict=True) if stop < at and one is not _last(until, moment)]
    after = [stop for stop in stops if stop > at]
    return Slider(
        first=first,
        last=now,
        stops=[spoken(stop) for stop in stops],
        marks=sorted({min(1000, round((stop - first) / span)) for stop in stops}),
        earlier=_address(before[-1], moment) if before else "",
        later=_address(after[0], moment) if after else "",
        written=_last(until, moment),
    )


def _last(until: list[Written], moment: Moment) -> Written | None:
    return until[-1] if until and moment.at else None


def _rounded_up(at: datetime) -> datetime:
    """The browser's milliseconds must not fall before what was recorded within them."""
    return at if at.microsecond % 1000 == 0 else at + TICK - timedelta(microseconds=at.microsecond % 1000)


def _address(at: datetime, moment: Moment) -> str:
    return Moment(at, moment.by_source).query


def today_in(request: Request[Any, Any, Any], moment: Moment) -> date:
    at = moment.at or bus_of(request).clock.now()
    return at.astimezone(ZoneInfo(look_of(request).zone)).date()
