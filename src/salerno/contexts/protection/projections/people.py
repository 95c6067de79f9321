"""Patients: by which numbers somebody may ask for them, their names for the privacy officer, which charts are one."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

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
    newest: dict[UUID, PatientRegistered | PatientUpdated] = {item.event.patient: item.event for item in items}
    given = {item.event.patient: item.event.mrn for item in items if isinstance(item.event, PatientRegistered)}
    docs: list[bytes] = []
    numbers: list[tuple[UUID, int]] = []
    for patient, event in newest.items():
        mrn = given[patient] if patient in given else await _mrn_of(tx, patient)
        docs.append(await tx.seal_doc(PEOPLE, patient, patient, _known(event, mrn)))
        texts = [text for one in (mrn, *(each.value for each in event.identifiers)) if (text := number_text(one))]
        numbers += [(patient, token) for token in await tx.tokens(TOKENS, *texts)]
    await tx.run(SQL["keep_people"], tx.organisation, list(newest), docs)
    await tx.run(SQL["forget_numbers"], tx.organisation, list(newest))
    await tx.run(SQL["keep_numbers"], tx.organisation, [one[0] for one in numbers], [one[1] for one in numbers])


def _known(event: PatientRegistered | PatientUpdated, mrn: str) -> PersonKnown:
    name = event.full_name or f"{event.given_name} {event.family_name}".strip()
    return PersonKnown(name=name, mrn=mrn, birth_date=event.birth_date)


async def _mrn_of(tx: Tx, patient: UUID) -> str:
    """The number was given at registration and never changes."""
    rows = await tx.fetch(SQL["people"], tx.organisation, [patient])
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
