"""What came of an import: for each type what was taken, kept and already there; and what was refused, and why."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bundle, a line or a file that was left out, with the place and the reason."""

    source: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.path}: {self.reason}" if self.path else f"{self.source}: {self.reason}"


@dataclass
class ImportReport:
    """`taken` found a room; `kept` has none yet and is stored word for word; `beside` are taken ones that hold
    more than their room can say, and are stored word for word as well; `there` had come before: they are known by
    their id and left as they are, whatever the file says of them now.
    """

    taken: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    refused_resources: int = 0
    bundles: int = 0
    seconds: float = 0.0

    @property
    def resources(self) -> int:
        return self.taken.total() + self.kept.total() + self.there.total()

    def types(self) -> list[str]:
        return sorted(self.taken.keys() | self.kept.keys() | self.there.keys())
