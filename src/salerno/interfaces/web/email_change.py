"""Another e-mail address for one's account, and what the links of its letters lead to."""

from typing import Annotated, Any
from urllib.parse import quote

from msgspec import Meta

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.email_change import AskEmailChange, ConfirmEmailChange, RevokeEmailChange
from salerno.interfaces.http import (
    Body,
    FieldError,
    Request,
    Response,
    ask,
    bus_of,
    caller_or_nobody,
    get,
    post,
    read_form,
    read_query,
    session_of,
)
from salerno.interfaces.http.cookies import forget, sign_in
from salerno.interfaces.http.problems import Problem, field_error, problem_of
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Conflict, Invalid, Refused, TooMany

HTML = "text/html"
PATH, CONFIRM, REVOKE = "/account/email", "/account/email/confirm", "/email-change/revoke"
BY_LETTER = "whoever holds the link of a letter"
SAID = {
    "link-over": mark("This link does not work any more. Ask for a new one."),
    "not-an-address": mark("This is not an e-mail address."),
    "same-address": mark("This is the account's address already."),
    "too-many-attempts": mark("Too many attempts. Wait a little."),
    "no-mail": mark("This installation has no mail server: a new address could not be confirmed."),
    "not-yourself": mark("Change your own address under My account."),
    "required": mark("This is needed."),
}
EXPECTED = (Conflict, Invalid, TooMany)


class Link(Body):
    """What the address of a link carries."""

    token: Annotated[str, Meta(max_length=200)] = ""
    done: Annotated[str, Meta(pattern="^(revoked)?$")] = ""


def in_words(problem: Problem) -> tuple[str, list[FieldError]]:
    """What a refusal says above the form, and at its fields."""
    errors = [field_error(one.path, one.code, SAID.get(one.code, one.message)) for one in problem.errors]
    return "" if errors else SAID.get(problem.code, problem.sentence), errors


@get(PATH, of=AskEmailChange, media=HTML)
async def email_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for the new address."""
    return _form(request)


def _form(request: Request[Any, Any, Any], email: str = "", refusal: Refused | None = None) -> Response[Any]:
    said, errors, status = "", list[FieldError](), 200
    if refusal is not None:
        problem = problem_of(refusal)
        (said, errors), status = in_words(problem), problem.status
    return render(request, "email_change.html", status=status, said=said, errors=errors, email=email, sent=False)


@post(PATH, of=AskEmailChange, media=HTML)
async def ask_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Two letters go out. What is said does not tell whether another account has the address."""
    email = (await read_form(request)).get("email", "").strip()[:254]
    try:
        await ask(request, AskEmailChange(email=email))
    except EXPECTED as refusal:
        return _form(request, email, refusal)
    return render(request, "email_change.html", said="", errors=[], email=email, sent=True)


# ------------------------------------------------------------------ by the links
@get(CONFIRM, public=BY_LETTER, media=HTML, query=Link)
async def confirm_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whoever is not signed in yet does so first. Looking at it uses nothing up."""
    token = read_query(request, Link).token
    if session_of(request) is None:
        return go_to(request, f"/sign-in?next={quote(f'{CONFIRM}?token={quote(token)}')}")
    return _by_letter(request, CONFIRM, token)


def _by_letter(
    request: Request[Any, Any, Any], path: str, token: str, refusal: Refused | None = None, done: str = ""
) -> Response[Any]:
    said, status = "", 200
    if refusal is not None:
        problem = problem_of(refusal)
        said, status = SAID.get(problem.code, problem.sentence), problem.status
    return render(request, "email_by_letter.html", status=status, path_of=path, token=token, said=said, done=done)


@post(CONFIRM, of=ConfirmEmailChange, media=HTML)
async def confirm_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """The new address counts; every other session ends."""
    token = (await read_form(request)).get("token", "")[:200]
    try:
        opened: Opened = await ask(request, ConfirmEmailChange(token=token))
    except EXPECTED as refusal:
        return _by_letter(request, CONFIRM, token, refusal)
    forget(request)
    return sign_in(request, go_to(request, "/account?done=email"), opened.token, opened.expires_at)


@get(REVOKE, public=BY_LETTER, media=HTML, query=Link)
async def revoke_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """Whoever reads the old address is asked whether they mean it."""
    link = read_query(request, Link)
    return _by_letter(request, REVOKE, link.token, done=link.done)


@post(REVOKE, of=RevokeEmailChange, public=BY_LETTER, media=HTML)
async def revoke_change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Everything is as before."""
    token = (await read_form(request)).get("token", "")[:200]
    try:
        await bus_of(request).ask(RevokeEmailChange(token=token), caller_or_nobody(request))
    except EXPECTED as refusal:
        return _by_letter(request, REVOKE, token, refusal)
    forget(request)
    return go_to(request, f"{REVOKE}?done=revoked")


PAGES = [email_page, ask_change, confirm_page, confirm_change, revoke_page, revoke_change]
