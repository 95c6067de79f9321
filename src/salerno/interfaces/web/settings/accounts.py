"""Who may sign in, as what: approving, appointing, locking out, and helping those who lost their telephone."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.identity.commands import (
    ApproveUser,
    ChangeUserRole,
    CreateUser,
    DeactivateUser,
    EndUserSessions,
    Profile,
    ReactivateUser,
    ResetSecondFactor,
    UnlockUser,
    WaitingFounders,
)
from salerno.contexts.identity.commands.email_change import AskEmailChangeOf
from salerno.contexts.identity.commands.explaining import ExplainAccess
from salerno.contexts.identity.queries import GrantableRoles, Members, Roles, UserById, Users
from salerno.contexts.staff.queries import StaffMembers
from salerno.interfaces.http import Body, Request, Response, ask, caller_of, get, post, read_form, read_query
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.email_change import in_words
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import may, require
from salerno.interfaces.web.settings.saving import FRESH, Attempt, after, attempt, id_in, page, read, wrong
from salerno.kernel.errors import Conflict, Invalid, NotAllowed, TooMany
from salerno.kernel.messages import Command

HTML = "text/html"
PATH = "/settings/accounts"
ONE = f"{PATH}/{{account_id:uuid}}"
STATES = ("active", "pending", "deactivated")
SHOWN = 50


class Looked(Body):
    done: Annotated[str, Meta(max_length=20)] = ""
    q: Annotated[str, Meta(max_length=200)] = ""
    role: Annotated[str, Meta(max_length=40)] = ""
    status: Annotated[str, Meta(pattern="^(active|pending|deactivated)?$")] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = SHOWN
    offset: Annotated[int, Meta(ge=0, le=100_000)] = 0


class NewAccount(Body):
    given_name: Annotated[str, Meta(min_length=1, max_length=120)]
    family_name: Annotated[str, Meta(min_length=1, max_length=120)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    role: str
    staff_id: UUID | None = None
    password: str = ""


class NewRole(Body):
    role: Annotated[str, Meta(max_length=40)]


@get(PATH, of=Users, query=Looked, media=HTML)
async def accounts(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every account; those that wait for approval first."""
    looked = read_query(request, Looked)
    query = Users(
        q=looked.q,
        role=looked.role or None,
        status=looked.status or None,
        limit=looked.limit,
        offset=looked.offset,
    )
    found = await ask(request, query)
    waiting = () if looked.status or looked.q else (await ask(request, Users(status="pending", limit=200))).items
    founders = await ask(request, WaitingFounders()) if caller_of(request).role == "SUPER_ADMIN" else ()
    return page(  # type: ignore[no-any-return]
        request, "accounts", "accounts", found=found, waiting=waiting, founders=founders, looked=looked, states=STATES,
        roles=await ask(request, GrantableRoles()), may_create=may(request, CreateUser),
        members=await ask(request, Members()),
    )  # fmt: skip


@get(f"{PATH}/new", of=CreateUser, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, CreateUser)
    return await _new(request, {"role": "DOCTOR"})


async def _new(request: Request[Any, Any, Any], filled: Any, tried: Attempt = FRESH) -> Response[Any]:
    people = await ask(request, StaffMembers(limit=200))
    made: Response[Any] = page(
        request, "accounts", "account_new", tried,
        filled=filled, roles=await ask(request, GrantableRoles()), people=people.items,
    )  # fmt: skip
    return made


@post(f"{PATH}/new", of=CreateUser, media=HTML)
async def create(request: Request[Any, Any, Any]) -> Response[Any]:
    """An account that may be used at once."""
    filled = await read_form(request)
    form, errors = read(NewAccount, filled)
    if form is None:
        return await _new(request, filled, wrong(errors))
    command = CreateUser(
        email=form.email,
        password=filled.get("password", ""),
        given_name=form.given_name,
        family_name=form.family_name,
        role=form.role,
        staff_id=form.staff_id,
        language=look_of(request).language,  # type: ignore[arg-type]
    )
    tried = await attempt(request, command)
    return after(request, f"{PATH}/{tried.id}", "added") if tried.fine else await _new(request, filled, tried)


@get(ONE, of=UserById, media=HTML)
async def account(request: Request[Any, Any, Any]) -> Response[Any]:
    """One account, and what may be done about it."""
    return await _page(request)


async def _page(request: Request[Any, Any, Any], tried: Attempt = FRESH, email: str = "") -> Response[Any]:
    account_id = id_in(request, "account_id")
    shown: Profile = await ask(request, UserById(account_id=account_id))
    roles = await ask(request, GrantableRoles())
    within_reach = shown.role in roles and account_id != caller_of(request).actor and may(request, ChangeUserRole)
    made: Response[Any] = page(
        request, "accounts", "account", tried, account=shown, roles=roles, within_reach=within_reach,
        oneself=account_id == caller_of(request).actor, made=await ask(request, Roles()),
        may_ask=may(request, ExplainAccess), email=email,
    )  # fmt: skip
    return made


@post(f"{ONE}/role", of=ChangeUserRole, media=HTML)
async def change_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Another role; every session of the account ends."""
    form, errors = read(NewRole, await read_form(request))
    if form is None:
        return await _page(request, wrong(errors))
    return await _do(request, ChangeUserRole(account_id=id_in(request, "account_id"), role=form.role))


@post(f"{ONE}/email", of=AskEmailChangeOf, media=HTML)
async def ask_email_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """A letter goes to the new address; its owner confirms it."""
    account_id, email = id_in(request, "account_id"), (await read_form(request)).get("email", "").strip()[:300]
    try:
        await ask(request, AskEmailChangeOf(account_id=account_id, email=email))
    except (Conflict, Invalid, NotAllowed, TooMany) as refusal:
        problem = problem_of(refusal)
        said, errors = in_words(problem)
        return await _page(request, Attempt(said=said, errors=errors, status=problem.status), email)
    return after(request, f"{PATH}/{account_id}", "letter")


ACTS: dict[str, type[Command]] = {
    "approve": ApproveUser,
    "deactivate": DeactivateUser,
    "reactivate": ReactivateUser,
    "unlock": UnlockUser,
    "reset-second-factor": ResetSecondFactor,
    "end-sessions": EndUserSessions,
}


def _act(name: str, command: type[Command]) -> Any:
    @post(f"{ONE}/{name}", of=command, media=HTML, summary=f"{name.replace('-', ' ').capitalize()} this account.")
    async def act(request: Request[Any, Any, Any]) -> Response[Any]:
        return await _do(request, command(account_id=id_in(request, "account_id")))

    return act


async def _do(request: Request[Any, Any, Any], command: Command) -> Response[Any]:
    tried = await attempt(request, command)
    home = PATH if isinstance(command, ApproveUser) else f"{PATH}/{id_in(request, 'account_id')}"
    return after(request, home) if tried.fine else await _page(request, tried)


PAGES = [
    accounts, new, create, account, change_role, ask_email_change,
    *(_act(name, command) for name, command in ACTS.items()),
]  # fmt: skip
