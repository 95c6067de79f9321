"""Medicines against medicines: interactions, duplicates, and three at once."""

from collections.abc import Iterator
from itertools import combinations as couples
from itertools import product

from salerno.contexts.prescribing.data.conditions import Answer
from salerno.contexts.prescribing.data.rows import Combination, Interaction, Said
from salerno.contexts.prescribing.events import Alert
from salerno.contexts.prescribing.rules.alerting import alert, name_of, titled, worst
from salerno.contexts.prescribing.rules.facts import Case, Line

BURDEN = 3  # the sum of anticholinergic scores from which confusion and falls rise
OLD = 65


def interactions(case: Case) -> Iterator[Alert]:
    """Every ordered medicine against every other medicine, ordered or current; one alert for two ingredients."""
    found: dict[tuple[str, ...], list[Alert]] = {}
    for one, other in couples(case.lines, 2):
        if one.ordered or other.ordered:
            for made in _between(case, one, other):
                found.setdefault(made.ingredients, []).append(made)
    for alerts in found.values():
        if gravest := worst(alerts):
            yield gravest


def _between(case: Case, one: Line, other: Line) -> Iterator[Alert]:
    for (a, a_tokens), (b, b_tokens) in product(one.tokens.items(), other.tokens.items()):
        if a == b:
            continue
        for pair in product(a_tokens, b_tokens):
            for rule in case.known.by_pair.get(pair, ()):
                answer = rule.when(case)
                if answer.value is not False:
                    yield _interaction(case, rule, (a, b), answer)


def _interaction(case: Case, rule: Interaction, pair: tuple[str, str], answer: Answer) -> Alert:
    return alert(
        "duplicate-class" if rule.a == rule.b else "interaction",
        rule.code,
        rule.severity,
        titled([name_of(one, case.known) for one in sorted(pair)], rule.effect),
        pair,
        mechanism=rule.mechanism,
        management=rule.management,
        source=rule.source,
        verified=rule.verified,
        unknown=answer.unknown,
    )


def same_ingredient(case: Case) -> Iterator[Alert]:
    """The same ingredient twice: a renewal, or two brands of one thing."""
    for one, other in couples(case.lines, 2):
        if not (one.ordered or other.ordered):
            continue
        for name in set(one.systemic) & set(other.systemic):
            yield alert(
                "duplicate-ingredient",
                "duplicate-ingredient",
                "moderate",
                titled([name_of(name, case.known)], Said("is there twice", "è presente due volte")),
                [name],
                management=Said("A renewal, or the same medicine twice?", "Un rinnovo, o lo stesso farmaco due volte?"),
                source="OWN",
            )


def combinations(case: Case) -> Iterator[Alert]:
    """Harm that takes three, such as the triple whammy; or several of one kind."""
    for rule in case.known.combinations:
        answer = rule.when(case)
        if answer.value is True and (met := _met(case, rule)):
            yield alert(
                "combination", rule.code, rule.severity, rule.title, met, mechanism=rule.mechanism,
                management=rule.management, source=rule.source, verified=rule.verified,
            )  # fmt: skip


def _met(case: Case, rule: Combination) -> frozenset[str]:
    """The ingredients that meet the rule, if one of them is ordered now."""
    legs = [_taking(case, leg) for leg in rule.legs]
    met = frozenset(name for leg in legs for name in leg)
    enough = len(legs[0]) >= rule.count if rule.count else _one_each(legs)
    fresh = any(name in met for line in case.ordered for name in line.tokens)
    return met if enough and fresh else frozenset()


def _taking(case: Case, tokens: frozenset[str]) -> frozenset[str]:
    return frozenset(name for line in case.lines for name, own in line.tokens.items() if own & tokens)


def _one_each(legs: list[frozenset[str]]) -> bool:
    return any(len(set(chosen)) == len(legs) for chosen in product(*legs))


def burden(case: Case) -> Iterator[Alert]:
    """The sum of anticholinergic scores of all that is taken, when the order adds to it."""
    scores = {name: case.known.burden.get(name, 0) for line in case.lines for name in line.systemic}
    scored = {name: score for name, score in scores.items() if score}
    total = sum(scored.values())
    if total < BURDEN or not any(name in scored for line in case.ordered for name in line.systemic):
        return
    old = case.facts.age is None or case.facts.age >= OLD
    yield alert(
        "anticholinergic-burden",
        "anticholinergic-burden",
        "moderate" if old else "info",
        Said(f"Anticholinergic burden {total}", f"Carico anticolinergico {total}"),
        scored,
        mechanism=Said(
            "Confusion, falls and retention rise from 3.", "Da 3 aumentano confusione, cadute e ritenzione."
        ),
        management=Said("Stop or replace the strongest.", "Sospendere o sostituire il più forte."),
        source="ACB08",
        verified="K",
        unknown=() if case.facts.age is not None else ("age",),
    )
