"""What doctors give at the demo clinic: enough until the next visit, with a reason where an alert stands."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from salerno.contexts.prescribing.commands import IssuePrescription, StopMedication
from salerno.contexts.prescribing.errors import UnansweredAlerts
from salerno.contexts.prescribing.events import Alert, Medication, Override
from salerno.interfaces.cli.demo.chart import Chart
from salerno.kernel.messages import Command

Do = Callable[[Command, str, float], Awaitable[UUID]]
ENGLISH = {
    "metformina": "metformin", "paracetamolo": "paracetamol", "bisoprololo": "bisoprolol",
    "levotiroxina": "levothyroxine", "salbutamolo": "salbutamol", "1 volta al giorno": "once a day",
    "2 volte al giorno": "twice a day", "al bisogno": "when needed", "2,5 mg": "2.5 mg",
}  # fmt: skip
BECAUSE = {
    "it": "Valutato con il paziente: il beneficio supera il rischio. Controllo ravvicinato.",
    "en": "Discussed with the patient: the benefit outweighs the risk. Closely followed.",
}
RENEWED = {"it": "Rinnovata oggi", "en": "Renewed today"}


async def treat(do: Do, chart: Chart, who: str, visit: UUID) -> None:
    """Give what the story asks for, or renew it."""
    if not chart.story.medicines:
        return
    language = chart.person.language
    if chart.prescription is not None:
        for line in range(len(chart.story.medicines)):
            await do(StopMedication(prescription_id=chart.prescription, line=line, reason=RENEWED[language]), who, 0.1)
    lines = tuple(_line(one, language, chart.story.every_days) for one in chart.story.medicines)
    chart.prescription = await prescribe(do, chart, who, lines, visit)


async def prescribe(
    do: Do, chart: Chart, who: str, lines: tuple[Medication, ...], visit: UUID | None = None
) -> UUID | None:
    """Sign it, answering alerts as a doctor would. What is contraindicated is not given."""
    assessment = chart.story.words(chart.person.language).assessment
    order = IssuePrescription(patient_id=chart.id, visit_id=visit, medications=lines, diagnosis=assessment, sign=True)
    try:
        return await do(order, who, 1)
    except UnansweredAlerts as refusal:
        alerts = msgspec.convert(refusal.details["alerts"], list[Alert])
    if any(alert.severity == "contraindicated" for alert in alerts):
        return None
    reason = BECAUSE[chart.person.language]
    answered = tuple(Override(alert=alert.key, reason=reason) for alert in alerts)
    return await do(msgspec.structs.replace(order, overrides=answered), who, 1)


def _line(one: Medication, language: str, every_days: int) -> Medication:
    """In the patient's language, and enough until a while after the next visit."""
    months = max(1, -(-round(every_days * 1.4) // 30))
    packs = "1 confezione" if months == 1 else f"{months} confezioni"
    line = msgspec.structs.replace(one, duration=f"{months * 30} giorni", quantity=packs)
    if language == "it":
        return line
    return msgspec.structs.replace(
        line,
        name=ENGLISH.get(one.name, one.name),
        dosage=ENGLISH.get(one.dosage, one.dosage),
        frequency=ENGLISH.get(one.frequency, one.frequency),
        duration=f"{months * 30} days",
        quantity="1 pack" if months == 1 else f"{months} packs",
    )
