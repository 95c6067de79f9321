"""What may be refused about the audit trail, in the user's words."""

from salerno.kernel.errors import NotFound


class NoSuchAccess(NotFound):
    code = "no-such-access"
    sentence = "There is no such entry in the access log, or it is not for you to see."
