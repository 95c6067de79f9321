"""Files through the bus, on a real database: whole bundles, second runs, broken and hostile ones."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fhir import bundles_of_tests as made

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.interfaces.fhir.bundles import files_of
from salerno.interfaces.fhir.importer import Importer
from salerno.interfaces.fhir.references import our_id
from salerno.interfaces.fhir.reports import ImportReport
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller, Recorded

Run = Callable[..., Any]
COUNT = "SELECT count(*) FROM kernel.event_store WHERE hospital_id = $1 AND aggregate_type NOT LIKE 'organisations.%'"


@pytest.fixture
async def importer(bus: Bus, organisation: UUID) -> Caller:
    permissions = frozenset(bus.permissions())
    caller = Caller(actor=uuid4(), organisation=organisation, role="SUPER_ADMIN", permissions=permissions)
    await bus.handle(
        RegisterOrganisation(kind="clinic", name="Clinica Mercanti", country="US", timezone="America/New_York"), caller
    )
    return caller


@pytest.fixture
def run(bus: Bus, importer: Caller, tmp_path: Path) -> Run:
    """`await run(bundle, …)`: each content as a file of its own, imported together."""

    async def run(*contents: Any, names: tuple[str, ...] = ()) -> ImportReport:
        given = [*names, *(f"{nth}.json" for nth in range(len(names), len(contents)))]
        files = [made.written(tmp_path / name, content) for name, content in zip(given, contents, strict=True)]
        return await Importer(bus, importer).run(files)

    return run


async def events(bus: Bus, organisation: UUID) -> int:
    async with bus.database.context("salerno_reader", None, "kernel") as connection:
        return int(await connection.fetchval(COUNT, organisation))


async def history(bus: Bus, organisation: UUID, kind: str, type: str, source: str) -> list[Recorded[Any]]:
    async with bus.reading(kind.split(".", maxsplit=1)[0], organisation) as tx:
        return list(await tx.history(kind, our_id(organisation, type, source)))


async def test_one_of_everything_finds_its_home(run: Run, bus: Bus, organisation: UUID) -> None:
    report = await run(made.bundle(*made.everything()))
    assert report.refused == []
    assert dict(report.taken) == dict.fromkeys(
        ["Organization", "Practitioner", "Patient", "Encounter", "Condition", "Observation", "DiagnosticReport",
         "AllergyIntolerance", "MedicationRequest", "Immunization", "Procedure", "Goal", "CarePlan"], 1
    )  # fmt: skip
    assert dict(report.kept) == {"Claim": 1}
    problem = await history(bus, organisation, "records.problem", "Condition", made.FEVER)
    assert [item.event.display for item in problem] == ["Fever"]
    visit = await history(bus, organisation, "encounters.visit", "Encounter", made.VISIT)
    assert [type(item.event).__name__ for item in visit] == ["VisitStarted", "VisitCompleted"]


async def test_what_happened_then_is_recorded_now_and_by_its_source_in_between(
    run: Run, bus: Bus, organisation: UUID
) -> None:
    await run(made.bundle(*made.everything()))
    (item,) = await history(bus, organisation, "records.observation", "Observation", made.SUGAR)
    assert item.origin.happened_at == datetime(2019, 4, 22, 1, 40, tzinfo=UTC)
    assert item.origin.source_recorded_at and item.origin.source_recorded_at.year == 2019
    assert (bus.clock.now() - item.origin.recorded_at).total_seconds() < 60


async def test_a_second_run_adds_nothing(run: Run, bus: Bus, organisation: UUID) -> None:
    await run(made.bundle(*made.everything()))
    before = await events(bus, organisation)
    report = await run(made.bundle(*made.everything()))
    assert await events(bus, organisation) == before
    assert (report.taken.total(), report.kept.total(), report.there.total()) == (0, 0, 14)
    assert report.refused == []


async def test_two_runs_at_once_add_it_once(bus: Bus, importer: Caller, tmp_path: Path, organisation: UUID) -> None:
    path = made.written(tmp_path / "a.json", made.bundle(*made.everything()))
    await asyncio.gather(*(Importer(bus, importer).run([path]) for _ in range(4)), return_exceptions=True)
    await Importer(bus, importer).run([path])
    (problem,) = await history(bus, organisation, "records.problem", "Condition", made.FEVER)
    assert problem.version == 1
    (registered,) = await history(bus, organisation, "patients.patient", "Patient", made.PATIENT)
    assert registered.version == 1


async def test_somebody_who_stands_in_two_bundles_comes_once(run: Run) -> None:
    other = made.patient(id="other", name=[{"family": "Verdi", "given": ["Anna"]}])
    report = await run(made.bundle(made.practitioner(), made.patient()), made.bundle(made.practitioner(), other))
    assert (report.taken["Practitioner"], report.there["Practitioner"], report.taken["Patient"]) == (1, 1, 2)


async def test_a_broken_bundle_is_refused_whole_and_the_others_go_on(run: Run, bus: Bus, organisation: UUID) -> None:
    sound = made.bundle(made.patient(id="sound", name=[{"text": "Anna Verdi"}]))
    broken = made.bundle(
        *made.everything()[:-3], made.patient(birthDate="1948-13-01"), made.practitioner(), made.organization()
    )
    report = await run(broken, sound)
    assert [str(each) for each in report.refused] == [
        "0.json: Bundle.entry[11].resource.birthDate: there is no such date"
    ]
    assert (report.refused_resources, report.taken) == (14, {"Patient": 1})
    assert await events(bus, organisation) == 1


async def test_what_a_room_refuses_refuses_its_bundle_with_the_path(run: Run, bus: Bus, organisation: UUID) -> None:
    future = made.observation(effectiveDateTime="2999-01-01T00:00:00Z")
    report = await run(made.bundle(made.organization(), made.practitioner(), made.patient(), made.encounter(), future))
    (refusal,) = report.refused
    assert (refusal.path, report.refused_resources) == ("Bundle.entry[4].resource", 5)
    assert "effective_at" in refusal.reason
    assert await events(bus, organisation) == 0


async def test_numbers_that_a_room_cannot_take_are_left_to_the_kept_resource(
    run: Run, bus: Bus, organisation: UUID
) -> None:
    her = made.patient(
        identifier=[
            {"system": "urn:codice-fiscale", "value": "x" * 65},
            {"system": "http://hospital.example", "value": "4711"},
        ],
        telecom=[{"system": "phone", "value": "1"}, {"system": "email", "value": "chiara@example.com"}],
        address=[{"line": ["via Mercanti 1"], "city": "Salerno", "country": "Italia"}],
    )
    report = await run(made.bundle(her))
    assert report.refused == []
    (registered,) = await history(bus, organisation, "patients.patient", "Patient", made.PATIENT)
    assert [each.value for each in registered.event.identifiers] == ["4711"]
    assert (registered.event.email, registered.event.family_name) == ("chiara@example.com", "Bianchi")
    assert report.beside["Patient"] == 1


async def test_a_reference_to_what_an_earlier_run_brought_is_found(run: Run) -> None:
    await run(made.bundle(made.organization(), made.practitioner(), made.patient(), made.encounter()))
    later = made.condition(subject={"reference": f"Patient/{made.PATIENT}"}, encounter=None)
    del later["encounter"]
    report = await run(made.bundle(later))
    assert (report.refused, dict(report.taken)) == ([], {"Condition": 1})


async def test_a_reference_by_identifier_to_what_an_earlier_run_brought_is_found(
    run: Run, bus: Bus, organisation: UUID
) -> None:
    await run(made.bundle(made.practitioner(), made.patient()))
    by_npi = {"individual": {"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|240"}}
    visit = made.encounter(participant=[by_npi], subject={"reference": f"Patient/{made.PATIENT}"})
    del visit["serviceProvider"]
    report = await run(made.bundle(visit))
    assert report.refused == []
    started = (await history(bus, organisation, "encounters.visit", "Encounter", made.VISIT))[0].event
    assert started.practitioner == our_id(organisation, "Practitioner", made.DOCTOR)


async def test_files_may_come_in_any_order(run: Run) -> None:
    visit = made.encounter(
        subject={"reference": f"Patient/{made.PATIENT}"},
        participant=[{"individual": {"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|240"}}],
    )
    del visit["serviceProvider"]
    report = await run(made.bundle(visit), made.bundle(made.patient()), made.bundle(made.practitioner()))
    assert (report.refused, report.taken.total()) == ([], 3)


async def test_a_reference_that_leads_nowhere_refuses_the_bundle(run: Run, bus: Bus, organisation: UUID) -> None:
    stray = made.condition(subject={"reference": "Patient/nobody"})
    del stray["encounter"]
    report = await run(made.bundle(stray))
    assert [str(each) for each in report.refused] == [
        "0.json: Bundle.entry[0].resource.subject.reference: Patient/nobody is neither here nor imported"
    ]
    assert await events(bus, organisation) == 0


async def test_another_organisations_patient_is_no_patient_here(
    run: Run, bus: Bus, importer: Caller, tmp_path: Path
) -> None:
    await run(made.bundle(made.patient()))
    stranger = Caller(actor=uuid4(), organisation=uuid4(), permissions=importer.permissions)
    later = made.condition(subject={"reference": f"Patient/{made.PATIENT}"})
    del later["encounter"]
    report = await Importer(bus, stranger).run([made.written(tmp_path / "b.json", made.bundle(later))])
    assert "is neither here nor imported" in report.refused[0].reason


async def test_lines_stand_for_themselves_and_files_are_put_in_order(run: Run, bus: Bus, organisation: UUID) -> None:
    direct = {"subject": {"reference": f"Patient/{made.PATIENT}"}}
    visit = made.encounter(participant=[{"individual": {"reference": f"Practitioner/{made.DOCTOR}"}}], **direct)
    del visit["serviceProvider"]
    problem = made.condition(encounter={"reference": f"Encounter/{made.VISIT}"}, **direct)
    orphan = made.condition(id="orphan", subject={"reference": "Patient/nobody"}, encounter=problem["encounter"])
    lines = [
        json.dumps(problem),
        "{broken",
        "",
        json.dumps(orphan),
        json.dumps(made.condition(id="bad", code=1, **direct)),
    ]
    report = await run(
        "\n".join(lines),
        json.dumps(visit) + "\n",
        json.dumps(made.patient()),
        json.dumps(made.practitioner()),
        names=("Condition.ndjson", "Encounter.ndjson", "Patient.ndjson", "Practitioner.ndjson"),
    )
    assert dict(report.taken) == {"Practitioner": 1, "Patient": 1, "Encounter": 1, "Condition": 1}
    assert sorted(str(each) for each in report.refused) == [
        "Condition.ndjson: line 2: this is not JSON (line 1, column 2)",
        "Condition.ndjson: line 4.subject.reference: Patient/nobody is neither here nor imported",
        "Condition.ndjson: line 5.code: this must be an object",
    ]


async def test_a_line_that_leads_to_a_refused_line_is_refused_too(run: Run) -> None:
    direct = {"reference": f"Patient/{made.PATIENT}"}
    lines = [made.patient(birthDate="x"), made.goal(subject=direct), made.care_plan(subject=direct)]
    for line in lines[1:]:
        line.pop("addresses", None)
    lines[2]["goal"] = [{"reference": f"Goal/{made.AIM}"}]
    report = await run("\n".join(json.dumps(line) for line in lines), names=("mixed.ndjson",))
    assert report.taken.total() == 0
    assert [each.path for each in report.refused] == [
        "line 1.birthDate",
        "line 2.subject.reference",
        "line 3.subject.reference",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Bundle: this is not JSON (line 1, column 1)"),
        ("[]", "Bundle: a resource is an object"),
        ("nonsense", "Bundle: this is not JSON (line 1, column 1)"),
        (b"\xff\xfe{}", "Bundle: byte 0 is not UTF-8"),
        ('{"resourceType": "Bundle", "type": "transaction", "entry": 7}', "Bundle.entry: this must be a list"),
        ('{"resourceType": "Bundle", "type": "transaction", "entry": [7]}', "Bundle.entry[0]: this must be an object"),
        ('{"resourceType": "Bundle", "entry": []}', "Bundle.type: a bundle to import is one of"),
        ('{"id": "Bundle", "id": "x"}', "Bundle: the name 'id' stands twice in one object"),
        ('{"resourceType": "Bundle", "type": NaN}', "Bundle: this is not JSON (a number)"),
        ('{"a":' * 100_000, "Bundle: this is nested too deeply"),
        ("[" * 100_000, "Bundle: this is nested too deeply"),
        ('{"resourceType": "../../etc"}', "../../etc.resourceType: this is no type of resource"),
        (json.dumps(made.bundle({"id": "1"})), "Bundle.entry[0].resource.resourceType: this is no type of resource"),
        (json.dumps(made.bundle(made.bundle())), "Bundle.entry[0].resource.resourceType: this is no type of resource"),
        (
            json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [
                {"resource": made.patient(), "request": {"method": "DELETE", "url": "Patient/1"}}]}),
            "Bundle.entry[0].request.method: only resources that are to be stored can be imported: POST or PUT",
        ),
        (
            '{"resourceType": "Bundle", "type": "batch", "entry": [{}]}',
            "Bundle.entry[0].resource: a resource is required here",
        ),
    ],
)  # fmt: skip
async def test_t057_hostile_files_are_refused_with_a_reason(
    run: Run, bus: Bus, organisation: UUID, content: str | bytes, reason: str
) -> None:
    report = await run(content, made.bundle(made.patient()))
    (refusal,) = report.refused
    assert str(refusal).removeprefix("0.json: ").startswith(reason)
    assert report.taken == {"Patient": 1}


async def test_a_single_resource_is_taken_as_well(run: Run) -> None:
    report = await run(b"\xef\xbb\xbf" + json.dumps(made.patient()).encode())
    assert (report.refused, report.taken) == ([], {"Patient": 1})


async def test_privileges_in_a_file_give_none(run: Run, bus: Bus, organisation: UUID) -> None:
    """T001: a file is data; its organisation, role and account are those of whoever imports it."""
    forged = made.practitioner(role="SUPER_ADMIN", hospital_id=str(uuid4()), permissions=["*"], active=True)
    await run(made.bundle(forged, hospital_id=str(uuid4())))
    added = (await history(bus, organisation, "staff.member", "Practitioner", made.DOCTOR))[0]
    assert (added.event.role, added.origin.organisation) == ("DOCTOR", organisation)


def test_folders_are_looked_through_once(tmp_path: Path) -> None:
    for name in ("b.json", "a.ndjson", "notes.txt"):
        made.written(tmp_path / name, "{}")
    (tmp_path / "deeper").mkdir()
    made.written(tmp_path / "deeper" / "c.json", "{}")
    found = files_of([tmp_path, tmp_path / "b.json", tmp_path / "notes.txt"])
    assert [path.name for path in found] == ["a.ndjson", "b.json", "c.json", "notes.txt"]
