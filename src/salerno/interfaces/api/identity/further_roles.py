"""Further roles: what an account may do beside its own role (ORG-09)."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands import Opened, Profile
from salerno.contexts.identity.commands.further_roles import AddUserRole, PractiseMyself, TakeUserRole
from salerno.contexts.identity.queries import UserById
from salerno.interfaces.api.identity.shapes import TAGS, forgetting
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    delete,
    no_content,
    post,
    read_body,
    session_of,
    submit,
)
from salerno.interfaces.http.cookies import sign_in, token_of


class FurtherRole(Body):
    """`instead`: a role of the organisation's own making takes the place of the account's own."""

    role: Annotated[str, Meta(max_length=40, examples=["DOCTOR"])]
    instead: bool = False


@post("/users/{user_id:uuid}/roles", of=AddUserRole, takes=FurtherRole, gives=Profile, tags=TAGS)
async def add_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Give an account a further role: a clinical one, or one that the organisation made. Its sessions end."""
    body, account = await read_body(request, FurtherRole), request.path_params["user_id"]
    await submit(request, AddUserRole(account_id=account, role=body.role, instead=body.instead))
    user: Profile = await ask(request, UserById(account_id=account))
    return forgetting(request, answer(request, user, etag=user.version))


@delete("/users/{user_id:uuid}/roles/{role:str}", of=TakeUserRole, status=204, tags=TAGS)
async def take_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take a further role from an account. Its sessions end."""
    account, role = request.path_params["user_id"], str(request.path_params["role"])
    await submit(request, TakeUserRole(account_id=account, role=role))
    return forgetting(request, no_content())


@post("/users/me/practise", of=PractiseMyself, takes=None, status=204, tags=TAGS)
async def practise(request: Request[Any, Any, Any]) -> Response[Any]:
    """The administrator of an independent doctor's practice takes the role of its doctor."""
    opened: Opened = await ask(request, PractiseMyself())
    found = session_of(request)
    assert found is not None
    return sign_in(request, no_content(), opened.token if token_of(request) else "", found.expires_at)


ROUTES = [add_role, take_role, practise]
