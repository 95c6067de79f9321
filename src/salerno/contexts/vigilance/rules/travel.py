"""Two sign-ins from two countries, sooner than anybody gets from the one to the other."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

SOONEST = timedelta(hours=1)  # from one desk to another by any plane, with the ways to it and from it


@dataclass(frozen=True, slots=True)
class Was:
    """Where and when an account was signed in to."""

    country: str
    at: datetime


def is_impossible(one: Was | None, other: Was, usual: Collection[str]) -> bool:
    """Distances are not known, only countries: a border may run through a town, or a provider's network.

    So whoever works at a border, or behind a network abroad, names that country as usual; between usual ones nobody
    is said to have travelled.
    """
    if one is None or not one.country or not other.country or one.country == other.country:
        return False
    return abs(other.at - one.at) < SOONEST and not {one.country, other.country} <= set(usual)
