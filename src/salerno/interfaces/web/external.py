"""Signing in at somebody else's OpenID provider: the way there and back, and which accounts there are one's own."""

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from litestar.datastructures import Cookie
from msgspec import Meta

from salerno.contexts.identity.commands.external import (
    Arrival,
    ComeBackFromProvider,
    Departure,
    EnterByProvider,
    LeaveProvider,
    LinkProvider,
    MyExternalIdentities,
    ProveByProvider,
    UnlinkExternalIdentity,
    UnlockByProvider,
)
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    caller_or_nobody,
    get,
    post,
    read_form,
    read_query,
    session_of,
)
from salerno.interfaces.http.cookies import device_of, forget, sign_in, token_of
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.entrance import TODAY, after, ask_second_factor, entrance, let_in, lock_page, providers_here
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Conflict, Invalid, NotFound, NotSignedIn, Refused, TooMany, Unavailable
from salerno.kernel.messages import Errand

HTML = "text/html"
DEPARTURE, WITHIN = "__Host-departure", 600
MINE = "/account/providers"
MOST, LONGEST = 20, 4_000
NOBODY_YET = "whoever signs in is nobody yet"
BY_LETTER = "whoever holds the link of a letter"
LEFT = "whoever has signed out here is nobody any more"
SAID = {
    "no-such-provider": mark("There is no such provider."),
    "provider-unwell": mark("The other provider does not answer as it should. Try again, or sign in another way."),
    "external-refused": mark("This sign-in was begun elsewhere, took too long or was answered wrongly. Start again."),
    "external-denied": mark("The other provider did not sign you in."),
    "external-not-admitted": mark(
        "This installation does not let you in with your account there. Ask your administrator."
    ),
    "external-unknown": mark(
        "Your account there is not linked to one here. Sign in another way, then link it under My account."
    ),
    "external-taken": mark("This account there is linked to an account here already."),
    "external-needed": mark("This is the only way into your account. Add a passkey or choose a password first."),
    "no-such-external-identity": mark("No such account is linked."),
    "account-not-ready": mark("This account has not been approved yet, or has been deactivated."),
    "link-over": mark("This link does not work any more. Ask for a new one."),
    "no-second-factor": mark("Use your passkey or a code of your authenticator."),
    "too-many-attempts": mark("Too many attempts. Wait a little."),
}
EXPECTED = (Conflict, Invalid, NotFound, NotSignedIn, TooMany, Unavailable)


class Wanted(Body):
    """Where to go afterwards."""

    next: Annotated[str, Meta(max_length=300)] = TODAY


class Link(Body):
    """What the address of an invitation carries."""

    token: Annotated[str, Meta(max_length=200)] = ""


class Done(Body):
    done: Annotated[str, Meta(pattern="^(linked|unlinked)?$")] = ""


def _said(refusal: Refused) -> tuple[str, int]:
    problem = problem_of(refusal)
    return SAID.get(problem.code, problem.sentence), problem.status


def _provider(request: Request[Any, Any, Any]) -> str:
    return str(request.path_params["provider"])[:40]


# ------------------------------------------------------------------ the way there
def _cookie(value: str, seconds: int) -> Cookie:
    """Known again when the browser is sent back, which is another site's doing: lax, not strict."""
    return Cookie(key=DEPARTURE, value=value, path="/", secure=True, httponly=True, samesite="lax", max_age=seconds)


def _remembered(departure: Departure, wanted: str) -> Cookie:
    path = base64.urlsafe_b64encode(after(wanted).encode()).rstrip(b"=").decode()
    return _cookie(f"{departure.token}.{path}", WITHIN)


def _recalled(request: Request[Any, Any, Any]) -> tuple[str, str]:
    """The departure's token, and where to go afterwards."""
    token, _, path = request.cookies.get(DEPARTURE, "")[:1000].partition(".")
    try:
        wanted = base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode()
    except (binascii.Error, ValueError):
        wanted = TODAY
    return token[:200], after(wanted)


async def _send(request: Request[Any, Any, Any], errand: Errand, wanted: str) -> Response[Any]:
    departure: Departure = await bus_of(request).ask(errand, caller_or_nobody(request))
    made = Response(b"", status_code=303, media_type=HTML, headers={"Location": departure.location})
    made.cookies.append(_remembered(departure, wanted))
    return made


@get("/sign-in/with/{provider:str}", of=EnterByProvider, public=NOBODY_YET, media=HTML, query=Wanted)
async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Off to another provider, to sign in there."""
    wanted = read_query(request, Wanted).next
    try:
        return await _send(request, EnterByProvider(provider=_provider(request)), wanted)
    except EXPECTED as refusal:
        return await entrance(request, {"next": after(wanted)}, *_said(refusal))


@get("/invitation/with/{provider:str}", of=EnterByProvider, public=BY_LETTER, media=HTML, query=Link)
async def accept(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accept an invitation by signing in at another provider, in a password's place."""
    token = read_query(request, Link).token
    try:
        return await _send(request, EnterByProvider(provider=_provider(request), invitation=token), TODAY)
    except EXPECTED as refusal:
        return await entrance(request, {"next": TODAY}, *_said(refusal))


def _lead(request: Request[Any, Any, Any], departure: Departure, wanted: str) -> Response[Any]:
    """By a page that leads on: a form's answer may not redirect to another site."""
    host = urlsplit(departure.location).netloc
    made = render(request, "provider/onward.html", location=departure.location, host=host)
    made.cookies.append(_remembered(departure, wanted))
    return made


