"""A resource that has no home yet: kept word for word, replaced when its source sends another wording."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from salerno.contexts.records.commands import KeepResource
from salerno.contexts.records.events import ResourceKept
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Kept:
    kept: ResourceKept | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """The wish with the id under which it is kept."""

    command: KeepResource
    kept_resource: UUID


def decide(state: Kept, wish: Keeping, origin: Origin) -> Sequence[ResourceKept]:
    asked = wish.command
    event = ResourceKept(
        kept_resource=wish.kept_resource,
        patient=asked.patient_id,
        resource_type=asked.resource_type,
        resource_id=asked.resource_id,
        content=asked.content,
    )
    return [] if state.kept == event else [event]


def evolve(state: Kept, event: ResourceKept) -> Kept:
    return Kept(kept=event)


KEPT_RESOURCE = Decider(kind="records.kept_resource", initial=Kept(), decide=decide, evolve=evolve, events=ResourceKept)
