"""Signing in and up, the second factor, and one's own account: pages that work without a script."""

from collections.abc import Mapping
from typing import Annotated, Any

import segno
from markupsafe import Markup
from msgspec import Meta

from salerno.contexts.identity.commands import (
    ChallengePosed,
    ChangePassword,
    ClaimChart,
    ConfirmTotp,
    EndMySession,
    EndMySessions,
    EnrolTotp,
    MySessions,
    Opened,
    RecoveryCodes,
    RegenerateRecoveryCodes,
    Register,
    Registered,
    RemoveTotp,
    SignIn,
    SignOut,
    TotpSecret,
    VerifySecondFactor,
)
from salerno.contexts.identity.queries import Me
from salerno.interfaces.http import (
    CLEAR,
    Body,
    FieldError,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    caller_or_nobody,
    from_form,
    get,
    post,
    read_form,
    read_query,
    session_of,
)
from salerno.interfaces.http.cookies import device_of, forget, sign_in, sign_out, token_of
from salerno.interfaces.http.problems import Problem, field_error, problem_of
from salerno.interfaces.web.entrance import (
    CHALLENGE,
    after,
    ask_second_factor,
    challenge,
    entrance,
    let_in,
    providers_here,
)
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.words import mark
from salerno.kernel.errors import Invalid, NotAllowed, NotSignedIn, Refused, TooMany, Unavailable
from salerno.kernel.messages import Errand

TODAY, ACCOUNT, SIGN_IN, SIGN_UP = "/today", "/account", "/sign-in", "/sign-up"
NOBODY_YET = "whoever signs in is nobody yet"
SAID = {
    "wrong-credentials": mark("The e-mail address or the password is wrong."),
    "account-not-ready": mark("This account has not been approved yet, or has been deactivated."),
    "wrong-code": mark("The code is wrong, used or too old."),
    "challenge-over": mark("This sign-in took too long or failed too often. Start again."),
    "too-many-attempts": mark(
        "Too many failed attempts. Wait a few minutes, or use a device that you have signed in with before."
    ),
    "sign-in-busy": mark("Too many people are signing in at once. Try again in a moment."),
    "sign-up-closed": mark("Sign up here with a code from your clinic."),
    "chart-code-refused": mark("This code is not valid. Ask your clinic for a new one."),
    "password-refused": mark("Choose another password."),
    "too-short": mark("Take a longer password: a few words in a row are easy to remember."),
    "too-common": mark("This password is one of those that attackers try first."),
    "too-personal": mark("This password is made of your name or address."),
    "not-an-address": mark("This is not an e-mail address."),
    "required": mark("This is needed."),
    "wrong-password": mark("That is not your present password."),
    "no-second-factor": mark("No second factor is being set up, or there is none."),
    "second-factor-demanded": mark("Your role needs a second factor."),
    "account-not-active": mark("Only a patient's account without a chart can be linked."),
}
EXPECTED = (NotSignedIn, NotAllowed, Invalid, TooMany, Unavailable)


class Wanted(Body):
    """Where to go afterwards."""

    next: Annotated[str, Meta(max_length=300)] = TODAY
    done: Annotated[
        str, Meta(pattern="^(out|registered|password|factor|ended|chart|reset|confirmed|waiting|passkey|email)?$")
    ] = ""
    again: bool = False
    at: Annotated[str, Meta(max_length=40)] = ""


