"""The pages of a chart: its sections now and as of a moment, and the small forms that write into it."""

from salerno.interfaces.web import clinical_words
from salerno.interfaces.web.chart import allergies, measuring, pages, problems, stopping

PAGES = [*problems.PAGES, *allergies.PAGES, *measuring.PAGES, *stopping.PAGES, *pages.PAGES]

__all__ = ["PAGES", "clinical_words"]
