"""Which command each resource is, with both of its times; pure."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.fhir import bundles_of_tests as made

from salerno.contexts.encounters.commands import StartVisit
from salerno.contexts.encounters.events import Coded as VisitCoded
from salerno.contexts.organisations.commands import AddLocation, CloseLocation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.prescribing.commands import RecordMedication
from salerno.contexts.records.commands import (
    KeepResource,
    RecordAllergy,
    RecordObservation,
    RecordProblem,
    RecordProcedure,
    RecordReport,
    StateNoKnownAllergies,
)
from salerno.contexts.records.events import Coded, Quantity
from salerno.contexts.staff.commands import AddStaffMember
from salerno.interfaces.fhir.bundles import Entry
from salerno.interfaces.fhir.references import our_id
from salerno.interfaces.fhir.translation import Item, Translated, in_order, translate
from salerno.interfaces.fhir.translators.table import TRANSLATORS

ORGANISATION = UUID(int=7)
HER = Entry("Bundle.entry[0].resource", f"urn:uuid:{made.PATIENT}", made.patient(), "{}")


def translated(*resources: dict[str, Any]) -> Translated:
    texts = [json.dumps(resource) for resource in resources]
    raws = [json.loads(text, parse_float=Decimal) for text in texts]
    entries = [
        Entry(f"Bundle.entry[{nth}].resource", f"urn:uuid:{raw.get('id')}", raw, text)
        for nth, (raw, text) in enumerate(zip(raws, texts, strict=True))
    ]
    return translate(entries, ORGANISATION, {})


def item(resource: dict[str, Any]) -> Item:
    """The resource among everything that it may refer to."""
    others = [each for each in made.everything() if each["id"] != resource["id"]]
    found = translated(resource, *others)
    assert found.broken == []
    return found.items[0]


def broken(resource: dict[str, Any]) -> str:
    others = [each for each in made.everything() if each["id"] != resource.get("id")]
    return str(translated(resource, *others).broken[0])


def id_of(type: str, source: str) -> UUID:
    return our_id(ORGANISATION, type, source)


def test_a_patient_is_registered_under_a_derived_id_and_known_since_the_first_thing_about_her() -> None:
    (wish,) = item(made.patient()).wishes
    assert wish.command == RegisterPatient(
        patient_id=id_of("Patient", made.PATIENT),
        given_name="Chiara Maria",
        family_name="Bianchi",
        date_of_birth=date(1948, 3, 12),
        gender="female",
        identifiers=(),
        contacts=(),
        emergency_contacts=(),
        confirmed_not_duplicate=True,
    )
    assert wish.happened_at == wish.source_recorded_at == datetime(1993, 2, 23, 19, 4, 39, tzinfo=UTC)


def test_a_practitioner_joins_the_staff_and_is_kept_to_be_found_by_identifier() -> None:
    found = item(made.practitioner())
    command = found.wishes[0].command
    assert isinstance(command, AddStaffMember) and command.doctor
    assert (command.given_name, command.family_name, command.title) == ("Ignacio", "Towne", "Dr.")
    assert (command.doctor.licence_number, command.doctor.licence_authority) == (
        "240",
        "http://hl7.org/fhir/sid/us-npi",
    )
    assert found.beside


def test_a_hospital_is_a_place_known_by_name_and_closed_for_booking() -> None:
    added, closed, kept = item(made.organization()).wishes
    assert isinstance(added.command, AddLocation)
    assert (added.command.name, added.command.address.line1) == ("Lowell General Hospital", "295 Varnum Avenue")
    assert closed.command == CloseLocation(location_id=id_of("Organization", made.CLINIC))
    assert isinstance(kept.command, KeepResource)


def test_a_finished_encounter_is_a_visit_that_was_over() -> None:
    (wish,) = item(made.encounter()).wishes
    assert wish.command == StartVisit(
        visit_id=id_of("Encounter", made.VISIT),
        patient_id=id_of("Patient", made.PATIENT),
        practitioner_id=id_of("Practitioner", made.DOCTOR),
        location_id=id_of("Organization", made.CLINIC),
        visit_class="EMER",
        visit_type=VisitCoded(code="50849002", system=made.SNOMED, display="Emergency Room Admission"),
        reason="Fever",
        reason_code=VisitCoded(code="386661006", system=made.SNOMED, display="Fever"),
        started_at=datetime(2019, 4, 22, 1, 30, 37, tzinfo=UTC),
        ended_at=datetime(2019, 4, 22, 2, 30, 37, tzinfo=UTC),
    )
    assert (wish.happened_at, wish.source_recorded_at) == (wish.command.started_at, wish.command.ended_at)


def test_a_condition_keeps_its_code_its_system_and_its_dates_as_they_were_written() -> None:
    (wish,) = item(made.condition()).wishes
    assert wish.command == RecordProblem(
        problem_id=id_of("Condition", made.FEVER),
        patient_id=id_of("Patient", made.PATIENT),
        visit_id=id_of("Encounter", made.VISIT),
        code="386661006",
        system=made.SNOMED,
        display="Fever",
        clinical_status="resolved",
        verification="confirmed",
        onset="2019-04-20",
        abated="2019-05-01T10:00:00Z",
    )
    assert wish.happened_at == datetime(2019, 4, 20, tzinfo=UTC)
    assert wish.source_recorded_at == datetime(2019, 4, 22, 2, tzinfo=UTC)


def test_an_observation_happened_when_it_was_measured_and_was_recorded_when_it_was_issued() -> None:
    (wish,) = item(made.observation()).wishes
    assert isinstance(wish.command, RecordObservation)
    assert wish.command.quantity == Quantity(value=76.5, unit="mg/dL", code="mg/dL")
    assert wish.command.category == ("laboratory",)
    assert wish.happened_at == datetime(2019, 4, 22, 1, 40, tzinfo=UTC)
    assert wish.source_recorded_at == datetime(2019, 4, 23, 6, 0, 0, 622_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "field", "taken"),
    [
        ({"valueCodeableConcept": made.coded(made.SNOMED, "266919005", "Never smoker")}, "value_code",
         Coded(code="266919005", system=made.SNOMED, display="Never smoker")),
        ({"valueString": "cloudy"}, "value_text", "cloudy"),
        ({"valueBoolean": False}, "value_text", "false"),
        ({"valueInteger": 4}, "quantity", Quantity(value=4.0)),
        ({"valueQuantity": {"value": 5, "comparator": "<"}}, "quantity", Quantity(value=5.0, comparator="<")),
    ],
)  # fmt: skip
def test_every_kind_of_result_has_its_place(value: dict[str, Any], field: str, taken: object) -> None:
    resource = made.observation()
    del resource["valueQuantity"]
    command = item(resource | value).wishes[0].command
    assert getattr(command, field) == taken


@settings(deadline=None)
@given(some.decimals(-1000, 1000, places=3))
def test_t057_a_result_never_changes_its_value(number: Decimal) -> None:
    resource = made.observation(valueQuantity={"value": 0, "unit": "x"})
    del resource["encounter"]
    text = json.dumps(resource).replace('"value": 0,', f'"value": {number},')
    raw = json.loads(text, parse_float=Decimal)
    found = translate([HER, Entry("f", "", raw, text)], ORGANISATION, {})
    observed = next(each for each in found.items if each.type == "Observation")
    command = observed.wishes[0].command
    assert isinstance(command, RecordObservation) and command.quantity
    assert Decimal(repr(command.quantity.value)) == number
    if observed.beside:
        kept = observed.wishes[1].command
        assert isinstance(kept, KeepResource) and kept.content == text
    else:
        assert str(Decimal(repr(command.quantity.value))) in (str(number), f"{number}.0")


def test_a_report_leads_to_its_results() -> None:
    command = item(made.report()).wishes[0].command
    assert isinstance(command, RecordReport)
    assert command.results == (id_of("Observation", made.SUGAR),)


def test_an_allergy_comes_with_its_reactions() -> None:
    command = item(made.allergy()).wishes[0].command
    assert isinstance(command, RecordAllergy)
    assert (command.substance, command.code, command.category) == ("Allergy to penicillin", "91936005", "medication")
    assert (command.criticality, command.certainty) == ("high", "confirmed")
    assert [(each.manifestation.display, each.severity) for each in command.reactions] == [("Hives", "moderate")]


def test_that_no_allergy_is_known_is_a_statement_and_no_allergy() -> None:
    none = made.allergy(code=made.coded(made.SNOMED, "716186003", "No known allergy"))
    assert isinstance(item(none).wishes[0].command, StateNoKnownAllergies)


def test_a_medicine_carries_its_prescriber_and_its_reason() -> None:
    command = item(made.medication()).wishes[0].command
    assert isinstance(command, RecordMedication)
    assert (command.medication.name, command.medication.code) == ("Ibuprofen 100 MG", "198405")
    assert command.medication.dosage == "one tablet at night; as needed"
    assert (command.status, command.reasons) == ("stopped", ("Fever",))
    assert command.prescriber_id == id_of("Practitioner", made.DOCTOR)


def test_a_procedure_names_the_condition_that_it_was_done_for() -> None:
    command = item(made.procedure()).wishes[0].command
    assert isinstance(command, RecordProcedure)
    assert command.reasons == (Coded(code="386661006", system=made.SNOMED, display="Fever"),)


def test_what_has_no_room_is_kept_to_the_last_digit() -> None:
    text = json.dumps(made.claim()).replace("129.16", "129.1600")
    raw = json.loads(text, parse_float=Decimal)
    found = translate([HER, Entry("b", "", raw, text)], ORGANISATION, {})
    kept = next(each for each in found.items if each.type == "Claim")
    command = kept.wishes[0].command
    assert kept.kept and isinstance(command, KeepResource)
    assert '"value": 129.1600' in command.content
    assert command.patient_id == id_of("Patient", made.PATIENT)
    assert kept.wishes[0].happened_at == datetime(2019, 4, 22, 2, 30, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        made.observation(status="entered-in-error"),
        made.encounter(status="planned"),
        made.condition(verificationStatus=made.status("condition-ver-status", "entered-in-error")),
        made.medication(doNotPerform=True),
        made.medication(intent="proposal"),
        made.immunization(status="entered-in-error"),
        made.observation(modifierExtension=[{"url": "x", "valueBoolean": True}]),
        made.observation(component=[{"code": {"text": "x"}, "modifierExtension": [{"url": "x"}]}]),
    ],
)
def test_what_would_be_misread_is_kept_rather_than_taken(change: dict[str, Any]) -> None:
    found = item(change)
    assert found.kept and [type(wish.command) for wish in found.wishes] == [KeepResource]


@pytest.mark.parametrize(
    "change",
    [
        made.patient(extension=[{"url": "http://example.org/race", "valueString": "x"}]),
        made.patient(_birthDate={"extension": [{"url": "time", "valueDateTime": "1948-03-12T10:00:00Z"}]}),
        made.patient(birthDate="1948"),
        made.encounter(hospitalization={"dischargeDisposition": {"text": "home"}}),
        made.encounter(participant=[{"individual": made.to(made.DOCTOR)}, {"individual": made.to(made.DOCTOR)}]),
        made.condition(code={"coding": [{"code": "R50.9"}, {"code": "386661006"}], "text": "Fever"}),
        made.observation(effectiveDateTime="2019-04"),
        made.observation(valueQuantity=None, valueRange={"low": {"value": 1}}) | {"valueQuantity": {"value": 1}},
        made.observation(hasMember=[made.to(made.SUGAR)]),
        made.medication(dosageInstruction=[{"text": "x"}, {"text": "y"}]),
        made.goal(target=[{"measure": made.coded(made.LOINC, "4548-4", "HbA1c")}]),
    ],
)
def test_what_a_room_cannot_say_is_kept_beside(change: dict[str, Any]) -> None:
    found = item(change)
    assert found.beside and not found.kept
    kept = found.wishes[-1].command
    assert isinstance(kept, KeepResource) and json.loads(kept.content) == change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (made.patient(name=[]), "Bundle.entry[0].resource.name: a patient needs a name"),
        (made.patient(birthDate="1948-02-30"), "Bundle.entry[0].resource.birthDate: there is no such date"),
        (made.patient(birthDate=19480312), "Bundle.entry[0].resource.birthDate: this must be a text"),
        (made.patient(name="Chiara"), "Bundle.entry[0].resource.name: this must be a list"),
        (made.patient(id="a b"), "Bundle.entry[0].resource.id: an id has 1 to 64 letters, digits, points and dashes"),
        (made.encounter(subject=None), "Bundle.entry[0].resource.subject: a reference is required here"),
        (
            made.encounter(subject=made.to(made.DOCTOR)),
            "Bundle.entry[0].resource.subject.reference: this leads to a Practitioner, not to a Patient",
        ),
        (
            made.encounter(subject={"reference": "urn:uuid:nobody"}),
            "Bundle.entry[0].resource.subject.reference: 'urn:uuid:nobody' leads to nothing in this bundle",
        ),
        (
            made.encounter(period={"start": "2019-04-22T03:30:37Z", "end": "2019-04-21T03:30:37Z"}),
            "Bundle.entry[0].resource.period.end: the end lies before the start",
        ),
        (
            made.encounter(period={"start": "2019-04-22T03:30:61Z"}),
            "Bundle.entry[0].resource.period.start: there is no such date",
        ),
        (
            made.encounter(period={"start": "2019-04-22T03:30:00"}),
            "Bundle.entry[0].resource.period.start: there is no such date",
        ),
        (made.condition(code=None), "Bundle.entry[0].resource.code: a code is required here"),
        (made.condition(code={}), "Bundle.entry[0].resource.code: neither a code nor a text"),
        (
            made.observation(valueQuantity={"value": "76"}),
            "Bundle.entry[0].resource.valueQuantity.value: this must be a number",
        ),
        (
            made.observation(component=[{}]),
            "Bundle.entry[0].resource.component[0].code: a code is required here",
        ),
        (
            made.allergy(category="food"),
            "Bundle.entry[0].resource.category: this must be a list of medication, food, environment, biologic",
        ),
        (
            made.observation(code=made.coded(made.LOINC, "x" * 101, "y")),
            "Bundle.entry[0].resource: Expected `str` of length <= 100 - at `$.code`",
        ),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_by_its_path(change: dict[str, Any], where: str) -> None:
    assert broken({name: value for name, value in change.items() if value is not None}) == where


def test_the_same_resource_twice_is_refused() -> None:
    (problem, *_) = translated(made.patient(), made.patient()).broken
    assert str(problem) == f"Bundle.entry[1].resource.id: Patient/{made.PATIENT} stands in this bundle twice"


def test_a_reference_by_identifier_finds_whoever_has_it() -> None:
    by_npi = {"individual": {"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|240"}}
    command = item(made.encounter(participant=[by_npi])).wishes[0].command
    assert isinstance(command, StartVisit)
    assert command.practitioner_id == id_of("Practitioner", made.DOCTOR)


def test_references_by_type_and_id_work_as_well_as_urns() -> None:
    direct = {"reference": f"Patient/{made.PATIENT}/_history/3"}
    assert item(made.encounter(subject=direct)).wishes == item(made.encounter()).wishes


def test_whatever_others_refer_to_is_asked_for_first() -> None:
    kinds = [type(wish.command) for wish in in_order(translated(*made.everything()).items)]
    assert kinds[:5] == [AddLocation, CloseLocation, AddStaffMember, RegisterPatient, StartVisit]
    assert kinds[-1] is KeepResource


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers(-5, 5) | some.text(max_size=5) | some.just("2019-04-22T03:30:37Z"),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                ["coding", "code", "text", "reference", "value", "start", "end", "system", "family", "given"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("type", TRANSLATORS)
@settings(deadline=None)
@given(data=some.data())
def test_t057_nothing_that_a_resource_may_hold_is_more_than_broken(type: str, data: some.DataObject) -> None:
    """Any element of a sound resource replaced by anything at all: taken, kept or named as broken, never a crash."""
    sound = next(each for each in [made.location(), *made.everything()] if each["resourceType"] == type)
    name = data.draw(some.sampled_from(sorted(set(sound) - {"resourceType", "id"})))
    others = [each for each in made.everything() if each["id"] != sound["id"]]
    found = translated(sound | {name: data.draw(ANYTHING)}, *others)
    assert len(found.items) + len(found.broken) >= len(others)
