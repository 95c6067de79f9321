"""Prescriptions, screening and medicines over REST (RX-01 … RX-08, RX-14)."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    Diagnosis,
    Instant,
    IssuePrescription,
    Line,
    Medications,
    Overrides,
    Reason,
    RecordMedication,
    SignPrescription,
    StopMedication,
    StopRecordedMedication,
)
from salerno.contexts.prescribing.events import MedicineStatus, Words
from salerno.contexts.prescribing.queries import (
    FindMedicines,
    FoundMedicine,
    MedicinesAsOf,
    MedicinesOfPatient,
    PrescriptionById,
    PrescriptionPage,
    Prescriptions,
    PrescriptionsOfPatient,
    Screened,
    ScreenPrescription,
    Status,
    TakenMedicine,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
    answer,
    ask,
    get,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Command, Page, Receipt

PRESCRIPTION, MEDICINE, PATIENT = "{prescription_id:uuid}", "{medicine_id:uuid}", "{patient_id:uuid}"
TAGS = ("prescriptions",)
EXAMPLE = {
    "patient_id": "0197c9a0-0000-7000-8000-000000000001",
    "medications": [
        {
            "name": "Amoxicillin 1 g tablets",
            "dosage": "1 tablet",
            "frequency": "twice a day",
            "duration": "7 days",
            "quantity": "14",
            "instructions": "with food",
        }
    ],
    "diagnosis": "Acute otitis media",
}


class MedicineList(Struct, frozen=True, kw_only=True):
    medicines: Sequence[TakenMedicine]


class FoundMedicines(Struct, frozen=True, kw_only=True):
    medicines: Sequence[FoundMedicine]


class PrescriptionsWanted(Paging):
    patient_id: UUID | None = None
    prescriber_id: UUID | None = None
    visit_id: UUID | None = None
    status: Status | None = None


class MedicinesWanted(Body):
    """`ended` shows past medicines too; `as_of` the list as it stood, `by_source` by the source's recording dates."""

    ended: bool = False
    as_of: Instant | None = None
    by_source: bool = False


class NamesWanted(Body):
    q: Annotated[str, Meta(max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class ContentBody(Body):
    medications: Medications
    diagnosis: Diagnosis = ""


class SigningBody(Body):
    """A reason for each interrupting alert, and the hash of the content that was shown."""

    overrides: Overrides = ()
    content_hash: Annotated[str, Meta(max_length=64)] = ""


class BecauseBody(Body):
    reason: Reason


class StoppingBody(Body):
    line: Annotated[int, Meta(ge=0, le=49)] = 0
    reason: Reason


class MedicineBody(Body):
    medication: Line
    medicine_id: UUID | None = None
    visit_id: UUID | None = None
    status: MedicineStatus = "active"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    prescriber_id: UUID | None = None
    reasons: Annotated[tuple[Words, ...], Meta(max_length=50)] = ()
    source: Words = ""


def _id(request: Request[Any, Any, Any], name: str) -> UUID:
    found: UUID = request.path_params[name]
    return found


async def _changed(request: Request[Any, Any, Any], command: Command, status: int = 200) -> Response[Any]:
    """The prescription as it is after the command."""
    receipt = await submit(request, command)
    page: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=receipt.aggregate_id))
    location = f"/api/v1/prescriptions/{receipt.aggregate_id}" if status == 201 else None
    return answer(request, page, status, etag=page.version, location=location)


async def _receipt(request: Request[Any, Any, Any], command: Command, status: int = 200) -> Response[Any]:
    receipt = await submit(request, command)
    return answer(request, receipt, status, etag=receipt.version)


@get("/prescriptions", of=Prescriptions, query=PrescriptionsWanted, gives=Page[PrescriptionPage], tags=TAGS)
async def prescriptions(request: Request[Any, Any, Any]) -> Response[Any]:
    """Prescriptions, newest first: all, or those of a patient, prescriber, visit or status."""
    wanted = read_query(request, PrescriptionsWanted)
    return answer(request, await ask(request, Prescriptions(**asdict(wanted))))


@post(
    "/prescriptions",
    of=IssuePrescription,
    takes=IssuePrescription,
    gives=PrescriptionPage,
    status=201,
    example=EXAMPLE,
    tags=TAGS,
)
async def issue(request: Request[Any, Any, Any]) -> Response[Any]:
    """Draft a prescription; with `sign`, sign it at once."""
    return await _changed(request, await read_body(request, IssuePrescription), 201)


@post("/prescriptions/screen", of=ScreenPrescription, takes=ScreenPrescription, gives=Screened, tags=TAGS)
async def screen(request: Request[Any, Any, Any]) -> Response[Any]:
    """What would alert, without writing anything. The absence of an alert is no evidence of safety."""
    return answer(request, await ask(request, await read_body(request, ScreenPrescription)))


