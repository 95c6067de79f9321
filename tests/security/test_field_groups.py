"""T042: who sees and changes which group of fields of a patient, through every door; and what nobody may send."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.applications import build
from tests.security.bodies import BODIES
from tests.security.test_matrix import Everybody

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import GiveConsent, RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import GROUPS, PatientById
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

ALL = frozenset({"contact", "identifiers", "emergency", "insurance", "consents"})
SEES: dict[str, frozenset[str] | None] = {  # None: not the sheet at all, only the banner
    "SUPER_ADMIN": ALL,
    "ADMIN": ALL,
    "DOCTOR": ALL,
    "NURSE": ALL - {"insurance"},
    "RECEPTIONIST": ALL,
    "PHARMACIST": None,
    "LAB_TECHNICIAN": None,
    "PATIENT": ALL,
    "NARROW": frozenset(),  # a role that an organisation might make: the sheet, and no group of it
}
# Of each group, what would betray it.
TRACES = {
    "contact": ("+393331234567", "ada@rossi.it", "Via dei Mercanti", "+39089225566"),
    "identifiers": ("AB1234567",),
    "emergency": ("Zelinda Ferri",),
    "insurance": ("MEMBER-77",),
    "consents": ("kept in the blue folder",),
}
SHEET = frozenset({"contact", "identifiers", "emergency", "insurance"})
PERSON: dict[str, Any] = {
    "full_name": "Ada Rossi", "date_of_birth": "1948-03-12", "phone": "333 1234567", "email": "ada@rossi.it",
    "address": {"line1": "Via dei Mercanti 1", "city": "Salerno"}, "language": "it",
    "identifiers": [{"system": "passport", "value": "AB1234567", "country": "IT"}],
    "contacts": [{"kind": "phone", "value": "089 225566"}],
    "emergency_contacts": [{"name": "Zelinda Ferri", "phone": "333 7654321"}],
    "insurance": [{"payer": "Unisalute", "member_number": "MEMBER-77"}],
}  # fmt: skip
SERVER_OWNED = (
    "version", "signed_at", "status", "created_by", "created_at", "updated_at", "recorded_at", "hospital_id", "price",
    "organisation", "actor", "author", "permissions", "result_status", "deleted",
)  # fmt: skip
Client = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def patient(bus: Bus, doctor: Caller, caller: Callable[..., Caller]) -> UUID:
    admin = caller("SUPER_ADMIN")
    await bus.handle(
        RegisterOrganisation(organisation_id=admin.organisation, kind="clinic", name="Poliambulatorio"), admin
    )
    await bus.settled()
    made = await bus.handle(msgspec.convert(PERSON, RegisterPatient, strict=False), doctor)
    await bus.handle(
        GiveConsent(patient_id=made.aggregate_id, scope="treatment", note="kept in the blue folder"), doctor
    )
    return made.aggregate_id


@pytest.fixture
async def by(bus: Bus, patient: UUID, caller: Callable[..., Caller]) -> AsyncIterator[Client]:
    callers = {role: caller(role) for role in SEES if role not in ("PATIENT", "NARROW")}
    callers["PATIENT"] = caller("PATIENT", subject=patient)
    groups = {one.permission for one in GROUPS}
    callers["NARROW"] = msgspec.structs.replace(
        callers["RECEPTIONIST"], actor=uuid4(), permissions=callers["RECEPTIONIST"].permissions - groups
    )
    callers["EVERYTHING"] = msgspec.structs.replace(
        callers["ADMIN"], actor=uuid4(), permissions=frozenset(bus.permissions())
    )
    app: Any = build(bus, [api.door(bus), web.door(bus)], Setup(sessions=Everybody(callers), stop=False))
    clients: list[httpx.AsyncClient] = []

    def of(role: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {role}", "If-Match": "*"}
        clients.append(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://testserver", headers=headers)
        )
        return clients[-1]

    yield of
    for client in clients:
        await client.aclose()


async def page(client: httpx.AsyncClient, path: str) -> httpx.Response:
    cookie = {"Cookie": f"__Host-sid={client.headers['Authorization'].removeprefix('Bearer ')}", "Accept": "text/html"}
    headers = {name: value for name, value in client.headers.items() if name != "authorization"}
    async with httpx.AsyncClient(transport=client._transport, base_url="https://testserver") as browser:
        return await browser.get(path, headers=headers | cookie)


# Each channel: the groups that it shows to who may see them, and how it is asked.
Channel = tuple[frozenset[str], Callable[[httpx.AsyncClient, UUID], Any]]
CHANNELS: dict[str, Channel] = {
    "REST": (SHEET, lambda c, id: c.get(f"/api/v1/patients/{id}")),
    "bare": (SHEET, lambda c, id: c.get(f"/patients/{id}")),
    "as of": (SHEET, lambda c, id: c.get(f"/api/v1/patients/{id}/as-of", params={"moment": "2027-01-01T00:00:00Z"})),
    "answer to a change": (SHEET, lambda c, id: c.patch(f"/api/v1/patients/{id}", json={"language": "en"})),
    "list": (frozenset({"contact"}), lambda c, _: c.get("/api/v1/patients")),
    "search": (frozenset({"contact"}), lambda c, _: c.get("/api/v1/patients/search", params={"q": "Ada Rossi"})),
    "duplicates": (
        frozenset({"contact"}),
        lambda c, _: c.post(
            "/api/v1/patients/duplicates", json={"full_name": "Ada Rossi", "date_of_birth": "1948-03-12"}
        ),
    ),
    "consents": (frozenset({"consents"}), lambda c, id: c.get(f"/api/v1/patients/{id}/consents")),
    "page": (SHEET, lambda c, id: page(c, f"/chart/{id}/person")),
    "summary": (frozenset(), lambda c, id: page(c, f"/chart/{id}")),
    "form": (SHEET, lambda c, id: page(c, f"/people/{id}/edit")),
}
NOT_FOR_PATIENTS = {"answer to a change", "search", "duplicates", "form"}  # the list has their own chart alone


@pytest.mark.parametrize("channel", CHANNELS)
async def test_t042_a_group_of_fields_is_seen_by_the_same_roles_through_every_channel(
    by: Client, patient: UUID, channel: str
) -> None:
    shows, ask = CHANNELS[channel]
    for role, sees in SEES.items():
        told: httpx.Response = await ask(by(role), patient)
        allowed = sees if sees is not None else frozenset()
        refused = told.status_code in (403, 404)
        closed = (role == "PATIENT" and channel in NOT_FOR_PATIENTS) or (
            sees is None and channel not in ("search", "summary")
        )
        assert refused == (closed or (channel == "consents" and "consents" not in allowed)), (role, told.status_code)
        for group, traces in TRACES.items():
            here = [trace for trace in traces if trace in told.text]
            if group not in allowed or refused:
                assert here == [], f"{channel} shows {here} of {group} to {role}"
            elif group in shows:
                assert here, f"{channel} does not show {group} to {role}"


async def test_t042_withheld_fields_are_absent_and_named(by: Client, patient: UUID) -> None:
    full = (await by("DOCTOR").get(f"/api/v1/patients/{patient}")).json()
    nursing = (await by("NURSE").get(f"/api/v1/patients/{patient}")).json()
    narrow = (await by("NARROW").get(f"/api/v1/patients/{patient}")).json()
    assert (full["withheld"], nursing["withheld"]) == ([], ["insurance"])
    assert set(full) - set(nursing) == {"insurance"}
    assert set(full) - set(narrow) == {
        "insurance", "phone", "email", "address", "contacts", "identifiers", "emergency_contacts",
    }  # fmt: skip
    assert narrow["withheld"] == ["consents", "contact", "emergency", "identifiers", "insurance"]


async def test_t042_who_may_not_see_a_group_may_not_change_it_either(by: Client, patient: UUID) -> None:
    for body in ({"insurance": []}, {"insurance": None}, {"language": "en", "insurance": [{"payer": "Other"}]}):
        refused = await by("NURSE").patch(f"/api/v1/patients/{patient}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "fields-not-yours")
        assert [error["path"] for error in refused.json()["details"]["errors"]] == ["insurance"]
    for path, wish in (
        ("/commands/set-insurance", {"patient_id": str(patient), "insurance": []}),
        ("/commands/register-patient", {**PERSON, "full_name": "Bea Verdi", "date_of_birth": "1990-01-01"}),
    ):
        assert (await by("NURSE").post(path, json={"payload": wish})).status_code == 403
    kept = (await by("DOCTOR").get(f"/api/v1/patients/{patient}")).json()
    assert [one["member_number"] for one in kept["insurance"]] == ["MEMBER-77"]
    assert kept["language"] == "it"


async def test_t042_replacing_all_that_one_sees_leaves_alone_what_one_does_not_see(
    bus: Bus, by: Client, patient: UUID, doctor: Caller
) -> None:
    replaced = await by("NURSE").put(
        f"/api/v1/patients/{patient}", json={"full_name": "Ada Rossi", "date_of_birth": "1948-03-12"}
    )
    assert replaced.status_code == 200
    sheet = await bus.ask(PatientById(patient_id=patient), doctor)
    assert (sheet.patient.phone, sheet.patient.emergency_contacts) == ("", ())
    assert [one.member_number for one in sheet.patient.insurance] == ["MEMBER-77"]
    await bus.handle(UpdatePatient(patient_id=patient, full_name="Ada Rossi", complete=True), doctor)
    assert (await bus.ask(PatientById(patient_id=patient), doctor)).patient.insurance == ()


async def test_t042_t048_what_only_the_server_may_say_is_invalid_in_every_command(bus: Bus, by: Client) -> None:
    client, tried = by("EVERYTHING"), 0
    for name, command in bus.commands().items():
        for field in SERVER_OWNED:
            if field in command.__struct_fields__:
                continue
            body = {**BODIES.get(command.__name__, {}), field: "x"}
            told = await client.post(f"/commands/{name}", json={"payload": body})
            if told.status_code == 404 and "errors" not in told.json():
                break  # a command that no door takes
            assert told.status_code == 422, (name, field, told.text)
            assert field in {error["path"].rpartition(".")[2] for error in told.json()["errors"]}, (name, field)
            tried += 1
    assert tried > 500


async def test_t042_t048_what_only_the_server_may_say_is_invalid_in_every_body(bus: Bus, by: Client) -> None:
    client, tried = by("EVERYTHING"), 0
    for route in api.door(bus).routes:
        shape: Any = route.takes
        if shape is None or not issubclass(shape, msgspec.Struct) or not shape.__struct_config__.forbid_unknown_fields:
            continue
        path = re.sub(r"\{\w+:uuid\}", str(uuid4()), route.paths()[0])
        path = re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "x", path))
        for field in SERVER_OWNED:
            if field in shape.__struct_fields__:
                continue
            told = await client.request(route.method, path, json={field: "x"})
            assert told.status_code == 422, (route.method, path, field, told.status_code, told.text)
            assert field in {error["path"] for error in told.json()["errors"]}, (path, field)
            tried += 1
    assert tried > 300
