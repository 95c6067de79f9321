"""Everything the room hangs on the bus."""

from pathlib import Path

from salerno.contexts.audit.access import NEEDS
from salerno.contexts.audit.projections import LISTENS
from salerno.contexts.audit.queries import ANSWERS
from salerno.kernel.room import Room

AUDIT = Room(name="audit", folder=Path(__file__).parent, answers=ANSWERS, needs=NEEDS, listens=LISTENS)
