"""Restricted charts: setting and lifting, breaking the glass, and the privacy officer's review."""

from salerno.interfaces.web.protection import breaking, restricting, reviewing

PAGES = [*breaking.PAGES, *restricting.PAGES, *reviewing.PAGES]
