"""Patients: by which numbers somebody may ask for them, their names for the privacy officer, which charts are one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from salerno.contexts.patients.events import PatientRegistered, PatientsMerged, PatientsUnmerged, PatientUpdated
from salerno.contexts.protection.projections.shown import SQL
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

PEOPLE = "people"
TOKENS = "protection.number"


class PersonKnown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands in the privacy officer's lists."""

    name: str
    mrn: str = ""
    birth_date: date | None = None


def number_text(typed: str) -> str:
    """One spelling of a number, however it was typed: "mrn 2026-000017" is "MRN2026000017"."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())


async def keep_people(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        event: PatientRegistered | PatientUpdated = item.event
        mrn = event.mrn if isinstance(event, PatientRegistered) else await _mrn_of(tx, event)
        name = event.full_name or f"{event.given_name} {event.family_name}".strip()
        known = PersonKnown(name=name, mrn=mrn, birth_date=event.birth_date)
        sealed = await tx.seal_doc(PEOPLE, event.patient, item.subject, known)
        await tx.run(SQL["keep_person"], tx.organisation, event.patient, sealed)
        numbers = [text for one in (mrn, *(each.value for each in event.identifiers)) if (text := number_text(one))]
        await tx.run(SQL["forget_numbers"], tx.organisation, event.patient)
        await tx.run(SQL["keep_numbers"], tx.organisation, event.patient, await tx.tokens(TOKENS, *numbers))


async def _mrn_of(tx: Tx, event: PatientUpdated) -> str:
    """The number was given at registration and never changes."""
    rows = await tx.fetch(SQL["people"], tx.organisation, [event.patient])
    known = await tx.open_docs(PEOPLE, rows, PersonKnown)
    return known[0].mrn if known else ""


async def keep_merges(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """After a merge, one chart shows both: what hides one hides both."""
    for item in items:
        match item.event:
            case PatientsMerged(patient=patient, into=into):
                await tx.run(SQL["remember_merge"], tx.organisation, patient, into)
            case PatientsUnmerged(patient=patient):
                await tx.run(SQL["forget_merge"], tx.organisation, patient)
            case _:
                continue


NUMBERS = Projection(
    name="protection.numbers",
    tables=(PEOPLE, "numbers"),
    events=(PatientRegistered, PatientUpdated),
    apply=keep_people,
)
MERGED_CHARTS = Projection(
    name="protection.merged_charts",
    tables=("merged_charts",),
    events=(PatientsMerged, PatientsUnmerged),
    apply=keep_merges,
)
