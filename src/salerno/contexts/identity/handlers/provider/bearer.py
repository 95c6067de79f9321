"""The caller behind a granted token: the person with what the scopes leave, or the service by itself."""

from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands import FoundCaller
from salerno.contexts.identity.handlers.opening import describe
from salerno.contexts.identity.handlers.provider.clients import known_client
from salerno.contexts.identity.handlers.provider.lookups import uuid_of
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.roles import CONDITIONS
from salerno.contexts.identity.rules.scopes import for_a_service, narrowed, split
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller

KINDS = ("oidc", "service")


async def described_grant(desk: Desk, session: Any, claims: dict[str, Any]) -> FoundCaller | None:
    """None where the browser's session has ended, the application was retired, or the account may not come in."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        grant = await tx.fetchrow(SQL["grant"], session["id"])
    if grant is None or grant["parent_ended_at"] is not None or claims.get("client_id") != grant["client"]:
        return None
    if await known_client(desk.bus, grant["client"]) is None:
        return None
    granted = split(grant["scope"])
    scopes = tuple(scope for scope in split(str(claims.get("scope", ""))) if scope in granted)
    if session["kind"] == "service":
        return _service(session, grant, scopes, claims)
    found = await describe(desk.bus, session, desk.now)
    if found is None:
        return None
    patient = grant["patient"] and uuid_of(grant["patient"])
    met = await _met(desk, found.caller, patient)
    caller = _narrowed(found.caller, scopes, patient, met)
    fields: dict[str, Any] = {name: getattr(found, name) for name in FoundCaller.__struct_fields__}
    # What is grave needs the person, who has proved nothing to a program.
    own = {"caller": caller, "audience": claims["aud"], "scopes": scopes, "stale": True}
    return FoundCaller(**fields | own)


async def _met(desk: Desk, caller: Caller, patient: UUID | None) -> list[str]:
    """The conditions that the chart of the launch meets for this person, of those under which they hold anything."""
    asked = [one for one in CONDITIONS if any(name.endswith(f":{one}") for name in caller.permissions)]
    return [one for one in asked if patient and await desk.bus.permits.wards.reach(caller, (one,), (patient,))]


def _narrowed(caller: Caller, scopes: tuple[str, ...], patient: UUID | None, met: list[str]) -> Caller:
    fields: dict[str, Any] = {name: getattr(caller, name) for name in Caller.__struct_fields__}
    permissions = narrowed(caller.permissions, scopes, with_patient=patient is not None, met=met)
    return Caller(**fields | {"permissions": permissions, "subject": caller.subject or patient})


def _service(session: Any, grant: Any, scopes: tuple[str, ...], claims: dict[str, Any]) -> FoundCaller:
    caller = Caller(
        actor=uuid_of(session["account"]),
        organisation=uuid_of(grant["home"]),
        permissions=for_a_service(scopes),
        role="SERVICE",
        name=grant["client"],
        session=uuid_of(session["id"]),
    )
    return FoundCaller(
        caller=caller,
        csrf=session["csrf"],
        expires_at=session["expires_at"],
        audience=claims["aud"],
        scopes=scopes,
        stale=True,
    )
