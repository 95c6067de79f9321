"""What a link in a letter leads to: confirming an address, another password, an invitation. And asking for one."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands.letters import AcceptInvitation, AskPasswordReset, ConfirmEmail, ResetPassword
from salerno.interfaces.http import (
    Body,
    FieldError,
    Request,
    Response,
    bus_of,
    caller_or_nobody,
    get,
    post,
    read_form,
    read_query,
)
from salerno.interfaces.http.cookies import forget
from salerno.interfaces.http.problems import field_error, problem_of
from salerno.interfaces.web.entrance import providers_here
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Invalid, NotSignedIn, Refused, TooMany, Unavailable
from salerno.kernel.messages import Errand

HTML = "text/html"
FORGOT, RESET, CONFIRM, INVITED = "/forgot-password", "/reset-password", "/sign-up/confirm", "/invitation"
BY_LETTER = "whoever holds the link of a letter"
SAID = {
    "link-over": mark("This link does not work any more. Ask for a new one."),
    "wrong-password": mark("That is not the password that was chosen."),
    "too-many-attempts": mark("Too many attempts. Wait a little."),
    "sign-in-busy": mark("Too many people are signing in at once. Try again in a moment."),
    "password-refused": mark("Choose another password."),
    "too-short": mark("Take a longer password: a few words in a row are easy to remember."),
    "too-long": mark("This is too long."),
    "too-common": mark("This password is one of those that attackers try first."),
    "too-personal": mark("This password is made of your name or address."),
}
EXPECTED = (NotSignedIn, Invalid, TooMany, Unavailable)


class Link(Body):
    """What the address of a link carries."""

    token: Annotated[str, Meta(max_length=200)] = ""


@get(FORGOT, public="whoever has forgotten a password is not signed in", media=HTML)
async def forgot(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for one's address."""
    return render(request, "forgot_password.html", sent=False, said="")


@post(FORGOT, of=AskPasswordReset, public="whoever has forgotten a password is not signed in", media=HTML)
async def ask_for_link(request: Request[Any, Any, Any]) -> Response[Any]:
    """What is said does not tell whether there is such an account."""
    filled = await read_form(request)
    try:
        await _run(request, AskPasswordReset(email=filled.get("email", "")[:1000]))
    except EXPECTED as refusal:
        problem = problem_of(refusal)
        said = SAID.get(problem.code, problem.sentence)
        return render(request, "forgot_password.html", status=problem.status, sent=False, said=said)
    return render(request, "forgot_password.html", sent=True, said="")


async def _run(request: Request[Any, Any, Any], errand: Errand) -> Any:
    return await bus_of(request).ask(errand, caller_or_nobody(request))


async def _form(
    request: Request[Any, Any, Any],
    path: str,
    token: str,
    refusal: Refused | None = None,
) -> Response[Any]:
    said, errors, status = "", list[FieldError](), 200
    if refusal is not None:
        problem = problem_of(refusal)
        errors = _at_fields(problem.errors)
        said, status = "" if errors else SAID.get(problem.code, problem.sentence), problem.status
    shown = await providers_here(request) if path == INVITED else []
    return render(
        request, "by_letter.html", status=status, path_of=path, token=token, said=said, errors=errors, providers=shown
    )


def _at_fields(errors: Sequence[FieldError]) -> list[FieldError]:
    return [field_error(one.path, one.code, SAID.get(one.code, one.message)) for one in errors]


async def _answer(request: Request[Any, Any, Any], path: str, errand: type[Any], done: str) -> Response[Any]:
    filled = await read_form(request)
    token = filled.get("token", "")[:200]
    try:
        outcome = await _run(request, errand(token=token, password=filled.get("password", "")))
    except EXPECTED as refusal:
        return await _form(request, path, token, refusal)
    forget(request)
    return go_to(request, f"/sign-in?done={'waiting' if outcome == 'pending' else done}")


@get(RESET, public=BY_LETTER, media=HTML, query=Link)
async def reset_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for another password. Looking at it uses nothing up."""
    return await _form(request, RESET, read_query(request, Link).token)


@post(RESET, of=ResetPassword, public=BY_LETTER, media=HTML)
async def reset(request: Request[Any, Any, Any]) -> Response[Any]:
    """Choose it; every session ends."""
    return await _answer(request, RESET, ResetPassword, "reset")


@get(CONFIRM, public=BY_LETTER, media=HTML, query=Link)
async def confirm_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for the password that was chosen at sign-up."""
    return await _form(request, CONFIRM, read_query(request, Link).token)


@post(CONFIRM, of=ConfirmEmail, public=BY_LETTER, media=HTML)
async def confirm(request: Request[Any, Any, Any]) -> Response[Any]:
    """The address is confirmed."""
    return await _answer(request, CONFIRM, ConfirmEmail, "confirmed")


@get(INVITED, public=BY_LETTER, media=HTML, query=Link)
async def invitation_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for the first password."""
    return await _form(request, INVITED, read_query(request, Link).token)


@post(INVITED, of=AcceptInvitation, public=BY_LETTER, media=HTML)
async def accept(request: Request[Any, Any, Any]) -> Response[Any]:
    """The account may be used from now on."""
    return await _answer(request, INVITED, AcceptInvitation, "confirmed")


PAGES = [forgot, ask_for_link, reset_page, reset, confirm_page, confirm, invitation_page, accept]
