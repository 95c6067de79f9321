"""Prescriptions: written in a visit or alone, screened while typing, signed, cancelled, printed."""

from salerno.interfaces.web.prescriptions import pages

PAGES = pages.PAGES

__all__ = ["PAGES"]
