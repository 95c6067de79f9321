"""What a chart page reads: the same questions now and as of a moment, and only those that its reader may ask."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from salerno.contexts.encounters.queries import EncountersAsOf, EncountersOfPatient, EncounterTimeline, VisitPage
from salerno.contexts.patients.queries import Banner, PatientAsOf, PatientBanner, PatientById, PatientSheet
from salerno.contexts.prescribing.queries import (
    MedicinesAsOf,
    MedicinesOfPatient,
    PrescriptionPage,
    PrescriptionsAsOf,
    PrescriptionsOfPatient,
    TakenMedicine,
)
from salerno.contexts.records.queries import (
    Allergies,
    AllergyList,
    Chart,
    ChartSections,
    ObservationsOfPatient,
    Problems,
    RecordsAsOf,
    RecordTimeline,
    VitalsOfPatient,
    VitalsSeries,
)
from salerno.contexts.scheduling.queries import AppointmentItem, AppointmentsOfPatient
from salerno.interfaces.http import Request, ask
from salerno.interfaces.web.chart.moment import Moment
from salerno.interfaces.web.rights import may
from salerno.interfaces.web.whose import names_of
from salerno.kernel.errors import NotFound

ACTIVE = ("active", "recurrence", "relapse")
NEWEST = 500


class Reading:
    """One page's look at one chart. What it has asked it does not ask again; what it may not ask is None."""

    def __init__(self, request: Request[Any, Any, Any], patient: UUID, moment: Moment) -> None:
        self.request, self.patient, self.moment = request, patient, moment
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def _once(self, now: Any, then: Any = None) -> Any:
        query = now if self.moment.at is None else then
        if query is None or not may(self.request, type(query), self.patient):
            return None
        name = repr(query)
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(ask(self.request, query))
        return await self._asked[name]

    @property
    def _past(self) -> dict[str, Any]:
        return {"patient_id": self.patient, "moment": self.moment.at, "by_source": self.moment.by_source}

    def past(self, query: type[Any]) -> Any:
        return query(**self._past) if self.moment.at else None

    # ------------------------------------------------------------ who
    async def banner(self) -> Banner | None:
        found: Banner | None = await self._once(PatientBanner(patient_id=self.patient))
        return found

    async def sheet(self) -> PatientSheet | None:
        """None where it is not for the reader, and at a moment before the registration."""
        try:
            found: PatientSheet | None = await self._once(PatientById(patient_id=self.patient), self.past(PatientAsOf))
        except NotFound:
            if self.moment.at is None:
                raise
            return None
        return found

    async def allergies(self) -> AllergyList | None:
        if self.moment.at is not None:
            chart = await self.record()
            return chart.allergies if chart else None
        found: AllergyList | None = await self._once(Allergies(patient_id=self.patient))
        return found

    # ------------------------------------------------------------ the record
    async def record(self) -> Chart | None:
        found: Chart | None = await self._once(ChartSections(patient_id=self.patient), self.past(RecordsAsOf))
        return found

    async def problems(self) -> Sequence[Any] | None:
        if self.moment.at is not None:
            chart = await self.record()
            return chart.problems if chart else None
        found: Sequence[Any] | None = await self._once(Problems(patient_id=self.patient, all=True))
        return found

    async def rounds(self) -> Sequence[Any] | None:
        if self.moment.at is not None:
            chart = await self.record()
            return chart.vitals if chart else None
        found: Sequence[Any] | None = await self._once(VitalsOfPatient(patient_id=self.patient, limit=100))
        return found

    async def series(self) -> Sequence[Any] | None:
        found: Sequence[Any] | None = await self._once(
            VitalsSeries(patient_id=self.patient, limit=NEWEST), self.past(VitalsSeries)
        )
        return found

    async def results(self, limit: int, offset: int) -> tuple[Sequence[Any], int] | None:
        if self.moment.at is not None:
            chart = await self.record()
            return None if chart is None else (chart.results[offset : offset + limit], len(chart.results))
        page = await self._once(ObservationsOfPatient(patient_id=self.patient, limit=limit, offset=offset))
        return None if page is None else (page.items, page.total)

    async def timeline(self, kind: str, before: Any, beyond: UUID | None, limit: int) -> list[Any]:
        """A page of both rooms' lines, newest first."""
        place = {"patient_id": self.patient, "before": before, "beyond": beyond, "limit": limit}
        past = {"moment": self.moment.at, "by_source": self.moment.by_source}
        lines: list[Any] = []
        for query, kinds in ((RecordTimeline, RECORD_KINDS), (EncounterTimeline, ENCOUNTER_KINDS)):
            if kind and kind not in kinds:
                continue
            wish = query(**place, **past, kind=kind or None)  # type: ignore[arg-type]
            lines += await self._once(wish, wish) or []
        lines.sort(key=lambda line: (-line.at.timestamp(), line.id))
        return lines[:limit]

    # ------------------------------------------------------------ care
    async def medicines(self) -> list[TakenMedicine] | None:
        then = MedicinesAsOf(**self._past, ended=True) if self.moment.at else None
        found: list[TakenMedicine] | None = await self._once(
            MedicinesOfPatient(patient_id=self.patient, ended=True), then
        )
        return found

    async def prescriptions(self) -> Sequence[PrescriptionPage] | None:
        now = PrescriptionsOfPatient(patient_id=self.patient, limit=200)
        found = await self._once(now, self.past(PrescriptionsAsOf))
        return found if found is None or isinstance(found, list) else found.items

    async def visits(self, limit: int = 200) -> list[VisitPage] | None:
        now = EncountersOfPatient(patient_id=self.patient, limit=limit)
        found: list[VisitPage] | None = await self._once(now, self.past(EncountersAsOf))
        return found

    async def appointments(self) -> Sequence[AppointmentItem] | None:
        query = AppointmentsOfPatient(patient_id=self.patient, as_of=self.moment.at, by_source=self.moment.by_source)
        found: Sequence[AppointmentItem] | None = await self._once(query, query)
        return found

    async def names(self, ids: Iterable[UUID | None]) -> dict[UUID, str]:
        return await names_of(self.request, ids)


RECORD_KINDS = (
    "problem", "allergy", "vitals", "observation", "immunization", "procedure", "report", "care_plan",
)  # fmt: skip
ENCOUNTER_KINDS = ("visit", "note")
