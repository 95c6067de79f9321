"""The door for people: server-rendered pages in their language.

A room's module here exposes `PAGES`, a list of Route, and is picked up by being in this folder.
"""

from importlib import import_module
from pkgutil import iter_modules

from salerno.interfaces.http import Bus, Door, Route
from salerno.interfaces.web.errors import error_fragment, error_page
from salerno.interfaces.web.glass import with_glass
from salerno.interfaces.web.pages import Pages


def pages_of_rooms() -> list[Route]:
    """The PAGES of every module of this package that has them."""
    found: list[Route] = []
    for module in sorted(iter_modules(__path__), key=lambda each: each.name):
        found += getattr(import_module(f"{__name__}.{module.name}"), "PAGES", [])
    return found


def door(bus: Bus) -> Door:
    """Every page of a message that some room of this bus answers, and the look of errors in all doors."""
    answered = {*bus.commands().values(), *bus.queries().values()}
    shown = [page for page in pages_of_rooms() if page.of is None or page.of in answered]
    hooks = {"pages": Pages(), "error_page": error_page, "error_fragment": error_fragment}
    return Door("web", tuple(with_glass(page) for page in shown), hooks)
