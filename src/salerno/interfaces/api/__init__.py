"""The door for programs: REST routes of every room, commands by name, health, metrics and the documents of it all.

A room's module here exposes `ROUTES`, a list of Route, and is picked up by being in this folder.
"""

from importlib import import_module
from pkgutil import iter_modules

from salerno.interfaces.api.commands import command_routes
from salerno.interfaces.http import Bus, Door, Route


def routes_of_rooms() -> list[Route]:
    """The ROUTES of every module of this package that has them."""
    found: list[Route] = []
    for module in sorted(iter_modules(__path__), key=lambda each: each.name):
        found += getattr(import_module(f"{__name__}.{module.name}"), "ROUTES", [])
    return found


def door(bus: Bus) -> Door:
    """Every route of a message that some room of this bus answers, and every command by its name."""
    answered = {*bus.commands().values(), *bus.queries().values()}
    rooms = [route for route in routes_of_rooms() if route.of is None or route.of in answered]
    return Door("api", (*rooms, *command_routes(bus)))
