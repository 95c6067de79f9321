"""Which rule answers which command, and which facts it needs first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from salerno.contexts.records.commands import (
    ChangeAllergy,
    ChangeProblem,
    ChangeStatementStatus,
    KeepResource,
    ListDiagnosis,
    RecordAllergy,
    RecordProblem,
    RecordStatement,
    RecordVitals,
    RemoveAllergy,
    StateNoKnownAllergies,
    UnlistDiagnosis,
    VoidVitals,
    WithdrawStatement,
)
from salerno.contexts.records.errors import NoSuchRecord, UnknownPatient
from salerno.contexts.records.projections import SQL
from salerno.contexts.records.rules import allergy, problem, vitals
from salerno.contexts.records.rules.kept_resource import KEPT_RESOURCE, Keeping
from salerno.contexts.records.rules.statement import FAMILIES, OF_KIND, STATEMENTS, Changing, Stating
from salerno.kernel.decider import Decider
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx


async def on_record_problem(tx: Tx, command: RecordProblem, origin: Origin) -> Sequence[Recorded[Any]]:
    """Without an id, one code of one person is one problem."""
    await _refuse_strangers(tx, command.patient_id)
    derived = problem_of(command.patient_id, command.system, command.code) if command.code else tx.new_id()
    id = command.problem_id or derived
    return await tx.execute(problem.PROBLEM, id, problem.Recording(command, id), subject=command.patient_id)


async def on_change_problem(tx: Tx, command: ChangeProblem, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide(tx, problem.PROBLEM, command.problem_id, command)


async def on_list_diagnosis(tx: Tx, command: ListDiagnosis, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    known = await _problems_with(tx, command.patient_id, command.code)
    id = known[0] if known else problem_of(command.patient_id, command.system, command.code)
    return await tx.execute(problem.PROBLEM, id, problem.Listing(command, id), subject=command.patient_id)


async def on_unlist_diagnosis(tx: Tx, command: UnlistDiagnosis, origin: Origin) -> Sequence[Recorded[Any]]:
    recorded: list[Recorded[Any]] = []
    for id in await _problems_with(tx, command.patient_id, command.code):
        recorded += await tx.execute(problem.PROBLEM, id, command)
    return recorded


def problem_of(patient: UUID, system: str, code: str) -> UUID:
    return uuid5(patient, f"problem|{system}|{code}")


async def _problems_with(tx: Tx, patient: UUID, code: str) -> list[UUID]:
    rows = await tx.fetch(SQL["problems_with_code"], tx.organisation, patient, code)
    return [UUID(bytes=row["id"].bytes) for row in rows]


async def on_record_allergy(tx: Tx, command: RecordAllergy, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    id = command.allergy_id or tx.new_id()
    wish = allergy.Recording(command, id)
    return await tx.execute(allergy.ALLERGY, id, wish, subject=command.patient_id, fresh=command.allergy_id is None)


async def on_allergy(tx: Tx, command: ChangeAllergy | RemoveAllergy, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide(tx, allergy.ALLERGY, command.allergy_id, command)


async def on_no_known_allergies(tx: Tx, command: StateNoKnownAllergies, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    charts = await charts_of(tx, command.patient_id)
    has_allergies = await tx.fetchval(SQL["has_active_allergies"], tx.organisation, charts)
    id = command.allergy_id or tx.new_id()
    wish = allergy.Stating(command, id, has_allergies)
    return await tx.execute(allergy.ALLERGY, id, wish, subject=command.patient_id)


async def charts_of(tx: Tx, patient: UUID) -> list[UUID]:
    rows = await tx.fetch(SQL["charts_of"], tx.organisation, patient)
    return [UUID(bytes=row["patient"].bytes) for row in rows]


async def on_record_vitals(tx: Tx, command: RecordVitals, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    id = command.vitals_id or tx.new_id()
    wish = vitals.Measuring(command, id)
    return await tx.execute(vitals.VITALS, id, wish, subject=command.patient_id, fresh=command.vitals_id is None)


async def on_void_vitals(tx: Tx, command: VoidVitals, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide(tx, vitals.VITALS, command.vitals_id, command)


async def on_statement(tx: Tx, command: RecordStatement, origin: Origin) -> Sequence[Recorded[Any]]:
    await _refuse_strangers(tx, command.patient_id)
    family = FAMILIES[type(command)]
    named: UUID | None = getattr(command, f"{family.kind}_id")
    id = named or tx.new_id()
    wish = Stating(command, id, family)
    return await tx.execute(STATEMENTS[family.kind], id, wish, subject=command.patient_id, fresh=named is None)


async def on_statement_status(tx: Tx, command: ChangeStatementStatus, origin: Origin) -> Sequence[Recorded[Any]]:
    wish = Changing(command, OF_KIND[command.kind])
    return await _decide(tx, STATEMENTS[command.kind], command.record_id, wish)


async def on_withdraw(tx: Tx, command: WithdrawStatement, origin: Origin) -> Sequence[Recorded[Any]]:
    return await _decide(tx, STATEMENTS[command.kind], command.record_id, command)


async def on_keep(tx: Tx, command: KeepResource, origin: Origin) -> Sequence[Recorded[Any]]:
    """One resource of one source is kept once, whoever it is about."""
    if command.patient_id is not None:
        await _refuse_strangers(tx, command.patient_id)
    owner = command.patient_id or tx.organisation
    id = command.kept_resource_id or uuid5(owner, f"{command.resource_type}/{command.resource_id}")
    return await tx.execute(KEPT_RESOURCE, id, Keeping(command, id), subject=owner)


async def _refuse_strangers(tx: Tx, patient: UUID) -> None:
    try:
        await tx.subject_of("patients.patient", patient)
    except NotFound:
        raise UnknownPatient() from None


async def _decide(tx: Tx, decider: Decider[Any, Any, Any], id: UUID, wish: Any) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(decider, id, wish)
    except NotFound as error:
        raise NoSuchRecord() if type(error) is NotFound else error from None


HANDLERS: dict[type[Command], Handler] = {
    RecordProblem: on_record_problem,
    ChangeProblem: on_change_problem,
    ListDiagnosis: on_list_diagnosis,
    UnlistDiagnosis: on_unlist_diagnosis,
    RecordAllergy: on_record_allergy,
    ChangeAllergy: on_allergy,
    RemoveAllergy: on_allergy,
    StateNoKnownAllergies: on_no_known_allergies,
    RecordVitals: on_record_vitals,
    VoidVitals: on_void_vitals,
    **dict.fromkeys(FAMILIES, on_statement),
    ChangeStatementStatus: on_statement_status,
    WithdrawStatement: on_withdraw,
    KeepResource: on_keep,
}
