"""Many wishes in one transaction, written together: what one makes the next one sees, and it is all or nothing."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.records.commands import ChangeProblem, RecordProblem
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotFound, VersionConflict
from salerno.kernel.messages import Caller

THEN = datetime(2019, 4, 22, tzinfo=UTC)


@pytest.fixture
def anybody(bus: Bus, organisation: UUID) -> Caller:
    return Caller(actor=uuid4(), organisation=organisation, permissions=frozenset(bus.permissions()))


def registering(patient: UUID) -> RegisterPatient:
    return RegisterPatient(patient_id=patient, full_name="Anna Verdi", confirmed_not_duplicate=True)


async def versions(bus: Bus, organisation: UUID) -> dict[UUID, int]:
    async with bus.database.context("salerno_kernel", organisation, "kernel") as connection:
        rows = await connection.fetch(
            "SELECT aggregate_id, version FROM kernel.streams WHERE organisation = $1", organisation
        )
    return {UUID(bytes=row[0].bytes): row[1] for row in rows}


async def test_a_later_wish_sees_what_an_earlier_one_made(bus: Bus, organisation: UUID, anybody: Caller) -> None:
    patient, problem = uuid4(), uuid4()
    wishes = [
        registering(patient),
        RecordProblem(problem_id=problem, patient_id=patient, display="Fever"),
        ChangeProblem(problem_id=problem, clinical_status="resolved"),
        UpdatePatient(patient_id=patient, phone="+39 089 123456"),
    ]
    receipts = await bus.handle_all([(wish, THEN, None) for wish in wishes], anybody, absent=[patient, problem])
    assert [(each.aggregate_id, each.version) for each in receipts] == [
        (patient, 1), (problem, 1), (problem, 2), (patient, 2)
    ]  # fmt: skip
    assert await versions(bus, organisation) == {patient: 2, problem: 2}
    async with bus.reading("records", organisation) as tx:
        history = await tx.history("records.problem", problem)
    assert [type(item.event).__name__ for item in history] == ["ProblemRecorded", "ProblemChanged"]
    assert history[0].position < history[1].position and history[0].origin.happened_at == THEN


async def test_of_wishes_asked_together_all_are_granted_or_none(bus: Bus, organisation: UUID, anybody: Caller) -> None:
    patient = uuid4()
    wishes = [registering(patient), RecordProblem(patient_id=uuid4(), display="Fever")]
    with pytest.raises(NotFound) as refusal:
        await bus.handle_all([(wish, None, None) for wish in wishes], anybody, absent=[patient])
    assert refusal.value.nth == 1
    assert await versions(bus, organisation) == {}


async def test_a_stream_that_was_said_to_be_absent_and_is_not_is_a_conflict(
    bus: Bus, organisation: UUID, anybody: Caller
) -> None:
    patient, problem = uuid4(), uuid4()
    recording = RecordProblem(problem_id=problem, patient_id=patient, display="Fever")
    await bus.handle_all(
        [(registering(patient), None, None), (recording, None, None)], anybody, absent=[patient, problem]
    )
    with pytest.raises(VersionConflict) as refusal:
        await bus.handle_all([(recording, None, None)], anybody, absent=[problem])
    assert refusal.value.current == 1
    assert await versions(bus, organisation) == {patient: 1, problem: 1}


async def test_known_streams_are_those_of_ones_own_organisation(bus: Bus, anybody: Caller) -> None:
    patient, nobody = uuid4(), uuid4()
    await bus.handle(registering(patient), anybody)
    stranger = Caller(actor=uuid4(), organisation=uuid4(), permissions=anybody.permissions)
    assert await bus.known([patient, nobody], anybody) == {patient}
    assert await bus.known([patient, nobody], stranger) == set()
