"""One's own account: profile, password, second factor, sessions, chart (IAM-22)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands import (
    ChangePassword,
    ChartCode,
    ClaimChart,
    ConfirmTotp,
    DropPassword,
    EndMySession,
    EndMySessions,
    EnrolTotp,
    IssueChartCode,
    MySessions,
    Opened,
    Profile,
    RecoveryCodes,
    RegenerateRecoveryCodes,
    RemoveTotp,
    TotpSecret,
)
from salerno.contexts.identity.queries import Me
from salerno.interfaces.api.identity.shapes import (
    TAGS,
    ApiUser,
    Code,
    NewPassword,
    Password,
    PasswordAndCode,
    SessionList,
    forgetting,
    user_of,
)
from salerno.interfaces.http import (
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    post,
    put,
    read_body,
)
from salerno.interfaces.http.cookies import sign_in, token_of


# ------------------------------------------------------------------ one's own account
@get("/users/me", of=Me, at="versioned", gives=ApiUser, tags=TAGS)
async def api_me(request: Request[Any, Any, Any]) -> Response[Any]:
    """The bearer's own account."""
    return answer(request, user_of(await ask(request, Me())))


@get("/users/me", of=Me, at="bare", gives=Profile, tags=TAGS)
async def plain_me(request: Request[Any, Any, Any]) -> Response[Any]:
    """The bearer's own account."""
    return answer(request, await ask(request, Me()))


@put("/users/me/password", of=ChangePassword, takes=NewPassword, status=204, tags=TAGS)
async def change_password(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change the password. Every other session ends."""
    body = await read_body(request, NewPassword)
    opened: Opened = await ask(request, ChangePassword(current=body.current, new=body.new))
    return sign_in(request, no_content(), opened.token if token_of(request) else "", opened.expires_at)


@delete("/users/me/password", of=DropPassword, status=204, tags=TAGS)
async def drop_password(request: Request[Any, Any, Any]) -> Response[Any]:
    """Do without a password where a passkey stands. Every other session ends."""
    opened: Opened = await ask(request, DropPassword())
    return sign_in(request, no_content(), opened.token if token_of(request) else "", opened.expires_at)


@post("/users/me/totp", of=EnrolTotp, takes=Password, gives=TotpSecret, status=201, tags=TAGS)
async def enrol_totp(request: Request[Any, Any, Any]) -> Response[Any]:
    """Begin with an authenticator: its secret, as text and as an address for a QR code."""
    body = await read_body(request, Password)
    return answer(request, await ask(request, EnrolTotp(password=body.password)), 201)


class RecoveryCodesAnswer(Struct, frozen=True, kw_only=True):
    recovery_codes: tuple[str, ...]


@post("/users/me/totp/confirm", of=ConfirmTotp, takes=Code, gives=RecoveryCodesAnswer, tags=TAGS)
async def confirm_totp(request: Request[Any, Any, Any]) -> Response[Any]:
    """Confirm the authenticator with a code of it. The recovery codes are shown this once."""
    body = await read_body(request, Code)
    codes: RecoveryCodes = await ask(request, ConfirmTotp(code=body.code))
    made = answer(request, RecoveryCodesAnswer(recovery_codes=codes.codes))
    return sign_in(request, made, codes.token if token_of(request) else "", _in_a_session(request))


def _in_a_session(request: Request[Any, Any, Any]) -> datetime:
    ends: datetime = request.scope["state"]["session"].expires_at
    return ends


@post("/users/me/totp/remove", of=RemoveTotp, takes=PasswordAndCode, status=204, tags=TAGS)
async def remove_totp(request: Request[Any, Any, Any]) -> Response[Any]:
    """Do without a second factor, where the role allows it."""
    body = await read_body(request, PasswordAndCode)
    await ask(request, RemoveTotp(password=body.password, code=body.code))
    return forgetting(request, no_content())


@post("/users/me/recovery-codes", of=RegenerateRecoveryCodes, takes=Password, gives=RecoveryCodesAnswer, tags=TAGS)
async def recovery_codes(request: Request[Any, Any, Any]) -> Response[Any]:
    """New recovery codes; the old ones are void."""
    body = await read_body(request, Password)
    codes: RecoveryCodes = await ask(request, RegenerateRecoveryCodes(password=body.password))
    return answer(request, RecoveryCodesAnswer(recovery_codes=codes.codes))


@get("/users/me/sessions", of=MySessions, gives=SessionList, tags=TAGS)
async def my_sessions(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where one is signed in."""
    return answer(request, SessionList(sessions=await ask(request, MySessions())))


@delete("/users/me/sessions", of=EndMySessions, status=204, tags=TAGS)
async def end_my_sessions(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign out everywhere else."""
    await ask(request, EndMySessions())
    return forgetting(request, no_content())


@delete("/users/me/sessions/{session_id:uuid}", of=EndMySession, status=204, tags=TAGS)
async def end_my_session(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign out one session."""
    await ask(request, EndMySession(session_id=request.path_params["session_id"]))
    return forgetting(request, no_content())


class LinkedChart(Struct, frozen=True, kw_only=True):
    patient_id: UUID


@post("/users/me/chart", of=ClaimChart, takes=Code, gives=LinkedChart, tags=TAGS)
async def claim_chart(request: Request[Any, Any, Any]) -> Response[Any]:
    """Link one's account with the chart that a code was handed out for."""
    body = await read_body(request, Code)
    patient = await ask(request, ClaimChart(code=body.code))
    return forgetting(request, answer(request, LinkedChart(patient_id=patient)))


@post("/patients/{patient_id:uuid}/account-code", of=IssueChartCode, gives=ChartCode, status=201, tags=TAGS)
async def issue_chart_code(request: Request[Any, Any, Any]) -> Response[Any]:
    """A code for this patient to make or link an account with, to be handed over in person."""
    return answer(request, await ask(request, IssueChartCode(patient_id=request.path_params["patient_id"])), 201)
