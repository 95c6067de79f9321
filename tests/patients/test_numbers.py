"""Medical record numbers: one after the other, none skipped, none twice."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient, RemovePatient, UpdatePatient
from salerno.contexts.patients.errors import LikelyDuplicate, MrnTaken
from salerno.contexts.patients.queries import ListPatients, PatientById
from salerno.kernel.errors import Invalid, Refused, VersionConflict


async def mrn_of(bus, caller, receipt) -> str:
    return (await bus.ask(PatientById(patient_id=receipt.aggregate_id), caller)).patient.mrn


async def test_fifty_registrations_at_once_take_fifty_numbers_without_a_gap(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    wishes = [RegisterPatient(full_name=f"Paziente Numero{n:03d}") for n in range(50)]
    receipts = await asyncio.gather(*(bus.handle(wish, receptionist) for wish in wishes))
    numbers = sorted([await mrn_of(bus, receptionist, receipt) for receipt in receipts])
    assert numbers == [f"MRN-2026-{n:06d}" for n in range(1, 51)]


async def test_a_refused_registration_gives_its_number_back(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    good = [RegisterPatient(full_name=f"Paziente Numero{n:03d}") for n in range(30)]
    bad = [RegisterPatient(full_name=f"Altro Nome{n:03d}", mrn="MRN-2026-000001") for n in range(10)]
    await bus.handle(RegisterPatient(full_name="Il Primo"), receptionist)
    wishes = [wish for pair in zip(good[:10], bad, strict=True) for wish in pair] + good[10:]
    outcomes = await asyncio.gather(*(bus.handle(wish, receptionist) for wish in wishes), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Refused)} == {MrnTaken}
    receipts = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    numbers = sorted([await mrn_of(bus, receptionist, receipt) for receipt in receipts])
    assert numbers == [f"MRN-2026-{n:06d}" for n in range(2, 32)]


async def test_of_twenty_who_bring_the_same_number_one_gets_it(bus, receptionist) -> None:
    wishes = [RegisterPatient(full_name=f"Paziente Numero{n:03d}", mrn="OLD/4711") for n in range(20)]
    outcomes = await asyncio.gather(*(bus.handle(wish, receptionist) for wish in wishes), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [type(one) for one in refused] == [MrnTaken] * 19
    assert refused[0].details["errors"][0]["path"] == "mrn"
    assert (await bus.ask(ListPatients(), receptionist)).total == 1


async def test_a_number_brought_along_is_not_given_again(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    await bus.handle(RegisterPatient(full_name="Uno Portato", mrn="mrn-2026-2"), receptionist)
    receipts = [await bus.handle(RegisterPatient(full_name=f"Nuovo Nome{n}"), receptionist) for n in range(3)]
    numbers = [await mrn_of(bus, receptionist, receipt) for receipt in receipts]
    assert numbers == ["MRN-2026-000001", "MRN-2026-000003", "MRN-2026-000004"]
    with pytest.raises(MrnTaken):
        await bus.handle(RegisterPatient(full_name="Due Portato", mrn="MRN-2026-000003"), receptionist)


async def test_a_number_brought_along_races_with_one_given_out(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    await bus.handle(RegisterPatient(full_name="Il Primo"), receptionist)
    wishes = []
    for n in range(2, 22):
        wishes.append(RegisterPatient(full_name=f"Portato Nome{n:03d}", mrn=f"MRN-2026-{n:06d}"))
        wishes.append(RegisterPatient(full_name=f"Nuovo Cognome{n:03d}"))
    outcomes = await asyncio.gather(*(bus.handle(wish, receptionist) for wish in wishes), return_exceptions=True)
    assert {type(one) for one in outcomes if isinstance(one, Exception)} <= {MrnTaken}
    receipts = [one for one in outcomes if not isinstance(one, Exception)]
    numbers = [await mrn_of(bus, receptionist, receipt) for receipt in receipts]
    assert len(set(numbers)) == len(numbers)
    assert len([one for one in outcomes[1::2] if not isinstance(one, Exception)]) == 20


@pytest.mark.parametrize("mrn", ["", " ", "a b", "x" * 65, "MRN\u0000", "../etc"])
async def test_a_number_that_cannot_be_one_is_refused(bus, receptionist, mrn: str) -> None:
    if not mrn:
        receipt = await bus.handle(RegisterPatient(full_name="Senza Numero", mrn=mrn), receptionist)
        assert (await mrn_of(bus, receptionist, receipt)).startswith("MRN-")
        return
    with pytest.raises(Invalid):
        await bus.handle(RegisterPatient(full_name="Numero Strano", mrn=mrn), receptionist)


async def test_each_year_counts_from_one_in_the_time_of_the_organisation(bus, receptionist, caller, clock) -> None:
    await bus.handle(
        RegisterOrganisation(name="Auckland Clinic", kind="clinic", country="NZ", timezone="Pacific/Auckland"),
        caller("SUPER_ADMIN"),
    )
    await bus.settled()
    clock.set(datetime(2026, 12, 31, 10, tzinfo=UTC))
    last = await bus.handle(RegisterPatient(full_name="Last Year"), receptionist)
    clock.set(datetime(2026, 12, 31, 11, 30, tzinfo=UTC))  # half past midnight there
    first = await bus.handle(RegisterPatient(full_name="New Year"), receptionist)
    assert await mrn_of(bus, receptionist, last) == "MRN-2026-000001"
    assert await mrn_of(bus, receptionist, first) == "MRN-2027-000001"


async def test_numbers_of_removed_patients_stay_theirs(bus, receptionist, admin, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    receipt = await bus.handle(RegisterPatient(full_name="Il Primo"), receptionist)
    await bus.handle(RemovePatient(patient_id=receipt.aggregate_id), admin)
    with pytest.raises(MrnTaken):
        await bus.handle(RegisterPatient(full_name="Un Altro", mrn="MRN-2026-000001"), receptionist)
    second = await bus.handle(RegisterPatient(full_name="Il Secondo"), receptionist)
    assert await mrn_of(bus, receptionist, second) == "MRN-2026-000002"


async def test_the_total_is_right_after_many_came_and_went(bus, receptionist, admin) -> None:
    receipts = await asyncio.gather(
        *(bus.handle(RegisterPatient(full_name=f"Paziente Numero{n:03d}"), receptionist) for n in range(300))
    )
    await asyncio.gather(*(bus.handle(RemovePatient(patient_id=r.aggregate_id), admin) for r in receipts[:40]))
    assert (await bus.ask(ListPatients(), receptionist)).total == 260


async def test_two_who_register_one_person_at_once_make_one_record(bus, receptionist) -> None:
    wish = RegisterPatient(full_name="Maria Rossi", date_of_birth=date(1948, 3, 12))
    outcomes = await asyncio.gather(*(bus.handle(wish, receptionist) for _ in range(10)), return_exceptions=True)
    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [LikelyDuplicate] * 9


async def test_t126_of_two_changes_to_one_version_the_second_is_told_so(bus, receptionist) -> None:
    patient = (await bus.handle(RegisterPatient(full_name="Maria Rossi"), receptionist)).aggregate_id
    changes = [UpdatePatient(patient_id=patient, phone=f"333 12345{n:02d}") for n in range(10, 20)]
    outcomes = await asyncio.gather(
        *(bus.handle(change, receptionist, expected_version=1) for change in changes), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["Receipt"] + ["VersionConflict"] * 9
    assert {one.current for one in outcomes if isinstance(one, VersionConflict)} == {2}
    await asyncio.gather(*(bus.handle(change, receptionist) for change in changes[:3]))
    sheet = await bus.ask(PatientById(patient_id=patient), receptionist)
    assert sheet.version in (4, 5)  # the one that held already may have been asked for again
