"""Finding people on a real database: Italian and English names, accents, slips, order, numbers."""

from datetime import date

import pytest

from salerno.contexts.patients.commands import GivenContactPoint, GivenIdentifier, RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import FindPatients
from salerno.kernel.errors import Invalid

PEOPLE = {
    "giovanni": RegisterPatient(full_name="Giovanni Esposito", date_of_birth=date(1950, 1, 31), phone="347 1112223"),
    "nicolo": RegisterPatient(full_name="Nicolò D'Angelo", date_of_birth=date(1988, 7, 4), mrn="MRN-2024-000077"),
    "chiara": RegisterPatient(full_name="Chiara De Luca", date_of_birth=date(1991, 11, 9), email="chiara@example.com"),
    "sinead": RegisterPatient(full_name="Sinéad O'Brien", date_of_birth=date(1979, 5, 5), phone="+353 1 234 5678"),
    "smith": RegisterPatient(full_name="John Smith", date_of_birth=date(1966, 2, 1)),
    "smyth": RegisterPatient(full_name="Joan Smyth", date_of_birth=date(1967, 3, 2)),
    "mueller": RegisterPatient(full_name="Jürgen Müller", date_of_birth=date(1940, 12, 24)),
    "wei": RegisterPatient(
        full_name="Li Wei", date_of_birth=date(1995, 8, 8),
        identifiers=(GivenIdentifier(system="passport", value="E-1234 5678"),),
        contacts=(GivenContactPoint(kind="phone", value="+86 139 1234 5678"),),
    ),
}  # fmt: skip


@pytest.fixture
async def people(bus, receptionist) -> dict:
    ids = {name: (await bus.handle(wish, receptionist)).aggregate_id for name, wish in PEOPLE.items()}
    return {id: name for name, id in ids.items()}


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("giovanni esposito", "giovanni"), ("Esposito Giovanni", "giovanni"), ("giov", "giovanni"),
        ("giovani esposito", "giovanni"), ("giovanin", "giovanni"), ("esposto", "giovanni"), ("espozito", "giovanni"),
        ("nicolo", "nicolo"), ("NICOLÒ D’ANGELO", "nicolo"), ("dangelo", "nicolo"), ("d'angleo", "nicolo"),
        ("de luca", "chiara"), ("kiara", "chiara"), ("luca chiara", "chiara"), ("chi lu", "chiara"),
        ("obrien", "sinead"), ("o'brian", "sinead"), ("sinead", "sinead"),
        ("smith", "smith"), ("smyth", "smyth"), ("jhon smith", "smith"), ("john smyth", "smith"),
        ("muller", "mueller"), ("mueller", "mueller"), ("jurgen", "mueller"),
        ("wei li", "wei"), ("li", "wei"),
        ("31/01/1950", "giovanni"), ("31.1.1950", "giovanni"), ("1950-01-31", "giovanni"),
        ("esposito 31/1/1950", "giovanni"),
        ("347 111 2223", "giovanni"), ("112223", "giovanni"), ("+39 347 1112223", "giovanni"),
        ("0035312345678", "sinead"), ("13912345678", "wei"),
        ("MRN-2024-000077", "nicolo"), ("mrn-2024-77", "nicolo"), ("77", "nicolo"),
        ("chiara@example.com", "chiara"), ("CHIARA@EXAMPLE.COM", "chiara"),
        ("E12345678", "wei"), ("e-1234-5678", "wei"),
    ],
)  # fmt: skip
async def test_they_are_found(bus, receptionist, people, asked: str, first: str) -> None:
    found = (await bus.ask(FindPatients(q=asked), receptionist)).results
    assert found, asked
    assert people[found[0].id] == first


@pytest.mark.parametrize(
    "asked", ["", "  ", "xyz", "verdi", "john esposito", "01/01/1900", "347 999 2223", "%", "'; --"]
)
async def test_nobody_is_found(bus, receptionist, people, asked: str) -> None:
    assert (await bus.ask(FindPatients(q=asked), receptionist)).results == ()


async def test_fields_narrow_a_search_down(bus, receptionist, people) -> None:
    both = await bus.ask(FindPatients(name="smith"), receptionist)
    assert {people[match.id] for match in both.results} == {"smith", "smyth"}
    one = await bus.ask(FindPatients(name="smith", birth_date=date(1967, 3, 2)), receptionist)
    assert [people[match.id] for match in one.results] == ["smyth"]
    phone = await bus.ask(FindPatients(q="esposito", phone="347 1112223"), receptionist)
    assert [(people[match.id], match.reasons) for match in phone.results] == [("giovanni", ("phone", "name"))]
    number = await bus.ask(FindPatients(identifier="E 12345678"), receptionist)
    assert [people[match.id] for match in number.results] == ["wei"]
    nobody = await bus.ask(FindPatients(name="smith", phone="347 1112223"), receptionist)
    assert nobody.results == ()


async def test_the_exact_come_before_the_alike_and_say_why(bus, receptionist, people) -> None:
    found = (await bus.ask(FindPatients(q="smith"), receptionist)).results
    assert [(people[one.id], one.reasons) for one in found] == [("smith", ("name",)), ("smyth", ("name_similar",))]
    assert found[0].score == 1.0 > found[1].score


async def test_a_new_name_finds_and_the_old_one_no_longer(bus, receptionist, people) -> None:
    giovanni = next(id for id, name in people.items() if name == "giovanni")
    await bus.handle(UpdatePatient(patient_id=giovanni, full_name="Gennaro Esposito", phone=None), receptionist)
    assert (await bus.ask(FindPatients(q="giovanni"), receptionist)).results == ()
    assert (await bus.ask(FindPatients(q="347 1112223"), receptionist)).results == ()
    assert [one.id for one in (await bus.ask(FindPatients(q="genaro"), receptionist)).results] == [giovanni]


async def test_pages_of_a_search_follow_each_other(bus, receptionist) -> None:
    ids = [
        (await bus.handle(RegisterPatient(full_name=f"Maria {name}"), receptionist)).aggregate_id
        for name in ("Alfa", "Beta", "Gamma", "Delta", "Epsilon")
    ]
    first = await bus.ask(FindPatients(q="maria", limit=2), receptionist)
    second = await bus.ask(FindPatients(q="maria", limit=2, offset=2), receptionist)
    last = await bus.ask(FindPatients(q="maria", limit=2, offset=4), receptionist)
    assert [first.more, second.more, last.more] == [True, True, False]
    # The newest first; of one millisecond, in the order of their ids.
    assert [match.id for page in (first, second, last) for match in page.results] == sorted(ids, reverse=True)


async def test_a_question_too_long_is_refused(bus, receptionist) -> None:
    with pytest.raises(Invalid):
        await bus.ask(FindPatients(q="a" * 201), receptionist)
    with pytest.raises(Invalid):
        await bus.ask(FindPatients(q="rossi", limit=1000), receptionist)
