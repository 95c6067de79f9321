"""Where the organisation is: its time zone, its country's holidays, its locations."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.organisations.events import (
    LocationAdded,
    LocationChanged,
    LocationClosed,
    LocationReopened,
    OrganisationRegistered,
    OrganisationSettingsChanged,
    Settings,
)
from salerno.kernel.database import load_sql
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql("salerno.contexts.scheduling")


async def keep(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        match item.event:
            case OrganisationRegistered(settings=settings) | OrganisationSettingsChanged(settings=settings):
                await _keep_settings(tx, settings)
            case LocationAdded(location=location, name=name) | LocationChanged(location=location, name=name):
                await tx.run(SQL["keep_place"], tx.organisation, location, name)
            case LocationClosed(location=location):
                await tx.run(SQL["close_place"], tx.organisation, location, False)
            case LocationReopened(location=location):
                await tx.run(SQL["close_place"], tx.organisation, location, True)


async def _keep_settings(tx: Tx, settings: Settings) -> None:
    await tx.run(
        SQL["keep_practice"], tx.organisation, settings.timezone, settings.country, settings.calendar_from,
        settings.calendar_until, settings.patients_book_online, settings.booking_days_ahead,
    )  # fmt: skip


PRACTICE = Projection(
    name="scheduling.practice",
    tables=("practices", "places"),
    events=(
        OrganisationRegistered,
        OrganisationSettingsChanged,
        LocationAdded,
        LocationChanged,
        LocationClosed,
        LocationReopened,
    ),
    apply=keep,
)
