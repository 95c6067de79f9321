"""The sheet of a prescription: its lines as typed, the alerts beside each, and what the check knew."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from salerno.contexts.prescribing.events import Alert, Medication, Override
from salerno.contexts.prescribing.queries import KnownFacts, PrescriptionPage, Screened
from salerno.interfaces.http import FieldError, Filled
from salerno.interfaces.http.bodies import mistakes
from salerno.interfaces.http.problems import field_error
from salerno.kernel.clock import uuid7

FIELDS = ("name", "dosage", "frequency", "duration", "quantity", "instructions")
NUMBERED = re.compile(r"line\.(\d{1,2})\.[a-z]+")
REASON = "reason."
MOST = 50
SHORTEST_REASON = 3


class SheetLine(Struct, kw_only=True):
    """One medicine. `read` is None before it was checked; empty when nothing in it is known to the tables."""

    number: int
    values: dict[str, str] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    read: Sequence[str] | None = None

    @property
    def blank(self) -> bool:
        return not any(self.values.values())


class Sheet(Struct, kw_only=True):
    """`shown` is the hash of the stored draft that this sheet was begun from; empty for a new one."""

    id: UUID
    visit: UUID | None = None
    shown: str = ""
    lines: list[SheetLine] = field(default_factory=list)
    diagnosis: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    general: list[Alert] = field(default_factory=list)
    known: KnownFacts | None = None
    tables: str = ""
    errors: list[FieldError] = field(default_factory=list)
    refused: str = ""
    code: str = ""
    focus: int | None = None

    @property
    def filled_lines(self) -> list[SheetLine]:
        return [line for line in self.lines if not line.blank]

    def add(self) -> None:
        """An empty line at the end, where there is room."""
        if len(self.lines) < MOST:
            self.lines.append(SheetLine(number=max((line.number for line in self.lines), default=-1) + 1))
            self.focus = self.lines[-1].number

    def drop(self, number: int) -> None:
        self.lines = [line for line in self.lines if line.number != number]
        if not self.lines:
            self.add()

    def medications(self) -> list[Medication]:
        """The lines as the room reads them; what cannot be read stands in `errors` beside its field."""
        found: list[Medication] = []
        for line in self.filled_lines:
            given = {name: text for name, text in line.values.items() if text}
            wrong = mistakes(Medication, given, strict=True, path=f"line.{line.number}")
            self.errors += wrong
            if not wrong:
                found.append(Medication(**given))  # type: ignore[arg-type]
        return found

    def overrides(self) -> tuple[Override, ...]:
        return tuple(
            Override(alert=key, reason=reason)
            for key, reason in self.reasons.items()
            if len(reason.strip()) >= SHORTEST_REASON
        )

    def take(self, screened: Screened, lines: Sequence[SheetLine]) -> None:
        """Put each alert beside the last line that it is about; the rest concerns the whole order."""
        self.known, self.tables = screened.known, screened.tables
        for line, read in zip(lines, screened.lines, strict=False):
            line.read = read
        for alert in screened.alerts:
            about = [line for line in lines if _concerns(alert, line)]
            (about[-1].alerts if about else self.general).append(alert)

    def unanswered(self, alerts: Sequence[Alert]) -> None:
        answered = {override.alert for override in self.overrides()}
        self.errors += [
            field_error(f"{REASON}{alert.key}", "reason-needed", "Give a reason for going on in spite of this.")
            for alert in alerts
            if alert.interrupts and alert.key not in answered
        ]


def _concerns(alert: Alert, line: SheetLine) -> bool:
    if alert.ingredients:
        return bool(set(alert.ingredients) & set(line.read or ()))
    return alert.code == "unknown-medicine" and alert.key.partition(":")[2] in line.values["name"].casefold()


def new_sheet(now: datetime, visit: UUID | None = None) -> Sheet:
    sheet = Sheet(id=uuid7(now), visit=visit)
    sheet.add()
    sheet.focus = None
    return sheet


def sheet_in(filled: Filled, now: datetime) -> Sheet:
    """The sheet as it was posted."""
    numbers = sorted({int(found[1]) for name in filled if (found := NUMBERED.fullmatch(name))})[:MOST]
    lines = [
        SheetLine(number=number, values={name: filled.get(f"line.{number}.{name}", "").strip() for name in FIELDS})
        for number in numbers
    ]
    reasons = {name.removeprefix(REASON): text for name, text in filled.items() if name.startswith(REASON)}
    return Sheet(
        id=_uuid(filled.get("prescription", "")) or uuid7(now), visit=_uuid(filled.get("visit", "")),
        shown=filled.get("shown", ""), lines=lines, diagnosis=filled.get("diagnosis_text", "").strip()[:2000],
        reasons=reasons,
    )  # fmt: skip


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def sheet_of(page: PrescriptionPage) -> Sheet:
    """The sheet of a stored draft, with what the tables say against it now."""
    stored = page.prescription
    lines = [
        SheetLine(number=number, values={name: getattr(line.medication, name) for name in FIELDS})
        for number, line in enumerate(stored.medications)
    ]
    sheet = Sheet(
        id=stored.prescription, visit=stored.visit, shown=stored.content_hash, lines=lines, diagnosis=stored.diagnosis
    )
    if page.screened is not None:
        sheet.take(page.screened, sheet.lines)
    return sheet
