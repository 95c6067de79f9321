"""Everybody's accounts, for administrators (IAM-23)."""

from typing import Any

from salerno.contexts.identity.commands import (
    ApproveUser,
    ChangeUserRole,
    DeactivateUser,
    Profile,
    ReactivateUser,
    UpdateUser,
)
from salerno.contexts.identity.queries import UserById, Users
from salerno.interfaces.api.identity.shapes import TAGS, UserChange, UserList, UsersWanted, forgetting
from salerno.interfaces.http import (
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    patch,
    post,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.messages import Command, Page


# ------------------------------------------------------------------ everybody's accounts
@get("/users", of=Users, query=UsersWanted, gives=UserList, tags=TAGS)
async def users(request: Request[Any, Any, Any]) -> Response[Any]:
    """The organisation's accounts, by name."""
    wanted = read_query(request, UsersWanted)
    page: Page[Profile] = await ask(
        request,
        Users(q=wanted.q, role=wanted.role, status=wanted.status, limit=wanted.limit, offset=wanted.offset),
    )
    return answer(request, UserList(users=page.items, total=page.total, limit=page.limit, offset=page.offset))


async def _shown(request: Request[Any, Any, Any], status: int = 200) -> Response[Any]:
    user: Profile = await ask(request, UserById(account_id=request.path_params["user_id"]))
    return answer(request, user, status, etag=user.version)


@get("/users/{user_id:uuid}", of=UserById, gives=Profile, tags=TAGS)
async def user(request: Request[Any, Any, Any]) -> Response[Any]:
    """One account."""
    return await _shown(request)


@patch("/users/{user_id:uuid}", of=UpdateUser, takes=UserChange, gives=Profile, tags=TAGS)
async def change_user(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change name, link to a member of staff, or role."""
    body, account = await read_body(request, UserChange), request.path_params["user_id"]
    if (body.given_name, body.family_name, body.staff_id) != (None, None, None):
        await submit(
            request,
            UpdateUser(
                account_id=account, given_name=body.given_name, family_name=body.family_name, staff_id=body.staff_id
            ),
        )
    if body.role is not None:
        await submit(request, ChangeUserRole(account_id=account, role=body.role))
    return forgetting(request, await _shown(request))


async def _manage(request: Request[Any, Any, Any], command: Command) -> Response[Any]:
    await submit(request, command)
    return forgetting(request, await _shown(request))


@post("/users/{user_id:uuid}/approve", of=ApproveUser, gives=Profile, tags=TAGS)
async def approve_user(request: Request[Any, Any, Any]) -> Response[Any]:
    """Let somebody in who has asked for an account."""
    return await _manage(request, ApproveUser(account_id=request.path_params["user_id"]))


@post("/users/{user_id:uuid}/reactivate", of=ReactivateUser, gives=Profile, tags=TAGS)
async def reactivate_user(request: Request[Any, Any, Any]) -> Response[Any]:
    """Let somebody in again."""
    return await _manage(request, ReactivateUser(account_id=request.path_params["user_id"]))


@delete("/users/{user_id:uuid}", of=DeactivateUser, status=204, tags=TAGS)
async def deactivate_user(request: Request[Any, Any, Any]) -> Response[Any]:
    """Close an account. Its sessions and tokens end at once; its history stays."""
    await submit(request, DeactivateUser(account_id=request.path_params["user_id"]))
    return forgetting(request, no_content())
