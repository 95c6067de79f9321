"""Further roles of an account: what somebody may do beside their own role."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.further_roles import AddUserRole, PractiseMyself, TakeUserRole
from salerno.interfaces.http import Body, Request, Response, ask, get, post, read_form, session_of
from salerno.interfaces.http.cookies import sign_in
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings.saving import after, attempt, id_in, read
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Conflict, Invalid, NotAllowed

HTML = "text/html"
ONE = "/settings/accounts/{account_id:uuid}/further-roles"
PRACTISE = "/account/practise"
BY_ANOTHER = mark("Another administrator gives you this role.")


class Further(Body):
    role: Annotated[str, Meta(max_length=40)]
    instead: bool = False


async def _do(request: Request[Any, Any, Any], command: type[Any]) -> Response[Any]:
    account = id_in(request, "account_id")
    form, _ = read(Further, await read_form(request))
    more = {"instead": True} if form and form.instead and command is AddUserRole else {}
    tried = await attempt(request, command(account_id=account, role=form.role if form else "", **more))
    return after(request, f"/settings/accounts/{account}", "saved" if tried.fine else tried.said or "unknown-role")


@post(f"{ONE}/add", of=AddUserRole, media=HTML)
async def add(request: Request[Any, Any, Any]) -> Response[Any]:
    """Give a further role; every session of the account ends."""
    return await _do(request, AddUserRole)


@post(f"{ONE}/take", of=TakeUserRole, media=HTML)
async def take(request: Request[Any, Any, Any]) -> Response[Any]:
    """Take a further role; every session of the account ends."""
    return await _do(request, TakeUserRole)


@get(PRACTISE, of=PractiseMyself, media=HTML)
async def practise_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """What it means to administer a practice and to see patients in it."""
    require(request, PractiseMyself)
    return render(request, "practise.html", said="")


@post(PRACTISE, of=PractiseMyself, media=HTML)
async def practise(request: Request[Any, Any, Any]) -> Response[Any]:
    """The administrator of an independent doctor's practice sees patients as well."""
    try:
        opened: Opened = await ask(request, PractiseMyself())
    except (NotAllowed, Invalid, Conflict) as refusal:
        problem = problem_of(refusal)
        return render(request, "practise.html", status=problem.status, said=BY_ANOTHER)
    found = session_of(request)
    assert found is not None
    return sign_in(request, go_to(request, "/today"), opened.token, found.expires_at)


PAGES = [add, take, practise_page, practise]
