"""T050: narrative, markup and XML in files that are imported are data, and XML is not read at all."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.fhir import bundles_of_tests as made

from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.interfaces.fhir.importer import Importer
from salerno.interfaces.fhir.references import our_id
from salerno.interfaces.fhir.reports import ImportReport
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

NARRATIVE = (
    '<div xmlns="http://www.w3.org/1999/xhtml"><img src=x onerror="window.hit=1"/>'
    '<a href="javascript:window.hit=2">more</a><svg><style><img src=x onerror=window.hit=3></style></svg></div>'
)
ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient><id value="&x;"/></Patient>'
)
COUNT = "SELECT count(*) FROM kernel.event_store WHERE hospital_id = $1 AND aggregate_type NOT LIKE 'organisations.%'"


@pytest.fixture
async def importer(bus: Bus, organisation: UUID) -> Caller:
    everything = frozenset(bus.permissions())
    caller = Caller(actor=uuid4(), organisation=organisation, role="SUPER_ADMIN", permissions=everything)
    await bus.handle(RegisterOrganisation(kind="clinic", name="Clinica Mercanti"), caller)
    return caller


async def _import(bus: Bus, importer: Caller, path: Path) -> ImportReport:
    return await Importer(bus, importer).run([path])


async def _events(bus: Bus, organisation: UUID) -> int:
    async with bus.database.context("salerno_reader", None, "kernel") as connection:
        return int(await connection.fetchval(COUNT, organisation))


async def test_t050_a_narrative_is_not_taken_into_the_chart(
    bus: Bus, importer: Caller, organisation: UUID, tmp_path: Path
) -> None:
    text = {"status": "generated", "div": NARRATIVE}
    parts = made.patient, made.practitioner, made.organization, made.encounter, made.condition
    bundle = made.bundle(*(part(text=text) for part in parts))
    report = await _import(bus, importer, made.written(tmp_path / "a.json", bundle))
    assert report.taken["Patient"] == 1, report
    async with bus.reading("patients", organisation) as tx:
        (ada,) = await tx.history("patients.patient", our_id(organisation, "Patient", made.PATIENT))
    assert "onerror" not in repr(ada.event) and "svg" not in repr(ada.event)


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.xml"])
async def test_t050_a_file_of_xml_is_refused_and_nothing_of_it_is_kept(
    bus: Bus, importer: Caller, organisation: UUID, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_text(ENTITY, "utf-8")
    report = await _import(bus, importer, path)
    assert report.refused and report.taken.total() == 0 and "root:" not in str(report)
    assert await _events(bus, organisation) == 0


@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_t050_a_file_nested_a_hundred_thousand_deep_is_refused(
    bus: Bus, importer: Caller, organisation: UUID, tmp_path: Path, opening: str
) -> None:
    path = tmp_path / "deep.json"
    path.write_text(opening * 100_000, "utf-8")
    report = await _import(bus, importer, path)
    assert report.refused and report.taken.total() == 0
    assert await _events(bus, organisation) == 0
