"""Passkeys, showing once more who one is, and the locked screen. The browser's answers travel in plain forms."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from salerno.contexts.identity.commands import DropPassword, Opened
from salerno.contexts.identity.commands.external import MyExternalIdentities
from salerno.contexts.identity.commands.passkeys import (
    AddPasskey,
    BeginPasskey,
    EnterByPasskey,
    LockScreen,
    MyPasskeys,
    OfferPasskey,
    PasskeyKept,
    ProveAgain,
    RemovePasskey,
)
from salerno.contexts.identity.queries import Me
from salerno.interfaces.http import (
    Body,
    Filled,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_of,
    caller_or_nobody,
    get,
    no_content,
    post,
    read_form,
    read_query,
    safe_path,
    session_of,
)
from salerno.interfaces.http.cookies import device_of, forget, sign_in, token_of
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.entrance import entrance, lock_page
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Conflict, Invalid, NotSignedIn, Refused, TooMany, Unavailable

HTML = "text/html"
TODAY, ACCOUNT, PROVE, LOCKED = "/today", "/account", "/confirm-identity", "/locked"
NOBODY_YET = "whoever signs in is nobody yet"
SAID = {
    "passkey-refused": mark("This passkey was not accepted. Try again."),
    "passkey-invalid": mark("This passkey could not be added. Try again."),
    "account-not-ready": mark("This account has not been approved yet, or has been deactivated."),
    "too-many-attempts": mark("Too many attempts. Wait a little."),
    "wrong-password": mark("That is not your present password."),
    "wrong-code": mark("The code is wrong, used or too old."),
    "no-second-factor": mark("Use your passkey or a code of your authenticator."),
    "second-factor-demanded": mark("Your role needs a second factor."),
    "passkey-needed": mark("Add a passkey first: without one nothing else would let you in."),
    "password-demanded": mark("Your organisation asks everybody to keep a password."),
    "no-password": mark("This account has no password."),
    "password-needed": mark("This passkey is your only way in. Choose a password first, or add another passkey."),
    "no-mail": mark("This installation has no mail server: without a password a lost passkey would lock you out."),
    "sign-in-busy": mark("Too many people are signing in at once. Try again in a moment."),
}
EXPECTED = (NotSignedIn, Conflict, Invalid, TooMany, Unavailable)


class Wanted(Body):
    """Where to go afterwards."""

    next: Annotated[str, Meta(max_length=300)] = TODAY


def _said(refusal: Refused) -> tuple[str, int]:
    problem = problem_of(refusal)
    return SAID.get(problem.code, problem.sentence), problem.status


def _credential(filled: Filled) -> dict[str, Any] | None:
    """What the browser's authenticator answered; something that no authenticator says where it cannot be read."""
    text = filled.get("credential", "")
    if not text:
        return None
    try:
        read = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return read if isinstance(read, dict) else {}


