"""Working in several organisations with one account."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import Opened, Profile
from salerno.contexts.identity.commands.memberships import (
    AcceptMembership,
    ChangeMemberRole,
    EndMembership,
    LeaveOrganisation,
    MyOrganisations,
    OrganisationLine,
    SwitchOrganisation,
)
from salerno.contexts.identity.queries import Members
from salerno.interfaces.api.identity.shapes import TAGS, forgetting
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    post,
    put,
    read_body,
    session_of,
    submit,
)
from salerno.interfaces.http.cookies import sign_in, token_of

ONE = "/users/me/organisations/{organisation_id:uuid}"


class OrganisationList(Struct, frozen=True, kw_only=True):
    organisations: Sequence[OrganisationLine]


class MemberList(Struct, frozen=True, kw_only=True):
    members: Sequence[Profile]


class MemberRole(Body):
    role: Annotated[str, Meta(max_length=40)]


def _id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["organisation_id"]))


@get("/users/me/organisations", of=MyOrganisations, gives=OrganisationList, tags=TAGS)
async def my_organisations(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where one works, or is asked to."""
    return answer(request, OrganisationList(organisations=await ask(request, MyOrganisations())))


@post(f"{ONE}/accept", of=AcceptMembership, takes=None, status=204, tags=TAGS)
async def accept(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accept an offer."""
    await ask(request, AcceptMembership(organisation_id=_id(request)))
    return no_content()


@delete(ONE, of=LeaveOrganisation, status=204, tags=TAGS)
async def leave(request: Request[Any, Any, Any]) -> Response[Any]:
    """Decline an offer, or work there no longer."""
    await ask(request, LeaveOrganisation(organisation_id=_id(request)))
    return forgetting(request, no_content())


@post(f"{ONE}/switch", of=SwitchOrganisation, takes=None, status=204, tags=TAGS)
async def switch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Go on in another organisation. A browser's session gets a new token."""
    opened: Opened = await ask(request, SwitchOrganisation(organisation_id=_id(request)))
    found = session_of(request)
    assert found is not None
    return sign_in(request, no_content(), opened.token if token_of(request) else "", found.expires_at)


@get("/users/members", of=Members, gives=MemberList, tags=TAGS)
async def members(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who works here with an account that is at home elsewhere."""
    return answer(request, MemberList(members=await ask(request, Members())))


@put("/users/members/{user_id:uuid}/role", of=ChangeMemberRole, takes=MemberRole, status=204, tags=TAGS)
async def member_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Another role here. Their sessions that act here end."""
    body = await read_body(request, MemberRole)
    await submit(request, ChangeMemberRole(account_id=request.path_params["user_id"], role=body.role))
    return no_content()


@delete("/users/members/{user_id:uuid}", of=EndMembership, status=204, tags=TAGS)
async def end(request: Request[Any, Any, Any]) -> Response[Any]:
    """They work here no longer. Their sessions that act here end."""
    await submit(request, EndMembership(account_id=request.path_params["user_id"]))
    return no_content()


ROUTES = [my_organisations, accept, leave, switch, members, member_role, end]
