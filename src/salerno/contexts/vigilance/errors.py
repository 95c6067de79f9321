"""What may be refused about alerts, in the user's words."""

from salerno.kernel.errors import Conflict, Invalid, NotFound


class NoSuchAlert(NotFound):
    code = "no-such-alert"
    sentence = "There is no such alert, or it is not for you to see."


class AboutYourself(Conflict):
    code = "alert-about-yourself"
    sentence = "This alert is about you. Somebody else reviews it."


class NoteNeeded(Invalid):
    code = "note-needed"
    sentence = "Say in a few words what was done about it."
