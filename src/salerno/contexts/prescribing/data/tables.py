"""The tables in memory: read once, checked row by row. A table that is wrong stops the start."""

import csv
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TypeVar

from salerno.contexts.prescribing.data.conditions import BadExpression, Expression, conditions_of, parse
from salerno.contexts.prescribing.data.rows import (
    AllergenGroup,
    Caution,
    Combination,
    Condition,
    CrossReaction,
    DoseRule,
    Ingredient,
    Interaction,
    KnownName,
    Product,
    Said,
    Tables,
)

SEVERITIES = ("contraindicated", "major", "moderate", "info")
REACTIONS = ("anaphylaxis", "immediate", "airway", "severe_delayed", "mild_delayed", "unknown")
DOSE_KINDS = ("max", "soft", "weekly", "avoid", "warn", "days")
FILES = (
    "allergen_groups", "anticholinergic", "catalogue", "cautions", "combinations", "conditions",
    "cross_reactivity", "doses", "forms", "ignored_words", "ingredients", "interactions", "names", "other_allergens",
    "reactions", "sentences", "sources",
)  # fmt: skip
T = TypeVar("T")
Row = dict[str, str]


class BrokenTable(RuntimeError):
    """A shipped table does not hold together. Prescribing without it would be silently unsafe."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}.csv, row {line}: {what}")


def plain(text: str) -> str:
    """Lower case without accents; anything but letters, digits and the signs of doses becomes a space."""
    folded = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("μ", "u").casefold())
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^a-z0-9+/.,%-]", " ", bare.replace("'", "").replace("’", "")).split())


@cache
def tables() -> Tables:
    """The tables that ship with the product."""
    return load({name: (resources.files(__package__) / f"{name}.csv").read_text("utf-8") for name in FILES})


def load(texts: Mapping[str, str]) -> Tables:
    """Tables from the text of their files. Raises BrokenTable at the first row that makes no sense."""
    return _Loader(texts).tables()


def _said(row: Row, what: str) -> Said:
    return Said(row[f"{what}_en"], row[f"{what}_it"])


def _each(row: Row, column: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(part.strip() for part in row[column].split(separator) if part.strip())


class _Loader:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.sources = {row["source"] for row in csv.DictReader(texts["sources"].splitlines())}
        self.ingredients = {one.name: one for one in self._rows("ingredients", self._ingredient)}
        self.classes = self._members()
        self.sentences = dict(self._rows("sentences", lambda row: (row["id"], Said(row["en"], row["it"]))))
        self.conditions = {one.name: one for one in self._rows("conditions", self._condition)}
        self.groups = {one.group: one for one in self._rows("allergen_groups", self._group)}

    def tables(self) -> Tables:
        interactions = self._rows("interactions", self._interaction)
        return Tables(
            version=hashlib.sha256("\0".join(self.texts[name] for name in FILES).encode()).hexdigest()[:16],
            ingredients=MappingProxyType(self.ingredients),
            members=MappingProxyType(self.classes),
            interactions=interactions,
            by_pair=_by_pair(interactions),
            doses=_grouped(self._rows("doses", self._dose), lambda rule: rule.token),
            cautions=_grouped(self._rows("cautions", self._caution), lambda rule: rule.token),
            combinations=self._rows("combinations", self._combination),
            burden=dict(self._rows("anticholinergic", self._score)),
            groups=MappingProxyType(self.groups),
            group_names=self._group_names(),
            cross={(one.allergen, one.ordered): one for one in self._rows("cross_reactivity", self._cross)},
            reactions=self._rows("reactions", self._reaction),
            other_allergens=frozenset(self._rows("other_allergens", lambda row: plain(row["word"]))),
            conditions=MappingProxyType(self.conditions),
            names=self._names(),
            salts=self._ignored("salt"),
            fillers=self._ignored("filler"),
            forms={plain(row["word"]): row["route"] for row in self._rows("forms", dict)},
            products=self._rows("catalogue", self._product),
        )

    def _rows(self, file: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        made: list[T] = []
        reader = csv.DictReader(self.texts[file].splitlines(), restval=None)
        for line, row in enumerate(reader, start=2):
            try:
                self._check(row)
                made.append(make(row))
            except (KeyError, ValueError, BadExpression) as error:
                raise BrokenTable(file, line, str(error)) from error
        if not made:
            raise BrokenTable(file, 1, "the table is empty")
        return tuple(made)

    def _check(self, row: Row) -> None:
        if None in row or None in row.values():
            raise ValueError("columns are missing or too many")
        cited = {source.partition(":")[0] for source in row["source"].replace(",", " ").split()}
        if not cited or cited - self.sources:
            raise ValueError(f"{row['source']!r} does not name sources of sources.csv")

    def _members(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for one in self.ingredients.values():
            for name in one.classes.union(*one.local_classes.values()):
                found.setdefault(name, set()).add(one.name)
        return {name: frozenset(members) for name, members in found.items()}

    def _token(self, token: str) -> str:
        if token not in self.ingredients and token not in self.classes:
            raise ValueError(f"{token!r} is neither an ingredient nor a class")
        return token

    def _severity(self, value: str) -> str:
        if value not in SEVERITIES:
            raise ValueError(f"{value!r} is no severity")
        return value

    def _when(self, text: str) -> Expression:
        if strange := conditions_of(text) - self.conditions.keys():
            raise ValueError(f"unknown conditions {sorted(strange)}")
        for found in re.finditer(r"\bwith ([^()]+?)(?= and | or |$)", text):
            self._token(found[1])
        for found in re.finditer(r"\bdose ([^<>]+?)[<>]", text):
            self._token(found[1].strip())
        return parse(text)

    def _ingredient(self, row: Row) -> Ingredient:
        local: dict[str, frozenset[str]] = {}
        for entry in _each(row, "local_classes"):
            name, _, route = entry.partition("@")
            local[route] = local.get(route, frozenset()) | {name}
        return Ingredient(
            row["ingredient"], row["name_it"], _each(row, "atc"), frozenset(_each(row, "classes")),
            row["usual_route"] or "oral", frozenset(_each(row, "acts_by")), local,
        )  # fmt: skip

    def _interaction(self, row: Row) -> Interaction:
        effect, mechanism, management = (self.sentences[row[part]] for part in ("effect", "mechanism", "management"))
        return Interaction(
            row["code"], self._token(row["a"]), self._token(row["b"]), self._severity(row["severity"]),
            effect, mechanism, management, self._when(row["when"]), row["verified"], row["source"],
        )  # fmt: skip

    def _dose(self, row: Row) -> DoseRule:
        if row["kind"] not in DOSE_KINDS:
            raise ValueError(f"{row['kind']!r} is no kind of dose rule")
        amount = float(row["amount"]) if row["amount"] else 0.0
        if row["kind"] in ("max", "soft", "weekly") and (row["unit"] not in ("mg", "mg/kg") or not row["per"]):
            raise ValueError("a ceiling needs mg or mg/kg, and a time")
        return DoseRule(
            row["code"], self._token(row["ingredient"]), row["kind"], amount, row["unit"], row["per"],
            self._when(row["when"]), self._severity(row["severity"]), _said(row, "reason"),
            row["verified"], row["source"],
        )  # fmt: skip

    def _caution(self, row: Row) -> Caution:
        return Caution(
            row["code"], self._token(row["token"]), row["kind"], self._when(row["when"]), conditions_of(row["when"]),
            self._severity(row["severity"]), _said(row, "reason"), row["verified"], row["source"],
        )  # fmt: skip

    def _combination(self, row: Row) -> Combination:
        legs = tuple(frozenset(map(self._token, leg.split())) for leg in row["legs"].split(";"))
        return Combination(
            row["code"], legs, int(row["count"] or 0), self._when(row["when"]), self._severity(row["severity"]),
            _said(row, "title"), _said(row, "mechanism"), _said(row, "management"), row["verified"], row["source"],
        )  # fmt: skip

    def _score(self, row: Row) -> tuple[str, int]:
        return self._token(row["ingredient"]), int(row["score"])

    def _group(self, row: Row) -> AllergenGroup:
        members: set[str] = set()
        for member in _each(row, "members", ";"):
            if member.startswith("@"):
                members |= self.classes[member[1:]]
            else:
                members.add(self.ingredients[member].name)
        return AllergenGroup(row["group"], _said(row, "name"), frozenset(members))

    def _group_names(self) -> dict[str, str]:
        rows = self._rows("allergen_groups", lambda row: (row["group"], _each(row, "synonyms", ";")))
        return {plain(synonym): group for group, synonyms in rows for synonym in synonyms}

    def _cross(self, row: Row) -> CrossReaction:
        for end in (row["allergen"], row["ordered"]):
            if end not in ("*", "=") and end not in self.groups:
                raise ValueError(f"{end!r} is no allergen group")
        severity = {kind: self._severity(row[kind]) for kind in REACTIONS if row[kind]}
        return CrossReaction(
            row["code"], row["allergen"], row["ordered"], severity, _said(row, "reason"),
            row["verified"], row["source"],
        )  # fmt: skip

    def _reaction(self, row: Row) -> tuple[str, re.Pattern[str]]:
        """Short words count only whole: "ten" is a disease, "tenderness" is not."""
        if row["category"] not in REACTIONS and row["category"] != "intolerance":
            raise ValueError(f"{row['category']!r} is no kind of reaction")
        word = plain(row["word"])
        return row["category"], re.compile(rf"\b{re.escape(word)}" + (r"\b" if len(word) <= 4 else ""))

    def _condition(self, row: Row) -> Condition:
        words = tuple(plain(word) for word in _each(row, "words", ";"))
        return Condition(row["condition"], _each(row, "icd10"), words, _said(row, "name"))

    def _names(self) -> dict[str, KnownName]:
        known: dict[str, KnownName] = {}
        for one in self.ingredients.values():
            known[plain(one.name)] = KnownName(one.name, (one.name,), "ingredient", "")
            known.setdefault(plain(one.name_it), KnownName(one.name_it, (one.name,), "ingredient", ""))
        for name in self._rows("names", self._name):
            known.setdefault(plain(name.text), name)
        return known

    def _name(self, row: Row) -> KnownName:
        means = tuple(self.ingredients[part].name for part in row["means"].split("+"))
        return KnownName(row["name"], means, row["kind"], row["route"])

    def _ignored(self, kind: str) -> frozenset[str]:
        words = self._rows("ignored_words", lambda row: (row["word"], row["kind"]))
        return frozenset(word for word, its_kind in words if its_kind == kind)

    def _product(self, row: Row) -> Product:
        means = tuple(self.ingredients[part].name for part in row["means"].split("+"))
        return Product(means, row["form"], row["route"], _each(row, "strengths", ";"))


def _by_pair(rules: tuple[Interaction, ...]) -> dict[tuple[str, str], tuple[Interaction, ...]]:
    """Both orders of each pair of tokens, so that nobody can look the wrong way round."""
    found: dict[tuple[str, str], dict[str, Interaction]] = {}
    for rule in rules:
        for pair in ((rule.a, rule.b), (rule.b, rule.a)):
            found.setdefault(pair, {})[rule.code] = rule
    return {pair: tuple(of.values()) for pair, of in found.items()}


def _grouped(rules: tuple[T, ...], key: Callable[[T], str]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for rule in rules:
        found.setdefault(key(rule), []).append(rule)
    return {name: tuple(of) for name, of in found.items()}