@get(f"/prescriptions/{PRESCRIPTION}", of=PrescriptionById, gives=PrescriptionPage, tags=TAGS)
async def prescription(request: Request[Any, Any, Any]) -> Response[Any]:
    """A prescription: a draft with its alerts of now, a signed one with those it was signed with."""
    page: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=_id(request, "prescription_id")))
    return answer(request, page, etag=page.version)


@put(f"/prescriptions/{PRESCRIPTION}", of=ChangePrescription, takes=ContentBody, gives=PrescriptionPage, tags=TAGS)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Replace the content of a draft."""
    body = await read_body(request, ContentBody)
    command = ChangePrescription(
        prescription_id=_id(request, "prescription_id"), medications=body.medications, diagnosis=body.diagnosis
    )
    return await _changed(request, command)


@post(f"/prescriptions/{PRESCRIPTION}/sign", of=SignPrescription, takes=SigningBody, gives=PrescriptionPage, tags=TAGS)
async def sign(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign a draft; every interrupting alert needs a reason."""
    body = await read_body(request, SigningBody)
    command = SignPrescription(
        prescription_id=_id(request, "prescription_id"), overrides=body.overrides, content_hash=body.content_hash
    )
    return await _changed(request, command)


@post(
    f"/prescriptions/{PRESCRIPTION}/cancel",
    of=CancelPrescription,
    takes=BecauseBody,
    gives=PrescriptionPage,
    tags=TAGS,
)
async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
    """Cancel a prescription, and say why."""
    body = await read_body(request, BecauseBody)
    return await _changed(
        request, CancelPrescription(prescription_id=_id(request, "prescription_id"), reason=body.reason)
    )


@post(f"/prescriptions/{PRESCRIPTION}/stop", of=StopMedication, takes=StoppingBody, gives=PrescriptionPage, tags=TAGS)
async def stop(request: Request[Any, Any, Any]) -> Response[Any]:
    """Stop one medicine of a signed prescription."""
    body = await read_body(request, StoppingBody)
    command = StopMedication(prescription_id=_id(request, "prescription_id"), line=body.line, reason=body.reason)
    return await _changed(request, command)


@get(
    f"/patients/{PATIENT}/prescriptions",
    of=PrescriptionsOfPatient,
    query=Paging,
    gives=Page[PrescriptionPage],
    tags=TAGS,
)
async def prescriptions_of_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """A patient's prescriptions, newest first."""
    wanted = read_query(request, Paging)
    query = PrescriptionsOfPatient(patient_id=_id(request, "patient_id"), limit=wanted.limit, offset=wanted.offset)
    return answer(request, await ask(request, query))


@get(f"/patients/{PATIENT}/medicines", of=MedicinesOfPatient, query=MedicinesWanted, gives=MedicineList, tags=TAGS)
async def medicines_of_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """What a patient takes: now, or `as_of` a moment."""
    wanted, patient = read_query(request, MedicinesWanted), _id(request, "patient_id")
    query: MedicinesOfPatient | MedicinesAsOf = MedicinesOfPatient(patient_id=patient, ended=wanted.ended)
    if wanted.as_of is not None:
        query = MedicinesAsOf(patient_id=patient, moment=wanted.as_of, by_source=wanted.by_source, ended=wanted.ended)
    return answer(request, MedicineList(medicines=await ask(request, query)))


@post(
    f"/patients/{PATIENT}/medicines",
    of=RecordMedication,
    takes=MedicineBody,
    gives=Receipt,
    status=201,
    tags=TAGS,
)
async def record_medicine(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record a medicine that was ordered or is taken elsewhere."""
    body = await read_body(request, MedicineBody)
    return await _receipt(request, RecordMedication(patient_id=_id(request, "patient_id"), **asdict(body)), 201)


@post(f"/medicines/{MEDICINE}/stop", of=StopRecordedMedication, takes=BecauseBody, gives=Receipt, tags=TAGS)
async def stop_medicine(request: Request[Any, Any, Any]) -> Response[Any]:
    """The patient no longer takes a recorded medicine."""
    body = await read_body(request, BecauseBody)
    return await _receipt(request, StopRecordedMedication(medicine_id=_id(request, "medicine_id"), reason=body.reason))


@get("/medicines/search", of=FindMedicines, query=NamesWanted, gives=FoundMedicines, tags=TAGS)
async def find_medicines(request: Request[Any, Any, Any]) -> Response[Any]:
    """Medicines by the beginning of a name or brand, English or Italian, or in spite of a slip."""
    wanted = read_query(request, NamesWanted)
    found = await ask(request, FindMedicines(q=wanted.q, limit=wanted.limit))
    return answer(request, FoundMedicines(medicines=found))


ROUTES = [
    prescriptions,
    issue,
    screen,
    prescription,
    change,
    sign,
    cancel,
    stop,
    prescriptions_of_patient,
    medicines_of_patient,
    record_medicine,
    stop_medicine,
    find_medicines,
]
