"""What may be wrong with somebody else's record, always with the FHIRPath of the place."""

import re

PLACE = re.compile(r"line \d+|Bundle\.entry\[\d+\]\.resource")


class Broken(Exception):
    """The input is not what it says it is: its whole bundle is refused."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason

    @property
    def place(self) -> str:
        """The entry that it is about: "line 7", or "Bundle.entry[3].resource"."""
        found = PLACE.match(self.path)
        return found[0] if found else self.path


class Unresolved(Broken):
    """A reference leads nowhere yet: another file of the same run may bring its target."""


class NoHome(Exception):
    """The resource is sound and there is no room for it: it is kept word for word."""
