"""Public holidays of a country, by the `holidays` library."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

import holidays

NONE: Mapping[date, str] = MappingProxyType({})


@lru_cache(maxsize=400)
def closing_days(country: str, year: int) -> Mapping[date, str]:
    """The national holidays of one year. A copy: the library's own object grows when asked about other years."""
    try:
        return MappingProxyType(dict(holidays.country_holidays(country, years=year).items()))
    except (NotImplementedError, KeyError):
        return NONE


def is_closing_day(country: str, day: date) -> bool:
    return bool(country) and day in closing_days(country, day.year)
