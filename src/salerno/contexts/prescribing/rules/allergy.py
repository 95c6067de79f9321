"""Medicines against recorded allergies, with cross-reactions by group and by kind of reaction."""

from collections.abc import Iterator
from dataclasses import dataclass

from salerno.contexts.prescribing.data.rows import CrossReaction, Said, Tables
from salerno.contexts.prescribing.data.tables import REACTIONS, plain
from salerno.contexts.prescribing.events import Alert
from salerno.contexts.prescribing.rules.alerting import RANK, alert, name_of, titled, worst
from salerno.contexts.prescribing.rules.facts import Allergy, Case
from salerno.contexts.prescribing.rules.naming import resolve

GRAVE = frozenset({"anaphylaxis", "immediate", "airway", "severe_delayed"})


@dataclass(frozen=True, slots=True)
class Allergen:
    """What was recorded, found in the tables: ingredients, or a group as a whole. `foreign` is no medicine."""

    ingredients: frozenset[str]
    groups: frozenset[str]
    foreign: bool = False

    @property
    def known(self) -> bool:
        return bool(self.ingredients or self.groups or self.foreign)


def allergies(case: Case) -> Iterator[Alert]:
    """Each ordered ingredient, by whatever route, against each allergy that was not refuted."""
    for allergy in case.facts.allergies:
        if allergy.certainty == "refuted":
            continue
        allergen = allergen_of(allergy, case.known)
        if not allergen.known:
            yield _not_in_table(allergy)
        for name in sorted({name for line in case.ordered for name in line.ingredients}):
            if found := worst(_against(case, allergy, allergen, name)):
                yield found


def allergen_of(allergy: Allergy, known: Tables) -> Allergen:
    """The substance, and the class that was recorded with it."""
    substance, class_ = plain(allergy.substance), plain(allergy.class_)
    groups = frozenset(known.group_names[text] for text in (_core(substance), class_) if text in known.group_names)
    if _core(substance) in known.group_names:
        return Allergen(frozenset(), groups)
    ingredients = frozenset(resolve(_core(substance)).ingredients)
    if ingredients:
        return Allergen(ingredients, frozenset())
    return Allergen(frozenset(), groups, _foreign(allergy, substance, known))


def _core(substance: str) -> str:
    """ "Allergy to penicillin" and "allergia alla penicillina" are about penicillin."""
    for start in (
        "allergy to ",
        "allergic to ",
        "allergia alla ",
        "allergia alle ",
        "allergia ai ",
        "allergia al ",
        "allergia a ",
    ):
        substance = substance.removeprefix(start)
    return substance.removesuffix(" allergy").removesuffix(" (substance)").strip()


def _foreign(allergy: Allergy, substance: str, known: Tables) -> bool:
    if allergy.kind in ("food", "environment"):
        return True
    words = f" {substance} "
    return any(f" {word} " in words or f" {word}s " in words for word in known.other_allergens)


def reactions_of(allergy: Allergy, known: Tables) -> frozenset[str]:
    """Kinds of reaction in the words recorded; "unknown" where they tell nothing. Grave without words is grave."""
    words = plain(allergy.reaction)
    kinds = {kind for kind, pattern in known.reactions if pattern.search(words)}
    if allergy.kind == "intolerance" and not kinds & GRAVE:
        return frozenset({"intolerance"})
    if kinds & GRAVE or (kinds and allergy.severity != "severe"):
        return frozenset(kinds - {"intolerance"} or kinds)
    return frozenset({"anaphylaxis"}) if allergy.severity == "severe" else frozenset({"unknown"})


def _against(case: Case, allergy: Allergy, allergen: Allergen, name: str) -> Iterator[Alert]:
    kinds = reactions_of(allergy, case.known)
    if kinds == {"intolerance"}:
        if name in allergen.ingredients:
            yield _tolerated(case, allergy, name)
        return
    for rule in _rules(case.known, allergen, name):
        severities = [rule.severity[kind] for kind in kinds & set(REACTIONS) if kind in rule.severity]
        if severities:
            severity = min(severities, key=RANK.__getitem__)
            yield _crossed(case, allergy, rule, name, severity)
    for group in allergen.groups:
        if name in case.known.groups[group].members:
            yield _in_group(case, allergy, group, name, "major" if kinds & GRAVE else "moderate")


def _rules(known: Tables, allergen: Allergen, name: str) -> Iterator[CrossReaction]:
    if name in allergen.ingredients:
        yield known.cross["*", "="]
    origins = set(allergen.groups)
    origins |= {group for group, one in known.groups.items() if one.members & allergen.ingredients}
    for (origin, target), rule in known.cross.items():
        if origin in origins and target in known.groups and name in known.groups[target].members:
            yield rule


def _crossed(case: Case, allergy: Allergy, rule: CrossReaction, name: str, severity: str) -> Alert:
    return _alert(case, allergy, name, rule.code, severity, rule.reason, rule.source, rule.verified)


def _in_group(case: Case, allergy: Allergy, group: str, name: str, severity: str) -> Alert:
    title = case.known.groups[group].name
    reason = Said(f"recorded allergy to {title.en}", f"allergia registrata a {title.it}")
    return _alert(case, allergy, name, f"group-{group.lower()}", severity, reason, "KH22", "K")


def _tolerated(case: Case, allergy: Allergy, name: str) -> Alert:
    reason = Said("recorded intolerance, not an allergy", "intolleranza registrata, non allergia")
    return _alert(case, allergy, name, "intolerance", "info", reason, "KH22", "K")


def _alert(
    case: Case, allergy: Allergy, name: str, rule: str, severity: str, reason: Said, source: str, verified: str
) -> Alert:
    told = f"{allergy.substance}{f' ({allergy.reaction})' if allergy.reaction else ''}"
    what = Said(f"allergy to {told}", f"allergia a {told}")
    return alert(
        "allergy",
        rule,
        severity,
        titled([name_of(name, case.known)], what),
        [name],
        mechanism=Said(_sentence(reason.en), _sentence(reason.it)),
        source=source,
        verified=verified,
        about=plain(allergy.substance),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _not_in_table(allergy: Allergy) -> Alert:
    told = allergy.substance
    return alert(
        "allergy-not-checked",
        "allergy-not-checked",
        "info",
        Said(
            f"Allergy to {told}: not in the tables, not checked",
            f"Allergia a {told}: non nelle tabelle, non controllata",
        ),
        [],
        source="OWN",
        about=plain(told),
    )
