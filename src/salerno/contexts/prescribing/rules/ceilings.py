"""Doses against ceilings: absolute, by age, by weight, by kidney function. What cannot be checked is said."""

from collections.abc import Iterator
from dataclasses import dataclass

from salerno.contexts.prescribing.data.rows import DoseRule, Said
from salerno.contexts.prescribing.events import Alert
from salerno.contexts.prescribing.rules.alerting import FACT_NAMES, RANK, alert, name_of, titled
from salerno.contexts.prescribing.rules.facts import ADULT, Case, Line

CEILINGS = ("max", "soft", "weekly")
A_LITTLE = 1.001  # rounding in "0.0625 mg" is no overdose


@dataclass(frozen=True, slots=True)
class Taken:
    """All that is taken of an ingredient: mg a day as far as it could be read, and whether all of it was read."""

    daily: float
    complete: bool
    lines: tuple[Line, ...]


def doses(case: Case) -> Iterator[Alert]:
    for name in dict.fromkeys(name for line in case.ordered for name in line.systemic):
        rules = [rule for token in sorted(_tokens(case, name)) for rule in case.known.doses.get(token, ())]
        yield from _checked(case, name, rules)


def _tokens(case: Case, name: str) -> frozenset[str]:
    return frozenset().union(*(line.tokens[name] for line in case.ordered if name in line.systemic))


def _checked(case: Case, name: str, rules: list[DoseRule]) -> Iterator[Alert]:
    taken = _taken(case, name)
    limits = [rule for rule in rules if rule.kind in CEILINGS]
    if not limits:
        yield _no_rule(case, name)
    elif not taken.complete:
        yield _not_read(case, name)
    if limits and case.facts.age is not None and case.facts.age < ADULT and not _for_children(rules):
        yield _adult_only(case, name)
    missing: set[str] = set()
    yield from _broken(case, name, rules, taken, missing)
    if missing:
        yield _facts_missing(case, name, missing)


def _broken(case: Case, name: str, rules: list[DoseRule], taken: Taken, missing: set[str]) -> Iterator[Alert]:
    """One alert of each kind: the gravest, and of ceilings the lowest that holds for this patient."""
    found: dict[str, Alert] = {}
    for rule in sorted(rules, key=lambda rule: _limit(case, rule) or 0.0):
        answer = rule.when(case)
        missing |= answer.unknown
        made = _judge(case, name, rule, taken, missing) if answer.value else None
        if made and (made.code not in found or RANK[made.severity] < RANK[found[made.code].severity]):
            found[made.code] = made
    yield from found.values()


def _limit(case: Case, rule: DoseRule) -> float | None:
    """The ceiling in mg a day for this patient; None where it goes by a weight that is not known."""
    by_weight = 1.0 if rule.unit != "mg/kg" else case.facts.weight
    return rule.amount * by_weight / (7 if rule.per == "week" else 1) if by_weight else None


def _for_children(rules: list[DoseRule]) -> bool:
    return any(rule.unit == "mg/kg" for rule in rules)


def _taken(case: Case, name: str) -> Taken:
    """An order of the very same product renews what is current; another product adds to it."""
    ordered = [line for line in case.ordered if name in line.systemic]
    products = {frozenset(line.ingredients) for line in ordered}
    added = [
        line
        for line in case.lines
        if not line.ordered and name in line.systemic and frozenset(line.ingredients) not in products
    ]
    amounts = [line.daily(name, case.facts.weight) for line in (*ordered, *added)]
    total = sum(amount for amount in amounts if amount is not None)
    return Taken(total, None not in amounts, tuple(ordered))


def _judge(case: Case, name: str, rule: DoseRule, taken: Taken, missing: set[str]) -> Alert | None:
    match rule.kind:
        case "avoid" | "warn":
            return _ruled(case, name, rule, f"dose-{rule.kind}", _plainly(rule))
        case "days":
            return _too_long(case, name, rule, taken)
        case "weekly":
            return _weekly(case, name, rule, taken)
        case _:
            return _too_much(case, name, rule, taken, missing)


