"""What one bounded context hangs on the bus. Each room.py builds exactly one Room."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from salerno.kernel.errors import Refused
from salerno.kernel.messages import Caller, Command, Event, Origin, Query, Recorded

if TYPE_CHECKING:
    from salerno.kernel.documents import Documents
    from salerno.kernel.eventstore import Upcaster
    from salerno.kernel.transactions import Tx

Handler: TypeAlias = "Callable[[Tx, Any, Origin], Awaitable[Sequence[Recorded[Any]]]]"
Answer: TypeAlias = "Callable[[Any, Any, Caller], Awaitable[Any]]"
Apply: TypeAlias = "Callable[[Tx, Sequence[Recorded[Any]]], Awaitable[None]]"
Policy: TypeAlias = Callable[[Recorded[Any]], Sequence[Command]]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a message needs of its caller.

    `permission` is the name the caller must hold, or "" for anybody (sign-in, health).
    `opens` names the category of personal data that a query discloses ("demographics", "clinical",
    "medication", "appointments", …); None says that it opens nobody's. A query that opens data
    answers a Disclosure. `own` is True where holding "<permission>:own" is enough for one's own chart.
    `fresh` says that it is grave: the doors ask for it only of who has shown in the last minutes who they are.
    `hidden_too` lets it be about charts that are hidden from the caller: it decides over that very hiding.
    `minds_hidden` hands the room what is hidden although the answer opens nobody's chart: it could name somebody.
    """

    permission: str
    opens: str | None = None
    own: bool = False
    fresh: bool = False
    hidden_too: bool = False
    minds_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """Tables kept from events. `apply` gets events in order; it may be called with many at once."""

    name: str
    tables: tuple[str, ...]
    events: tuple[type[Event], ...]
    apply: Apply


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that spans streams, kept by a constraint in the command's transaction. Never rebuilt."""

    events: tuple[type[Event], ...]
    check: Apply


@dataclass(frozen=True, slots=True)
class Room:
    """`listens` are projections over other rooms' events, kept by subscription after the fact.

    `about_charts` are permissions about somebody's chart that no message shows to be: those of commands that name a
    visit or the like, and those of parts of an answer, which are asked for where it is made.
    `upcasters` says of a stored name that no class has any more which newer name it is read as, and how.
    """

    name: str
    folder: Path  # where sql/migrations lies
    events: tuple[type[Event], ...] = ()
    handlers: Mapping[type[Command], Handler] = field(default_factory=dict)
    answers: Mapping[type[Query], Answer] = field(default_factory=dict)
    needs: Mapping[type[Command] | type[Query], Needs] = field(default_factory=dict)
    documents: "tuple[Documents[Any], ...]" = ()
    guards: tuple[Guard, ...] = ()
    projections: tuple[Projection, ...] = ()
    listens: tuple[Projection, ...] = ()
    policies: Mapping[type[Event], Policy] = field(default_factory=dict)
    upcasters: "Mapping[str, tuple[str, Upcaster]]" = field(default_factory=dict)
    about_charts: frozenset[str] = frozenset()
    refusals: Mapping[str, type[Refused]] = field(default_factory=dict)  # by the constraint that says no
