"""What several ways in share: the sign-in page, the cookie between two halves of a sign-in, and where it leads."""

from collections.abc import Mapping
from typing import Any

from litestar.datastructures import Cookie

from salerno.contexts.identity.commands import ChallengePosed, Opened
from salerno.contexts.identity.commands.external import ExternalProvidersHere, ProviderLine, ProviderOfSession
from salerno.interfaces.http import Request, Response, bus_of, caller_of, caller_or_nobody, safe_path
from salerno.interfaces.http.cookies import sign_in
from salerno.interfaces.web.pages import go_to, render

CHALLENGE = "__Host-challenge"
TODAY, ENROL = "/today", "/account#second-factor"


async def providers_here(request: Request[Any, Any, Any]) -> list[ProviderLine]:
    """The other providers at which one may sign in."""
    return list(await bus_of(request).ask(ExternalProvidersHere(), caller_or_nobody(request)))


async def entrance(
    request: Request[Any, Any, Any],
    filled: Mapping[str, str],
    said: str = "",
    status: int = 200,
    done: str = "",
    at: str = "",
) -> Response[Any]:
    """The sign-in page. `at` is the provider by which somebody came who has just signed out."""
    shown = await providers_here(request)
    left = next((one for one in shown if one.provider == at), None)
    return render(
        request, "sign_in.html", status=status, filled=filled, said=said, done=done, providers=shown, left=left
    )


async def lock_page(request: Request[Any, Any, Any], wanted: str, said: str = "", status: int = 200) -> Response[Any]:
    """Who is asked to unlock, and the provider by which they came, if it was one."""
    by: ProviderLine | None = await bus_of(request).ask(ProviderOfSession(), caller_of(request))
    name = caller_of(request).name
    return render(request, "locked.html", status=status, next=wanted, said=said, name=name, by=by)


def after(path: str) -> str:
    return safe_path(path, TODAY)


def let_in(request: Request[Any, Any, Any], opened: Opened, wanted: str) -> Response[Any]:
    path = ENROL if opened.must_enrol else after(wanted)
    return sign_in(request, go_to(request, path), opened.token, opened.expires_at, opened.device)


def challenge(token: str, seconds: int) -> Cookie:
    """Between the two halves of a sign-in; no script and no other site ever sees it."""
    return Cookie(key=CHALLENGE, value=token, path="/", secure=True, httponly=True, samesite="strict", max_age=seconds)


def ask_second_factor(request: Request[Any, Any, Any], posed: ChallengePosed, wanted: str) -> Response[Any]:
    made = render(request, "second_factor.html", next=after(wanted), said="", methods=posed.methods)
    made.cookies.append(challenge(posed.challenge, 300))
    return made
