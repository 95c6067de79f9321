"""Inviting somebody: the account waits until its owner has chosen a password by the link of a letter."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.identity.commands.letters import InviteAgain, InviteUser
from salerno.contexts.identity.queries import GrantableRoles
from salerno.contexts.staff.queries import StaffMembers
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_form
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings.saving import FRESH, Attempt, after, attempt, id_in, page, read, wrong

HTML = "text/html"
ACCOUNTS = "/settings/accounts"
PATH = f"{ACCOUNTS}/invite"


class Invitation(Body):
    given_name: Annotated[str, Meta(min_length=1, max_length=120)]
    family_name: Annotated[str, Meta(min_length=1, max_length=120)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    role: str
    staff_id: UUID | None = None
    language: Annotated[str, Meta(pattern="^(it|en)?$")] = ""


@get(PATH, of=InviteUser, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty invitation."""
    require(request, InviteUser)
    return await _form(request, {"role": "NURSE", "language": look_of(request).language})


async def _form(request: Request[Any, Any, Any], filled: Any, tried: Attempt = FRESH) -> Response[Any]:
    people = await ask(request, StaffMembers(limit=200))
    made: Response[Any] = page(
        request, "accounts", "account_invite", tried,
        filled=filled, roles=await ask(request, GrantableRoles()), people=people.items,
    )  # fmt: skip
    return made


@post(PATH, of=InviteUser, media=HTML)
async def invite(request: Request[Any, Any, Any]) -> Response[Any]:
    """Write the letter."""
    filled = await read_form(request)
    form, errors = read(Invitation, filled)
    if form is None:
        return await _form(request, filled, wrong(errors))
    command = InviteUser(
        email=form.email,
        given_name=form.given_name,
        family_name=form.family_name,
        role=form.role,
        staff_id=form.staff_id,
        language=form.language,
    )
    tried = await attempt(request, command)
    return after(request, f"{ACCOUNTS}/{tried.id}", "invited") if tried.fine else await _form(request, filled, tried)


@post(f"{ACCOUNTS}/{{account_id:uuid}}/invite-again", of=InviteAgain, media=HTML)
async def again(request: Request[Any, Any, Any]) -> Response[Any]:
    """Another letter; the older link is void."""
    account = id_in(request, "account_id")
    tried = await attempt(request, InviteAgain(account_id=account))
    return after(request, f"{ACCOUNTS}/{account}", "invited" if tried.fine else tried.said)


PAGES = [new, invite, again]
