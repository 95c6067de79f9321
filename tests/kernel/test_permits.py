"""Whom a right reaches: everybody, one's own chart, charts that meet a condition; and charts that are hidden."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.records.commands import ChangeProblem, RecordProblem
from salerno.contexts.records.queries import ChartSections, LaboratoryTests, Problems
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed, NotFound, Refused
from salerno.kernel.messages import Caller
from salerno.kernel.wards import AllOpen


class Closed(NotAllowed):
    code = "closed-for-this-test"


class SomeWards:
    """These are hidden from everybody; these are in the care of everybody."""

    def __init__(self) -> None:
        self.hidden: frozenset[UUID] = frozenset()
        self.cared_for: set[UUID] = set()
        self.opened: dict[UUID, str] = {}

    async def hidden_from(self, caller: Caller) -> frozenset[UUID]:
        return self.hidden

    async def opened_by(self, caller: Caller) -> Mapping[UUID, str]:
        return self.opened

    async def reach(self, caller: Caller, conditions: Collection[str], subjects: Collection[UUID]) -> bool:
        return "care" in conditions and self.cared_for.issuperset(subjects)

    def refusal(self, caller: Caller) -> Refused:
        return Closed()


@pytest.fixture
def wards(bus: Bus) -> Iterator[SomeWards]:
    before, bus.permits.wards = bus.permits.wards, SomeWards()
    yield bus.permits.wards
    bus.permits.wards = before


async def registered(bus: Bus, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name=f"Anna {uuid4().hex[:6]}", confirmed_not_duplicate=True)
    return (await bus.handle(wish, doctor)).aggregate_id


def only(caller: Caller, *permissions: str) -> Caller:
    return msgspec.structs.replace(caller, permissions=frozenset(permissions))


async def denials(bus: Bus, doctor: Caller) -> list[tuple[str, int]]:
    async with bus.database.context("salerno_audit", doctor.organisation, "audit") as connection:
        rows = await connection.fetch(
            "SELECT action, cardinality(subjects) AS named FROM kernel.access_log"
            " WHERE organisation = $1 AND outcome = 'denied' ORDER BY position",
            doctor.organisation,
        )
    return [(row["action"], row["named"]) for row in rows]


async def test_t043_a_hidden_chart_is_neither_read_nor_written_and_the_try_is_on_record(
    bus: Bus, doctor: Caller, wards: SomeWards
) -> None:
    patient, other = await registered(bus, doctor), await registered(bus, doctor)
    problem = (await bus.handle(RecordProblem(patient_id=patient, display="Fever"), doctor)).aggregate_id
    wards.hidden = frozenset({patient})
    wishes: list[Any] = [
        UpdatePatient(patient_id=patient, phone="+39 089 123456"),
        RecordProblem(patient_id=patient, display="Cough"),
        ChangeProblem(problem_id=problem, clinical_status="resolved"),  # names no patient at all
    ]
    for wish in wishes:
        with pytest.raises(Closed):
            await bus.handle(wish, doctor)
        with pytest.raises(Closed):
            await bus.handle_all([(wish, None, None)], doctor)
    with pytest.raises(Closed):
        await bus.ask(Problems(patient_id=patient), doctor)
    assert await bus.ask(Problems(patient_id=other), doctor) is not None
    assert await denials(bus, doctor) == [
        ("UpdatePatient", 1), ("UpdatePatient", 1), ("RecordProblem", 1), ("RecordProblem", 1),
        ("ChangeProblem", 1), ("ChangeProblem", 1), ("Problems", 1),
    ]  # fmt: skip
    wards.hidden = frozenset()
    shown = await bus.ask(Problems(patient_id=patient), doctor)
    assert [(one.content.display, one.content.clinical_status) for one in shown] == [("Fever", "active")]


async def test_a_right_under_the_condition_of_care_reaches_the_charts_in_care_and_no_others(
    bus: Bus, doctor: Caller, wards: SomeWards
) -> None:
    patient, other = await registered(bus, doctor), await registered(bus, doctor)
    limited = only(doctor, "records.read:care", "records.record_problems:care", "records.find_tests:care")
    wards.cared_for = {patient}
    problem = (await bus.handle(RecordProblem(patient_id=patient, display="Fever"), limited)).aggregate_id
    theirs = (await bus.handle(RecordProblem(patient_id=other, display="Cough"), doctor)).aggregate_id
    assert [one.content.display for one in await bus.ask(Problems(patient_id=patient), limited)] == ["Fever"]
    assert (await bus.handle(ChangeProblem(problem_id=problem, clinical_status="resolved"), limited)).version == 2
    with pytest.raises(NotFound):
        await bus.ask(ChartSections(patient_id=other), limited)
    with pytest.raises(NotFound):
        await bus.handle(RecordProblem(patient_id=other, display="Rash"), limited)
    with pytest.raises(NotFound):
        await bus.handle(ChangeProblem(problem_id=theirs, clinical_status="resolved"), limited)
    with pytest.raises(NotAllowed):  # it opens nobody's chart: there is nothing to be in care of
        await bus.ask(LaboratoryTests(q="gluc"), limited)


async def test_without_anybody_who_knows_a_condition_is_never_met(bus: Bus, doctor: Caller) -> None:
    assert not await AllOpen().reach(doctor, {"care"}, [uuid4()])


@pytest.mark.parametrize("condition", ["care", "location"])
async def test_a_condition_is_no_right_over_nobody(
    bus: Bus, doctor: Caller, wards: SomeWards, condition: str, caller: Callable[..., Caller]
) -> None:
    """A wish that makes somebody new is about nobody in care yet."""
    limited = only(doctor, f"patients.register:{condition}")
    with pytest.raises(NotFound):
        await bus.handle(RegisterPatient(full_name="Bruno Neri", confirmed_not_duplicate=True), limited)
