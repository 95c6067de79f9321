"""Dates, times, numbers and ages as the reader's language writes them. Jinja filters."""

import functools
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context

from salerno.interfaces.web.languages import LOCALES


def filters_of(language: str) -> dict[str, Callable[..., Any]]:
    locale = LOCALES[language]

    @pass_context
    def day(context: Context, value: date | datetime | None, length: str = "medium") -> str:
        return "" if value is None else format_date(_local(context, value), length, locale)

    @pass_context
    def clock(context: Context, value: datetime | None) -> str:
        return "" if value is None else format_time(_local(context, value), "HH:mm", locale=locale)

    @pass_context
    def moment(context: Context, value: datetime | None, length: str = "medium") -> str:
        if value is None:
            return ""
        pattern = "EEEE d MMMM y, HH:mm" if length == "long" else "d MMM y, HH:mm"
        return format_datetime(_local(context, value), pattern, locale=locale)

    @pass_context
    def localday(context: Context, value: datetime) -> str:
        return str(_local(context, value).date().isoformat())

    @pass_context
    def ago(context: Context, value: datetime) -> str:
        return format_timedelta(value - context["now"], granularity="minute", add_direction=True, locale=locale)

    @pass_context
    def age(context: Context, born: date) -> int:
        return years_between(born, _local(context, context["now"]).date())

    def number(value: float | Decimal | None, digits: int | None = None) -> str:
        if value is None:
            return ""
        pattern = None if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
        return format_decimal(value, pattern, locale)

    return {
        "day": day, "clock": clock, "moment": moment, "ago": ago, "age": age, "number": number, "tint": tint,
        "initials": initials, "isoday": isoday, "localday": localday,
        "localminute": localminute,
        "partial": functools.partial(partial_date, locale),
    }  # fmt: skip


def _local(context: Context, value: Any) -> Any:
    """A moment by the clinic's clock; a plain date as it is."""
    return value.astimezone(ZoneInfo(context["zone"])) if isinstance(value, datetime) else value


@pass_context
def localminute(context: Context, value: datetime) -> str:
    """As a field for date and time wants it."""
    return str(_local(context, value).strftime("%Y-%m-%dT%H:%M"))


def partial_date(locale: str, text: str | None) -> str:
    """A date as precise as it is known: a year, a month of a year, a day."""
    if not text:
        return ""
    known = text[:10].split("-")
    if len(known) == 1:
        return known[0]
    first = date(int(known[0]), int(known[1]), int(known[2]) if len(known) > 2 else 1)
    return str(format_date(first, "medium" if len(known) > 2 else "MMMM y", locale))


def years_between(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def isoday(value: date | datetime | None) -> str:
    return "" if value is None else value.isoformat()[:10]


def tint(identity: object) -> int:
    """One of twelve hues from an id, so that two open charts differ at a glance."""
    return int(str(identity).replace("-", "")[-6:] or "0", 16) % 12


def initials(name: str) -> str:
    words = [word for word in name.replace("-", " ").split() if word[0].isalpha()]
    return (words[0][0] + words[-1][0] if len(words) > 1 else name[:2]).upper()
