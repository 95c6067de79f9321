"""Whenever an unusual sign-in was noticed, its account's owner hears of it by letter."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.commands.letters import TellOfSignIn
from salerno.contexts.vigilance.events import AlertRaised
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def tell(item: Recorded[Any]) -> Sequence[Command]:
    """Of sign-ins only: what somebody looked at is between them and whoever reviews it."""
    event: AlertRaised = item.event
    return [TellOfSignIn(account_id=event.account, session_id=event.session)] if event.session else []


POLICIES: dict[type[Event], Policy] = {AlertRaised: tell}
