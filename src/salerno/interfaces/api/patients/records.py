"""Lists, search, and one record: PAT-04 to PAT-09."""

from typing import Any

from msgspec import structs

from salerno.contexts.patients.commands import (
    RegisterPatient,
    UpdatePatient,
)
from salerno.contexts.patients.queries import (
    DuplicatesFound,
    FindPatients,
    LikelyDuplicates,
    ListPatients,
    PatientById,
    PatientsFound,
    RemovedPatients,
)
from salerno.interfaces.api.patients.between import EXAMPLE, ID, TAGS, patient_of, shown, told, versioned, wished
from salerno.interfaces.api.patients.bodies import (
    Criteria,
    Hit,
    Hits,
    ListedPatient,
    NewPatient,
    PatientAnswer,
    PatientList,
    PersonBody,
    ScoredHits,
    Typed,
    VersionedPatient,
)
from salerno.interfaces.http import (
    Paging,
    Request,
    Response,
    answer,
    ask,
    get,
    invalid,
    patch,
    post,
    put,
    read_body,
    read_query,
    submit,
    submit_and_ask,
)
from salerno.interfaces.http.problems import field_error


# ------------------------------------------------------------------ lists and search
@get("/patients", of=ListPatients, query=Paging, gives=PatientList, tags=TAGS)
async def patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """The patients, most recently registered or changed first."""
    return await _list(request, ListPatients)


@get("/patients/removed", of=RemovedPatients, query=Paging, gives=PatientList, tags=TAGS)
async def removed_patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Records that were removed, and can be restored."""
    return await _list(request, RemovedPatients)


async def _list(request: Request[Any, Any, Any], query: type[ListPatients] | type[RemovedPatients]) -> Response[Any]:
    page = await ask(request, query(**structs.asdict(read_query(request, Paging))))
    lines = [
        ListedPatient(**{name: getattr(line, name) for name in ListedPatient.__struct_fields__}) for line in page.items
    ]
    return answer(request, PatientList(patients=lines, total=page.total, limit=page.limit, offset=page.offset))


@get("/patients/search", of=FindPatients, query=Criteria, gives=Hits, at="bare", tags=TAGS)
async def search_patients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Find patients by whatever is known of them; typing errors are forgiven."""
    found = await _find(request)
    hits = [Hit(id=one.id, mrn=one.mrn, full_name=one.full_name, phone=one.phone) for one in found.results]
    return answer(request, Hits(results=hits))


@get("/patients/search", of=FindPatients, query=Criteria, gives=ScoredHits, at="versioned", tags=TAGS)
async def search_patients_scored(request: Request[Any, Any, Any]) -> Response[Any]:
    """Find patients by whatever is known of them; each says how well it fits, and why."""
    found = await _find(request)
    return answer(request, ScoredHits(results=found.results, limit=found.limit, offset=found.offset, more=found.more))


async def _find(request: Request[Any, Any, Any]) -> PatientsFound:
    wanted = read_query(request, Criteria)
    texts = (wanted.q, wanted.email, wanted.mrn)
    name = " ".join(part for part in (wanted.name, wanted.full_name, wanted.first_name, wanted.last_name) if part)
    query = FindPatients(
        q=" ".join(text for text in texts if text),
        name=name,
        birth_date=wanted.date_of_birth,
        phone=wanted.phone,
        identifier=wanted.identifier,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    if not any((query.q.strip(), name.strip(), query.birth_date, query.phone.strip(), query.identifier.strip())):
        raise invalid([field_error("q", "missing", "Say whom to look for: q, or any other field.")])
    found: PatientsFound = await ask(request, query)
    return found


@post("/patients/duplicates", of=LikelyDuplicates, takes=Typed, gives=DuplicatesFound, tags=TAGS)
async def likely_duplicates(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who on file is likely to be the person being typed, with reasons; and what deserves a second look."""
    body = await read_body(request, Typed)
    fields = structs.asdict(body)
    birth_date = fields.pop("date_of_birth")
    return answer(request, await ask(request, LikelyDuplicates(birth_date=birth_date, **fields)))


# ------------------------------------------------------------------ one record
@post("/patients", of=RegisterPatient, takes=NewPatient, gives=PatientAnswer, status=201, example=EXAMPLE, tags=TAGS)
async def register_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """Register a patient. A likely duplicate is refused (409) until `confirmed_not_duplicate` says otherwise."""
    body = await read_body(request, NewPatient)
    wish = RegisterPatient(mrn=body.mrn, confirmed_not_duplicate=body.confirmed_not_duplicate, **wished(body))
    receipt, sheet = await submit_and_ask(request, wish, lambda receipt: PatientById(patient_id=receipt.aggregate_id))
    location = f"{'/api/v1' if versioned(request) else ''}/patients/{receipt.aggregate_id}"
    return answer(request, told(request, sheet), 201, etag=sheet.version, location=location)


@get(f"/patients/{ID}", of=PatientById, gives=VersionedPatient, tags=TAGS)
async def patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """One patient. A merged record answers 410 and says where it went."""
    return await shown(request, patient_of(request))


@put(f"/patients/{ID}", of=UpdatePatient, takes=PersonBody, gives=VersionedPatient, example=EXAMPLE, tags=TAGS)
async def replace_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """Replace the demographics: what is left out is emptied. If-Match guards somebody else's change."""
    return await _update(request, complete=True)


@patch(f"/patients/{ID}", of=UpdatePatient, takes=PersonBody, gives=VersionedPatient, tags=TAGS)
async def update_patient(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change the demographics: what is left out stays as it is, null empties it."""
    return await _update(request, complete=False)


async def _update(request: Request[Any, Any, Any], *, complete: bool) -> Response[Any]:
    body = await read_body(request, PersonBody)
    await submit(request, UpdatePatient(patient_id=patient_of(request), complete=complete, **wished(body)))
    return await shown(request, patient_of(request))


ROUTES = [
    patients,
    removed_patients,
    search_patients,
    search_patients_scored,
    likely_duplicates,
    register_patient,
    patient,
    replace_patient,
    update_patient,
]
