"""Visits and notes on a real PostgreSQL: what is written, who sees it, what it was before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from salerno.contexts.encounters.commands import (
    AddAddendum,
    CancelVisit,
    CompleteVisit,
    RecordDiagnosis,
    RemoveDiagnosis,
    SaveDraft,
    SetTreatmentPlan,
    SignNote,
    StartVisit,
    VoidNote,
)
from salerno.contexts.encounters.errors import (
    DraftMovedOn,
    NoSuchNote,
    NoSuchVisit,
    NotWhatYouSaw,
    NotYourNote,
    UnknownDiagnosisCode,
    UnknownPatient,
    VisitHasSignedNotes,
)
from salerno.contexts.encounters.events import PlanItem
from salerno.contexts.encounters.queries import (
    Draft,
    EncountersAsOf,
    EncountersOfPatient,
    EncounterTimeline,
    NoteById,
    NotePage,
    NoteTemplates,
    OpenVisits,
    UnsignedNotes,
    VisitById,
    VisitsOfPatient,
)
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed, NotFound, Refused, VersionConflict
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

Register = Callable[..., Awaitable[UUID]]


async def drafted(bus: Bus, author: Caller, visit: UUID) -> NotePage:
    page: NotePage | None = await bus.ask(Draft(visit_id=visit), author)
    assert page is not None
    return page


async def signed(bus: Bus, author: Caller, visit: UUID, text: str = "Cough for a week") -> UUID:
    await bus.handle(SaveDraft(visit_id=visit, subjective=text), author)
    page = await drafted(bus, author, visit)
    await bus.handle(SignNote(note_id=page.note.note, content_hash=page.note.content_hash), author)
    return page.note.note


async def test_a_visit_from_start_to_completion(bus: Bus, doctor: Caller, visit: UUID) -> None:
    await bus.handle(RecordDiagnosis(visit_id=visit, code="j20.9"), doctor)
    await bus.handle(SetTreatmentPlan(visit_id=visit, items=(PlanItem(kind="therapy", text="Rest"),)), doctor)
    await bus.handle(CompleteVisit(visit_id=visit), doctor)
    page = await bus.ask(VisitById(visit_id=visit), doctor)
    (diagnosis,) = page.visit.diagnoses
    assert (diagnosis.code, diagnosis.display, diagnosis.role) == ("J20.9", "Acute bronchitis, unspecified", "primary")
    assert [item.text for item in page.visit.plan] == ["Rest"]
    assert (page.visit.status, page.version) == ("completed", 4)


async def test_a_removed_diagnosis_is_gone_from_the_visit(bus: Bus, doctor: Caller, visit: UUID) -> None:
    await bus.handle(RecordDiagnosis(visit_id=visit, code="I10"), doctor)
    page = await bus.ask(VisitById(visit_id=visit), doctor)
    wish = RemoveDiagnosis(visit_id=visit, diagnosis_id=page.visit.diagnoses[0].diagnosis, reason="normal at home")
    await bus.handle(wish, doctor)
    assert (await bus.ask(VisitById(visit_id=visit), doctor)).visit.diagnoses == ()


async def test_an_unknown_code_is_named(bus: Bus, doctor: Caller, visit: UUID) -> None:
    with pytest.raises(UnknownDiagnosisCode) as refused:
        await bus.handle(RecordDiagnosis(visit_id=visit, code="XYZ"), doctor)
    assert refused.value.errors[0]["path"] == "code"
    with pytest.raises(Invalid):
        await bus.handle(RecordDiagnosis(visit_id=visit, code="44054006", system="http://snomed.info/sct"), doctor)


async def test_nobody_starts_a_visit_for_a_patient_who_is_not_there(bus: Bus, doctor: Caller) -> None:
    with pytest.raises(UnknownPatient):
        await bus.handle(StartVisit(patient_id=uuid4()), doctor)
    for wish in (CompleteVisit(visit_id=uuid4()), RecordDiagnosis(visit_id=uuid4(), code="I10")):
        with pytest.raises(NoSuchVisit):
            await bus.handle(wish, doctor)
    with pytest.raises(NoSuchNote):
        await bus.handle(SignNote(note_id=uuid4(), content_hash="0" * 64), doctor)


async def test_an_imported_visit_keeps_its_period_and_is_imported_once(bus: Bus, doctor: Caller, ada: UUID) -> None:
    began = datetime(2009, 4, 22, 3, 30, tzinfo=UTC)
    wish = StartVisit(
        visit_id=uuid4(), patient_id=ada, visit_class="EMER", started_at=began, ended_at=began + timedelta(hours=1)
    )
    first = await bus.handle(wish, doctor, happened_at=began)
    again = await bus.handle(wish, doctor, happened_at=began)
    assert (first.version, again.version, again.aggregate_id) == (2, 2, wish.visit_id)
    page = await bus.ask(VisitById(visit_id=first.aggregate_id), doctor)
    assert (page.visit.status, page.visit.class_, page.visit.ended_at) == ("completed", "EMER", wish.ended_at)


async def test_rich_text_is_stored_without_anything_that_runs(bus: Bus, doctor: Caller, visit: UUID) -> None:
    hostile = '<p onclick="x()">Cough<script>alert(1)</script><img src=x onerror=y><b>dry</b></p>'
    await bus.handle(SaveDraft(visit_id=visit, subjective=hostile, text_format="html"), doctor)
    assert (await drafted(bus, doctor, visit)).note.content.subjective == "<p>Cough<b>dry</b></p>"


async def test_a_draft_is_seen_by_its_author_alone(bus: Bus, doctor: Caller, nurse: Caller, visit: UUID) -> None:
    note = (await bus.handle(SaveDraft(visit_id=visit, subjective="Cough"), doctor)).aggregate_id
    with pytest.raises(NoSuchNote):
        await bus.ask(NoteById(note_id=note), nurse)
    with pytest.raises(NotYourNote):
        await bus.handle(SaveDraft(visit_id=visit, note_id=note, plan="mine"), nurse)
    assert await bus.ask(Draft(visit_id=visit), nurse) is None
    assert (await bus.ask(VisitById(visit_id=visit), nurse)).notes == []
    assert [page.note.note for page in await bus.ask(UnsignedNotes(), doctor)] == [note]


async def test_every_save_of_a_note_can_be_read_again(bus: Bus, doctor: Caller, visit: UUID) -> None:
    for text in ("C", "Co", "Cough"):
        note = (await bus.handle(SaveDraft(visit_id=visit, subjective=text), doctor)).aggregate_id
    page = await bus.ask(NoteById(note_id=note, versions=True), doctor)
    assert [one.content.subjective for one in page.versions] == ["", "C", "Co", "Cough"]
    assert (page.note.revision, page.version) == (3, 4)


async def test_an_addendum_stands_beside_the_signed_text(bus: Bus, doctor: Caller, nurse: Caller, visit: UUID) -> None:
    note = await signed(bus, doctor, visit)
    await bus.handle(AddAddendum(note_id=note, text="X-ray is clear", reason="result came"), nurse)
    page = await bus.ask(NoteById(note_id=note), nurse)
    assert page.note.content.subjective == "Cough for a week"
    assert [(a.author, a.text) for a in page.note.addenda] == [(nurse.actor, "X-ray is clear")]
    with pytest.raises(VisitHasSignedNotes):
        await bus.handle(CancelVisit(visit_id=visit, reason="wrong patient"), doctor)


async def test_a_void_note_stays_readable_with_its_reason(bus: Bus, doctor: Caller, visit: UUID) -> None:
    note = await signed(bus, doctor, visit)
    await bus.handle(VoidNote(note_id=note, reason="wrong patient"), doctor)
    page = await bus.ask(NoteById(note_id=note), doctor)
    assert (page.note.status, page.note.voided_because) == ("void", "wrong patient")
    assert page.note.content.subjective == "Cough for a week"


async def test_a_patient_reads_what_was_signed_and_nothing_of_others(
    bus: Bus, doctor: Caller, visit: UUID, ada: UUID, patient_caller: Callable[[UUID], Caller], register: Register
) -> None:
    me, stranger = patient_caller(ada), patient_caller(await register("Grace Hopper"))
    await bus.handle(SaveDraft(visit_id=visit, subjective="not yet"), doctor)
    assert (await bus.ask(VisitById(visit_id=visit), me)).notes == []
    note = await signed(bus, doctor, visit)
    assert [page.note.note for page in (await bus.ask(VisitById(visit_id=visit), me)).notes] == [note]
    for query in (VisitById(visit_id=visit), VisitsOfPatient(patient_id=ada), NoteById(note_id=note)):
        with pytest.raises(NotFound):
            await bus.ask(query, stranger)
    with pytest.raises(NotAllowed):
        await bus.handle(StartVisit(patient_id=ada), me)


async def test_another_organisation_sees_nothing(
    bus: Bus, visit: UUID, ada: UUID, caller: Callable[..., Caller]
) -> None:
    elsewhere = caller("DOCTOR", organisation_id=uuid4())
    with pytest.raises(NoSuchVisit):
        await bus.ask(VisitById(visit_id=visit), elsewhere)
    assert (await bus.ask(VisitsOfPatient(patient_id=ada), elsewhere)).total == 0


async def test_open_visits_are_listed_by_practitioner(bus: Bus, doctor: Caller, visit: UUID, nurse: Caller) -> None:
    assert [p.visit.visit for p in await bus.ask(OpenVisits(practitioner_id=doctor.actor), nurse)] == [visit]
    assert await bus.ask(OpenVisits(practitioner_id=nurse.actor), nurse) == []
    await bus.handle(CompleteVisit(visit_id=visit), doctor)
    assert await bus.ask(OpenVisits(), nurse) == []


async def test_the_timeline_is_newest_first_and_goes_on_before_a_moment(bus: Bus, doctor: Caller, ada: UUID) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    for day in range(5):
        at = start + timedelta(days=day)
        await bus.handle(StartVisit(patient_id=ada, reason=f"day {day}", started_at=at, ended_at=at), doctor)
    first = await bus.ask(EncounterTimeline(patient_id=ada, limit=2), doctor)
    rest = await bus.ask(EncounterTimeline(patient_id=ada, limit=9, before=first[-1].at), doctor)
    assert [line.title for line in [*first, *rest]] == [f"day {day}" for day in (4, 3, 2, 1, 0)]
    page = await bus.ask(VisitsOfPatient(patient_id=ada, limit=2, offset=2), doctor)
    assert ([one.visit.reason for one in page.items], page.total) == (["day 2", "day 1"], 5)


async def test_the_chart_as_of_a_moment_shows_what_was_recorded_by_then(
    bus: Bus, doctor: Caller, ada: UUID, clock: MovableClock
) -> None:
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)
    clock.set(monday)
    visit = (await bus.handle(StartVisit(patient_id=ada, reason="cough"), doctor)).aggregate_id
    clock.set(monday + timedelta(days=1))
    await bus.handle(RecordDiagnosis(visit_id=visit, code="J20.9"), doctor)
    note = await signed(bus, doctor, visit)
    clock.set(monday + timedelta(days=8))
    await bus.handle(VoidNote(note_id=note, reason="wrong patient"), doctor)

    async def at(day: float) -> list[tuple[int, list[str]]]:
        moment = monday + timedelta(days=day)
        pages = await bus.ask(EncountersAsOf(patient_id=ada, moment=moment), doctor)
        return [(len(page.visit.diagnoses), [one.note.status for one in page.notes]) for page in pages]

    assert await at(-1) == []
    assert await at(0.5) == [(0, [])]
    assert await at(2) == [(1, ["signed"])]
    assert await at(9) == [(1, ["void"])]
    live = await bus.ask(EncountersOfPatient(patient_id=ada), doctor)
    past = await bus.ask(EncountersAsOf(patient_id=ada, moment=monday + timedelta(days=9)), doctor)
    assert msgspec.json.encode(live) == msgspec.json.encode(past)


async def test_t128_two_windows_sign_at_once_and_there_is_one_signature(
    bus: Bus, doctor: Caller, nurse: Caller, visit: UUID
) -> None:
    for round_ in range(5):
        await bus.handle(SaveDraft(visit_id=visit, subjective=f"round {round_}"), doctor)
        page = await drafted(bus, doctor, visit)
        note, shown = page.note.note, page.note.content_hash
        wishes = [
            bus.handle(SignNote(note_id=note, content_hash=shown), doctor),
            bus.handle(SignNote(note_id=note, content_hash=shown), nurse),
            bus.handle(SaveDraft(visit_id=visit, note_id=note, plan="late"), doctor),
            bus.handle(SignNote(note_id=note, content_hash=shown), doctor),
            bus.handle(VoidNote(note_id=note, reason="not this"), nurse),
        ]
        outcomes = await asyncio.gather(*wishes, return_exceptions=True)
        assert all(isinstance(one, Refused) for one in outcomes if isinstance(one, BaseException))
        after = await bus.ask(NoteById(note_id=note), doctor)
        if after.note.status == "signed":
            assert (after.note.content_hash, after.note.signer) == (shown, doctor.actor)
            assert after.note.content.plan == ""
        else:
            assert after.note.content.plan == "late"
            assert {type(one) for one in outcomes if isinstance(one, Refused)} >= {NotYourNote, NotWhatYouSaw}
            await bus.handle(SignNote(note_id=note, content_hash=after.note.content_hash), doctor)


async def test_t126_a_hundred_saves_from_many_windows_lose_nothing(bus: Bus, doctor: Caller, visit: UUID) -> None:
    parts = ("subjective", "objective", "assessment", "plan")

    async def window(number: int) -> list[tuple[str, str]]:
        kept: list[tuple[str, str]] = []
        for stroke in range(5):
            part, text = parts[number % 4], f"window {number} stroke {stroke}"
            try:
                await bus.handle(SaveDraft(visit_id=visit, **{part: text}), doctor)  # type: ignore[arg-type]
            except VersionConflict:
                continue
            kept.append((part, text))
        return kept

    accepted = [one for many in await asyncio.gather(*(window(n) for n in range(20))) for one in many]
    page = await drafted(bus, doctor, visit)
    versions = (await bus.ask(NoteById(note_id=page.note.note, versions=True), doctor)).versions
    history = {(part, getattr(one.content, part)) for one in versions for part in parts}
    assert len(accepted) >= 20
    assert set(accepted) <= history
    assert page.note.revision == len(accepted)


async def test_t126_a_stale_window_is_told_and_nothing_is_overwritten(bus: Bus, doctor: Caller, visit: UUID) -> None:
    await bus.handle(SaveDraft(visit_id=visit, subjective="first", base_revision=0), doctor)
    await bus.handle(SaveDraft(visit_id=visit, plan="other part", base_revision=0), doctor)
    with pytest.raises(DraftMovedOn) as refused:
        await bus.handle(SaveDraft(visit_id=visit, subjective="second", base_revision=0), doctor)
    assert refused.value.details == {"parts": ["subjective"], "revision": 2}
    with pytest.raises(VersionConflict):
        await bus.handle(SaveDraft(visit_id=visit, objective="x"), doctor, expected_version=1)
    content = (await drafted(bus, doctor, visit)).note.content
    assert (content.subjective, content.objective, content.plan) == ("first", "", "other part")


async def test_templates_are_offered_by_specialty_and_language(bus: Bus, doctor: Caller) -> None:
    offered = await bus.ask(NoteTemplates(specialty="geriatrics", language="it"), doctor)
    assert [one.title for one in offered] == ["Visita", "Controllo", "Valutazione geriatrica"]
