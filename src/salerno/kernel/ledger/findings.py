"""What a verification may find, in words for the person who has to act on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    RESTORED_PAST = "restored past"
    REWRITTEN = "rewritten"
    BAD_SIGNATURE = "bad signature"
    LEDGER_CHANGED = "ledger changed"
    CHECKPOINT_LOST = "checkpoint lost"
    STREAM_BROKEN = "stream broken"
    PARTITION_DETACHED = "partition detached"
    GUARD_OFF = "guard off"
    NOT_COVERED = "not covered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """`position` is the record's position in its log, `leaf` its index in the tree, where they are known."""

    log: str
    kind: Kind
    sentence: str
    position: int | None = None
    leaf: int | None = None

    def __str__(self) -> str:
        where = f" position {self.position}" if self.position is not None else ""
        return f"{self.log}{where}: {self.kind.value}: {self.sentence}"


@dataclass
class LogReport:
    """One log: how much was looked at, and what is wrong, the first wrong record first."""

    log: str
    origin: str
    leaves: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    witnessed: int = 0
    root: bytes = b""
    findings: list[Finding] = field(default_factory=list)
    left_out: int = 0

    LIMIT = 100  # of each kind

    def add(self, kind: Kind, sentence: str, position: int | None = None, leaf: int | None = None) -> None:
        if sum(found.kind is kind for found in self.findings) < self.LIMIT:
            self.findings.append(Finding(self.log, kind, sentence, position, leaf))
        else:
            self.left_out += 1


@dataclass(frozen=True, slots=True)
class Report:
    logs: tuple[LogReport, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        return not any(report.findings for report in self.logs)

    def __iter__(self) -> Iterator[Finding]:
        for report in self.logs:
            yield from report.findings