class SignUpForm(Body):
    given_name: Annotated[str, Meta(min_length=1, max_length=120)]
    family_name: Annotated[str, Meta(min_length=1, max_length=120)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    role: Annotated[str, Meta(max_length=40)] = "PATIENT"
    code: Annotated[str, Meta(max_length=100)] = ""
    password: str = ""


def _agent(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("user-agent", "")[:400]


def _shown(problem: Problem) -> tuple[str, list[FieldError]]:
    """What a refusal says above the form, and at its fields."""
    errors = [field_error(e.path, e.code, SAID.get(e.code, e.message)) for e in problem.errors]
    return ("" if errors else SAID.get(problem.code, problem.sentence)), errors


async def _run(request: Request[Any, Any, Any], errand: Errand) -> Any:
    return await bus_of(request).ask(errand, caller_or_nobody(request))


@get(SIGN_IN, public=NOBODY_YET, media="text/html", query=Wanted)
async def sign_in_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """The door."""
    wanted = read_query(request, Wanted)
    if session_of(request) is not None and not wanted.again:
        return go_to(request, after(wanted.next))
    return await entrance(request, {"next": wanted.next}, done=wanted.done, at=wanted.at)


@post(SIGN_IN, of=SignIn, public=NOBODY_YET, media="text/html")
async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in with a password; the second factor follows where there is one."""
    filled = await read_form(request)
    wish = SignIn(
        email=filled.get("email", "")[:1000],
        password=filled.get("password", ""),
        device=device_of(request),
        agent=_agent(request),
        previous=token_of(request),
    )
    try:
        opened: Opened | ChallengePosed = await _run(request, wish)
    except EXPECTED as refusal:
        return await _not_in(request, refusal, filled)
    if isinstance(opened, ChallengePosed):
        return ask_second_factor(request, opened, filled.get("next", ""))
    return let_in(request, opened, filled.get("next", ""))


async def _not_in(request: Request[Any, Any, Any], refusal: Refused, filled: Filled) -> Response[Any]:
    problem = problem_of(refusal)
    said, errors = _shown(problem)
    again = {"email": filled.get("email", ""), "next": filled.get("next", TODAY)}
    made = await entrance(request, again, said or errors[0].message, problem.status)
    made.headers.update({k: v for k, v in problem.headers.items() if k != "WWW-Authenticate"})
    return made


@post("/sign-in/code", of=VerifySecondFactor, public=NOBODY_YET, media="text/html")
async def second_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """The second half: a code of the authenticator, or a recovery code."""
    filled = await read_form(request)
    wish = VerifySecondFactor(
        challenge=request.cookies.get(CHALLENGE, "")[:200],
        code=filled.get("code", "")[:100],
        device=device_of(request),
        agent=_agent(request),
        previous=token_of(request),
    )
    try:
        opened: Opened = await _run(request, wish)
    except EXPECTED as refusal:
        problem = problem_of(refusal)
        said, _ = _shown(problem)
        if problem.code == "challenge-over":
            return await entrance(request, {"next": filled.get("next", TODAY)}, said, 401)
        return render(
            request,
            "second_factor.html",
            status=problem.status,
            next=after(filled.get("next", "")),
            said=said,
            methods=(),
        )
    made = let_in(request, opened, filled.get("next", ""))
    made.cookies.append(challenge("", 0))
    return made


@post("/sign-out", of=SignOut, media="text/html")
async def leave(request: Request[Any, Any, Any]) -> Response[Any]:
    """End the session; the browser forgets what it kept."""
    left = await ask(request, SignOut()) if session_of(request) is not None else ""
    made = sign_out(request, go_to(request, f"{SIGN_IN}?done=out{f'&at={left}' if left else ''}"))
    made.headers.update(CLEAR)
    return made


def _sign_up_page(
    request: Request[Any, Any, Any],
    filled: Mapping[str, str],
    errors: list[FieldError],
    said: str = "",
    status: int = 200,
) -> Response[Any]:
    return render(request, "sign_up.html", status=status, filled=filled, errors=errors, said=said)


@get(SIGN_UP, public="sign-up", media="text/html")
async def sign_up_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """A form for an account of one's own."""
    return _sign_up_page(request, {}, [])


@post(SIGN_UP, of=Register, public="sign-up", media="text/html")
async def sign_up(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for an account; what is said does not tell whether there is one already."""
    filled = await read_form(request)
    form, errors = from_form(SignUpForm, filled)
    if form is None:
        return _sign_up_page(request, filled, errors, status=422)
    wish = Register(
        email=form.email,
        password=filled.get("password", ""),
        given_name=form.given_name,
        family_name=form.family_name,
        role=form.role,
        language=look_of(request).language,  # type: ignore[arg-type]
        code=form.code,
    )
    try:
        made: Registered = await _run(request, wish)
    except EXPECTED as refusal:
        problem = problem_of(refusal)
        said, errors = _shown(problem)
        return _sign_up_page(request, filled, errors, said, problem.status)
    return render(
        request, "signed_up.html", status=201, waiting=made.status == "pending", unverified=made.status == "unverified"
    )


async def _account_page(
    request: Request[Any, Any, Any], said: str = "", status: int = 200, **shown: Any
) -> Response[Any]:
    found = session_of(request)
    context: dict[str, Any] = {"qr": "", "secret": "", "codes": (), "errors": [], "done": "", **shown}
    return render(
        request,
        "account.html",
        status=status,
        me=await ask(request, Me()),
        sessions=await ask(request, MySessions()),
        providers=await providers_here(request),
        must_enrol=bool(found and found.must_enrol),
        said=said,
        **context,
    )


async def _refused(request: Request[Any, Any, Any], refusal: Refused) -> Response[Any]:
    problem = problem_of(refusal)
    said, errors = _shown(problem)
    return await _account_page(request, said or errors[0].message, problem.status)


@get(ACCOUNT, of=Me, media="text/html", query=Wanted)
async def account(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's own account: password, second factor, sessions, language and colours."""
    return await _account_page(request, done=read_query(request, Wanted).done)


@post(f"{ACCOUNT}/password", of=ChangePassword, media="text/html")
async def change_password(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change the password; every other session ends."""
    filled = await read_form(request)
    try:
        opened: Opened = await ask(
            request, ChangePassword(current=filled.get("current", ""), new=filled.get("password", ""))
        )
    except Refused as refusal:
        return await _refused(request, refusal)
    return sign_in(request, go_to(request, f"{ACCOUNT}?done=password"), opened.token, opened.expires_at)


@post(f"{ACCOUNT}/second-factor", of=EnrolTotp, media="text/html")
async def begin_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """Show the secret, as a picture for the authenticator and as text."""
    filled = await read_form(request)
    try:
        made: TotpSecret = await ask(request, EnrolTotp(password=filled.get("password", "")))
    except Refused as refusal:
        return await _refused(request, refusal)
    drawn = segno.make(made.uri, error="m").svg_inline(scale=5, border=4, light="#fff", dark="#000")
    return await _account_page(request, qr=Markup(drawn), secret=made.secret)  # noqa: S704 - segno's own drawing


@post(f"{ACCOUNT}/second-factor/confirm", of=ConfirmTotp, media="text/html")
async def confirm_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """Count it from now on, and show the recovery codes this once."""
    filled = await read_form(request)
    try:
        codes: RecoveryCodes = await ask(request, ConfirmTotp(code=filled.get("code", "")[:100]))
    except Refused as refusal:
        return await _refused(request, refusal)
    found = session_of(request)
    assert found is not None
    made = render(request, "recovery_codes.html", codes=codes.codes)
    return sign_in(request, made, codes.token, found.expires_at)


@post(f"{ACCOUNT}/second-factor/codes", of=RegenerateRecoveryCodes, media="text/html")
async def renew_codes(request: Request[Any, Any, Any]) -> Response[Any]:
    """New recovery codes; the old ones are void."""
    filled = await read_form(request)
    try:
        codes: RecoveryCodes = await ask(request, RegenerateRecoveryCodes(password=filled.get("password", "")))
    except Refused as refusal:
        return await _refused(request, refusal)
    return render(request, "recovery_codes.html", codes=codes.codes)


@post(f"{ACCOUNT}/second-factor/remove", of=RemoveTotp, media="text/html")
async def remove_factor(request: Request[Any, Any, Any]) -> Response[Any]:
    """Do without it, where the role allows that."""
    filled = await read_form(request)
    try:
        await ask(request, RemoveTotp(password=filled.get("password", ""), code=filled.get("code", "")[:100]))
    except Refused as refusal:
        return await _refused(request, refusal)
    forget(request)
    return go_to(request, f"{ACCOUNT}?done=factor")


@post(f"{ACCOUNT}/sessions/{{session_id:uuid}}/end", of=EndMySession, media="text/html")
async def end_session(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign out one session."""
    await ask(request, EndMySession(session_id=request.path_params["session_id"]))
    forget(request)
    return go_to(request, f"{ACCOUNT}?done=ended")


@post(f"{ACCOUNT}/sessions/end", of=EndMySessions, media="text/html")
async def end_sessions(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign out everywhere else."""
    await ask(request, EndMySessions())
    forget(request)
    return go_to(request, f"{ACCOUNT}?done=ended")


@post(f"{ACCOUNT}/chart", of=ClaimChart, media="text/html")
async def claim_chart(request: Request[Any, Any, Any]) -> Response[Any]:
    """Link the account with one's chart, by a code from the clinic."""
    filled = await read_form(request)
    try:
        await ask(request, ClaimChart(code=filled.get("code", "")[:100]))
    except Refused as refusal:
        return await _refused(request, refusal)
    forget(request)
    return go_to(request, f"{ACCOUNT}?done=chart")


PAGES = [
    sign_in_page,
    enter,
    second_factor,
    leave,
    sign_up_page,
    sign_up,
    account,
    change_password,
    begin_factor,
    confirm_factor,
    renew_codes,
    remove_factor,
    end_session,
    end_sessions,
    claim_chart,
]
