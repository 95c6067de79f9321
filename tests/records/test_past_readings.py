"""Plots and the history as of a moment, and pages of the history that lose nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.encounters.queries import EncounterTimeline
from salerno.contexts.records.commands import RecordAllergy, RecordObservation, RecordVitals, VoidVitals
from salerno.contexts.records.queries import VitalsSeries
from salerno.contexts.records.queries.timeline import RecordTimeline
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_the_history_goes_on_within_one_instant_and_by_kind(bus: Bus, doctor: Caller, ada: UUID) -> None:
    for n in range(7):
        wish = RecordObservation(patient_id=ada, code=f"c{n}", display=f"Finding {n}", effective_at=FIRST)
        await bus.handle(wish, doctor)
    await bus.handle(RecordAllergy(patient_id=ada, substance="Latex"), doctor)
    seen: list[UUID] = []
    before: datetime | None = None
    beyond: UUID | None = None
    while lines := await bus.ask(RecordTimeline(patient_id=ada, limit=3, before=before, beyond=beyond), doctor):
        seen += [line.id for line in lines]
        before, beyond = lines[-1].at, lines[-1].id
    assert len(seen) == 8 == len(set(seen))
    only = await bus.ask(RecordTimeline(patient_id=ada, kind="allergy"), doctor)
    assert [(line.kind, line.title) for line in only] == [("allergy", "Latex")]


async def test_plots_and_history_as_of_a_moment_know_nothing_of_what_came_later(
    bus: Bus, doctor: Caller, ada: UUID, clock: MovableClock
) -> None:
    clock.set(FIRST)
    first = await bus.handle(RecordVitals(patient_id=ada, systolic=130, diastolic=80), doctor)
    clock.set(FIRST + timedelta(days=1))
    await bus.handle(RecordVitals(patient_id=ada, systolic=150, diastolic=90), doctor)
    await bus.handle(VoidVitals(vitals_id=first.aggregate_id, reason="wrong person"), doctor)
    clock.set(FIRST + timedelta(days=2))

    async def systolic(moment: datetime | None) -> list[float]:
        series = await bus.ask(VitalsSeries(patient_id=ada, kinds=("systolic",), moment=moment), doctor)
        return [point.value for one in series for point in one.points]

    assert await systolic(FIRST - timedelta(seconds=1)) == []
    assert await systolic(FIRST) == [130]
    assert await systolic(None) == [150] == await systolic(FIRST + timedelta(days=1))
    then = await bus.ask(RecordTimeline(patient_id=ada, moment=FIRST), doctor)
    now = await bus.ask(RecordTimeline(patient_id=ada), doctor)
    assert [line.detail for line in then] == ["130/80 mm[Hg]"] and [line.detail for line in now] == ["150/90 mm[Hg]"]


async def test_visits_and_notes_as_of_a_moment_and_by_kind(
    bus: Bus, doctor: Caller, ada: UUID, clock: MovableClock
) -> None:
    clock.set(FIRST)
    visit = (await bus.handle(StartVisit(patient_id=ada, reason="cough"), doctor)).aggregate_id
    clock.set(FIRST + timedelta(hours=1))
    await bus.handle(SaveDraft(visit_id=visit, subjective="coughs"), doctor)
    both = await bus.ask(EncounterTimeline(patient_id=ada), doctor)
    assert [line.kind for line in both] == ["note", "visit"]
    then = await bus.ask(EncounterTimeline(patient_id=ada, moment=FIRST), doctor)
    assert [line.kind for line in then] == ["visit"]
    assert await bus.ask(EncounterTimeline(patient_id=ada, kind="note", moment=FIRST), doctor) == []
    assert [line.kind for line in await bus.ask(EncounterTimeline(patient_id=ada, kind="visit"), doctor)] == ["visit"]
