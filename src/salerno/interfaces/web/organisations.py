"""Where one works: offers, switching, leaving. And, for administrators, who comes from elsewhere."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.memberships import (
    AcceptMembership,
    EndMembership,
    LeaveOrganisation,
    MyOrganisations,
    SwitchOrganisation,
)
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_query, session_of
from salerno.interfaces.http.cookies import forget, sign_in
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.settings.saving import after, attempt

HTML = "text/html"
PATH = "/account/organisations"
ONE = f"{PATH}/{{organisation_id:uuid}}"


class Looked(Body):
    done: Annotated[str, Meta(pattern="^(accepted|left)?$")] = ""


@get(PATH, of=MyOrganisations, media=HTML, query=Looked)
async def organisations(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's organisations, the home first."""
    lines = await ask(request, MyOrganisations())
    return render(request, "organisations.html", lines=lines, done=read_query(request, Looked).done)


def _id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["organisation_id"]))


@post(f"{ONE}/accept", of=AcceptMembership, media=HTML)
async def accept(request: Request[Any, Any, Any]) -> Response[Any]:
    """Work there too."""
    await ask(request, AcceptMembership(organisation_id=_id(request)))
    return go_to(request, f"{PATH}?done=accepted")


@post(f"{ONE}/leave", of=LeaveOrganisation, media=HTML)
async def leave(request: Request[Any, Any, Any]) -> Response[Any]:
    """Decline, or work there no longer."""
    await ask(request, LeaveOrganisation(organisation_id=_id(request)))
    forget(request)
    return go_to(request, f"{PATH}?done=left")


@post(f"{ONE}/switch", of=SwitchOrganisation, media=HTML)
async def switch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Go on there, under a new token."""
    opened: Opened = await ask(request, SwitchOrganisation(organisation_id=_id(request)))
    found = session_of(request)
    assert found is not None
    return sign_in(request, go_to(request, "/today"), opened.token, found.expires_at)


@post("/settings/accounts/{account_id:uuid}/end-membership", of=EndMembership, media=HTML)
async def end(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody whose account is at home elsewhere works here no longer."""
    account = UUID(str(request.path_params["account_id"]))
    tried = await attempt(request, EndMembership(account_id=account))
    return after(request, "/settings/accounts", "saved" if tried.fine else tried.said)


PAGES = [organisations, accept, leave, switch, end]
