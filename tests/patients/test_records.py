"""Records on a real database: kept, listed, read as of a moment, removed, merged and un-merged."""

import asyncio
from datetime import UTC, date, datetime
from uuid import uuid4

import msgspec
import pytest

from salerno.app import rooms
from salerno.contexts.organisations.commands import ChangeSettings, RegisterOrganisation
from salerno.contexts.patients.commands import (
    GiveConsent,
    GivenIdentifier,
    MergePatients,
    RegisterPatient,
    RemovePatient,
    RestorePatient,
    UnmergePatients,
    UpdatePatient,
    WithdrawConsent,
)
from salerno.contexts.patients.errors import AlreadyRegistered, LikelyDuplicate, MergedAway, NoSuchPatient
from salerno.contexts.patients.queries import (
    ConsentsOf,
    FindPatients,
    LikelyDuplicates,
    LinkedSubjects,
    ListPatients,
    PatientAsOf,
    PatientBanner,
    PatientById,
    PatientNames,
    RemovedPatients,
)
from salerno.kernel.erasure import erase
from salerno.kernel.errors import Gone, Invalid, NotAllowed, NotFound
from salerno.kernel.rebuild import rebuild

MARIA = RegisterPatient(
    full_name="Maria Rossi", date_of_birth=date(1948, 3, 12), gender="female", phone="333 1234567",
    email="maria@rossi.it", identifiers=(GivenIdentifier(system="codice-fiscale", value="RSSMRA48C52H501G"),),
)  # fmt: skip


async def registered(bus, caller, wish: RegisterPatient = MARIA):
    return (await bus.handle(wish, caller)).aggregate_id


async def found_by(bus, caller, asked: str) -> list:
    return [match.id for match in (await bus.ask(FindPatients(q=asked), caller)).results]


async def test_what_was_registered_is_read_back(bus, receptionist) -> None:
    patient = await registered(bus, receptionist)
    sheet = await bus.ask(PatientById(patient_id=patient), receptionist)
    held = sheet.patient
    assert (held.full_name, held.birth_date, held.gender) == ("Maria Rossi", date(1948, 3, 12), "female")
    assert (held.phone, held.email, held.status) == ("+393331234567", "maria@rossi.it", "active")
    assert (sheet.version, sheet.doubts, sheet.linked) == (1, (), ())


async def test_a_registration_that_names_its_patient_is_safe_to_repeat(bus, receptionist) -> None:
    wish = msgspec.structs.replace(MARIA, patient_id=uuid4())
    first = await bus.handle(wish, receptionist)
    again = await bus.handle(wish, receptionist)
    assert (again.aggregate_id, again.version) == (first.aggregate_id, 1) == (wish.patient_id, 1)
    with pytest.raises(AlreadyRegistered):
        await bus.handle(msgspec.structs.replace(wish, full_name="Anna Verdi"), receptionist)
    assert (await bus.ask(ListPatients(), receptionist)).total == 1


async def test_the_list_begins_with_whom_was_touched_last(bus, receptionist, clock) -> None:
    ids = []
    for n in range(5):
        clock.set(datetime(2026, 3, 2, 9, n, tzinfo=UTC))
        ids.append(await registered(bus, receptionist, RegisterPatient(full_name=f"Paziente Numero{n}")))
    clock.set(datetime(2026, 3, 2, 10, tzinfo=UTC))
    await bus.handle(UpdatePatient(patient_id=ids[1], phone="333 1234567"), receptionist)
    page = await bus.ask(ListPatients(limit=3), receptionist)
    assert [line.id for line in page.items] == [ids[1], ids[4], ids[3]]
    assert (page.total, page.limit, page.offset) == (5, 3, 0)
    rest = await bus.ask(ListPatients(limit=3, offset=3), receptionist)
    assert [line.id for line in rest.items] == [ids[2], ids[0]]
    for bad in (ListPatients(limit=0), ListPatients(limit=101), ListPatients(offset=-1)):
        with pytest.raises(Invalid):
            await bus.ask(bad, receptionist)


