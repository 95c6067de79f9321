"""Whenever somebody signs in, this room compares it with how they signed in before."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.events import SignedIn
from salerno.contexts.vigilance.commands import WeighSignIn
from salerno.kernel.messages import Command, Event, Recorded
from salerno.kernel.room import Policy


def weigh(item: Recorded[Any]) -> Sequence[Command]:
    event: SignedIn = item.event
    return [
        WeighSignIn(
            account_id=event.account,
            session_id=event.session,
            signed_in_at=item.origin.recorded_at,
            address=event.address,
            agent=event.agent,
            device=event.device,
        )
    ]


POLICIES: dict[type[Event], Policy] = {SignedIn: weigh}
