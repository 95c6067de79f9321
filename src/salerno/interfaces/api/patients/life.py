"""What happens to a record: removal, merging, contacts, consents; and how it stood."""

from typing import Any

from msgspec import structs

from salerno.contexts.patients.commands import (
    GiveConsent,
    MergePatients,
    RemovePatient,
    RestorePatient,
    SetEmergencyContacts,
    SetInsurance,
    UnmergePatients,
    WithdrawConsent,
)
from salerno.contexts.patients.queries import (
    Banner,
    ConsentsOf,
    LinkedSubjects,
    PatientAsOf,
    PatientBanner,
)
from salerno.interfaces.api.patients.between import ID, TAGS, patient_of, shown, told
from salerno.interfaces.api.patients.bodies import (
    Consent,
    ConsentLine,
    ConsentList,
    Contacts,
    Duplicate,
    LinkedList,
    Moment,
    Policies,
    Reason,
    VersionedPatient,
    Withdrawal,
    WithinMoment,
)
from salerno.interfaces.http import (
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    invalid,
    no_content,
    post,
    put,
    read_body,
    read_query,
    submit,
)
from salerno.interfaces.http.problems import field_error


@delete(f"/patients/{ID}", of=RemovePatient, status=204, tags=TAGS)
async def remove_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """Remove a record. Nothing is lost: it can be restored."""
    await submit(request, RemovePatient(patient_id=patient_of(request)))
    return no_content()


@post(f"/patients/{ID}/restore", of=RestorePatient, takes=Reason, gives=VersionedPatient, tags=TAGS)
async def restore_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """Bring a removed record back."""
    body = await read_body(request, Reason)
    await submit(request, RestorePatient(patient_id=patient_of(request), reason=body.reason))
    return await shown(request, patient_of(request))


@get(f"/patients/{ID}/banner", of=PatientBanner, gives=Banner, tags=TAGS)
async def patient_banner(request: Request[Any, Any, Any]) -> Response[Any]:
    """The little that stands above a chart: name, age, sex, MRN, flags."""
    return answer(request, await ask(request, PatientBanner(patient_id=patient_of(request))))


@get(f"/patients/{ID}/as-of", of=PatientAsOf, query=Moment, gives=VersionedPatient, tags=TAGS)
async def patient_as_of(request: Request[Any, Any, Any]) -> Response[Any]:
    """The record exactly as it stood at a moment."""
    wanted = read_query(request, Moment)
    if wanted.moment.tzinfo is None:
        raise invalid([field_error("moment", "no-offset", "Say the offset from UTC, such as +01:00 or Z.")])
    query = PatientAsOf(patient_id=patient_of(request), moment=wanted.moment, by_source=wanted.by_source)
    return answer(request, told(request, await ask(request, query)))


@put(f"/patients/{ID}/emergency-contacts", of=SetEmergencyContacts, takes=Contacts, gives=VersionedPatient, tags=TAGS)
async def set_emergency_contacts(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whom to call, as a whole list."""
    body = await read_body(request, Contacts)
    wish = SetEmergencyContacts(patient_id=patient_of(request), emergency_contacts=body.emergency_contacts)
    await submit(request, wish)
    return await shown(request, patient_of(request))


@put(f"/patients/{ID}/insurance", of=SetInsurance, takes=Policies, gives=VersionedPatient, tags=TAGS)
async def set_insurance(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who pays, as a whole list."""
    body = await read_body(request, Policies)
    await submit(request, SetInsurance(patient_id=patient_of(request), insurance=body.insurance))
    return await shown(request, patient_of(request))


# ------------------------------------------------------------------ two records of one person
@post(f"/patients/{ID}/merge", of=MergePatients, takes=Duplicate, gives=VersionedPatient, tags=TAGS)
async def merge_patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Read the duplicate's chart as part of this one from now on. It can be undone without loss."""
    body = await read_body(request, Duplicate)
    wish = MergePatients(patient_id=patient_of(request), duplicate_id=body.duplicate_id, reason=body.reason)
    await submit(request, wish)
    return await shown(request, patient_of(request))


@post(f"/patients/{ID}/unmerge", of=UnmergePatients, takes=Duplicate, gives=VersionedPatient, tags=TAGS)
async def unmerge_patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Give both charts back exactly as they are without the merge."""
    body = await read_body(request, Duplicate)
    wish = UnmergePatients(patient_id=patient_of(request), duplicate_id=body.duplicate_id, reason=body.reason)
    await submit(request, wish)
    return await shown(request, patient_of(request))


@get(f"/patients/{ID}/linked", of=LinkedSubjects, query=WithinMoment, gives=LinkedList, tags=TAGS)
async def linked_subjects(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whose data belongs to this chart: the patient first, then every record merged into it."""
    wanted = read_query(request, WithinMoment)
    if wanted.as_of is not None and wanted.as_of.tzinfo is None:
        raise invalid([field_error("as_of", "no-offset", "Say the offset from UTC, such as +01:00 or Z.")])
    ids = await ask(request, LinkedSubjects(patient_id=patient_of(request), as_of=wanted.as_of))
    return answer(request, LinkedList(patient_ids=ids))


# ------------------------------------------------------------------ consents
@get(f"/patients/{ID}/consents", of=ConsentsOf, gives=ConsentList, tags=TAGS)
async def consents(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every consent, also those that no longer hold."""
    return await _consents(request)


@post(f"/patients/{ID}/consents", of=GiveConsent, takes=Consent, gives=ConsentList, status=201, tags=TAGS)
async def give_consent(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record that the patient agreed to something, and to which version of its text."""
    body = await read_body(request, Consent)
    await submit(request, GiveConsent(patient_id=patient_of(request), **structs.asdict(body)))
    return await _consents(request, 201)


@post(
    f"/patients/{ID}/consents/{{agreed:str}}/withdraw",
    of=WithdrawConsent,
    takes=Withdrawal,
    gives=ConsentList,
    tags=TAGS,
)
async def withdraw_consent(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record that the patient no longer agrees."""
    body = await read_body(request, Withdrawal)
    wish = WithdrawConsent(
        patient_id=patient_of(request),
        scope=request.path_params["agreed"],
        withdrawn_on=body.withdrawn_on,
        reason=body.reason,
    )
    await submit(request, wish)
    return await _consents(request)


async def _consents(request: Request[Any, Any, Any], status: int = 200) -> Response[Any]:
    held = await ask(request, ConsentsOf(patient_id=patient_of(request)))
    lines = [
        ConsentLine(
            scope=one.scope,
            version=one.version,
            given_on=one.given_on,
            expires_on=one.expires_on,
            withdrawn_on=one.withdrawn_on,
            document_id=one.document,
            note=one.note,
            reason=one.reason,
        )
        for one in held
    ]
    return answer(request, ConsentList(consents=lines), status)


ROUTES = [
    remove_patient,
    restore_patient,
    patient_banner,
    patient_as_of,
    set_emergency_contacts,
    set_insurance,
    merge_patients,
    unmerge_patients,
    linked_subjects,
    consents,
    give_consent,
    withdraw_consent,
]
