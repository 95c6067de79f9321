"""The routes of the FHIR R4 interface. Which resource is read how stands in READ."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.provider import ProviderMetadata
from salerno.contexts.patients.queries import PatientById
from salerno.interfaces.fhir.served.capability import capability_statement
from salerno.interfaces.fhir.served.patients import patient
from salerno.interfaces.fhir.served.resources import Json, check_format, resource
from salerno.interfaces.http import Request, Response, Route, ask, bus_of, caller_or_nobody, get
from salerno.interfaces.http.routes import FHIR
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Query

READ: dict[str, tuple[type[Query], str, Callable[[Any], Json]]] = {  # by type: the question, its id, the shape
    "Patient": (PatientById, "patient_id", patient),
}


@get(f"{FHIR}/metadata", of=ProviderMetadata, public="published metadata", at="bare")
async def metadata(request: Request[Any, Any, Any]) -> Response[Any]:
    """What this FHIR interface can do: its CapabilityStatement."""
    check_format(request)
    state = request.app.state
    provider = await bus_of(request).ask(ProviderMetadata(kind="smart"), caller_or_nobody(request))
    made = capability_statement(
        tuple(READ), provider, f"{provider['issuer']}{FHIR}", state["setup"].version, state["started"]
    )
    return resource(request, made)


def _read(type: str, query: type[Query], named: str, shape: Callable[[Any], Json]) -> Route:
    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        check_format(request)
        try:
            id = UUID(request.path_params[named])
        except ValueError:
            raise NotFound() from None
        return resource(request, shape(await ask(request, query(**{named: id}))))

    path, summary = f"{FHIR}/{type}/{{{named}:str}}", f"One {type} by its id, as FHIR R4."
    route: Route = get(path, of=query, at="bare", summary=summary)(handle)
    return route


ROUTES = (metadata, *(_read(type, *how) for type, how in READ.items()))
