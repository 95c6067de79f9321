"""What is done by a link in a letter, and inviting (IAM-15, IAM-42)."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import Profile
from salerno.contexts.identity.commands.letters import (
    AcceptInvitation,
    AskPasswordReset,
    ConfirmEmail,
    InviteAgain,
    InviteUser,
    ResetPassword,
)
from salerno.contexts.identity.queries import UserById
from salerno.interfaces.api.identity.shapes import TAGS, Email, Name, Secret
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_or_nobody,
    no_content,
    post,
    read_body,
    submit,
)

BY_LETTER = "whoever holds the link of a letter"


class Address(Body):
    email: Annotated[str, Meta(max_length=1000)]


class LinkAndPassword(Body):
    token: Annotated[str, Meta(max_length=200)]
    password: Secret


class Confirmed(Struct, frozen=True, kw_only=True):
    """`status`: "active", or "pending" until somebody approves the account."""

    status: str


class Invitation(Body):
    email: Email
    given_name: Name
    family_name: Name
    role: Annotated[str, Meta(max_length=40)]
    staff_id: UUID | None = None
    language: Annotated[str, Meta(pattern="^(it|en)?$")] = ""


@post(
    "/auth/password/forgotten",
    of=AskPasswordReset,
    public="whoever has forgotten a password is not signed in",
    takes=Address,
    status=202,
    tags=TAGS,
)
async def forgotten(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for a letter with a link. The answer does not tell whether the address has an account."""
    body = await read_body(request, Address)
    await bus_of(request).ask(AskPasswordReset(email=body.email), caller_or_nobody(request))
    return Response(b"", status_code=202, media_type="text/plain")


_link: dict[str, Any] = {"public": BY_LETTER, "takes": LinkAndPassword, "tags": TAGS}


@post("/auth/password/reset", of=ResetPassword, status=204, **_link)
async def reset(request: Request[Any, Any, Any]) -> Response[Any]:
    """Choose another password by a link. Every session ends; a second factor is asked for as before."""
    body = await read_body(request, LinkAndPassword)
    await bus_of(request).ask(ResetPassword(token=body.token, password=body.password), caller_or_nobody(request))
    return no_content()


@post("/auth/confirm-email", of=ConfirmEmail, gives=Confirmed, **_link)
async def confirm(request: Request[Any, Any, Any]) -> Response[Any]:
    """Confirm one's address by a link, with the password that was chosen at registration."""
    body = await read_body(request, LinkAndPassword)
    wish = ConfirmEmail(token=body.token, password=body.password)
    return answer(request, Confirmed(status=await bus_of(request).ask(wish, caller_or_nobody(request))))


@post("/auth/invitation", of=AcceptInvitation, status=204, **_link)
async def accept(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accept an invitation by choosing a password."""
    body = await read_body(request, LinkAndPassword)
    await bus_of(request).ask(AcceptInvitation(token=body.token, password=body.password), caller_or_nobody(request))
    return no_content()


@post("/users/invitations", of=InviteUser, takes=Invitation, gives=Profile, status=201, tags=TAGS)
async def invite(request: Request[Any, Any, Any]) -> Response[Any]:
    """Invite somebody: the account waits until its owner has chosen a password."""
    body = await read_body(request, Invitation)
    wish = InviteUser(
        email=body.email,
        given_name=body.given_name,
        family_name=body.family_name,
        role=body.role,
        staff_id=body.staff_id,
        language=body.language,  # type: ignore[arg-type]
    )
    receipt = await submit(request, wish)
    user: Profile = await ask(request, UserById(account_id=receipt.aggregate_id))
    return answer(request, user, 201, etag=user.version, location=f"/users/{user.user_id}")


@post("/users/{user_id:uuid}/invite-again", of=InviteAgain, status=204, tags=TAGS)
async def invite_again(request: Request[Any, Any, Any]) -> Response[Any]:
    """Send the invitation once more; the older link is void."""
    await submit(request, InviteAgain(account_id=request.path_params["user_id"]))
    return no_content()


ROUTES = [forgotten, reset, confirm, accept, invite, invite_again]
