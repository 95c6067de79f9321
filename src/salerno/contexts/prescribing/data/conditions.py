"""The small language of the tables' `when` columns: "age>=65 and not with PPI", "2 of (age>=80, weight<=60)".

An expression answers yes, no, or None where a fact that it needs is not known.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Protocol

NUMBERS = ("age", "weight", "crcl", "egfr", "creatinine", "potassium", "weeks")
FLAGS = ("pregnant", "female", "male")
COMPARE: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
TOKEN = re.compile(r"\s*(<=|>=|<|>|\(|\)|,|[^\s<>=(),]+)")


class BadExpression(ValueError):
    """A `when` that cannot be read. The table does not load."""


class Situation(Protocol):
    """What an expression may ask."""

    def number(self, name: str) -> float | None: ...

    def flag(self, name: str) -> bool | None: ...

    def has(self, condition: str) -> bool: ...

    def takes(self, token: str) -> bool: ...

    def daily(self, ingredient: str) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`unknown` names the facts for want of which the value is None."""

    value: bool | None
    unknown: frozenset[str] = frozenset()


YES = Answer(True)
NO = Answer(False)
Expression = Callable[[Situation], Answer]


def always(situation: Situation) -> Answer:
    return YES


def all_of(*parts: Expression) -> Expression:
    return lambda situation: _all([part(situation) for part in parts])


def any_of(*parts: Expression) -> Expression:
    return lambda situation: _negate(_all([_negate(part(situation)) for part in parts]))


def at_least(count: int, parts: tuple[Expression, ...]) -> Expression:
    def ask(situation: Situation) -> Answer:
        answers = [part(situation) for part in parts]
        sure = sum(answer.value is True for answer in answers)
        if sure >= count:
            return YES
        open_ = [answer for answer in answers if answer.value is None]
        return Answer(None, _unknown(open_)) if sure + len(open_) >= count else NO

    return ask


def _all(answers: list[Answer]) -> Answer:
    if any(answer.value is False for answer in answers):
        return NO
    open_ = [answer for answer in answers if answer.value is None]
    return Answer(None, _unknown(open_)) if open_ else YES


def _unknown(answers: list[Answer]) -> frozenset[str]:
    return frozenset().union(*(answer.unknown for answer in answers))


def _negate(answer: Answer) -> Answer:
    return answer if answer.value is None else Answer(not answer.value)


def parse(text: str) -> Expression:
    """The expression of a `when` column; "" always holds. Raises BadExpression."""
    if not text.strip():
        return always
    reader = _Reader(text)
    expression = reader.alternatives()
    if reader.ahead:
        raise BadExpression(f"{text!r}: unexpected {reader.ahead!r}")
    return expression


def conditions_of(text: str) -> frozenset[str]:
    """The conditions that an expression names."""
    return frozenset(re.findall(r"\bhas (\w+)", text))


class _Reader:
    """Reads left to right: or, and, not, then one question."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens: Iterator[str] = iter(TOKEN.findall(text))
        self.ahead = next(self._tokens, "")

    def take(self, wanted: str = "") -> str:
        token = self.ahead
        if not token or (wanted and token != wanted):
            raise BadExpression(f"{self.text!r}: expected {wanted or 'more'}, found {token!r}")
        self.ahead = next(self._tokens, "")
        return token

    def alternatives(self) -> Expression:
        parts = [self.conjunction()]
        while self.ahead == "or":
            self.take()
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else any_of(*parts)

    def conjunction(self) -> Expression:
        parts = [self.negation()]
        while self.ahead == "and":
            self.take()
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else all_of(*parts)

    def negation(self) -> Expression:
        if self.ahead != "not":
            return self.question()
        self.take()
        inner = self.negation()
        return lambda situation: _negate(inner(situation))

    def question(self) -> Expression:
        word = self.take()
        if word.isdigit():
            return self._counted(int(word))
        if word in FLAGS:
            return _flag(word)
        if word in NUMBERS:
            return _number(word, self._comparison())
        if word == "dose":
            return _dose(self._words("<", "<=", ">", ">="), self._comparison())
        if word in ("has", "with"):
            return _presence(word, self._words("and", "or", ")", ","))
        raise BadExpression(f"{self.text!r}: {word!r} cannot be asked")

    def _counted(self, count: int) -> Expression:
        self.take("of")
        self.take("(")
        parts = [self.alternatives()]
        while self.ahead == ",":
            self.take()
            parts.append(self.alternatives())
        self.take(")")
        return at_least(count, tuple(parts))

    def _words(self, *ends: str) -> str:
        words = [self.take()]
        while self.ahead and self.ahead not in ends:
            words.append(self.take())
        return " ".join(words)

    def _comparison(self) -> Callable[[float], bool]:
        sign, limit = self.take(), self.take()
        try:
            compare, bound = COMPARE[sign], float(limit)
        except (KeyError, ValueError):
            raise BadExpression(f"{self.text!r}: {sign!r} {limit!r} is no comparison") from None
        return lambda value: compare(value, bound)


def _number(name: str, holds: Callable[[float], bool]) -> Expression:
    def ask(situation: Situation) -> Answer:
        value = situation.number(name)
        return Answer(None, frozenset({name})) if value is None else Answer(holds(value))

    return ask


def _flag(name: str) -> Expression:
    def ask(situation: Situation) -> Answer:
        value = situation.flag(name)
        return Answer(None, frozenset({name})) if value is None else Answer(value)

    return ask


def _dose(ingredient: str, holds: Callable[[float], bool]) -> Expression:
    def ask(situation: Situation) -> Answer:
        if not situation.takes(ingredient):
            return NO
        value = situation.daily(ingredient)
        return Answer(None, frozenset({"dose"})) if value is None else Answer(holds(value))

    return ask


def _presence(word: str, what: str) -> Expression:
    if word == "has":
        return lambda situation: Answer(situation.has(what))
    return lambda situation: Answer(situation.takes(what))