# ------------------------------------------------------------------ coming in
@post("/sign-in/passkey/options", of=OfferPasskey, public=NOBODY_YET)
async def offer(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the browser asks its authenticator: the same for everybody."""
    return answer(request, await bus_of(request).ask(OfferPasskey(), caller_or_nobody(request)))


@post("/sign-in/passkey", of=EnterByPasskey, public=NOBODY_YET, media=HTML)
async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in with a passkey alone."""
    filled = await read_form(request)
    wish = EnterByPasskey(
        credential=_credential(filled) or {},
        device=device_of(request),
        agent=request.headers.get("user-agent", "")[:400],
        previous=token_of(request),
    )
    wanted = safe_path(filled.get("next", ""), TODAY)
    try:
        opened: Opened = await bus_of(request).ask(wish, caller_or_nobody(request))
    except EXPECTED as refusal:
        said, status = _said(refusal)
        return await entrance(request, {"next": wanted}, said, status)
    return sign_in(request, go_to(request, wanted), opened.token, opened.expires_at, opened.device)


# ------------------------------------------------------------------ one's own passkeys
@post(f"{ACCOUNT}/passkeys/options", of=BeginPasskey)
async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the browser asks its authenticator for a new passkey."""
    return answer(request, await ask(request, BeginPasskey()))


@post(f"{ACCOUNT}/passkeys", of=AddPasskey, media=HTML)
async def add(request: Request[Any, Any, Any]) -> Response[Any]:
    """Keep the new passkey; the first second factor of an account brings recovery codes, shown once."""
    filled = await read_form(request)
    name = " ".join(filled.get("name", "").split())[:60] or "Passkey"
    try:
        kept: PasskeyKept = await ask(request, AddPasskey(name=name, credential=_credential(filled) or {}))
    except EXPECTED as refusal:
        return await passkeys_page(request, refusal)
    found = session_of(request)
    assert found is not None
    made = (
        render(request, "recovery_codes.html", codes=kept.codes)
        if kept.codes
        else go_to(request, f"{ACCOUNT}/passkeys?done=passkey")
    )
    return sign_in(request, made, kept.token, found.expires_at)


@post(f"{ACCOUNT}/passkeys/{{passkey_id:uuid}}/remove", of=RemovePasskey, media=HTML)
async def remove(request: Request[Any, Any, Any]) -> Response[Any]:
    """The passkey opens nothing any more; every other session ends."""
    try:
        await ask(request, RemovePasskey(passkey_id=request.path_params["passkey_id"]))
    except EXPECTED as refusal:
        return await passkeys_page(request, refusal)
    forget(request)
    return go_to(request, f"{ACCOUNT}/passkeys?done=removed")


class Looked(Body):
    done: Annotated[str, Meta(pattern="^(passkey|removed|dropped)?$")] = ""


@get(f"{ACCOUNT}/passkeys", of=MyPasskeys, media=HTML, query=Looked)
async def passkeys(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's passkeys: which there are, when each was last used, adding and removing."""
    return await passkeys_page(request, done=read_query(request, Looked).done)


async def passkeys_page(
    request: Request[Any, Any, Any], refusal: Refused | None = None, done: str = ""
) -> Response[Any]:
    said, status = _said(refusal) if refusal else ("", 200)
    mine, me = await ask(request, MyPasskeys()), await ask(request, Me())
    return render(request, "passkeys.html", status=status, passkeys=mine, me=me, said=said, done=done)


@post(f"{ACCOUNT}/password/drop", of=DropPassword, media=HTML)
async def drop_password(request: Request[Any, Any, Any]) -> Response[Any]:
    """Do without a password from now on; every other session ends."""
    try:
        opened: Opened = await ask(request, DropPassword())
    except EXPECTED as refusal:
        return await passkeys_page(request, refusal)
    forget(request)
    return sign_in(request, go_to(request, f"{ACCOUNT}/passkeys?done=dropped"), opened.token, opened.expires_at)


# ------------------------------------------------------------------ once more
@get(PROVE, of=Me, media=HTML, query=Wanted)
async def prove_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """Asked for before something grave."""
    return await _prove(request, safe_path(read_query(request, Wanted).next, TODAY))


async def _prove(request: Request[Any, Any, Any], wanted: str, refusal: Refused | None = None) -> Response[Any]:
    said, status = _said(refusal) if refusal else ("", 200)
    me = await ask(request, Me())
    linked = [one for one in await ask(request, MyExternalIdentities()) if one.listed]
    return render(request, "prove.html", status=status, next=wanted, said=said, me=me, linked=linked)


@post(PROVE, of=ProveAgain, media=HTML)
async def prove(request: Request[Any, Any, Any]) -> Response[Any]:
    """For some minutes everything that one may do is open."""
    filled = await read_form(request)
    wanted = safe_path(filled.get("next", ""), TODAY)
    try:
        opened = await _shown(request, filled, "grave")
    except EXPECTED as refusal:
        return await _prove(request, wanted, refusal)
    return sign_in(request, go_to(request, wanted), opened.token, opened.expires_at)


async def _shown(request: Request[Any, Any, Any], filled: Filled, purpose: Any) -> Opened:
    wish = ProveAgain(
        password=filled.get("password", "")[:100_000],
        code=filled.get("code", "")[:100],
        credential=_credential(filled),
        purpose=purpose,
    )
    opened: Opened = await bus_of(request).ask(wish, caller_of(request))
    return opened


# ------------------------------------------------------------------ the locked screen
@post("/lock", of=LockScreen, media=HTML)
async def lock(request: Request[Any, Any, Any]) -> Response[Any]:
    """Lock the screen; the session goes on behind it."""
    filled = await read_form(request)
    await ask(request, LockScreen())
    forget(request)
    return go_to(request, f"{LOCKED}?next={safe_path(filled.get('next', ''), TODAY)}")


@get(LOCKED, public="shows nothing but who is asked to unlock", media=HTML, query=Wanted)
async def locked(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who is asked to unlock. What was on the screen is not here."""
    wanted = safe_path(read_query(request, Wanted).next, TODAY)
    if session_of(request) is None:
        return go_to(request, f"/sign-in?next={wanted}")
    return await lock_page(request, wanted)


@post(LOCKED, of=ProveAgain, media=HTML)
async def unlock(request: Request[Any, Any, Any]) -> Response[Any]:
    """Quickly back: a passkey, a code or the password."""
    filled = await read_form(request)
    wanted = safe_path(filled.get("next", ""), TODAY)
    try:
        opened = await _shown(request, filled, "unlock")
    except EXPECTED as refusal:
        return await lock_page(request, wanted, *_said(refusal))
    return sign_in(request, go_to(request, wanted), opened.token, opened.expires_at)


@post("/awake", of=Me, media=HTML)
async def awake(request: Request[Any, Any, Any]) -> Response[Any]:
    """Somebody types or reads: their own action, which no request would tell of otherwise."""
    await ask(request, Me())
    return no_content()


PAGES = [offer, enter, begin, add, remove, passkeys, drop_password, prove_page, prove, lock, locked, unlock, awake]
