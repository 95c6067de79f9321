"""Who hears by letter of what other rooms noticed: owners of unusual sign-ins, privacy officers of broken glass."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.commands.letters import TellOfSignIn, TellPrivacyOfficers
from salerno.contexts.protection.events import GlassBroken
from salerno.contexts.vigilance.events import AlertRaised
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def tell(item: Recorded[Any]) -> Sequence[Command]:
    """Of sign-ins only: what somebody looked at is between them and whoever reviews it."""
    event: AlertRaised = item.event
    return [TellOfSignIn(account_id=event.account, session_id=event.session)] if event.session else []


def tell_the_officers(item: Recorded[GlassBroken]) -> Sequence[Command]:
    return [TellPrivacyOfficers(about=item.event.glass, by=item.event.account)]


POLICIES: dict[type[Event], Policy] = {AlertRaised: tell, GlassBroken: tell_the_officers}
