"""Finding, registering, changing and merging people through the pages."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.web.conftest import SiteClient

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.encounters.queries import LastVisits
from salerno.contexts.patients.commands import GivenAddress, MergePatients, RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import ConsentsOf, ListPatients, PatientById
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

Register = Callable[..., Awaitable[UUID]]
CANARIES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{1337*1337}}", "${1337*1337}", "<%= 1337*1337 %>",
    "javascript:alert(1)",
)  # fmt: skip


@pytest.fixture
def register(bus: Bus, receptionist: Caller) -> Register:
    async def make(given: str = "Maria", family: str = "Rossi", born: date = date(1948, 3, 12), **more: Any) -> UUID:
        wish = RegisterPatient(
            given_name=given, family_name=family, date_of_birth=born, confirmed_not_duplicate=True, **more
        )
        return (await bus.handle(wish, receptionist)).aggregate_id

    return make


def field_error(text: str, name: str) -> str:
    found = re.search(rf'id="{re.escape(name)}-error">.*?</svg>([^<]+)</p>', text, re.DOTALL)
    return found[1].strip() if found else ""


async def test_an_empty_practice_says_what_to_do_next(sign_in: SiteClient, receptionist: Caller) -> None:
    page = await sign_in(receptionist).get("/people")
    assert page.status_code == 200
    assert "No patients yet" in page.text and 'href="/people/new"' in page.text


async def test_the_newest_are_listed_page_by_page(
    sign_in: SiteClient, receptionist: Caller, register: Register
) -> None:
    for n in range(5):
        await register("Anna", f"Verdi{n}", date(1960, 1, 1 + n))
    page = (await sign_in(receptionist).get("/people?limit=3")).text
    assert re.findall(r"Anna Verdi\d</a>", page) == ["Anna Verdi4</a>", "Anna Verdi3</a>", "Anna Verdi2</a>"]
    assert "1–3 of 5" in page
    rest = (await sign_in(receptionist).get("/people?limit=3&offset=3")).text
    assert re.findall(r"Anna Verdi\d</a>", rest) == ["Anna Verdi1</a>", "Anna Verdi0</a>"]


async def test_results_come_from_the_third_letter_in_spite_of_a_slip(
    sign_in: SiteClient, receptionist: Caller, register: Register, partial: dict[str, str]
) -> None:
    rossi = await register("Maria", "Rossi", phone="+39 06 1234567")
    client = sign_in(receptionist)
    short = (await client.post("/people/search", data={"q": "Ro"}, headers=partial)).text
    assert "The newest first" in short
    for typed, reason in [("Ros", "name begins so"), ("Rosi maria", "similar name"), ("12.03.1948", "birth date")]:
        found = (await client.post("/people/search", data={"q": typed}, headers=partial)).text
        assert f'data-href="/chart/{rossi}"' in found, typed
        assert reason in found and "<html" not in found, typed
    assert "+39061234567" in found and "78 y" in found
    nobody = (await client.post("/people/search", data={"q": "Qwertyuiop"}, headers=partial)).text
    assert "Nobody found" in nobody


async def test_t073_what_is_typed_stands_in_no_address_and_no_title(
    sign_in: SiteClient, receptionist: Caller, register: Register
) -> None:
    await register()
    whole = await sign_in(receptionist).post("/people/search", data={"q": "Rossi"})
    assert whole.status_code == 200 and "<html" in whole.text
    assert "<title>Patients · Salerno</title>" in whole.text
    assert not re.search(r'(?:href|action|data-url)="[^"]*[Rr]ossi', whole.text)


async def test_those_who_may_only_search_see_no_list(
    sign_in: SiteClient, pharmacist: Caller, register: Register
) -> None:
    await register()
    client = sign_in(pharmacist)
    page = (await client.get("/people")).text
    assert "Rossi" not in page and "Results appear from the third letter." in page and "/people/new" not in page
    assert "Maria Rossi" in (await client.post("/people/search", data={"q": "ross"})).text


async def test_a_page_that_is_not_for_the_role_is_refused(
    sign_in: SiteClient, pharmacist: Caller, patient_caller: Any, register: Register
) -> None:
    rossi = await register()
    assert (await sign_in(pharmacist).get(f"/people/{rossi}/edit")).status_code == 403
    assert (await sign_in(pharmacist).get(f"/people/{rossi}/merge")).status_code == 403
    assert (await sign_in(patient_caller(rossi)).get("/people")).status_code == 403


FORM = {
    "given_name": "Niccolò", "family_name": "D'Amico", "date_of_birth": "1961-07-04", "gender": "male",
    "phone": "06 7654321", "address.line1": "Via Roma 1", "address.city": "Salerno", "address.country": "IT",
    "identifiers.0.system": "codice-fiscale", "identifiers.0.value": "", "identifiers.0.country": "IT",
    "emergency_contacts.0.name": "Lucia D'Amico", "emergency_contacts.0.phone": "333 1234567",
    "insurance.3.payer": "SSN",
}  # fmt: skip


async def test_registering_leads_to_the_chart(bus: Bus, sign_in: SiteClient, receptionist: Caller) -> None:
    answer = await sign_in(receptionist).post("/people/new", data=FORM)
    assert answer.status_code == 303
    id = UUID(answer.headers["location"].removeprefix("/chart/"))
    held = (await bus.ask(PatientById(patient_id=id), receptionist)).patient
    assert (held.full_name, held.phone, held.address.city) == ("Niccolò D'Amico", "+39067654321", "Salerno")
    assert held.identifiers == () and held.insurance[0].payer == "SSN"
    assert held.emergency_contacts[0].phone == "+393331234567"


async def test_sending_the_form_twice_registers_once(bus: Bus, sign_in: SiteClient, receptionist: Caller) -> None:
    client = sign_in(receptionist)
    new_id = re.search(r'name="patient_id" value="([^"]+)"', (await client.get("/people/new")).text)[1]
    both = [await client.post("/people/new", data=FORM | {"patient_id": new_id}) for _ in range(2)]
    assert [answer.headers["location"] for answer in both] == [f"/chart/{new_id}"] * 2
    assert (await bus.ask(ListPatients(), receptionist)).total == 1


async def test_what_needs_a_look_stands_beside_its_field(
    sign_in: SiteClient, receptionist: Caller, partial: dict[str, str]
) -> None:
    wrong = FORM | {
        "date_of_birth": "2999-01-01", "phone": "12", "email": "nobody", "emergency_contacts.0.name": "",
        "identifiers.0.value": "RSSMRA48C52H501X", "address.country": "Italy",
    }  # fmt: skip
    answer = await sign_in(receptionist, "it").post("/people/new", data=wrong, headers=partial)
    assert answer.status_code == 422 and "<html" not in answer.text
    assert field_error(answer.text, "date_of_birth") == "È nel futuro."
    assert field_error(answer.text, "phone") == "Questo non è un numero di telefono che si possa comporre."
    assert field_error(answer.text, "email") == "Questo non è un indirizzo e-mail completo."
    assert field_error(answer.text, "emergency_contacts.0.name") == "Questo dato serve."
    assert field_error(answer.text, "identifiers.0.value") != ""
    assert field_error(answer.text, "address.country") == "Indica un paese con le sue due lettere, per esempio IT."
    assert 'value="D&#39;Amico"' in answer.text and 'value="Via Roma 1"' in answer.text
    empty = await sign_in(receptionist).post("/people/new", data={"given_name": " "}, headers=partial)
    assert empty.status_code == 422 and field_error(empty.text, "family_name") == "This is needed."
    malformed = await sign_in(receptionist).post("/people/new", data=FORM | {"date_of_birth": "12/3"}, headers=partial)
    assert malformed.status_code == 422 and field_error(malformed.text, "date_of_birth") != ""


async def test_likely_duplicates_appear_while_typing(
    sign_in: SiteClient, receptionist: Caller, register: Register, partial: dict[str, str]
) -> None:
    rossi = await register()
    client = sign_in(receptionist)
    typed = {"given_name": "Maria", "family_name": "Rosi", "date_of_birth": "1948-03-12"}
    found = (await client.post("/people/likely", data=typed, headers=partial)).text
    assert f'href="/chart/{rossi}"' in found and "the same birth date" in found and "a similar family name" in found
    half = (await client.post("/people/likely", data={"given_name": "M", "date_of_birth": "19"}, headers=partial)).text
    assert str(rossi) not in half
    doubtful = typed | {"family_name": "Rossi", "identifiers.0.system": "codice-fiscale",
                        "identifiers.0.value": "RSSMRA85T10A562S"}  # fmt: skip
    assert (
        "The codice fiscale speaks of another birth date."
        in (await client.post("/people/likely", data=doubtful, headers=partial)).text
    )


async def test_a_held_back_registration_asks_whether_it_is_another_person(
    bus: Bus, sign_in: SiteClient, receptionist: Caller, register: Register, partial: dict[str, str]
) -> None:
    rossi = await register(phone="+39061234567")
    same = {"given_name": "Maria", "family_name": "Rossi", "date_of_birth": "1948-03-12", "phone": "06 1234567"}
    client = sign_in(receptionist)
    held = await client.post("/people/new", data=same, headers=partial)
    assert held.status_code == 409
    assert "Nothing was registered yet." in held.text and f'href="/chart/{rossi}"' in held.text
    assert 'name="confirmed"' in held.text
    assert (await bus.ask(ListPatients(), receptionist)).total == 1
    done = await client.post("/people/new", data=same | {"confirmed": "true"}, headers=partial)
    assert done.headers["hx-redirect"].startswith("/chart/")
    assert (await bus.ask(ListPatients(), receptionist)).total == 2


async def test_editing_keeps_what_the_form_does_not_name_and_empties_what_was_emptied(
    bus: Bus, sign_in: SiteClient, receptionist: Caller
) -> None:
    wish = RegisterPatient(full_name="Rossi Maria", given_name="Maria", family_name="Rossi", phone="+39061234567")
    id = (await bus.handle(wish, receptionist)).aggregate_id
    client = sign_in(receptionist)
    page = (await client.get(f"/people/{id}/edit")).text
    base = re.search(r'name="base" value="([^"]+)"', page)[1].replace("&#34;", '"')
    form = {"given_name": "Maria", "family_name": "Rossi", "email": "m@rossi.it", "version": "1", "base": base}
    assert (await client.post(f"/people/{id}/edit", data=form)).headers["location"] == f"/chart/{id}/person"
    held = (await bus.ask(PatientById(patient_id=id), receptionist)).patient
    assert (held.full_name, held.phone, held.email) == ("Rossi Maria", "", "m@rossi.it")
    assert (await client.post(f"/people/{id}/edit", data={"given_name": "x"})).status_code == 428


async def test_the_form_shows_every_row_of_a_record(bus: Bus, sign_in: SiteClient, receptionist: Caller) -> None:
    answer = await sign_in(receptionist).post("/people/new", data=FORM)
    page = await sign_in(receptionist).get(answer.headers["location"].replace("/chart/", "/people/") + "/edit")
    assert page.status_code == 200
    for name, value in [
        ("emergency_contacts.0.phone", "+393331234567"),
        ("insurance.0.payer", "SSN"),
        ("address.city", "Salerno"),
    ]:
        assert re.search(rf'name="{re.escape(name)}"[^>]* value="{re.escape(value)}"', page.text), name


async def test_t126_a_lost_race_becomes_a_choice_between_both_versions(
    bus: Bus, sign_in: SiteClient, receptionist: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register(phone="+39061234567", email="old@rossi.it")
    client = sign_in(receptionist)
    page = (await client.get(f"/people/{id}/edit")).text
    base = re.search(r'name="base" value="([^"]+)"', page)[1].replace("&#34;", '"')
    other = UpdatePatient(patient_id=id, phone="+39067777777", marital_status="widowed")
    await bus.handle(other, receptionist)
    mine = {
        "given_name": "Maria", "family_name": "Rossi", "date_of_birth": "1948-03-12", "gender": "unknown",
        "phone": "+39068888888", "email": "new@rossi.it", "version": "1", "base": base,
    }  # fmt: skip
    lost = await client.post(f"/people/{id}/edit", data=mine, headers=partial)
    assert lost.status_code == 412
    assert "+39068888888" in lost.text and "+39067777777" in lost.text
    assert re.search(r'name="pick.email" value="mine" required checked', lost.text)
    assert re.search(r'name="pick.marital_status" value="theirs" required checked', lost.text)
    assert not re.search(r'name="pick.phone" value="\w+" required checked', lost.text)
    hidden = {name: text.replace("&#34;", '"') for name, text in
              re.findall(r'name="(version|mine|base)" value="([^"]*)"', lost.text)}  # fmt: skip
    chosen = hidden | {"pick.email": "mine", "pick.phone": "mine", "pick.marital_status": "theirs"}
    assert (await client.post(f"/people/{id}/edit", data=chosen)).status_code == 303
    held = (await bus.ask(PatientById(patient_id=id), receptionist)).patient
    assert (held.phone, held.email, held.marital_status) == ("+39068888888", "new@rossi.it", "widowed")
    assert held.full_name == "Maria Rossi" and held.birth_date == date(1948, 3, 12)


async def test_consents_are_given_and_withdrawn(
    bus: Bus, sign_in: SiteClient, receptionist: Caller, register: Register, partial: dict[str, str]
) -> None:
    id = await register()
    client = sign_in(receptionist)
    await client.post(f"/people/{id}/consents", data={"scope": "data-sharing", "version": "2"})
    page = (await client.get(f"/people/{id}/consents")).text
    assert "Sharing data with other carers" in page and "holds" in page
    wrong = await client.post(
        f"/people/{id}/consents", data={"scope": "research", "given_on": "2999-01-01"}, headers=partial
    )
    assert wrong.status_code == 422 and field_error(wrong.text, "given_on") == "This lies in the future."
    await client.post(f"/people/{id}/consents/withdraw", data={"scope": "data-sharing", "reason": "changed her mind"})
    page = (await client.get(f"/people/{id}/consents")).text
    assert "withdrawn" in page and "changed her mind" in page
    held = await bus.ask(ConsentsOf(patient_id=id), receptionist)
    assert [(one.scope, one.version, one.withdrawn_on is not None) for one in held] == [("data-sharing", "2", True)]


async def test_merging_shows_both_and_its_consequence_and_can_be_taken_back(
    bus: Bus, sign_in: SiteClient, doctor: Caller, receptionist: Caller, register: Register
) -> None:
    kept, other = await register(), await register("Maria", "Rosi")
    client = sign_in(doctor)
    assert f'href="/people/{kept}/merge/{other}"' in (await client.get(f"/people/{kept}/merge")).text
    both = (await client.get(f"/people/{kept}/merge/{other}")).text
    assert "Are these the same person?" in both and "Rosi" in both and "What merging does" in both
    sure = {"reason": "registered twice", "compared": "true"}
    assert (await sign_in(receptionist).post(f"/people/{kept}/merge/{other}", data=sure)).status_code == 403
    assert (await client.post(f"/people/{kept}/merge/{other}", data=sure)).status_code == 303
    assert (await bus.ask(PatientById(patient_id=kept), doctor)).linked == (other,)
    assert (await client.post(f"/people/{kept}/merge/{kept}", data=sure)).status_code == 422
    apart = f"/people/{kept}/unmerge/{other}"
    assert "Are these two people?" in (await client.get(apart)).text
    asked = await client.post(apart, data={"reason": ""})
    assert (asked.status_code, field_error(asked.text, "reason")) == (422, "Say why, in a few words.")
    assert (await client.post(apart, data={"reason": "sisters"})).headers["location"] == f"/chart/{other}"
    assert (await bus.ask(PatientById(patient_id=kept), doctor)).linked == ()
    assert (await client.get(apart)).status_code == 404


async def test_merging_asks_for_a_reason_and_whether_both_were_compared(
    bus: Bus, sign_in: SiteClient, doctor: Caller, register: Register
) -> None:
    kept, other = await register(), await register("Maria", "Rosi")
    client = sign_in(doctor)
    page = await client.post(f"/people/{kept}/merge/{other}", data={"reason": "x"})
    assert page.status_code == 422
    assert field_error(page.text, "reason") == "Say why, in a few words."
    assert field_error(page.text, "compared") == "Compare both records first, then say so here."
    assert (await bus.ask(PatientById(patient_id=kept), doctor)).linked == ()


async def test_a_record_is_removed_with_a_reason_and_restored_as_it_was(
    bus: Bus, sign_in: SiteClient, admin: Caller, doctor: Caller, register: Register
) -> None:
    id = await register("Carla", "Vitale")
    client = sign_in(admin)
    assert f'href="/people/{id}/remove"' in (await client.get(f"/chart/{id}/person")).text
    assert f'href="/people/{id}/remove"' not in (await sign_in(doctor).get(f"/chart/{id}/person")).text
    assert (await sign_in(doctor).get(f"/people/{id}/remove")).status_code == 403
    assert "What removing does" in (await client.get(f"/people/{id}/remove")).text
    asked = await client.post(f"/people/{id}/remove", data={"reason": ""})
    assert (asked.status_code, field_error(asked.text, "certain")) == (422, "Say that you are certain.")
    gone = await client.post(f"/people/{id}/remove", data={"reason": "a test entry", "certain": "true"})
    assert gone.headers["location"] == "/people/removed"
    assert (await client.get(f"/chart/{id}")).status_code == 404
    listed = (await client.get("/people/removed")).text
    assert "Carla Vitale" in listed and f'action="/people/{id}/restore"' in listed
    why = await client.post(f"/people/{id}/restore", data={"reason": ""})
    assert why.status_code == 422 and "Say why, in a few words." in why.text
    back = await client.post(f"/people/{id}/restore", data={"reason": "it was no test"})
    assert back.headers["location"] == f"/chart/{id}"
    assert (await bus.ask(PatientById(patient_id=id), doctor)).patient.family_name == "Vitale"
    assert "No record was removed" in (await client.get("/people/removed")).text


async def test_results_say_when_each_was_here_last_a_merged_record_counting_too(
    bus: Bus, sign_in: SiteClient, doctor: Caller, receptionist: Caller, register: Register
) -> None:
    seen, twin, never = await register(), await register("Maria", "Rosi"), await register("Maria", "Rossini")
    await bus.handle(StartVisit(patient_id=twin, started_at=datetime(2025, 5, 4, 8, tzinfo=UTC)), doctor)
    await bus.handle(StartVisit(patient_id=seen, started_at=datetime(2024, 1, 2, 8, tzinfo=UTC)), doctor)
    await bus.handle(MergePatients(patient_id=seen, duplicate_id=twin, reason="twice"), doctor)
    await bus.settled()
    assert await bus.ask(LastVisits(patient_ids=(seen, never)), receptionist) == {
        seen: datetime(2025, 5, 4, 8, tzinfo=UTC)
    }
    page = (await sign_in(receptionist).post("/people/search", data={"q": "Rossi Maria"})).text
    assert "Last visit" in page and "<td>4 May 2025</td>" in page


@pytest.mark.parametrize("canary", CANARIES)
async def test_t053_t067_what_was_typed_is_shown_literally(
    sign_in: SiteClient, doctor: Caller, register: Register, partial: dict[str, str], canary: str
) -> None:
    id = await register(canary, "Rossi", address=GivenAddress(city=canary))
    client = sign_in(doctor)
    pages = [
        (await client.get("/people")).text,
        (await client.get(f"/people/{id}/edit")).text,
        (await client.get(f"/people/{id}/merge/{await register('Maria', 'Rossi')}")).text,
        (await client.post("/people/search", data={"q": canary})).text,
        (await client.post("/people/new", data={"given_name": canary, "phone": canary}, headers=partial)).text,
    ]
    for page in pages:
        assert "<script>alert" not in page and "<img" not in page and "1787569" not in page
