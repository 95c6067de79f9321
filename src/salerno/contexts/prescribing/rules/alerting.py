"""How an alert is put together: which interrupts, what it is called, and which of several is the worst."""

from collections.abc import Iterable

from salerno.contexts.prescribing.data.rows import Said, Tables
from salerno.contexts.prescribing.data.tables import SEVERITIES
from salerno.contexts.prescribing.events import Alert, Severity, Wording

RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}
NOTHING = Said("", "")
FACT_NAMES = {
    "age": Said("age", "età"),
    "weight": Said("weight", "peso"),
    "crcl": Said("kidney function", "funzione renale"),
    "egfr": Said("kidney function", "funzione renale"),
    "creatinine": Said("creatinine", "creatinina"),
    "potassium": Said("potassium", "potassio"),
    "weeks": Said("week of pregnancy", "settimana di gravidanza"),
    "pregnant": Said("pregnancy", "gravidanza"),
    "female": Said("sex", "sesso"),
    "male": Said("sex", "sesso"),
    "dose": Said("dose", "dose"),
}


def alert(
    code: str,
    rule: str,
    severity: str,
    title: Said,
    ingredients: Iterable[str],
    *,
    mechanism: Said = NOTHING,
    management: Said = NOTHING,
    source: str = "",
    verified: str = "",
    unknown: Iterable[str] = (),
    about: str = "",
) -> Alert:
    """Contraindicated and major interrupt; the rest is shown beside the order."""
    named = tuple(sorted(ingredients))
    return Alert(
        key=":".join(part for part in (rule, "+".join(named), about) if part),
        code=code,
        rule=rule,
        severity=_severity(severity),
        interrupts=severity in ("contraindicated", "major"),
        title=Wording(en=title.en, it=title.it),
        mechanism=Wording(en=mechanism.en, it=mechanism.it),
        management=Wording(en=management.en, it=management.it),
        ingredients=named,
        source=source,
        verified=verified,
        unknown=tuple(sorted(unknown)),
    )


def _severity(value: str) -> Severity:
    match value:
        case "contraindicated" | "major" | "moderate" | "info":
            return value
        case _:
            raise ValueError(value)


def name_of(ingredient: str, known: Tables) -> Said:
    one = known.ingredients[ingredient]
    return Said(one.name, one.name_it)


def titled(names: Iterable[Said], what: Said) -> Said:
    """ "Warfarin + ibuprofen: bleeding", in both languages."""
    listed = list(names)
    return Said(
        f"{_capital(' + '.join(one.en for one in listed))}: {what.en}",
        f"{_capital(' + '.join(one.it for one in listed))}: {what.it}",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def worst(alerts: Iterable[Alert]) -> Alert | None:
    """The gravest; of equals the one that rests on no missing fact, then the first rule."""
    return min(alerts, key=lambda one: (RANK[one.severity], bool(one.unknown), one.rule), default=None)


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Gravest first, and always the same order for the same alerts."""
    kept = {one.key: one for one in alerts}
    return sorted(kept.values(), key=lambda one: (RANK[one.severity], one.code, one.key))
