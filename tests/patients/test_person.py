"""Demographics as typed are cleaned field by field, and everything that needs a look is named at once."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from salerno.contexts.patients.commands import (
    GivenAddress,
    GivenContactPoint,
    GivenEmergencyContact,
    GivenIdentifier,
    GivenInsurance,
    RegisterPatient,
    UpdatePatient,
)
from salerno.contexts.patients.events import Address, Identifier, Person
from salerno.contexts.patients.rules.person import Place, clean_person, doubts_about
from salerno.kernel.errors import Invalid
from salerno.kernel.testing import SOMEBODY

HERE = Place(region="IT", today=date(2026, 3, 2))
BORN = date(1948, 3, 12)
FISCAL_CODE = "RSSMRA48C52H501G"  # Maria Rossi, female, 12 March 1948, Rome


def cleaned(**fields: object) -> Person:
    return clean_person(RegisterPatient(**{"full_name": "Maria Rossi"} | fields), Person(), HERE)  # type: ignore[arg-type]


def complaints(**fields: object) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        cleaned(**fields)
    return [(error["path"], error["code"]) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("full", "given_name", "family_name"),
    [
        ("Maria Rossi", "Maria", "Rossi"),
        ("Rossi, Maria", "Maria", "Rossi"),
        ("Anna Maria De Luca", "Anna Maria", "De Luca"),
        ("Giuseppe D'Angelo", "Giuseppe", "D'Angelo"),
        ("Ludwig van der Berg", "Ludwig", "van der Berg"),
        ("Cher", "", "Cher"),
        ("  Zoë   Müller ", "Zoë", "Müller"),
        ("李 小龙", "李", "小龙"),
    ],
)
def test_given_and_family_name_are_derived_from_the_full_name(full: str, given_name: str, family_name: str) -> None:
    person = cleaned(full_name=full)
    assert (person.given_name, person.family_name) == (given_name, family_name)


def test_the_full_name_is_derived_from_both_names() -> None:
    person = clean_person(RegisterPatient(given_name="Maria", family_name="De Luca"), Person(), HERE)
    assert person.full_name == "Maria De Luca"


def test_names_in_any_order_agree_and_other_names_contradict() -> None:
    wish = RegisterPatient(full_name="Rossi Maria", given_name="Maria", family_name="Rossi")
    assert clean_person(wish, Person(), HERE).full_name == "Rossi Maria"
    assert complaints(full_name="Anna Verdi", given_name="Maria", family_name="Rossi") == [
        ("full_name", "contradiction")
    ]


def test_a_name_is_kept_composed_and_in_its_own_script() -> None:
    assert cleaned(full_name="Nicolo\u0300 Bianchi").full_name == "Nicolò Bianchi"
    assert cleaned(full_name="Αλέξης Ζορμπάς").family_name == "Ζορμπάς"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"full_name": ""}, [("full_name", "required")]),
        ({"full_name": " - "}, [("full_name", "required")]),
        ({"full_name": None}, [("full_name", "required")]),
        ({"full_name": "A" * 201}, [("full_name", "too-long")]),
        ({"full_name": "Maria\u0000Rossi"}, [("full_name", "control-characters")]),
        ({"date_of_birth": date(2026, 3, 3)}, [("date_of_birth", "in-the-future")]),
        ({"date_of_birth": date(1880, 1, 1)}, [("date_of_birth", "too-long-ago")]),
        ({"gender": "purple"}, [("gender", "unknown-code")]),
        ({"phone": "12"}, [("phone", "not-a-phone-number")]),
        ({"phone": "call me"}, [("phone", "not-a-phone-number")]),
        ({"email": "maria@"}, [("email", "not-an-email-address")]),
        ({"email": "a@b@c.it"}, [("email", "not-an-email-address")]),
        ({"address": GivenAddress(country="ZZ")}, [("address.country", "unknown-code")]),
        ({"address": GivenAddress(postal_code="8" * 21)}, [("address.postal_code", "too-long")]),
        (
            {"identifiers": (GivenIdentifier(system="codice-fiscale", value="RSSMRA48C52H501X"),)},
            [("identifiers[0].value", "not-valid")],
        ),
        ({"identifiers": (GivenIdentifier(system="?", value="1"),)}, [("identifiers[0].system", "unknown-system")]),
        ({"contacts": (GivenContactPoint(kind="pigeon", value="1"),)}, [("contacts[0].kind", "unknown-code")]),
        ({"contacts": (GivenContactPoint(kind="phone", value=""),)}, [("contacts[0].value", "required")]),
        (
            {"emergency_contacts": (GivenEmergencyContact(name="Anna"),)},
            [("emergency_contacts[0].phone", "required")],
        ),
        (
            {
                "insurance": (
                    GivenInsurance(payer="", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)),
                )
            },
            [("insurance[0].payer", "required"), ("insurance[0].valid_until", "before-start")],
        ),
        ({"language": "italiano!"}, [("language", "unknown-code")]),
        ({"marital_status": "it is complicated"}, [("marital_status", "unknown-code")]),
        ({"deceased_on": date(2026, 3, 3)}, [("deceased_on", "in-the-future")]),
        ({"deceased_on": date(2026, 3, 1), "deceased": False}, [("deceased_on", "contradiction")]),
        ({"date_of_birth": BORN, "deceased_on": date(1948, 3, 11)}, [("deceased_on", "before-birth")]),
    ],
)  # fmt: skip
def test_what_needs_a_look_is_named(fields: dict[str, object], found: list[tuple[str, str]]) -> None:
    assert complaints(**fields) == found


def test_all_that_needs_a_look_is_named_at_once() -> None:
    assert complaints(gender="purple", phone="12", email="nobody") == [
        ("gender", "unknown-code"),
        ("phone", "not-a-phone-number"),
        ("email", "not-an-email-address"),
    ]


def test_phones_are_kept_as_they_are_dialled_from_abroad() -> None:
    assert cleaned(phone="333 123.4567").phone == "+393331234567"
    assert cleaned(phone="089/123456").phone == "+39089123456"
    assert cleaned(phone="+44 20 7946 0000").phone == "+442079460000"
    assert cleaned(phone="020 7946 0000", address=GivenAddress(country="gb")).phone == "+442079460000"


def test_a_national_number_is_checked_by_its_country_and_a_foreign_system_is_kept_as_it_is() -> None:
    person = cleaned(
        identifiers=(
            GivenIdentifier(system="CF", value="rssmra48c52h501g"),
            GivenIdentifier(system="nhs-number", value="943 476 5919"),
            GivenIdentifier(system="http://hl7.org/fhir/sid/us-ssn", value="999-12-3456", country="us"),
            GivenIdentifier(system="codice-fiscale", value=FISCAL_CODE),
        )
    )
    assert person.identifiers == (
        Identifier(system="codice-fiscale", value=FISCAL_CODE, country="IT"),
        Identifier(system="nhs-number", value="9434765919", country="GB"),
        Identifier(system="http://hl7.org/fhir/sid/us-ssn", value="999-12-3456", country="US"),
    )


def test_a_fiscal_code_that_says_otherwise_is_a_doubt_and_no_refusal() -> None:
    code = (GivenIdentifier(system="codice-fiscale", value=FISCAL_CODE),)
    agrees = cleaned(identifiers=code, date_of_birth=BORN, gender="female")
    assert doubts_about(agrees) == []
    other = cleaned(identifiers=code, full_name="Mario Bianchi", date_of_birth=date(1948, 12, 3), gender="male")
    assert [doubt["path"] for doubt in doubts_about(other)] == ["full_name", "date_of_birth", "gender"]
    assert {doubt["code"] for doubt in doubts_about(other)} == {"codice-fiscale-differs"}


def test_left_out_keeps_null_empties_and_a_complete_change_empties_the_rest() -> None:
    before = cleaned(phone="333 1234567", email="m@rossi.it", address=GivenAddress(city="Salerno"), gender="f")
    change = UpdatePatient(patient_id=SOMEBODY, email=None)
    partly = clean_person(change, before, HERE)
    assert (partly.full_name, partly.phone, partly.email) == ("Maria Rossi", "+393331234567", "")
    assert partly.address == Address(city="Salerno")
    complete = clean_person(UpdatePatient(patient_id=SOMEBODY, full_name="Maria Rossi", complete=True), Person(), HERE)
    assert complete == cleaned()


def test_changing_the_family_name_keeps_the_given_one() -> None:
    before = cleaned(full_name="Anna Maria De Luca")
    after = clean_person(UpdatePatient(patient_id=SOMEBODY, family_name="Verdi"), before, HERE)
    assert (after.given_name, after.family_name, after.full_name) == ("Anna Maria", "Verdi", "Anna Maria Verdi")


def test_coming_back_to_life_takes_the_date_of_death_away() -> None:
    dead = cleaned(deceased_on=date(2026, 3, 1))
    assert (dead.deceased, dead.deceased_on) == (True, date(2026, 3, 1))
    alive = clean_person(UpdatePatient(patient_id=SOMEBODY, deceased=False), dead, HERE)
    assert (alive.deceased, alive.deceased_on) == (False, None)


TEXTS = some.one_of(some.none(), some.text(max_size=60))


@given(full=TEXTS, phone=TEXTS, email=TEXTS, gender=TEXTS, city=some.text(max_size=30), value=some.text(max_size=30))
def test_t049_whatever_is_typed_is_cleaned_or_refused_and_cleaning_twice_changes_nothing(
    full: str | None, phone: str | None, email: str | None, gender: str | None, city: str, value: str
) -> None:
    wish = RegisterPatient(
        full_name=full, phone=phone, email=email, gender=gender, address=GivenAddress(city=city),
        identifiers=(GivenIdentifier(system="codice-fiscale", value=value),),
    )  # fmt: skip
    try:
        once = clean_person(wish, Person(), HERE)
    except Invalid as refusal:
        outcome: Person | Invalid = refusal
    else:
        outcome = once
    if isinstance(outcome, Person):
        assert clean_person(UpdatePatient(patient_id=SOMEBODY), outcome, HERE) == outcome
    else:
        assert outcome.errors


@given(some.text(max_size=40).filter(lambda text: any(letter.isalnum() for letter in text)))
def test_any_printable_name_survives(name: str) -> None:
    try:
        person = cleaned(full_name=name)
    except Invalid as refusal:
        codes = {error["code"] for error in refusal.errors}
    else:
        codes = set()
        assert clean_person(UpdatePatient(patient_id=SOMEBODY), person, HERE) == person
    assert codes <= {"control-characters", "required"}
