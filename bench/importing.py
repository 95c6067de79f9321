"""How fast FHIR bundles come in: twelve people with a long history each, made here."""

import json
import tempfile
from pathlib import Path
from time import perf_counter

from bench.world import World
from salerno.interfaces.fhir.bundles import files_of
from salerno.interfaces.fhir.importer import Importer

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
UCUM = "http://unitsofmeasure.org"
PEOPLE, ENCOUNTERS, OBSERVATIONS = 12, 30, 300


async def measure(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for nth in range(PEOPLE):
            (Path(folder) / f"{nth}.json").write_text(json.dumps(_bundle(nth)))
        print("\nImport of FHIR bundles")
        for words in ("first time", "again"):
            started = perf_counter()
            report = await Importer(world.house.bus, world.caller).run(files_of([Path(folder)]))
            seconds = perf_counter() - started
            print(
                f"  {words:28}{PEOPLE * (1 + ENCOUNTERS + OBSERVATIONS) / seconds:>9,.0f} resources/s   "
                f"{report.taken.total()} taken, {report.there.total()} already there, {len(report.refused)} refused"
            )


def _bundle(nth: int) -> dict[str, object]:
    patient = f"urn:uuid:00000000-0000-4000-8000-{nth:012}"
    resources: list[tuple[str, dict[str, object]]] = [
        (patient, {"resourceType": "Patient", "id": patient[9:], "gender": "female", "birthDate": f"19{40 + nth}-05-04",
                   "name": [{"family": f"Imported{chr(97 + nth)}", "given": ["Ada"]}]}),
    ]  # fmt: skip
    for n in range(ENCOUNTERS):
        resources.append(_entry(nth, n, _encounter(patient, n)))
    for n in range(OBSERVATIONS):
        resources.append(_entry(nth, 1000 + n, _observation(patient, n)))
    entries = [
        {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
        for url, resource in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _entry(nth: int, n: int, resource: dict[str, object]) -> tuple[str, dict[str, object]]:
    id = f"00000000-0000-4000-9{nth:03}-{n:012}"
    return f"urn:uuid:{id}", {"id": id, **resource}


def _encounter(patient: str, n: int) -> dict[str, object]:
    day = f"20{10 + n % 15}-0{1 + n % 9}-1{n % 10}"
    return {
        "resourceType": "Encounter", "status": "finished", "subject": {"reference": patient},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "period": {"start": f"{day}T09:00:00+00:00", "end": f"{day}T09:20:00+00:00"},
    }  # fmt: skip


def _observation(patient: str, n: int) -> dict[str, object]:
    at = f"20{10 + n % 15}-0{1 + n % 9}-1{n % 10}T09:10:00+00:00"
    return {
        "resourceType": "Observation", "status": "final", "subject": {"reference": patient}, "effectiveDateTime": at,
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7", "display": "Glucose"}]},
        "valueQuantity": {"value": 90 + n % 40, "unit": "mg/dL", "system": UCUM, "code": "mg/dL"},
    }  # fmt: skip