async def test_the_record_as_it_stood(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    patient = await registered(bus, receptionist)
    clock.set(datetime(2026, 3, 10, 9, tzinfo=UTC))
    await bus.handle(UpdatePatient(patient_id=patient, full_name="Maria Verdi"), receptionist)
    clock.set(datetime(2026, 3, 20, 9, tzinfo=UTC))

    async def name_at(day: int, **how: bool) -> str:
        query = PatientAsOf(patient_id=patient, moment=datetime(2026, 3, day, 12, tzinfo=UTC), **how)
        return (await bus.ask(query, receptionist)).patient.full_name

    assert [await name_at(2), await name_at(9), await name_at(10)] == ["Maria Rossi", "Maria Rossi", "Maria Verdi"]
    with pytest.raises(NoSuchPatient):
        await name_at(1)


async def test_the_record_by_its_source_is_as_old_as_its_source(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    source = datetime(2010, 6, 1, tzinfo=UTC)
    (receipt,) = await bus.handle_all([(MARIA, source, source)], receptionist)
    then = PatientAsOf(patient_id=receipt.aggregate_id, moment=datetime(2015, 1, 1, tzinfo=UTC))
    with pytest.raises(NoSuchPatient):
        await bus.ask(then, receptionist)
    sheet = await bus.ask(msgspec.structs.replace(then, by_source=True), receptionist)
    assert sheet.patient.full_name == "Maria Rossi"


async def test_a_removed_record_is_out_of_sight_and_comes_back_whole(bus, receptionist, admin) -> None:
    patient = await registered(bus, receptionist)
    before = await bus.ask(PatientById(patient_id=patient), receptionist)
    await bus.handle(RemovePatient(patient_id=patient, reason="asked for"), admin)
    with pytest.raises(NoSuchPatient):
        await bus.ask(PatientById(patient_id=patient), receptionist)
    assert (await bus.ask(ListPatients(), receptionist)).total == 0
    assert await found_by(bus, receptionist, "rossi") == []
    removed = await bus.ask(RemovedPatients(), admin)
    assert ([line.id for line in removed.items], removed.total) == ([patient], 1)
    await bus.handle(RestorePatient(patient_id=patient), admin)
    after = await bus.ask(PatientById(patient_id=patient), receptionist)
    changed = msgspec.structs.replace(after.patient, updated_at=before.patient.updated_at)
    assert changed == before.patient
    assert await found_by(bus, receptionist, "rossi") == [patient]
    assert (await bus.ask(RemovedPatients(), admin)).total == 0


async def test_a_likely_duplicate_is_refused_with_reasons_until_confirmed(bus, receptionist) -> None:
    patient = await registered(bus, receptionist)
    again = RegisterPatient(full_name="Rossi Maria", date_of_birth=date(1948, 12, 3), phone="+39 333 1234567")
    with pytest.raises(LikelyDuplicate) as refused:
        await bus.handle(again, receptionist)
    (told,) = refused.value.details["duplicates"]
    assert told["patient_id"] == str(patient)
    assert told["score"] >= 0.9
    assert {"birth-date-swapped", "phone"} <= set(told["reasons"])
    sure = await bus.handle(msgspec.structs.replace(again, confirmed_not_duplicate=True), receptionist)
    held = (await bus.ask(PatientById(patient_id=sure.aggregate_id), receptionist)).patient
    assert (held.confirmed_not_duplicate, held.resembles) == (True, (patient,))


async def test_an_organisation_chooses_how_sure_a_duplicate_must_be(bus, receptionist, caller) -> None:
    founder = caller("SUPER_ADMIN")
    await bus.handle(RegisterOrganisation(name="Clinica", kind="clinic"), founder)
    await bus.handle(ChangeSettings(duplicate_threshold=1.0), founder)
    await bus.settled()
    await registered(bus, receptionist, RegisterPatient(full_name="Maria Rossi", date_of_birth=date(1948, 3, 12)))
    await registered(bus, receptionist, RegisterPatient(full_name="Maria Rosi", date_of_birth=date(1948, 3, 12)))
    assert (await bus.ask(ListPatients(), receptionist)).total == 2


async def test_phones_ring_where_the_organisation_is(bus, receptionist, caller) -> None:
    await bus.handle(RegisterOrganisation(name="Surgery", kind="clinic", country="GB"), caller("SUPER_ADMIN"))
    await bus.settled()
    for name in ("Ada King", "Joan Bell"):
        patient = await registered(bus, receptionist, RegisterPatient(full_name=name, phone="020 7946 0000"))
        assert (await bus.ask(PatientById(patient_id=patient), receptionist)).patient.phone == "+442079460000"


async def test_duplicates_are_shown_while_somebody_types(bus, receptionist) -> None:
    patient = await registered(bus, receptionist)
    typed = LikelyDuplicates(full_name="Maria Ros", birth_date=date(1948, 3, 12), phone="333 12")
    found = await bus.ask(typed, receptionist)
    assert [(one.id, one.full_name, one.strong) for one in found.duplicates] == [(patient, "Maria Rossi", True)]
    nobody = await bus.ask(LikelyDuplicates(full_name="Paolo Verdi", phone="???"), receptionist)
    assert nobody.duplicates == ()
    itself = await bus.ask(msgspec.structs.replace(typed, patient_id=patient), receptionist)
    assert itself.duplicates == ()


async def content_of(bus, caller, patient):
    held = (await bus.ask(PatientById(patient_id=patient), caller)).patient
    async with bus.reading("patients", caller.organisation) as tx:
        card = await tx.fetchrow(
            "SELECT status, tokens FROM cards WHERE organisation = $1 AND id = $2", caller.organisation, patient
        )
        tokens = await tx.fetch(
            "SELECT token FROM search_tokens WHERE organisation = $1 AND subject = $2", caller.organisation, patient
        )
    return held, card["status"], card["tokens"], sorted(row["token"] for row in tokens)


async def test_merging_and_unmerging_returns_both_exactly(bus, doctor, receptionist) -> None:
    survivor = await registered(bus, doctor)
    other = RegisterPatient(full_name="Marietta Rossi", date_of_birth=date(1948, 3, 21), phone="334 7654321")
    duplicate = await registered(bus, doctor, other)
    await bus.handle(GiveConsent(patient_id=duplicate, scope="research"), doctor)
    before = [await content_of(bus, doctor, patient) for patient in (survivor, duplicate)]

    await bus.handle(MergePatients(patient_id=survivor, duplicate_id=duplicate), doctor)
    with pytest.raises(MergedAway) as gone:
        await bus.ask(PatientById(patient_id=duplicate), receptionist)
    assert gone.value.details == {"merged_into": str(survivor)}
    sheet = await bus.ask(PatientById(patient_id=survivor), receptionist)
    assert (sheet.linked, sheet.version) == ((duplicate,), 1)
    assert await bus.ask(LinkedSubjects(patient_id=survivor), receptionist) == [survivor, duplicate]
    assert (await bus.ask(ListPatients(), receptionist)).total == 1
    (match,) = (await bus.ask(FindPatients(q="334 7654321"), receptionist)).results
    assert (match.id, match.full_name, match.found_as) == (survivor, "Maria Rossi", duplicate)
    assert await found_by(bus, receptionist, "marietta rossi") == [survivor]

    await bus.handle(UnmergePatients(patient_id=survivor, duplicate_id=duplicate), doctor)
    after = [await content_of(bus, doctor, patient) for patient in (survivor, duplicate)]
    assert after == before
    assert await bus.ask(LinkedSubjects(patient_id=survivor), receptionist) == [survivor]
    assert (await bus.ask(ListPatients(), receptionist)).total == 2


async def test_linked_subjects_are_those_of_the_moment(bus, doctor, clock) -> None:
    clock.set(datetime(2026, 3, 1, 9, tzinfo=UTC))
    first, second, third = [
        await registered(bus, doctor, RegisterPatient(full_name=name)) for name in ("Ada Uno", "Bea Due", "Cia Tre")
    ]
    for day, wish in (
        (2, MergePatients(patient_id=second, duplicate_id=first)),
        (4, MergePatients(patient_id=third, duplicate_id=second)),
        (6, UnmergePatients(patient_id=second, duplicate_id=first)),
        (8, MergePatients(patient_id=third, duplicate_id=first)),
    ):
        clock.set(datetime(2026, 3, day, 9, tzinfo=UTC))
        await bus.handle(wish, doctor)

    async def linked(patient, day: int | None = None) -> list:
        moment = datetime(2026, 3, day, 12, tzinfo=UTC) if day else None
        return await bus.ask(LinkedSubjects(patient_id=patient, as_of=moment), doctor)

    assert await linked(third) == [third, *sorted([first, second])]
    assert await linked(third, 1) == [third]
    assert await linked(second, 3) == [second, first]
    assert await linked(third, 5) == [third, second, first]
    assert await linked(third, 7) == [third, second]
    with pytest.raises(MergedAway) as gone:
        await bus.ask(PatientById(patient_id=first), doctor)
    assert gone.value.details == {"merged_into": str(third)}


async def test_two_merges_that_would_point_at_each_other_make_one(bus, doctor) -> None:
    for n in range(5):
        one, other = [
            await registered(bus, doctor, RegisterPatient(full_name=f"{name} Numero{n}")) for name in ("Ada", "Zita")
        ]
        outcomes = await asyncio.gather(
            bus.handle(MergePatients(patient_id=one, duplicate_id=other), doctor),
            bus.handle(MergePatients(patient_id=other, duplicate_id=one), doctor),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1


async def test_consents_are_kept_with_the_day_they_ended(bus, receptionist, patient_caller) -> None:
    patient = await registered(bus, receptionist)
    own = patient_caller(patient)
    await bus.handle(GiveConsent(patient_id=patient, scope="data-sharing", version="2"), own)
    await bus.handle(GiveConsent(patient_id=patient, scope="research"), receptionist)
    assert (await bus.ask(PatientBanner(patient_id=patient), own)).consents == ("data-sharing", "research")
    await bus.handle(WithdrawConsent(patient_id=patient, scope="research", reason="enough"), own)
    held = await bus.ask(ConsentsOf(patient_id=patient), own)
    assert [(one.scope, one.version, one.withdrawn_on is None) for one in held] == [
        ("data-sharing", "2", True),
        ("research", "1", False),
    ]
    assert (await bus.ask(PatientBanner(patient_id=patient), own)).consents == ("data-sharing",)


async def test_the_banner_says_age_and_flags(bus, receptionist, clock) -> None:
    clock.set(datetime(2026, 3, 11, 12, tzinfo=UTC))
    child = await registered(bus, receptionist, RegisterPatient(full_name="Ada Rossi", date_of_birth=date(2010, 3, 12)))
    banner = await bus.ask(PatientBanner(patient_id=child), receptionist)
    assert (banner.age, banner.flags) == (15, ("minor",))
    clock.set(datetime(2026, 3, 12, 12, tzinfo=UTC))
    assert (await bus.ask(PatientBanner(patient_id=child), receptionist)).age == 16
    await bus.handle(UpdatePatient(patient_id=child, deceased_on=date(2026, 3, 11)), receptionist)
    banner = await bus.ask(PatientBanner(patient_id=child), receptionist)
    assert (banner.age, banner.flags) == (15, ("deceased", "minor"))


async def test_t042_who_may_see_what(bus, caller, receptionist, patient_caller) -> None:
    patient, other = (
        await registered(bus, receptionist),
        await registered(bus, receptionist, RegisterPatient(full_name="Ada King")),
    )
    for role in ("PHARMACIST", "LAB_TECHNICIAN"):
        minimal = caller(role)
        for refused in (PatientById(patient_id=patient), ListPatients(), ConsentsOf(patient_id=patient)):
            with pytest.raises(NotAllowed):
                await bus.ask(refused, minimal)
        assert (await bus.ask(PatientBanner(patient_id=patient), minimal)).full_name == "Maria Rossi"
        (match,) = (await bus.ask(FindPatients(q="rossi"), minimal)).results
        assert (match.full_name, match.phone) == ("Maria Rossi", "")
    own = patient_caller(patient)
    assert (await bus.ask(PatientById(patient_id=patient), own)).patient.full_name == "Maria Rossi"
    for foreign in (
        PatientById(patient_id=other),
        PatientBanner(patient_id=other),
    ):
        with pytest.raises(NotFound):
            await bus.ask(foreign, own)
    assert [one.id for one in await bus.ask(PatientNames(patient_ids=(patient, other)), own)] == [patient]
    listed = await bus.ask(ListPatients(), own)
    assert ([one.id for one in listed.items], listed.total) == ([patient], 1)
    with pytest.raises(NotAllowed):
        await bus.ask(FindPatients(q="king"), own)
    with pytest.raises(NotAllowed):
        await bus.handle(UpdatePatient(patient_id=patient, full_name="Regina"), own)
    with pytest.raises(NotFound):
        await bus.handle(GiveConsent(patient_id=other, scope="research"), own)


async def test_t033_another_organisation_sees_and_changes_nothing(bus, receptionist, caller) -> None:
    patient = await registered(bus, receptionist)
    stranger = caller("SUPER_ADMIN", organisation_id=uuid4())
    mine = await registered(bus, stranger, RegisterPatient(full_name="Ada King"))
    for wish in (
        UpdatePatient(patient_id=patient, full_name="Tom Thumb"),
        RemovePatient(patient_id=patient),
        GiveConsent(patient_id=patient, scope="research"),
        MergePatients(patient_id=mine, duplicate_id=patient),
        MergePatients(patient_id=patient, duplicate_id=mine),
        UnmergePatients(patient_id=mine, duplicate_id=patient),
    ):
        with pytest.raises(NotFound):
            await bus.handle(wish, stranger)
    for query in (PatientById(patient_id=patient), PatientBanner(patient_id=patient), ConsentsOf(patient_id=patient)):
        with pytest.raises(NotFound):
            await bus.ask(query, stranger)
    assert await found_by(bus, stranger, "rossi") == []
    assert await bus.ask(PatientNames(patient_ids=(patient,)), stranger) == []
    assert (await bus.ask(ListPatients(), stranger)).total == 1
    same = await bus.handle(MARIA, stranger)
    assert same.version == 1
    assert (await bus.ask(PatientById(patient_id=patient), receptionist)).version == 1


async def test_an_erased_patient_is_found_by_nothing_and_counted_no_more(bus, receptionist, admin) -> None:
    patient = await registered(bus, receptionist)
    await registered(bus, receptionist, RegisterPatient(full_name="Ada King"))
    await erase(bus, rooms(), admin, patient, "asked for")
    await bus.settled()
    assert (await bus.ask(ListPatients(), receptionist)).total == 1
    assert [await found_by(bus, receptionist, asked) for asked in ("rossi", "333 1234567", "12/03/1948")] == [[]] * 3
    with pytest.raises(NotFound):
        await bus.ask(PatientById(patient_id=patient), receptionist)
    with pytest.raises(Gone):
        await bus.handle(UpdatePatient(patient_id=patient, full_name="Maria Verdi"), receptionist)
    with pytest.raises(Gone):
        await bus.handle(msgspec.structs.replace(MARIA, patient_id=patient), receptionist)


async def test_every_view_can_be_thrown_away_and_made_again(bus, doctor, admin) -> None:
    ids = [
        await registered(bus, doctor, RegisterPatient(full_name=f"{name} Ricostruita"))
        for name in ("Ada", "Bea", "Cia", "Dora")
    ]
    await bus.handle(UpdatePatient(patient_id=ids[0], full_name="Ada Nuova", phone="333 1234567"), doctor)
    await bus.handle(RemovePatient(patient_id=ids[1]), admin)
    await bus.handle(MergePatients(patient_id=ids[0], duplicate_id=ids[2]), doctor)
    for name in ("patients.patients", "patients.cards", "patients.links", "patients.practices"):
        done = await rebuild(bus, name)
        assert done.equal, name
    assert await found_by(bus, doctor, "ada nuova") == [ids[0]]
    assert await found_by(bus, doctor, "cia ricostruita") == [ids[0]]
    assert await found_by(bus, doctor, "dora") == [ids[3]]
