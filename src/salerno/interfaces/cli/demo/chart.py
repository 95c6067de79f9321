"""A person as the clinic knows them."""

from dataclasses import dataclass
from datetime import date
from random import Random
from uuid import UUID

from salerno.interfaces.cli.demo.people import Person
from salerno.interfaces.cli.demo.stories import Story


@dataclass(slots=True)
class Chart:
    """Their chart, their story, what chance holds for them, when they come next, and what they were given last."""

    id: UUID
    person: Person
    story: Story
    body: tuple[float, float]
    dice: Random
    due: date
    prescription: UUID | None = None
