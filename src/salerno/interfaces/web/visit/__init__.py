"""The visit: one screen from vital signs to signature, whatever is done on it, and its beginning and end."""

from salerno.interfaces.web.visit import doing, note, page, signing

PAGES = [*page.PAGES, *doing.PAGES, *note.PAGES, *signing.PAGES]

__all__ = ["PAGES"]
