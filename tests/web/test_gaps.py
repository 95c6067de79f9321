"""Gaps in care: what the chart itself says is missing, now and as of a moment, to whoever may read it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from tests.web.conftest import SiteClient

from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import IssuePrescription
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.records.commands import RecordProblem, StateNoKnownAllergies
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller
from salerno.kernel.testing import MovableClock

BEGIN = datetime(2025, 3, 3, 9, tzinfo=UTC)


@pytest.fixture
async def ada(bus: Bus, doctor: Caller, clock: MovableClock) -> AsyncIterator[UUID]:
    """Seen once; with a problem, a note that was never signed, and a month of a medicine."""
    before = clock.now()
    clock.set(BEGIN)
    wish = RegisterPatient(full_name="Ada Byron", date_of_birth=date(1948, 3, 12), confirmed_not_duplicate=True)
    ada = (await bus.handle(wish, doctor)).aggregate_id
    visit = (await bus.handle(StartVisit(patient_id=ada), doctor)).aggregate_id
    await bus.handle(SaveDraft(visit_id=visit, subjective="tired"), doctor)
    await bus.handle(RecordProblem(patient_id=ada, display="Gout"), doctor)
    lines = (Medication(name="Paracetamol 500 mg", duration="30 days"),)
    await bus.handle(IssuePrescription(patient_id=ada, visit_id=visit, medications=lines, sign=True), doctor)
    yield ada
    clock.set(before)


def gaps(page: str) -> list[str]:
    card = re.search(r"Gaps in care.*?<ul[^>]*>(.*?)</ul>", page, re.DOTALL)
    return re.findall(r"<li><a [^>]*>([^<]+)</a>", card[1]) if card else []


async def test_each_gap_appears_when_it_opens_and_goes_when_it_is_closed(
    bus: Bus, sign_in: SiteClient, doctor: Caller, ada: UUID, clock: MovableClock
) -> None:
    client = sign_in(doctor)
    assert gaps((await client.get(f"/chart/{ada}")).text) == ["Nobody has asked about allergies yet"]
    await bus.handle(StateNoKnownAllergies(patient_id=ada), doctor)
    assert gaps((await client.get(f"/chart/{ada}")).text) == []
    clock.set(BEGIN + timedelta(days=20))
    assert gaps((await client.get(f"/chart/{ada}")).text) == [
        "A note of 3 Mar 2025 is not signed", "Paracetamol 500 mg lasts until 2 Apr 2025",
    ]  # fmt: skip
    clock.set(BEGIN + timedelta(days=400))
    assert gaps((await client.get(f"/chart/{ada}")).text) == [
        "Not seen since 3 Mar 2025, with active problems", "A note of 3 Mar 2025 is not signed",
    ]  # fmt: skip
    then = (await client.get(f"/chart/{ada}?as_of=2025-03-03T12:00")).text
    assert gaps(then) == []


async def test_gaps_are_told_only_to_those_who_may_read_what_they_are_about(
    sign_in: SiteClient, receptionist: Caller, ada: UUID
) -> None:
    assert "Gaps in care" not in (await sign_in(receptionist).get(f"/chart/{ada}")).text
