"""Which rule answers which command."""

from salerno.contexts.vigilance.commands import ReviewAlert, WeighSignIn
from salerno.contexts.vigilance.handlers.reviewing import review
from salerno.contexts.vigilance.handlers.sign_ins import weigh_sign_in
from salerno.kernel.messages import Command
from salerno.kernel.room import Handler

HANDLERS: dict[type[Command], Handler] = {ReviewAlert: review, WeighSignIn: weigh_sign_in}
