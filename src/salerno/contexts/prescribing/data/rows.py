"""The shapes of the tables' rows in memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from salerno.contexts.prescribing.data.conditions import Expression


class Said(NamedTuple):
    """The same words in English and Italian."""

    en: str
    it: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """`acts_by` are local routes by which it works on the whole body all the same."""

    name: str
    name_it: str
    atc: tuple[str, ...]
    classes: frozenset[str]
    usual_route: str
    acts_by: frozenset[str]
    local_classes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Interaction:
    code: str
    a: str
    b: str
    severity: str
    effect: Said
    mechanism: Said
    management: Said
    when: Expression
    verified: str
    source: str


@dataclass(frozen=True, slots=True)
class DoseRule:
    code: str
    token: str
    kind: str
    amount: float
    unit: str
    per: str
    when: Expression
    severity: str
    reason: Said
    verified: str
    source: str


@dataclass(frozen=True, slots=True)
class Caution:
    code: str
    token: str
    kind: str
    when: Expression
    conditions: frozenset[str]
    severity: str
    reason: Said
    verified: str
    source: str


@dataclass(frozen=True, slots=True)
class Combination:
    """Several legs, each to be met by another ingredient; or `count` ingredients of the one leg."""

    code: str
    legs: tuple[frozenset[str], ...]
    count: int
    when: Expression
    severity: str
    title: Said
    mechanism: Said
    management: Said
    verified: str
    source: str


@dataclass(frozen=True, slots=True)
class AllergenGroup:
    group: str
    name: Said
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class CrossReaction:
    code: str
    allergen: str
    ordered: str
    severity: Mapping[str, str]
    reason: Said
    verified: str
    source: str


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    icd10: tuple[str, ...]
    words: tuple[str, ...]
    title: Said


@dataclass(frozen=True, slots=True)
class KnownName:
    """What a name stands for: an ingredient's own name, a synonym, or a brand."""

    text: str
    means: tuple[str, ...]
    kind: str
    route: str


@dataclass(frozen=True, slots=True)
class Product:
    means: tuple[str, ...]
    form: str
    route: str
    strengths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that screening asks, and the version that a signature names."""

    version: str
    ingredients: Mapping[str, Ingredient]
    members: Mapping[str, frozenset[str]]
    interactions: tuple[Interaction, ...]
    by_pair: Mapping[tuple[str, str], tuple[Interaction, ...]]
    doses: Mapping[str, tuple[DoseRule, ...]]
    cautions: Mapping[str, tuple[Caution, ...]]
    combinations: tuple[Combination, ...]
    burden: Mapping[str, int]
    groups: Mapping[str, AllergenGroup]
    group_names: Mapping[str, str]
    cross: Mapping[tuple[str, str], CrossReaction]
    reactions: tuple[tuple[str, re.Pattern[str]], ...]
    other_allergens: frozenset[str]
    conditions: Mapping[str, Condition]
    names: Mapping[str, KnownName]
    salts: frozenset[str]
    fillers: frozenset[str]
    forms: Mapping[str, str]
    products: tuple[Product, ...]
