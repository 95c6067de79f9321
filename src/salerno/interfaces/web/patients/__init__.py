"""The pages of people: finding them, registering and changing them, consents, merging two records of one person."""

from salerno.interfaces.web import clinical_words
from salerno.interfaces.web.patients import changing, consents, listing, merging, registering, removing

PAGES = [*listing.PAGES, *registering.PAGES, *changing.PAGES, *consents.PAGES, *merging.PAGES, *removing.PAGES]

__all__ = ["PAGES", "clinical_words"]
