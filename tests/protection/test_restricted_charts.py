"""T043: restricted charts without and with break-glass, by whoever may ask."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.protection.conftest import WHY, Ward

from salerno.contexts.audit.queries import AccessesOfPatient, AccessEvents
from salerno.contexts.organisations.commands import AddLocation
from salerno.contexts.patients.commands import MergePatients, RegisterPatient, UnmergePatients, UpdatePatient
from salerno.contexts.patients.queries import FindPatients, PatientBanner, PatientById
from salerno.contexts.protection.commands import (
    BreakGlass,
    ChangeRestriction,
    EndBreakGlass,
    LiftRestriction,
    RestrictChart,
    ReviewBreakGlass,
)
from salerno.contexts.protection.errors import (
    AlreadyOpen,
    AlreadyReviewed,
    NoSuchBreakGlass,
    NoSuchChart,
    OwnReview,
    Restricted,
)
from salerno.contexts.protection.queries import (
    BreakGlassById,
    BreakGlassList,
    BreakGlassToReview,
    CareSpan,
    ChartsInReach,
    MyBreakGlass,
    RestrictedCharts,
    RestrictionOf,
)
from salerno.contexts.protection.wards import ProtectionWards
from salerno.contexts.records.commands import RecordAllergy, RecordProblem, RemoveAllergy
from salerno.contexts.records.queries import Allergies, ChartSections
from salerno.contexts.scheduling.commands import CancelAppointment
from salerno.kernel.bus import Bus
from salerno.kernel.clock import SystemClock
from salerno.kernel.errors import Invalid, NotAllowed, NotFound, Refused, Unavailable
from salerno.kernel.messages import INSTALLATION, OPERATOR, Caller, Query
from salerno.kernel.testing import MovableClock


async def sees(bus: Bus, patient: UUID, who: Caller) -> bool:
    try:
        await bus.ask(PatientBanner(patient_id=patient), who)
    except (NotFound, Restricted):
        return False
    return True


@pytest.fixture
def care_span(bus: Bus) -> Iterator[None]:
    before = bus.settings.get(CareSpan)
    yield
    bus.settings.pop(CareSpan, None)
    if before:
        bus.settings[CareSpan] = before


def asked(who: Caller, *patients: UUID) -> dict[str, Any]:
    return {"account_id": who.actor, "conditions": ("care",), "patient_ids": patients}


def ward_keeper(caller: Caller) -> Caller:
    """The bus itself."""
    return replace(caller, actor=INSTALLATION, permissions=frozenset({"protection.wards"}))


async def test_t043_a_restricted_chart_is_closed_to_all_roles_and_only_who_may_break_the_glass_is_told_why(
    bus: Bus, ward: Ward, caller: Callable[..., Caller], patient_caller: Callable[[UUID], Caller]
) -> None:
    patient = await ward.patient()
    everybody = {role: caller(role) for role in ("SUPER_ADMIN", "ADMIN", "DOCTOR", "NURSE", "RECEPTIONIST")}
    everybody |= {role: caller(role) for role in ("PHARMACIST", "LAB_TECHNICIAN")}
    assert [role for role, who in everybody.items() if not await sees(bus, patient, who)] == []
    await ward.restrict(patient)
    told = {}
    for role, who in everybody.items():
        with pytest.raises((NotFound, NotAllowed)) as refused:
            await bus.ask(PatientBanner(patient_id=patient), who)
        told[role] = refused.value.code
    assert told == {
        "SUPER_ADMIN": "not-found", "ADMIN": "not-found", "DOCTOR": "restricted", "NURSE": "restricted",
        "RECEPTIONIST": "not-found", "PHARMACIST": "restricted", "LAB_TECHNICIAN": "not-found",
    }  # fmt: skip
    assert await sees(bus, patient, patient_caller(patient))
    assert not await sees(bus, patient, patient_caller(uuid4()))
    await bus.handle(LiftRestriction(patient_id=patient), ward.chief)
    assert [role for role, who in everybody.items() if not await sees(bus, patient, who)] == []


async def test_t043_it_is_not_written_either_and_every_try_is_on_record(bus: Bus, ward: Ward, doctor: Caller) -> None:
    patient = await ward.patient()
    allergy = (await bus.handle(RecordAllergy(patient_id=patient, substance="Latex"), doctor)).aggregate_id
    officer = await ward.colleague("ADMIN")
    await ward.restrict(patient, accounts=(officer.actor,))
    for wish in (RecordProblem(patient_id=patient, display="Cough"), UpdatePatient(patient_id=patient, phone="1")):
        with pytest.raises(Restricted):
            await bus.handle(wish, doctor)
    with pytest.raises(Restricted):
        await bus.handle(RemoveAllergy(allergy_id=allergy, reason="a mistake"), doctor)
    looks = await bus.ask(AccessesOfPatient(patient_id=patient), officer)
    denied = {action for look in looks.items if look.outcome == "denied" for action in look.actions}
    assert denied == {"RecordProblem", "UpdatePatient", "RemoveAllergy"}
    assert len((await bus.ask(Allergies(patient_id=patient), officer)).allergies) == 1


async def test_a_program_that_was_launched_on_the_chart_is_not_the_patient(
    bus: Bus, ward: Ward, doctor: Caller
) -> None:
    patient = await ward.patient()
    await ward.restrict(patient)
    assert not await sees(bus, patient, replace(doctor, subject=patient, session=uuid4()))
    service = replace(ward.chief, role="SERVICE", session=uuid4(), name="https://app.example")
    assert not await sees(bus, patient, service)


async def test_only_the_machines_own_operator_is_exempt(bus: Bus, ward: Ward) -> None:
    patient = await ward.patient()
    await ward.restrict(patient)
    console = replace(ward.chief, actor=OPERATOR, address="console")
    assert await sees(bus, patient, console)
    assert not await sees(bus, patient, replace(console, session=uuid4()))
    assert not await sees(bus, patient, replace(console, address="10.0.0.7"))
    assert not await sees(bus, patient, replace(console, actor=uuid4()))
    assert not await sees(bus, patient, replace(ward.chief, actor=INSTALLATION))


async def test_named_accounts_see_it_and_an_administrator_only_if_named(bus: Bus, ward: Ward) -> None:
    patient, named, admin = await ward.patient(), await ward.colleague("NURSE"), await ward.colleague("ADMIN")
    await ward.restrict(patient, accounts=(named.actor,))
    assert [await sees(bus, patient, who) for who in (named, admin)] == [True, False]
    await bus.handle(ChangeRestriction(patient_id=patient, accounts=(admin.actor,)), admin)
    assert [await sees(bus, patient, who) for who in (named, admin)] == [False, True]
    with pytest.raises(Invalid):
        await bus.handle(ChangeRestriction(patient_id=patient, accounts=(uuid4(),)), admin)


async def test_who_has_the_patient_in_care_sees_it_unless_only_the_named_may(
    bus: Bus, ward: Ward, clock: MovableClock, care_span: None
) -> None:
    patient, doctor, other = await ward.patient(), await ward.colleague(), await ward.colleague()
    appointment = await ward.book(patient, doctor)
    await bus.settled()
    await ward.restrict(patient)
    assert [await sees(bus, patient, who) for who in (doctor, other)] == [True, False]
    await bus.handle(ChangeRestriction(patient_id=patient, reason="own-wish"), ward.chief)
    assert not await sees(bus, patient, doctor)
    await bus.handle(LiftRestriction(patient_id=patient), ward.chief)
    await ward.restrict(patient)
    clock.set(SystemClock().now() + timedelta(days=90))
    await bus.handle(ChangeRestriction(patient_id=patient, note="asked anew"), ward.chief)
    assert await sees(bus, patient, doctor)
    clock.set(SystemClock().now() + timedelta(days=93))
    await bus.handle(ChangeRestriction(patient_id=patient, note="and again"), ward.chief)
    assert not await sees(bus, patient, doctor)
    clock.set(None)
    await bus.handle(ChangeRestriction(patient_id=patient, note="today again"), ward.chief)
    assert await sees(bus, patient, doctor)
    await bus.handle(CancelAppointment(appointment_id=appointment, reason="ill"), doctor)
    await bus.settled()
    await bus.handle(ChangeRestriction(patient_id=patient, note="cancelled"), ward.chief)
    assert not await sees(bus, patient, doctor)


async def test_how_long_care_lasts_is_a_choice_of_the_house(
    bus: Bus, ward: Ward, clock: MovableClock, care_span: None
) -> None:
    patient, doctor = await ward.patient(), await ward.colleague()
    await ward.book(patient, doctor)
    await bus.settled()
    clock.set(SystemClock().now() + timedelta(days=40))
    seen = []
    for days in (90, 30):
        bus.settings[CareSpan] = CareSpan(days=days)
        seen.append(await bus.ask(ChartsInReach(**asked(doctor, patient)), ward_keeper(doctor)))
    assert seen == [(patient,), ()]


async def test_reach_knows_care_and_location_and_the_broken_glass(bus: Bus, ward: Ward) -> None:
    wards = bus.permits.wards
    patient, doctor, colleague = await ward.patient(), await ward.colleague(), await ward.colleague("NURSE")
    place = (await bus.handle(AddLocation(name="Seat"), ward.chief)).aggregate_id
    await bus.settled()
    for who in (doctor, colleague):
        await ward.works_at(who, place)
    await bus.settled()
    await ward.book(patient, doctor, location_id=place)
    await bus.settled()
    reached = {
        (name, condition): await wards.reach(who, {condition}, [patient])
        for name, who in (("doctor", doctor), ("colleague", colleague))
        for condition in ("care", "location")
    }
    assert reached == {
        ("doctor", "care"): True, ("doctor", "location"): True,
        ("colleague", "care"): False, ("colleague", "location"): True,
    }  # fmt: skip
    stranger = await ward.colleague("PHARMACIST")
    assert not await wards.reach(stranger, {"care", "location"}, [patient])
    await ward.break_glass(patient, stranger)
    assert await wards.reach(stranger, {"care"}, [patient])
    assert not await wards.reach(stranger, {"care"}, [patient, uuid4()])


async def test_a_right_in_care_only_reaches_a_stranger_once_the_glass_is_broken(
    bus: Bus, ward: Ward, doctor: Caller
) -> None:
    patient = await ward.patient()
    limited = replace(
        doctor, permissions=frozenset({"patients.banner:care", "protection.break_glass", "patients.find"})
    )
    with pytest.raises(NotFound):
        await bus.ask(PatientBanner(patient_id=patient), limited)
    await ward.break_glass(patient, limited)
    assert (await bus.ask(PatientBanner(patient_id=patient), limited)).id == patient


async def test_t043_breaking_the_glass_opens_one_chart_to_one_account_for_its_minutes(
    bus: Bus, ward: Ward, doctor: Caller, nurse: Caller, clock: MovableClock
) -> None:
    patient, other = await ward.patient(), await ward.patient()
    for one in (patient, other):
        await ward.restrict(one)
    start = SystemClock().now()
    clock.set(start)
    glass = await ward.break_glass(patient, doctor, minutes=240)
    assert [await sees(bus, patient, doctor), await sees(bus, other, doctor)] == [True, False]
    assert not await sees(bus, patient, nurse)
    with pytest.raises(AlreadyOpen):
        await ward.break_glass(patient, doctor)
    clock.set(start + timedelta(minutes=239, seconds=59))
    assert await sees(bus, patient, doctor)
    clock.set(start + timedelta(minutes=240))
    assert not await sees(bus, patient, doctor)
    assert await bus.ask(MyBreakGlass(patient_id=patient), doctor) == []
    assert glass != await ward.break_glass(patient, doctor, minutes=5)


async def test_t043_a_named_only_chart_of_a_patient_who_wished_it_opens_by_break_glass_too(
    bus: Bus, ward: Ward, doctor: Caller
) -> None:
    patient = await ward.patient()
    await ward.restrict(patient, reason="own-wish")
    glass = await ward.break_glass(patient, doctor)
    (shown,) = await bus.ask(MyBreakGlass(), doctor)
    assert (shown.glass, shown.patient_id, shown.reason) == (glass, patient, "emergency")
    assert await sees(bus, patient, doctor)


async def test_t043_ended_it_is_shut_at_once_and_two_ends_at_once_are_one(
    bus: Bus, ward: Ward, doctor: Caller, nurse: Caller
) -> None:
    patient = await ward.patient()
    await ward.restrict(patient)
    glass = await ward.break_glass(patient, doctor)
    with pytest.raises(NoSuchBreakGlass):
        await bus.handle(EndBreakGlass(glass_id=glass), nurse)
    with pytest.raises(NoSuchBreakGlass):
        await bus.handle(EndBreakGlass(glass_id=uuid4()), doctor)
    ends = await asyncio.gather(*(bus.handle(EndBreakGlass(glass_id=glass), doctor) for _ in range(5)))
    assert {receipt.version for receipt in ends} == {2}
    assert not await sees(bus, patient, doctor)


async def test_t043_by_number_only_to_the_letter_and_only_with_a_reason(bus: Bus, ward: Ward, doctor: Caller) -> None:
    patient = await ward.patient()
    sheet = await bus.ask(PatientById(patient_id=patient), doctor)
    mrn = sheet.patient.mrn
    await ward.restrict(patient)
    for number in (mrn, "MRN-1999-999999"):
        with pytest.raises(Invalid) as refused:
            await bus.handle(BreakGlass(identifier=number, reason="care", explanation=""), doctor)
        assert [one["path"] for one in refused.value.errors] == ["explanation"]
    for number in (mrn[:-1], "MRN-1999-999999", "---"):
        with pytest.raises(NoSuchChart):
            await bus.handle(BreakGlass(identifier=number, reason="care", explanation=WHY), doctor)
    spelt = f" {mrn.lower().replace('-', ' ')} "
    await bus.handle(BreakGlass(identifier=spelt, reason="care", explanation=WHY), doctor)
    assert await sees(bus, patient, doctor)


async def test_who_may_not_break_the_glass_does_not(bus: Bus, ward: Ward, receptionist: Caller, admin: Caller) -> None:
    patient = await ward.patient()
    for who in (receptionist, admin):
        with pytest.raises(NotAllowed):
            await ward.break_glass(patient, who)
    with pytest.raises(NotAllowed):
        await ward.restrict(patient, by=receptionist)
    with pytest.raises(NoSuchChart):
        await bus.handle(RestrictChart(patient_id=uuid4(), reason="vip"), admin)


async def test_t043_the_patient_reads_who_broke_the_glass_and_why_beside_other_looks(
    bus: Bus, ward: Ward, doctor: Caller, patient_caller: Callable[[UUID], Caller]
) -> None:
    patient, other = await ward.patient("Zita Amaranto"), await ward.patient("Zita Amaranta")
    await bus.ask(PatientBanner(patient_id=patient), replace(doctor, request="before"))
    await ward.restrict(patient)
    await ward.break_glass(patient, doctor, reason="legal")
    looking = replace(doctor, request="after")
    await bus.ask(ChartSections(patient_id=patient), looking)
    found = await bus.ask(FindPatients(q="zita"), looking)
    assert {one.id for one in found.results} == {patient, other}
    page = await bus.ask(AccessesOfPatient(patient_id=patient), patient_caller(patient))
    assert [(look.purpose, list(look.actions)) for look in page.items] == [
        ("break-glass:legal", ["ChartSections", "FindPatients"]),
        ("treatment", ["PatientBanner"]),
    ]
    others = await bus.ask(AccessesOfPatient(patient_id=other), patient_caller(other))
    assert [(look.purpose, list(look.actions)) for look in others.items] == [("treatment", ["FindPatients"])]


async def test_t043_each_waits_for_a_review_by_somebody_else_and_the_reviewer_sees_whose_it_was(
    bus: Bus, ward: Ward, doctor: Caller, admin: Caller
) -> None:
    patient = await ward.patient("Olga Verdi")
    await ward.restrict(patient)
    glass = await ward.break_glass(patient, doctor)
    both = replace(doctor, permissions=doctor.permissions | admin.permissions)
    assert [await bus.ask(BreakGlassToReview(), who) for who in (admin, both)] == [1, 0]
    waiting = await bus.ask(BreakGlassList(status="waiting"), admin)
    (shown,) = waiting.items
    assert (shown.name, shown.glass.explanation, shown.open, shown.own) == ("Olga Verdi", WHY, True, False)
    assert shown.mrn.startswith("MRN-")
    with pytest.raises(OwnReview):
        await bus.handle(ReviewBreakGlass(glass_id=glass, outcome="justified"), both)
    tries = [
        bus.handle(ReviewBreakGlass(glass_id=glass, outcome="unjustified", note="Curiosity"), admin) for _ in range(3)
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["AlreadyReviewed", "AlreadyReviewed", "Receipt"]
    assert not await sees(bus, patient, doctor)
    page = await bus.ask(BreakGlassList(status="reviewed"), admin)
    assert [(one.glass.outcome, one.glass.note, one.glass.reviewed_by) for one in page.items] == [
        ("unjustified", "Curiosity", admin.actor)
    ]
    assert (await bus.ask(BreakGlassList(status="waiting"), admin)).total == 0
    with pytest.raises(NoSuchBreakGlass):
        await bus.ask(BreakGlassById(glass_id=uuid4()), admin)
    assert AlreadyReviewed.code == "already-reviewed"


async def test_the_list_of_restrictions_names_whom_its_reader_may_not_open(bus: Bus, ward: Ward, admin: Caller) -> None:
    patient = await ward.patient("Olga Neri")
    await ward.restrict(patient, reason="sensitive", note="Court order")
    page = await bus.ask(RestrictedCharts(), admin)
    assert [(one.name, one.restriction.reason, one.restriction.note) for one in page.items] == [
        ("Olga Neri", "sensitive", "Court order")
    ]
    shown = await bus.ask(RestrictionOf(patient_id=patient), admin)
    assert (shown.version, shown.restriction.named_only) == (1, False)
    assert not await sees(bus, patient, admin)
    await bus.handle(LiftRestriction(patient_id=patient), admin)
    with pytest.raises(Refused):
        await bus.ask(RestrictionOf(patient_id=patient), admin)


async def test_what_hides_one_of_two_merged_charts_hides_both(bus: Bus, ward: Ward, doctor: Caller) -> None:
    kept, duplicate = await ward.patient(), await ward.patient()
    await ward.restrict(duplicate)
    assert await sees(bus, kept, doctor)
    await bus.handle(LiftRestriction(patient_id=duplicate), ward.chief)
    merge = MergePatients(patient_id=kept, duplicate_id=duplicate, reason="the same person")
    await bus.handle(merge, ward.chief)
    await bus.settled()
    await ward.restrict(duplicate)
    assert not await sees(bus, kept, doctor)
    await ward.break_glass(kept, doctor)
    assert await sees(bus, kept, doctor)
    assert [one.patient_id for one in await bus.ask(MyBreakGlass(patient_id=duplicate), doctor)] == [kept]
    assert await bus.ask(MyBreakGlass(patient_id=uuid4()), doctor) == []
    console = replace(ward.chief, actor=OPERATOR, address="console")
    await bus.handle(UnmergePatients(patient_id=kept, duplicate_id=duplicate, reason="two people"), console)
    await bus.settled()
    await bus.handle(ChangeRestriction(patient_id=duplicate, note="apart"), ward.chief)
    assert await sees(bus, kept, await ward.colleague())


async def test_a_duplicate_that_is_hidden_does_not_betray_itself_at_registration(
    bus: Bus, ward: Ward, receptionist: Caller
) -> None:
    wish = RegisterPatient(full_name="Priscilla Quartararo", date_of_birth=date(1961, 2, 3))
    patient = (await bus.handle(wish, receptionist)).aggregate_id
    with pytest.raises(Refused):
        await bus.handle(wish, receptionist)
    await ward.restrict(patient)
    assert (await bus.handle(wish, receptionist)).aggregate_id != patient


async def test_where_the_wards_cannot_be_asked_no_health_data_leaves(
    bus: Bus, ward: Ward, doctor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await ward.patient()
    away = replace(doctor, organisation=uuid4())
    ask = bus.ask

    async def nobody_there(query: Query, caller: Caller, written: object = None) -> object:
        if type(query).__name__ == "WardsOfOrganisation":
            raise Unavailable()
        return await ask(query, caller)

    monkeypatch.setattr(bus, "ask", nobody_there)
    with pytest.raises(Unavailable):
        await ask(PatientBanner(patient_id=patient), away)
    with pytest.raises(Unavailable):
        await bus.handle(RecordProblem(patient_id=patient, display="Cough"), away)


async def test_a_question_that_its_asker_gave_up_is_not_answered_from_later(
    bus: Bus, ward: Ward, doctor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, wards, ask = await ward.patient(), bus.permits.wards, bus.ask
    assert isinstance(wards, ProtectionWards)
    wards.forget()
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(query: Query, caller: Caller, written: object = None) -> object:
        found = await ask(query, caller)
        if type(query).__name__ == "WardsOfOrganisation":
            asked.set()
            await may_answer.wait()
        return found

    monkeypatch.setattr(bus, "ask", slow)
    first = asyncio.create_task(wards.hidden_from(doctor))
    await asked.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await ward.restrict(patient)  # dropped at once: the answer on its way is from before
    may_answer.set()
    assert await wards.hidden_from(doctor) == {patient}


async def test_the_access_log_of_an_administrator_leaves_out_what_is_hidden_from_them(
    bus: Bus, ward: Ward, doctor: Caller, admin: Caller
) -> None:
    patient, other = await ward.patient(), await ward.patient()
    for one in (patient, other):
        await bus.ask(PatientBanner(patient_id=one), doctor)
    before = await bus.ask(AccessEvents(user_id=doctor.actor), admin)
    await ward.restrict(patient)
    after = await bus.ask(AccessEvents(user_id=doctor.actor), admin)
    assert (before.total, after.total) == (2, 1)
    assert [list(event.patient_ids) for event in after.items] == [[other]]