def _too_much(case: Case, name: str, rule: DoseRule, taken: Taken, missing: set[str]) -> Alert | None:
    daily_limit = _limit(case, rule)
    if daily_limit is None:
        missing.add("weight")
        return None
    reached = taken.daily >= daily_limit if rule.kind == "soft" else taken.daily > daily_limit * A_LITTLE
    if not taken.daily or not reached:
        return None
    days = 7 if rule.per == "week" else 1
    amount, limit = taken.daily * days, daily_limit * days
    per = Said(rule.per, {"day": "giorno", "week": "settimana"}[rule.per])
    what = Said(
        f"{_mg(amount)} a {per.en}, ceiling {_mg(limit)}",
        f"{_mg(amount).replace('.', ',')} al {per.it}, massimo {_mg(limit).replace('.', ',')}".replace("al s", "a s"),
    )
    return _ruled(case, name, rule, "dose-ceiling", what)


def _mg(amount: float) -> str:
    if amount < 1:
        return f"{amount * 1000:g} µg"
    return f"{amount / 1000:g} g" if amount >= 1000 else f"{round(amount, 2):g} mg"


def _weekly(case: Case, name: str, rule: DoseRule, taken: Taken) -> Alert | None:
    """A weekly medicine ordered daily kills, whatever the amount."""
    rhythms = [line.regimen.rhythm for line in taken.lines]
    daily = any(rhythm is not None and rhythm.per_day >= 1 for rhythm in rhythms)
    if daily or taken.daily * 7 > rule.amount * A_LITTLE:
        return _ruled(case, name, rule, "dose-ceiling", _plainly(rule))
    return None


def _too_long(case: Case, name: str, rule: DoseRule, taken: Taken) -> Alert | None:
    days = [line.regimen.days for line in taken.lines]
    if any(one is not None and one > rule.amount for one in days):
        return _ruled(case, name, rule, "dose-duration", _plainly(rule))
    if None in days:
        return _ruled(case, name, rule, "dose-duration", _plainly(rule), severity="info")
    return None


def _plainly(rule: DoseRule) -> Said:
    verb = {"avoid": Said("avoid, ", "evitare, ")}.get(rule.kind, Said("", ""))
    return Said(f"{verb.en}{rule.reason.en}", f"{verb.it}{rule.reason.it}")


def _ruled(case: Case, name: str, rule: DoseRule, code: str, what: Said, severity: str = "") -> Alert:
    reason = rule.reason if code == "dose-ceiling" and what != rule.reason else Said("", "")
    return alert(
        code,
        rule.code,
        severity or rule.severity,
        titled([name_of(name, case.known)], what),
        [name],
        mechanism=reason,
        source=rule.source,
        verified=rule.verified,
    )


def _no_rule(case: Case, name: str) -> Alert:
    what = Said("no dose ceiling in the tables, dose not checked", "nessun limite nelle tabelle, dose non controllata")
    return alert(
        "dose-no-rule", "dose-no-rule", "info", titled([name_of(name, case.known)], what), [name], source="OWN"
    )


def _not_read(case: Case, name: str) -> Alert:
    what = Said("dose not read, not checked", "dose non leggibile, non controllata")
    return alert(
        "dose-not-checked", "dose-not-checked", "info", titled([name_of(name, case.known)], what), [name], source="OWN"
    )


def _adult_only(case: Case, name: str) -> Alert:
    what = Said(
        "only the adult ceiling is known, child's dose not checked",
        "noto solo il limite per adulti, dose pediatrica non controllata",
    )
    return alert(
        "dose-adult-only", "dose-adult-only", "info", titled([name_of(name, case.known)], what), [name], source="OWN"
    )


def _facts_missing(case: Case, name: str, missing: set[str]) -> Alert:
    known = list(dict.fromkeys(FACT_NAMES[fact] for fact in sorted(missing)))
    what = Said(
        f"dose not checked against {', '.join(fact.en for fact in known)}, which is not known",
        f"dose non controllata rispetto a {', '.join(fact.it for fact in known)}, non noto",
    )
    return alert(
        "fact-missing", "fact-missing", "info", titled([name_of(name, case.known)], what), [name], source="OWN",
        unknown=missing,
    )  # fmt: skip
