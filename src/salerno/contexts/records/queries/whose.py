"""Whose data an answer opens: a chart and every chart that was merged into it."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from salerno.contexts.records.projections import SQL
from salerno.kernel.messages import Caller, Disclosure
from salerno.kernel.transactions import Tx
from salerno.kernel.wards import reads_as_patient

T = TypeVar("T")


async def charts_of(tx: Tx, patient: UUID) -> list[UUID]:
    rows = await tx.fetch(SQL["charts_of"], tx.organisation, patient)
    found = {UUID(bytes=row["patient"].bytes) for row in rows}
    return [patient, *(found - {patient})]


def told(value: T, charts: Sequence[UUID], caller: Caller) -> Disclosure[T]:
    """Charts that were merged into one's own are one's own."""
    own = caller.subject is not None and reads_as_patient(caller, "records.read")
    return Disclosure(value=value, subjects=charts[:1] if own else charts)
