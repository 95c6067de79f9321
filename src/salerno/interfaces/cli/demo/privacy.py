"""A member of staff who is a patient too: her chart is restricted, and somebody has broken the glass."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.protection.commands import BreakGlass, RestrictChart
from salerno.contexts.records.commands import RecordAllergy, RecordProblem
from salerno.interfaces.cli.demo.clinic import COLLEAGUES, Clinic

Do = Callable[..., Awaitable[UUID]]


async def colleague_as_patient(do: Do, clinic: Clinic) -> None:
    """The laboratory technician. Her doctor is named; what the nurse did one evening waits for its review."""
    colleague = next(one for one in COLLEAGUES if one.login == "lab")
    wish = RegisterPatient(
        given_name=colleague.given_name,
        family_name=colleague.family_name,
        date_of_birth=date(1979, 5, 17),
        gender="female",
        confirmed_not_duplicate=True,
    )
    patient = await do(wish, "receptionist", 2)
    coded: dict[str, Any] = {"code": "E03.9", "system": "http://hl7.org/fhir/sid/icd-10-cm"}
    await do(RecordProblem(patient_id=patient, display="Ipotiroidismo", **coded), "gp", 3)
    await do(RecordAllergy(patient_id=patient, substance="Lattice"), "gp", 1)
    note = "Lavora nel nostro laboratorio."
    named = (clinic.callers["gp"].actor,)
    await do(RestrictChart(patient_id=patient, reason="staff", note=note, accounts=named), "admin", 90)
    why = "Si è sentita male in laboratorio: servivano le allergie."
    await do(BreakGlass(patient_id=patient, reason="emergency", explanation=why, minutes=30), "nurse", 5)
