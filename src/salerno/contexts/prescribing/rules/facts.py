"""What screening knows about a patient, and the lines of an order and of the current list as it sees them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from salerno.contexts.prescribing.data.rows import Tables
from salerno.contexts.prescribing.data.tables import plain
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.rules.dosing import Regimen, milligrams, regimen, strengths_of
from salerno.contexts.prescribing.rules.kidney import ckd_epi_2021, cockcroft_gault
from salerno.contexts.prescribing.rules.naming import LOCAL, Resolved, resolve

ADULT = 18
ICD_10 = (
    "icd-10",
    "icd10",
    "icd-10-cm",
    "icd10cm",
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
)


@dataclass(frozen=True, slots=True)
class Allergy:
    """As recorded: `reaction` in words, `severity` mild, moderate, severe or ""."""

    substance: str
    class_: str = ""
    reaction: str = ""
    severity: str = ""
    certainty: str = "confirmed"
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str = ""
    system: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The patient at this moment. None is "nobody knows", never "no".

    Weight in kg, creatinine in mg/dL (`creatinine_days` ago), potassium in mmol/L, filtration in mL/min.
    """

    age: float | None = None
    sex: str = ""
    weight: float | None = None
    creatinine: float | None = None
    egfr_measured: float | None = None
    potassium: float | None = None
    pregnant: bool | None = None
    weeks: float | None = None
    creatinine_days: int | None = None
    allergies: tuple[Allergy, ...] = ()
    asked_about_allergies: bool = False
    problems: tuple[Problem, ...] = ()
    medicines: tuple[Medication, ...] = ()

    @property
    def egfr(self) -> float | None:
        """CKD-EPI 2021 from the creatinine, or what the laboratory reported."""
        if self.creatinine and self.age is not None and self.age >= ADULT and self.sex in ("female", "male"):
            return ckd_epi_2021(self.age, self.creatinine, self.sex == "female")
        return self.egfr_measured

    @property
    def crcl(self) -> float | None:
        """Cockcroft-Gault; without a weight the filtration rate stands in for it."""
        known = self.creatinine and self.weight and self.age is not None and self.sex in ("female", "male")
        if known and self.age is not None and self.age >= ADULT and self.weight and self.creatinine:
            return cockcroft_gault(self.age, self.weight, self.creatinine, self.sex == "female")
        return self.egfr


@dataclass(frozen=True)
class Line:
    """One medicine as screening sees it: what is in it and what of that reaches the whole body."""

    medication: Medication
    resolved: Resolved
    regimen: Regimen
    ordered: bool
    known: Tables

    @property
    def ingredients(self) -> tuple[str, ...]:
        return self.resolved.ingredients

    @property
    def local(self) -> bool:
        return self.resolved.route in LOCAL

    @cached_property
    def tokens(self) -> dict[str, frozenset[str]]:
        """By ingredient: its own name and its classes, as far as its route lets them count."""
        return {name: tokens for name in self.ingredients if (tokens := self._tokens(name))}

    def _tokens(self, name: str) -> frozenset[str]:
        one, route = self.known.ingredients[name], self.resolved.route
        local = one.local_classes.get(route, frozenset())
        if self.local and route not in one.acts_by:
            return local
        return one.classes | {name} | local

    @property
    def systemic(self) -> tuple[str, ...]:
        return tuple(name for name, tokens in self.tokens.items() if name in tokens)

    def at_once(self, name: str, weight: float | None) -> float | None:
        """One dose of this ingredient in mg, if it can be told."""
        amount, nth = self.regimen.amount, self.ingredients.index(name)
        if amount is None:
            return None
        alone = len(self.ingredients) == 1
        if not alone and amount.unit != "piece":
            each = strengths_of(self.medication.dosage)
            return each[nth] if len(each) == len(self.ingredients) else None
        strengths = self.resolved.strengths
        strength = strengths[nth] if len(strengths) == len(self.ingredients) else None
        return milligrams(amount, name, strength, weight)

    def daily(self, name: str, weight: float | None) -> float | None:
        once = self.at_once(name, weight)
        return once * self.regimen.rhythm.per_day if once is not None and self.regimen.rhythm else None


def line_of(medication: Medication, ordered: bool, known: Tables) -> Line:
    resolved = resolve(medication.name, medication.form, medication.route)
    return Line(medication, resolved, regimen(medication), ordered, known)


@dataclass(frozen=True)
class Case:
    """One order in front of one patient: what every check asks, and what the tables' expressions ask."""

    facts: Facts
    lines: tuple[Line, ...]
    known: Tables

    @property
    def ordered(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.ordered)

    @cached_property
    def conditions(self) -> frozenset[str]:
        return frozenset(name for problem in self.facts.problems for name in _conditions(problem, self.known))

    @cached_property
    def pregnant(self) -> bool | None:
        if self.facts.pregnant is not None:
            return self.facts.pregnant
        if "PREGNANCY" in self.conditions:
            return True
        impossible = self.facts.sex == "male" or (self.facts.age is not None and not 10 <= self.facts.age < 60)
        return False if impossible else None

    @cached_property
    def _present(self) -> frozenset[str]:
        return frozenset(token for line in self.lines for tokens in line.tokens.values() for token in tokens)

    def number(self, name: str) -> float | None:
        value: float | None = getattr(self.facts, name)
        return value

    def flag(self, name: str) -> bool | None:
        if name == "pregnant":
            return self.pregnant
        return self.facts.sex == name if self.facts.sex in ("female", "male") else None

    def has(self, condition: str) -> bool:
        return condition in self.conditions

    def takes(self, token: str) -> bool:
        return token in self._present

    def daily(self, ingredient: str) -> float | None:
        """All that is taken of it on a day, in mg; None where one of the doses cannot be read."""
        doses = [line.daily(ingredient, self.facts.weight) for line in self.lines if ingredient in line.systemic]
        return sum(dose for dose in doses if dose is not None) if None not in doses else None


def case_of(order: Sequence[Medication], facts: Facts, known: Tables) -> Case:
    lines = [line_of(one, True, known) for one in order]
    lines += [line_of(one, False, known) for one in facts.medicines]
    return Case(facts, tuple(lines), known)


def _conditions(problem: Problem, known: Tables) -> Iterable[str]:
    """By ICD-10 code; where a problem is coded otherwise, by its words."""
    code = problem.code.upper().replace(".", "")
    if code and problem.system.casefold() in ICD_10:
        return [name for name, one in known.conditions.items() if _begins(code, one.icd10)]
    words = f" {plain(problem.display)}"
    return [name for name, one in known.conditions.items() if any(f" {word}" in words for word in one.words)]


def _begins(code: str, prefixes: tuple[str, ...]) -> bool:
    return any(code.startswith(prefix.replace(".", "")) for prefix in prefixes)
