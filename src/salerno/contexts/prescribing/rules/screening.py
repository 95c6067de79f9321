"""Everything that the tables say against an order, for one patient. Pure: same question, same answer."""

from collections.abc import Iterator, Sequence

from salerno.contexts.prescribing.data.rows import Said, Tables
from salerno.contexts.prescribing.data.tables import tables
from salerno.contexts.prescribing.events import Alert, Medication
from salerno.contexts.prescribing.rules.alerting import alert, in_order, name_of
from salerno.contexts.prescribing.rules.allergy import allergies
from salerno.contexts.prescribing.rules.cautions import cautions
from salerno.contexts.prescribing.rules.ceilings import doses
from salerno.contexts.prescribing.rules.facts import Case, Facts, Line, case_of
from salerno.contexts.prescribing.rules.pairs import burden, combinations, interactions, same_ingredient

CHECKS = (interactions, same_ingredient, combinations, burden, allergies, doses, cautions)


FRESH = 365  # days after which a creatinine no longer says much


def screen(order: Sequence[Medication], facts: Facts, known: Tables | None = None) -> list[Alert]:
    """The alerts, gravest first. What could not be checked is an alert too, never silence."""
    case = case_of(order, facts, known or tables())
    found = [made for check in CHECKS for made in check(case)]
    return in_order([*found, *_unchecked(case)])


def _unchecked(case: Case) -> Iterator[Alert]:
    for line in case.lines:
        if line.resolved.read_as:
            yield _read_as(case, line)
        if not line.ingredients or line.resolved.unread:
            yield _unknown_medicine(line)
    if not case.facts.allergies and not case.facts.asked_about_allergies:
        yield alert(
            "allergies-not-recorded", "allergies-not-recorded", "info",
            Said("No allergy is recorded: ask", "Nessuna allergia registrata: chiedere"), [], source="OWN",
        )  # fmt: skip
    if case.facts.creatinine_days is not None and case.facts.creatinine_days > FRESH:
        yield _old_creatinine(case.facts.creatinine_days)
    if case.facts.age is None:
        yield alert(
            "fact-missing", "age-unknown", "info",
            Said("Age is not known: age rules were not checked", "Età non nota: regole per età non controllate"),
            [], source="OWN", unknown=("age",),
        )  # fmt: skip


def _old_creatinine(days: int) -> Alert:
    return alert(
        "fact-old",
        "creatinine-old",
        "info",
        Said(
            f"Kidney function rests on a creatinine of {days} days ago",
            f"Funzione renale da creatinina di {days} giorni fa",
        ),
        [],
        source="OWN",
    )


def _unknown_medicine(line: Line) -> Alert:
    what = " ".join(line.resolved.unread) if line.ingredients else line.medication.name
    return alert(
        "unknown-medicine",
        "unknown-medicine",
        "moderate" if line.ordered else "info",
        Said(f"{what}: not in the tables, not checked", f"{what}: non nelle tabelle, non controllato"),
        [],
        management=Said("Check it by other means.", "Controllare con altri mezzi."),
        source="OWN",
        about=what.casefold(),
    )


def _read_as(case: Case, line: Line) -> Alert:
    name = name_of(line.ingredients[0], case.known)
    written = line.medication.name
    return alert(
        "read-as",
        "read-as",
        "moderate" if line.ordered else "info",
        Said(f"“{written}” was read as {name.en}", f"“{written}” letto come {name.it}"),
        line.ingredients,
        source="OWN",
        about=written.casefold(),
    )
