"""How many patients there are, counted as they come and go. (That a number is taken once, `cards` itself refuses.)"""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.patients.events import PatientRemoved, PatientRestored, PatientsMerged, PatientsUnmerged
from salerno.contexts.patients.projections import SQL
from salerno.kernel.messages import Event, Recorded
from salerno.kernel.room import Guard
from salerno.kernel.transactions import Tx

CHANGES: dict[type[Event], tuple[int, int]] = {  # of the records in use, and of the removed
    PatientRemoved: (-1, 1),
    PatientRestored: (1, -1),
    PatientsMerged: (-1, 0),
    PatientsUnmerged: (1, 0),
}


async def count_patients(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Registrations count themselves, with the other facts that they ask for."""
    for item in items:
        await tx.run(SQL["tally"], tx.organisation, *CHANGES[type(item.event)])


GUARDS = (Guard(events=tuple(CHANGES), check=count_patients),)
