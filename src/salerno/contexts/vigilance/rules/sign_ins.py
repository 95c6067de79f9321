"""What is new about a sign-in, compared with all earlier ones of the account."""

from collections.abc import Collection
from datetime import timedelta

from salerno.contexts.vigilance.events import Kind

OLD_NEWS = timedelta(days=7)  # what took place longer ago is learnt from, and raises nothing
ENTERED, PROGRAM, COUNTRY = "entered", "program", "country"
Fact = tuple[str, str]


def facts(device: str, agent: str, country: str) -> list[Fact]:
    """What is remembered of a sign-in. A browser is known by its own token, a program by how it names itself."""
    program = [(PROGRAM, agent)] if not device else []
    return [(ENTERED, ""), *program, *([(COUNTRY, country)] if country else [])]


def unusual(new: Collection[str], device: str, country: str, usual: Collection[str]) -> list[Kind]:
    """Which alerts a sign-in is worth. `new` are the kinds of facts that had not been seen of this account.

    The first sign-in of an account is on a new device by nature, and no news; from an unusual country it is.
    """
    found: list[Kind] = []
    if ENTERED not in new and (device == "new" or PROGRAM in new):
        found.append("new-device")
    if COUNTRY in new and country not in usual:
        found.append("new-country")
    return found
