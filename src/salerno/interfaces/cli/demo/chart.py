"""A person as the clinic knows them."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from salerno.interfaces.cli.demo.people import Person
from salerno.interfaces.cli.demo.stories import Story


@dataclass(slots=True)
class Chart:
    """Their chart, their story, when they come next, and what they were given last."""

    id: UUID
    person: Person
    story: Story
    body: tuple[float, float]
    due: date
    prescription: UUID | None = None
