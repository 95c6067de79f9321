"""Whenever somebody breaks the glass of a restricted chart, the privacy officers hear of it by letter."""

from collections.abc import Sequence

from salerno.contexts.identity.commands.letters import TellPrivacyOfficers
from salerno.contexts.protection.events import GlassBroken
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def tell_the_officers(item: Recorded[GlassBroken]) -> Sequence[Command]:
    return [TellPrivacyOfficers(about=item.event.glass, by=item.event.account)]


POLICIES: dict[type[Event], Policy] = {GlassBroken: tell_the_officers}
