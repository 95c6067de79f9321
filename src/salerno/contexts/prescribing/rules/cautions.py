"""Medicines against the patient: pregnancy, diseases, age."""

from collections.abc import Iterator

from salerno.contexts.prescribing.data.conditions import Answer
from salerno.contexts.prescribing.data.rows import Caution, Said
from salerno.contexts.prescribing.events import Alert
from salerno.contexts.prescribing.rules.alerting import alert, name_of, titled, worst
from salerno.contexts.prescribing.rules.facts import Case

CHILD_BEARING = (12, 55)


def cautions(case: Case) -> Iterator[Alert]:
    """The gravest caution of each kind and disease for each ordered ingredient."""
    found: dict[tuple[str, str, frozenset[str]], list[Alert]] = {}
    unsure: set[str] = set()
    for line in case.ordered:
        for name, tokens in line.tokens.items():
            for rule in (rule for token in tokens for rule in case.known.cautions.get(token, ())):
                answer = rule.when(case)
                if _holds(case, rule, answer):
                    made = _caution(case, rule, name, answer)
                    found.setdefault((name, rule.kind, rule.conditions), []).append(made)
                elif rule.kind == "pregnancy" and answer.value is None:
                    unsure.add(name)
    for alerts in found.values():
        if gravest := worst(alerts):
            yield gravest
    if unsure and _may_be_pregnant(case):
        yield _pregnancy_unknown(case, unsure)


def _holds(case: Case, rule: Caution, answer: Answer) -> bool:
    """In a known pregnancy an unknown week is taken for the worst."""
    return answer.value is True or (answer.value is None and rule.kind == "pregnancy" and case.pregnant is True)


def _caution(case: Case, rule: Caution, name: str, answer: Answer) -> Alert:
    about = [case.known.conditions[one].title for one in sorted(rule.conditions) if case.has(one)]
    if rule.kind == "pregnancy":
        about = [case.known.conditions["PREGNANCY"].title]
    return alert(
        rule.kind,
        rule.code,
        rule.severity,
        titled([name_of(name, case.known), *about], rule.reason),
        [name],
        source=rule.source,
        verified=rule.verified,
        unknown=answer.unknown,
    )


def _may_be_pregnant(case: Case) -> bool:
    first, last = CHILD_BEARING
    return case.pregnant is None and (case.facts.age is None or first <= case.facts.age < last)


def _pregnancy_unknown(case: Case, names: set[str]) -> Alert:
    listed = [name_of(name, case.known) for name in sorted(names)]
    what = Said("not checked against pregnancy, which is not known", "non controllato rispetto a gravidanza, non nota")
    return alert(
        "fact-missing", "pregnancy-unknown", "info", titled(listed, what), names, source="OWN", unknown=("pregnant",)
    )