@post(f"{MINE}/link/{{provider:str}}", of=LinkProvider, media=HTML)
async def link(request: Request[Any, Any, Any]) -> Response[Any]:
    """Off to another provider, to link one's account there."""
    try:
        return _lead(request, await ask(request, LinkProvider(provider=_provider(request))), MINE)
    except EXPECTED as refusal:
        return await _page(request, refusal)


@post("/confirm-identity/with/{provider:str}", of=ProveByProvider, media=HTML)
async def prove(request: Request[Any, Any, Any]) -> Response[Any]:
    """Off to another provider, to show once more who one is."""
    wanted = (await read_form(request)).get("next", "")
    try:
        departure = await bus_of(request).ask(ProveByProvider(provider=_provider(request)), caller_of(request))
    except EXPECTED as refusal:
        return await _page(request, refusal)
    return _lead(request, departure, wanted)


@post("/locked/with/{provider:str}", of=UnlockByProvider, media=HTML)
async def unlock(request: Request[Any, Any, Any]) -> Response[Any]:
    """Off to the provider by which one came, to sign in there anew and go on here."""
    wanted = (await read_form(request)).get("next", "")
    try:
        departure = await bus_of(request).ask(UnlockByProvider(provider=_provider(request)), caller_of(request))
    except EXPECTED as refusal:
        return await lock_page(request, after(wanted), *_said(refusal))
    return _lead(request, departure, wanted)


@get("/sign-out/at/{provider:str}", of=LeaveProvider, public=LEFT, media=HTML)
async def leave(request: Request[Any, Any, Any]) -> Response[Any]:
    """Off to the provider's own page for signing out."""
    try:
        location = await bus_of(request).ask(LeaveProvider(provider=_provider(request)), caller_or_nobody(request))
    except EXPECTED as refusal:
        return await entrance(request, {"next": TODAY}, *_said(refusal))
    return Response(b"", status_code=303, media_type=HTML, headers={"Location": location or "/sign-in"})


# ------------------------------------------------------------------ and back
def _parameters(request: Request[Any, Any, Any]) -> tuple[tuple[str, str], ...]:
    """The address's parameters; none where no provider would send such."""
    query = bytes(request.scope["query_string"]).decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST, errors="strict")
    except ValueError:
        return ()
    return () if any(len(value) > LONGEST or "\0" in name + value for name, value in pairs) else tuple(pairs)


@get("/sign-in/back/{provider:str}", of=ComeBackFromProvider, public=NOBODY_YET, media=HTML)
async def come_back(request: Request[Any, Any, Any]) -> Response[Any]:
    """Back from another provider, with its answer in the address."""
    token, wanted = _recalled(request)
    wish = ComeBackFromProvider(
        provider=_provider(request),
        parameters=_parameters(request),
        token=token,
        agent=request.headers.get("user-agent", "")[:400],
        device=device_of(request),
        previous=token_of(request),
    )
    try:
        made = _arrived(request, await bus_of(request).ask(wish, caller_or_nobody(request)), wanted)
    except EXPECTED as refusal:
        made = await _turned_away(request, refusal, wanted)
    made.cookies.append(_cookie("", 0))
    return made


def _arrived(request: Request[Any, Any, Any], arrival: Arrival, wanted: str) -> Response[Any]:
    if arrival.posed is not None:
        return ask_second_factor(request, arrival.posed, wanted)
    assert arrival.opened is not None
    if arrival.outcome == "entered":
        return let_in(request, arrival.opened, wanted)
    path = f"{MINE}?done=linked" if arrival.outcome == "linked" else wanted
    return sign_in(request, go_to(request, path), arrival.opened.token, arrival.opened.expires_at)


async def _turned_away(request: Request[Any, Any, Any], refusal: Refused, wanted: str) -> Response[Any]:
    """Whoever is signed in reads it among their own accounts, or on the locked screen; others at the door."""
    found = session_of(request)
    if found is not None and not found.locked:
        return await _page(request, refusal)
    if found is not None:
        return await lock_page(request, after(wanted), *_said(refusal))
    return await entrance(request, {"next": wanted}, *_said(refusal))


# ------------------------------------------------------------------ one's own
@get(MINE, of=MyExternalIdentities, media=HTML, query=Done)
async def mine(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's accounts at other providers: which are linked, linking and unlinking."""
    return await _page(request, done=read_query(request, Done).done)


async def _page(request: Request[Any, Any, Any], refusal: Refused | None = None, done: str = "") -> Response[Any]:
    said, status = _said(refusal) if refusal else ("", 200)
    linked = await ask(request, MyExternalIdentities())
    shown = await providers_here(request)
    return render(request, "external.html", status=status, linked=linked, providers=shown, said=said, done=done)


@post(f"{MINE}/unlink/{{identity_id:uuid}}", of=UnlinkExternalIdentity, media=HTML)
async def unlink(request: Request[Any, Any, Any]) -> Response[Any]:
    """It opens nothing any more; every other session ends."""
    try:
        await ask(request, UnlinkExternalIdentity(identity_id=request.path_params["identity_id"]))
    except EXPECTED as refusal:
        return await _page(request, refusal)
    forget(request)
    return go_to(request, f"{MINE}?done=unlinked")


PAGES = [enter, accept, link, prove, unlock, leave, come_back, mine, unlink]
