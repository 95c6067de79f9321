"""Between what is sent and what rooms understand: names, versions, answers."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, structs

from salerno.contexts.patients.commands import (
    GivenAddress,
)
from salerno.contexts.patients.queries import (
    PatientById,
    PatientSheet,
    fields_of,
)
from salerno.interfaces.api.patients.bodies import (
    AddressAnswer,
    PatientAnswer,
    PersonBody,
    PlaceBody,
    VersionedPatient,
    Warned,
)
from salerno.interfaces.http import (
    Request,
    Response,
    answer,
    ask,
    invalid,
)
from salerno.interfaces.http.problems import field_error

TAGS = ("patients",)
ID = "{patient_id:uuid}"
EXAMPLE = {
    "full_name": "Maria Rossi",
    "date_of_birth": "1948-03-12",
    "gender": "female",
    "phone": "333 1234567",
    "email": "maria.rossi@example.com",
    "address": {"line1": "Via dei Mercanti 1", "city": "Salerno", "state": "SA", "postal_code": "84121"},
    "identifiers": [{"system": "codice-fiscale", "value": "RSSMRA48C52H501G"}],
}
ALIASES = {
    "first_name": "given_name", "firstName": "given_name", "last_name": "family_name", "lastName": "family_name",
    "fullName": "full_name", "dateOfBirth": "date_of_birth", "maritalStatus": "marital_status",
    "emergencyContacts": "emergency_contacts", "deceasedOn": "deceased_on",
}  # fmt: skip
SAME = (
    "id", "mrn", "full_name", "gender", "phone", "email", "identifiers", "contacts", "emergency_contacts",
    "insurance", "language", "marital_status", "deceased", "deceased_on", "status", "created_at", "updated_at",
)  # fmt: skip


def patient_of(request: Request[Any, Any, Any]) -> UUID:
    patient: UUID = request.path_params["patient_id"]
    return patient


def versioned(request: Request[Any, Any, Any]) -> bool:
    return str(request.scope["path"]).startswith("/api/v1/")


def wished(body: PersonBody) -> dict[str, Any]:
    """The fields of a wish under their one name; a field said twice must say the same."""
    found: dict[str, Any] = {}
    for spelled in PersonBody.__struct_fields__:
        value = getattr(body, spelled)
        name = ALIASES.get(spelled, spelled)
        if value is UNSET:
            continue
        if name in found and found[name] != value:
            raise invalid([field_error(spelled, "contradiction", f"This says otherwise than {name}.")])
        found[name] = _place(value) if isinstance(value, PlaceBody) else value
    return found


def _place(body: PlaceBody) -> GivenAddress:
    codes = {code for code in (body.postal_code, body.postalCode) if code is not UNSET}
    if len(codes) > 1:
        raise invalid([field_error("address.postalCode", "contradiction", "This says otherwise than postal_code.")])
    return GivenAddress(
        line1=body.line1,
        line2=body.line2,
        city=body.city,
        state=body.state,
        postal_code=str(codes.pop()) if codes else "",
        country=body.country,
    )


async def shown(request: Request[Any, Any, Any], patient: UUID) -> Response[Any]:
    sheet: PatientSheet = await ask(request, PatientById(patient_id=patient))
    return answer(request, told(request, sheet), etag=sheet.version)


def told(request: Request[Any, Any, Any], sheet: PatientSheet) -> PatientAnswer:
    held, withheld = sheet.patient, fields_of(sheet.withheld)
    shown: dict[str, Any] = {name: getattr(held, name) for name in SAME}
    shown["address"] = AddressAnswer(**structs.asdict(held.address))
    plain = PatientAnswer(
        first_name=held.given_name,
        last_name=held.family_name,
        date_of_birth=held.birth_date,
        version=sheet.version,
        warnings=[Warned(**doubt) for doubt in sheet.doubts],
        linked=sheet.linked,
        withheld=sheet.withheld,
        **{name: value for name, value in shown.items() if name not in withheld},
    )
    if not versioned(request):
        return plain
    return VersionedPatient(
        first=plain.first_name,
        last=plain.last_name,
        full=plain.full_name,
        born=plain.date_of_birth,
        created=plain.created_at,
        updated=plain.updated_at,
        **structs.asdict(plain),
    )
