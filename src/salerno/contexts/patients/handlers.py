"""Which rule answers which command, and the facts that it needs first."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from salerno.contexts.patients.commands import (
    GiveConsent,
    MergePatients,
    RegisterPatient,
    RemovePatient,
    RestorePatient,
    SetEmergencyContacts,
    SetInsurance,
    UnmergePatients,
    UpdatePatient,
    WithdrawConsent,
)
from salerno.contexts.patients.errors import FieldsNotYours, NumbersUsedUp
from salerno.contexts.patients.events import Person
from salerno.contexts.patients.projections import MRNS, SQL, as_text
from salerno.contexts.patients.queries.duplicates import MOST_SUSPECTS, score, suspect_tokens
from salerno.contexts.patients.queries.groups import withheld_from
from salerno.contexts.patients.queries.records import Practice, practice_in, practice_of
from salerno.contexts.patients.rules.fields import fields_of, said_in
from salerno.contexts.patients.rules.patient import PATIENT, Change, Merge, Registration, Status
from salerno.contexts.patients.rules.person import clean_person
from salerno.contexts.patients.rules.searching import MRN, lock_texts
from salerno.kernel.database import Row
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx

FieldWish: TypeAlias = RegisterPatient | UpdatePatient | SetEmergencyContacts | SetInsurance
LOCKS = "patients.registering"
BATCH = 1000  # numbers made ahead at a time
LAST_NUMBER = 999_999
FOLD_EVERY = 256  # registrations: keeps the rows that make up the count few


async def on_register(tx: Tx, command: RegisterPatient, origin: Origin) -> Sequence[Recorded[Any]]:
    if command.patient_id:
        state, version = await tx.load(PATIENT, command.patient_id)
        if version:
            return await _again(tx, command, command.patient_id, state.mrn)
    await _check_fields(tx, command, None)
    patient = command.patient_id or tx.new_id()
    person, practice, rows = await _facts(tx, command)
    alike = tuple(one for one, _ in await score(tx, person, [row for row in rows if row["id"]]))
    mrn = await _reserve(tx, command.mrn) if command.mrn else await _allocate(tx, practice, rows[0]["number"])
    asked = Registration(command, patient, person, mrn, alike, practice.duplicate_threshold)
    return await tx.execute(PATIENT, patient, asked, subject=patient, fresh=command.patient_id is None)


async def _again(tx: Tx, command: RegisterPatient, patient: UUID, mrn: str) -> Sequence[Recorded[Any]]:
    person = clean_person(command, Person(), (await practice_of(tx)).place(tx.now))
    return await tx.execute(PATIENT, patient, Registration(command, patient, person, mrn))


# What each organisation was last seen to be. Only a guess: whoever acts on it is told at once what holds.
SEEN: dict[UUID, Practice] = {}
SEEN_AT_MOST = 10_000


async def _facts(tx: Tx, command: RegisterPatient) -> tuple[Person, Practice, list[Row]]:
    """The cleaned person, and in one round trip: the practice, the next number and who looks alike."""
    practice = SEEN.get(tx.organisation, Practice())
    person = clean_person(command, Person(), practice.place(tx.now))
    rows = await _ask_facts(tx, command, person, practice)
    if (found := practice_in(rows[0])) != practice:
        if len(SEEN) >= SEEN_AT_MOST:
            SEEN.clear()
        SEEN[tx.organisation] = found
        person = clean_person(command, Person(), found.place(tx.now))
        suspects = await tx.fetch(
            SQL["suspects"], tx.organisation, await suspect_tokens(tx, person), MOST_SUSPECTS, None
        )
        number = rows[0]["number"] if _year(tx, practice) == _year(tx, found) else None
        return person, found, [{"number": number, "id": None}, *suspects]
    return person, practice, rows


async def _ask_facts(tx: Tx, command: RegisterPatient, person: Person, practice: Practice) -> list[Row]:
    numbers = [one.value for one in person.identifiers]
    locks = as_text(await tx.tokens(LOCKS, *lock_texts(person.full_name, person.birth_date, numbers)))
    suspects = as_text(await suspect_tokens(tx, person))
    year = None if command.mrn else _year(tx, practice)
    floor = _floor(tx.organisation)
    return await tx.fetch(SQL["register_facts"], tx.organisation, locks, suspects, MOST_SUSPECTS, year, floor)


# ------------------------------------------------------------------ medical record numbers
# Where the free numbers began when one was last taken. Walking over those that were taken before costs time, so most
# registrations start near there; every few start from the beginning and so pick up what an aborted one gave back.
LAST_TAKEN: dict[UUID, int] = {}
NEAR = 100
FROM_THE_BEGINNING = 16


def _year(tx: Tx, practice: Practice) -> int:
    return tx.now.astimezone(ZoneInfo(practice.timezone)).year


def _floor(organisation: UUID) -> int:
    last = LAST_TAKEN.get(organisation, 0)
    return 0 if last % FROM_THE_BEGINNING == 0 else max(0, last - NEAR)


async def _allocate(tx: Tx, practice: Practice, number: int | None) -> str:
    """The lowest number of the year that nobody has: none is skipped, also when a registration is aborted."""
    year = _year(tx, practice)
    if number is None:
        number = await _make_numbers(tx, year)
    if len(LAST_TAKEN) >= SEEN_AT_MOST:
        LAST_TAKEN.clear()
    LAST_TAKEN[tx.organisation] = number
    if number % BATCH == BATCH // 2:
        made = await tx.fetchval(SQL["lock_counter"], tx.organisation, year)
        if made < min(number + BATCH, LAST_NUMBER):
            await _make_more(tx, year, made)
    if number % FOLD_EVERY == 0:
        await tx.run(SQL["lock_tallies"], tx.organisation)
        await tx.run(SQL["fold_tallies"], tx.organisation)
    return mrn_of(year, number)


async def _make_numbers(tx: Tx, year: int) -> int:
    made: int = await tx.fetchval(SQL["lock_counter"], tx.organisation, year)
    number = await tx.fetchval(SQL["take_number"], tx.organisation, year)  # made while we waited for the lock
    while number is None:
        made = await _make_more(tx, year, made)
        number = await tx.fetchval(SQL["take_number"], tx.organisation, year)
    return int(number)


async def _make_more(tx: Tx, year: int, made: int) -> int:
    """The next batch. Made when half of the last one is taken, so that nobody waits for it."""
    numbers = range(made + 1, min(made + BATCH, LAST_NUMBER) + 1)
    if not numbers:
        raise NumbersUsedUp()
    await tx.run(SQL["make_numbers"], tx.organisation, year, await _free_among(tx, year, numbers), numbers[-1])
    return numbers[-1]


async def _free_among(tx: Tx, year: int, numbers: range) -> list[int]:
    """Those that nobody was registered with from outside."""
    tokens = await tx.tokens(MRNS, *(mrn_of(year, number).casefold() for number in numbers))
    taken = {row["mrn"] for row in await tx.fetch(SQL["taken_mrns"], tx.organisation, tokens)}
    return [number for number, token in zip(numbers, tokens, strict=True) if token not in taken]


async def _reserve(tx: Tx, given: str) -> str:
    """A number brought along; one of our own shape is taken out of those that would be given next."""
    mrn = given.strip()
    if found := MRN.fullmatch(mrn):
        year, number = int(found[1]), int(found[2])
        mrn = mrn_of(year, number)
        await tx.fetchval(SQL["lock_counter"], tx.organisation, year)
        await tx.run(SQL["drop_number"], tx.organisation, year, number)
    return mrn


def mrn_of(year: int, number: int) -> str:
    return f"MRN-{year}-{number:06d}"


# ------------------------------------------------------------------ everything else
async def on_change(
    tx: Tx, command: UpdatePatient | SetEmergencyContacts | SetInsurance, origin: Origin
) -> Sequence[Recorded[Any]]:
    kept = await _check_fields(tx, command, command.patient_id)
    place = (await practice_of(tx)).place(tx.now)
    return await tx.execute(PATIENT, command.patient_id, Change(command, place, kept))


async def _check_fields(tx: Tx, command: FieldWish, patient: UUID | None) -> tuple[str, ...]:
    """Raises FieldsNotYours. Answers the fields that stay as they are, for they are not the writer's to see."""
    withheld = await withheld_from(tx, tx.caller, patient)
    if said := [*said_in(command, withheld)]:
        raise FieldsNotYours(said)
    return fields_of(withheld)


