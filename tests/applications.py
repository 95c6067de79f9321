"""Applications by the hundred: a thousand routes take long to make, and are made once for the same doors."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar

from salerno.interfaces.http import application
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.routes import Door
from salerno.kernel.bus import Bus

MADE: dict[tuple[Bus, tuple[str, ...]], Any] = {}  # the first application that was built, whose routes are ready


def build(bus: Bus, doors: Sequence[Door], setup: Setup) -> Litestar:
    """What the product's own `build` makes, with state, limits, sessions and edge of its own."""
    kind = bus, tuple(door.name for door in doors)
    if kind not in MADE:
        MADE[kind] = application.build(bus, doors, setup)
        return MADE[kind]
    return application.build(bus, doors, setup, ready=MADE[kind].routes)
