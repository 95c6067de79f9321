"""Two locations in use never have one name: the database says so."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.organisations.errors import LocationNameTaken
from salerno.contexts.organisations.events import LocationAdded, LocationChanged, LocationClosed, LocationReopened
from salerno.contexts.organisations.projections import LOCATIONS, SQL
from salerno.kernel.database import UniqueViolation
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Guard
from salerno.kernel.transactions import Tx


async def location_names_differ(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case LocationAdded(name=name) | LocationChanged(name=name):
                await _hold(tx, item, name)
            case LocationReopened():
                held = await LOCATIONS.get(tx, item.stream)
                assert held is not None
                await _hold(tx, item, held.doc.name)
            case LocationClosed():
                await tx.run(SQL["free_name"], tx.organisation, item.stream)


async def _hold(tx: Tx, item: Recorded[Any], name: str) -> None:
    (token,) = await tx.tokens("organisations.location", name.casefold())
    try:
        await tx.run(SQL["hold_name"], tx.organisation, token, item.stream)
    except UniqueViolation as taken:
        raise LocationNameTaken() from taken


GUARDS = (
    Guard(events=(LocationAdded, LocationChanged, LocationClosed, LocationReopened), check=location_names_differ),
)
