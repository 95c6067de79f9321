"""The FHIR door: resources come in as commands of the rooms. It decides nothing and keeps no rule.

`reading` looks into one resource, `references` finds what it points at, `translators` say which command it is,
`bundles` reads files, `importer` puts them through the bus, `reports` counts. `served` is what is read over HTTP.
"""

from salerno.interfaces.http import Bus, Door


def door(bus: Bus) -> Door:
    """The FHIR routes of the rooms that this bus knows, and OperationOutcomes for what they refuse."""
    from salerno.interfaces.fhir.served.outcomes import outcome
    from salerno.interfaces.fhir.served.routes import ROUTES

    answered = {*bus.queries().values()}
    return Door("fhir", tuple(route for route in ROUTES if route.of in answered), {"outcome": outcome})