async def on_patient(
    tx: Tx, command: RemovePatient | RestorePatient | GiveConsent | WithdrawConsent, origin: Origin
) -> Sequence[Recorded[Any]]:
    return await tx.execute(PATIENT, command.patient_id, command)


async def on_merge(tx: Tx, command: MergePatients, origin: Origin) -> Sequence[Recorded[Any]]:
    statuses = await _lock(tx, command.patient_id, command.duplicate_id)
    survivor = statuses.get(command.patient_id, Status.UNREGISTERED)
    return await tx.execute(PATIENT, command.duplicate_id, Merge(command, survivor))


async def on_unmerge(tx: Tx, command: UnmergePatients, origin: Origin) -> Sequence[Recorded[Any]]:
    await _lock(tx, command.patient_id, command.duplicate_id)
    return await tx.execute(PATIENT, command.duplicate_id, command)


async def _lock(tx: Tx, *patients: UUID) -> dict[UUID, Status]:
    """Two merges that would point at each other pass one after the other."""
    rows = await tx.fetch(SQL["lock_patients"], tx.organisation, list(patients))
    return {row["id"]: Status(row["status"]) for row in rows}


HANDLERS: Mapping[type[Command], Handler] = {
    RegisterPatient: on_register,
    UpdatePatient: on_change,
    SetEmergencyContacts: on_change,
    SetInsurance: on_change,
    RemovePatient: on_patient,
    RestorePatient: on_patient,
    MergePatients: on_merge,
    UnmergePatients: on_unmerge,
    GiveConsent: on_patient,
    WithdrawConsent: on_patient,
}
