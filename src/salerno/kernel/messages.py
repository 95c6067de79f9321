"""What travels: commands (asked), events (happened), queries (read), and where they come from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, dataclass_transform
from uuid import UUID

from msgspec import Struct, StructMeta, field


class _Strict(StructMeta):
    """Makes every wish frozen, keyword-only and closed to unknown fields, so that none has to say so."""

    def __new__(mcls, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Any:
        fixed: dict[str, Any] = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True}
        return super().__new__(mcls, name, bases, space, **fixed | options)


class _Open(StructMeta):
    """Makes every fact frozen and keyword-only; an older reader may meet a newer field."""

    def __new__(mcls, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Any:
        fixed: dict[str, Any] = {"frozen": True, "kw_only": True, "tag_field": "type"}
        return super().__new__(mcls, name, bases, space, **fixed | options)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Command(Struct, frozen=True, kw_only=True, metaclass=_Strict):
    """A wish, in the imperative. It may be refused."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Query(Struct, frozen=True, kw_only=True, metaclass=_Strict):
    """A question. It changes nothing but the access log."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Errand(Query):
    """A question whose answer is made on the spot (a session, a token) and may stand in no event.

    Its answer runs in transactions of its own and may write in each: what it counted stays counted when
    it is refused in the end. It is asked like a query and never retried by the bus.
    """


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Event(Struct, frozen=True, kw_only=True, metaclass=_Open):
    """A fact, in the past tense. It is never refused and never edited."""


OPERATOR = UUID("00000000-0000-7000-8000-000000000002")  # whoever runs commands on the machine itself
INSTALLATION = UUID(int=0)  # stands above organisations: sign-in comes before one is known


class Caller(Struct, frozen=True, kw_only=True):
    """Who is asking, for which organisation, and what they have been granted.

    `permissions` holds names such as "patients.read"; "patients.read:own" grants the same for
    the one patient named by `subject` (the chart that belongs to this account), "patients.read:care" and
    "patients.read:location" for charts that meet that condition, see `wards.py`.
    """

    actor: UUID
    organisation: UUID
    permissions: frozenset[str] = frozenset()
    role: str = ""
    name: str = ""
    subject: UUID | None = None
    purpose: str = "treatment"
    address: str = ""
    request: str = ""
    session: UUID | None = None
    correlation: UUID | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """Who wrote an event, when Salerno recorded it, when it happened, and why."""

    actor: UUID
    organisation: UUID
    recorded_at: datetime
    happened_at: datetime
    correlation: UUID
    causation: UUID | None = None
    source_recorded_at: datetime | None = None
    role: str = ""
    request: str = ""


E = TypeVar("E", bound=Event, covariant=True)
V = TypeVar("V", covariant=True)


class Recorded(Struct, Generic[E], frozen=True, kw_only=True):
    """An event with its place in the log. `kind` names the aggregate type, `stream` the aggregate."""

    position: int
    id: UUID
    kind: str
    stream: UUID
    version: int
    subject: UUID
    origin: Origin
    event: E


class Receipt(Struct, frozen=True, kw_only=True):
    """What a command hands back. `version` is the stream's version after it."""

    success: bool = True
    aggregate_id: UUID
    version: int
    position: int = 0


class Disclosure(Struct, Generic[V], frozen=True, kw_only=True):
    """An answer that opens people's data: the value, and whose it is, for the access log."""

    value: V
    subjects: Sequence[UUID]


class Page(Struct, Generic[V], frozen=True, kw_only=True):
    """One page of a list, with how many there are in all."""

    items: Sequence[V]
    total: int
    limit: int
    offset: int


class Options(Struct, frozen=True, kw_only=True):
    """What a client says beside the wish itself."""

    expected_version: int | None = None
    idempotency_key: str | None = None
    happened_at: datetime | None = None
    source_recorded_at: datetime | None = None
    causation: UUID | None = None
