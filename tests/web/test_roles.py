"""Roles in the settings: made, changed, given and retired; who may do what; and why somebody may or may not."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.kernel.test_judging import WardsOfBoth
from tests.web.conftest import SiteClient

from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.handlers import explaining
from salerno.contexts.identity.queries import RoleById, RoleLine, UserById
from salerno.contexts.identity.rules.roles import listed_permissions
from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.web.policy_words import CELLS, PERMISSIONS, ROOMS, STEPS, by_room
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

TRIAGE = {
    "title": "Triage nurse", "cell.patients.read": "yes", "cell.records.read_vitals": "care+location",
    "cell.records.record_vitals": "care", "cell.records.read": "",
}  # fmt: skip


@pytest.fixture
def desk(admin: Caller, sign_in: SiteClient) -> httpx.AsyncClient:
    return sign_in(admin)


async def made(desk: httpx.AsyncClient, title: str = "") -> str:
    answer = await desk.post("/settings/roles/new", data=TRIAGE | {"title": title or f"Triage {uuid4().hex[:6]}"})
    assert answer.status_code == 303, answer.text[:800]
    return str(answer.headers["location"].removesuffix("?done=added"))


async def line_of(bus: Bus, admin: Caller, path: str) -> RoleLine:
    line: RoleLine = await bus.ask(RoleById(role_id=UUID(path.rpartition("/")[2])), admin)
    return line


async def account(bus: Bus, admin: Caller, role: str = "RECEPTIONIST") -> UUID:
    wish = CreateUser(
        email=f"{uuid4().hex[:10]}@example.com",
        password="quiet lantern over Salerno",
        full_name="Rosa Gallo",
        role=role,
    )
    return (await bus.handle(wish, admin)).aggregate_id


def test_every_permission_has_words_and_stands_under_its_room() -> None:
    assert set(listed_permissions()) == set(PERMISSIONS)
    assert {name.partition(".")[0] for name in PERMISSIONS} == set(ROOMS)
    grouped = by_room([*PERMISSIONS, "weather.read"])
    assert [name for _, _, names in grouped for name in names] == [*PERMISSIONS, "weather.read"]
    assert grouped[-1] == ("weather", "weather", ["weather.read"])


async def test_a_role_is_made_changed_and_retired_on_its_pages(
    desk: httpx.AsyncClient, bus: Bus, admin: Caller
) -> None:
    assert "No role of your own yet" in (await desk.get("/settings/roles")).text
    path = await made(desk, "Triage nurse")
    line = await line_of(bus, admin, path)
    assert (line.name, line.title) == ("TRIAGE_NURSE", "Triage nurse")
    assert line.permissions == {
        "patients.read": "yes", "records.read_vitals": "care+location", "records.record_vitals": "care",
    }  # fmt: skip
    page = (await desk.get(path)).text
    assert re.search(
        r'<select id="cell.records.record_vitals".*?<option value="care" selected>in care', page, re.DOTALL
    )
    changed = {**TRIAGE, "version": "1", "title": "Triage", "cell.records.record_vitals": ""}
    assert (await desk.post(path, data=changed)).headers["location"] == f"{path}?done=saved"
    assert "records.record_vitals" not in (await line_of(bus, admin, path)).permissions
    late = await desk.post(path, data=changed | {"title": "Late"})
    assert (late.status_code, "Somebody else has saved this" in late.text) == (409, True)
    assert (await desk.post(f"{path}/retire", data={})).headers["location"] == "/settings/roles?done=removed"
    page = (await desk.get(path)).text
    assert "This role has retired." in page and f'action="{path}/retire"' not in page
    assert "retired" in (await desk.get("/settings/roles")).text


async def test_mistakes_are_told_and_nothing_chosen_is_lost(desk: httpx.AsyncClient) -> None:
    wrong = await desk.post("/settings/roles/new", data=TRIAGE | {"title": " ", "name": "doctor"})
    assert wrong.status_code == 422
    wrong = await desk.post("/settings/roles/new", data=TRIAGE | {"name": "doctor"})
    assert (wrong.status_code, "This is the name of a role that exists everywhere." in wrong.text) == (422, True)
    assert re.search(r'<option value="care\+location" selected>', wrong.text)
    beyond = await desk.post("/settings/roles/new", data=TRIAGE | {"cell.organisations.register": "yes"})
    assert (beyond.status_code, "Register organisations: You may not give" in beyond.text) == (422, True)
    assert (await desk.post("/settings/roles/new", data={"title": "Empty"})).status_code == 422


async def test_a_made_role_is_given_in_place_of_the_own_one_and_taken_again(
    desk: httpx.AsyncClient, bus: Bus, admin: Caller
) -> None:
    path, who = await made(desk), await account(bus, admin)
    line = await line_of(bus, admin, path)
    page = (await desk.get(f"/settings/accounts/{who}")).text
    assert f'<option value="{line.name}">{line.title}</option>' in page
    given = await desk.post(f"/settings/accounts/{who}/further-roles/add", data={"role": line.name, "instead": "true"})
    assert given.headers["location"] == f"/settings/accounts/{who}?done=saved"
    profile = await bus.ask(UserById(account_id=who), admin)
    assert (profile.also, profile.instead) == ((line.name,), (line.name,))
    page = (await desk.get(f"/settings/accounts/{who}")).text
    assert line.title in page and "in place of the own role" in page
    await desk.post(f"/settings/accounts/{who}/further-roles/take", data={"role": line.name})
    assert (await bus.ask(UserById(account_id=who), admin)).also == ()


async def test_the_matrix_shows_every_role_and_permission(desk: httpx.AsyncClient) -> None:
    await made(desk, "Night watch")
    page = (await desk.get("/settings/roles/matrix")).text
    assert page.count('<th scope="row">') == len(PERMISSIONS)
    assert page.count('<th scope="col">') == 1 + 8 + 1
    row = re.search(r"<small>records\.read_vitals</small></th>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td>(.*?)</td>", row[1]) == [
        "–", "yes", "yes", "yes", "–", "yes", "–", "own chart", "in care or same location",
    ]  # fmt: skip


async def test_a_decision_is_explained_step_by_step_in_both_languages(
    desk: httpx.AsyncClient, bus: Bus, admin: Caller, doctor: Caller, sign_in: SiteClient
) -> None:
    path, who = await made(desk), await account(bus, admin)
    line = await line_of(bus, admin, path)
    await desk.post(f"/settings/accounts/{who}/further-roles/add", data={"role": line.name})
    registered = await bus.handle(RegisterPatient(full_name="Ada Rossi", confirmed_not_duplicate=True), doctor)
    patient, wards = registered.aggregate_id, WardsOfBoth()
    before, bus.permits.wards = bus.permits.wards, wards
    question = {"account_id": str(who), "what": "records.read_vitals", "patient_id": str(patient)}
    try:
        no = await desk.post("/settings/roles/explain", data=question)
        wards.cared_for = {patient}
        yes = await sign_in(admin, "it").post("/settings/roles/explain", data=question)
    finally:
        bus.permits.wards = before
    assert no.status_code == 200
    assert "No, this is not allowed." in no.text and "Ada Rossi" in no.text
    for said in (
        f"The role “{line.title}” gives it: in care or same location.",
        "The role “Receptionist” does not give it.",
        "The patient is not in this account",
        "So the right does not carry to this chart.",
    ):
        assert said in no.text, said
    assert "Sì, è consentito." in yes.text and "Il paziente è in cura presso questo account." in yes.text
    nothing = await desk.post("/settings/roles/explain", data={"account_id": str(who)})
    assert (nothing.status_code, "Say what it is about." in nothing.text) == (422, True)
    unknown = await desk.post("/settings/roles/explain", data={"account_id": str(who), "message": "Nope"})
    assert (unknown.status_code, "There is no such command or query." in unknown.text) == (422, True)
    assert (await desk.post("/settings/roles/explain", data={"what": "records.read"})).status_code == 422
    gone = await desk.post("/settings/roles/explain", data=question | {"account_id": str(uuid4())})
    assert (gone.status_code, "There is no such account." in gone.text) == (404, True)


def test_every_step_has_its_sentence() -> None:
    """Each code that the handler can say, found in its source: a new one without words would be a 500."""
    source = Path(explaining.__file__).read_text("utf-8")
    steps = set(re.findall(r'Step\(name="([a-z-]+)", code="([a-z-]+)"', source))
    either = re.findall(r'Step\(name="([a-z-]+)", code="([a-z-]+)" if [^)]*? else "([a-z-]+)"', source)
    steps |= {(name, code) for name, *codes in either for code in codes}
    assert len(steps) > 12
    assert steps <= set(STEPS)
    assert {("condition", f"{one}-{how}") for one in ("own", "care", "location") for how in ("met", "not-met")} <= set(
        STEPS
    )
    assert all(
        "+".join(parts) in CELLS for parts in (("own",), ("care",), ("own", "care"), ("own", "care", "location"))
    )


async def test_only_administrators_see_these_pages(doctor: Caller, sign_in: SiteClient) -> None:
    for path in ("", "/new", "/matrix", "/explain"):
        assert (await sign_in(doctor).get(f"/settings/roles{path}")).status_code == 403


async def test_who_may_read_under_a_condition_has_no_list_but_finds_and_opens(
    receptionist: Caller, doctor: Caller, bus: Bus, sign_in: SiteClient
) -> None:
    wish = RegisterPatient(full_name="Ada Rossi", confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, doctor)).aggregate_id
    limited = msgspec.structs.replace(
        receptionist, permissions=(receptionist.permissions - {"patients.read"}) | {"patients.read:care"}
    )
    wards = WardsOfBoth()
    before, bus.permits.wards = bus.permits.wards, wards
    try:
        client = sign_in(limited)
        people = await client.get("/people")
        assert (people.status_code, "Ada Rossi" in people.text) == (200, False)
        assert "Ada Rossi" in (await client.post("/people/search", data={"q": "Ada Rossi"})).text
        assert (await client.get(f"/chart/{patient}/person")).status_code == 404
        wards.cared_for = {patient}
        assert (await client.get(f"/chart/{patient}/person")).status_code == 200
    finally:
        bus.permits.wards = before


async def test_the_form_of_a_patient_leaves_out_what_is_not_for_its_writer(
    nurse: Caller, doctor: Caller, bus: Bus, sign_in: SiteClient, caller: Callable[..., Caller]
) -> None:
    wish = RegisterPatient(full_name="Ada Rossi", phone="333 1234567", confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, doctor)).aggregate_id
    for path in ("/people/new", f"/people/{patient}/edit"):
        assert 'id="insurance"' in (await sign_in(doctor).get(path)).text
        page = (await sign_in(nurse).get(path)).text
        assert 'id="insurance"' not in page and 'name="phone"' in page
    sheet = (await sign_in(nurse).get(f"/chart/{patient}/person")).text
    assert sheet.count("Not shown to your role") == 1
