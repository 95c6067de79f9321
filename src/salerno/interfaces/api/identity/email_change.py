"""Another e-mail address for an account: asked for, confirmed from the new mailbox, undone from the old one."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.email_change import (
    AskEmailChange,
    AskEmailChangeOf,
    ConfirmEmailChange,
    RevokeEmailChange,
)
from salerno.interfaces.api.identity.shapes import TAGS, Email, forgetting
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    ask,
    bus_of,
    caller_or_nobody,
    no_content,
    post,
    read_body,
)
from salerno.interfaces.http.cookies import sign_in, token_of

BY_LETTER = "whoever holds the link of a letter"


class NewAddress(Body):
    email: Email


class Link(Body):
    token: Annotated[str, Meta(max_length=200)]


@post("/users/me/email", of=AskEmailChange, takes=NewAddress, status=202, tags=TAGS)
async def ask_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for another address. It counts once its letter is confirmed; the old one is told at once.

    The answer does not tell whether another account has the address.
    """
    body = await read_body(request, NewAddress)
    await ask(request, AskEmailChange(email=body.email))
    return Response(b"", status_code=202, media_type="text/plain")


@post("/users/me/email/confirm", of=ConfirmEmailChange, takes=Link, status=204, tags=TAGS)
async def confirm_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Confirm it by the letter's link, in a session of the account. Every other session ends."""
    body = await read_body(request, Link)
    opened: Opened = await ask(request, ConfirmEmailChange(token=body.token))
    return sign_in(request, no_content(), opened.token if token_of(request) else "", opened.expires_at)


@post("/users/{user_id:uuid}/email", of=AskEmailChangeOf, takes=NewAddress, status=202, tags=TAGS)
async def ask_change_of(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for another address for somebody's account. Its owner confirms it all the same."""
    body = await read_body(request, NewAddress)
    await ask(request, AskEmailChangeOf(account_id=request.path_params["user_id"], email=body.email))
    return Response(b"", status_code=202, media_type="text/plain")


@post("/auth/email-change/revoke", of=RevokeEmailChange, public=BY_LETTER, takes=Link, status=204, tags=TAGS)
async def revoke_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Undo a change by the link that the old address was sent. Every session of the account ends."""
    body = await read_body(request, Link)
    await bus_of(request).ask(RevokeEmailChange(token=body.token), caller_or_nobody(request))
    return forgetting(request, no_content())


ROUTES = [ask_change, confirm_change, ask_change_of, revoke_change]
