"""At /authorize: what the program wants, who is there, and what the person allows. A code comes of it, or a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError

from salerno.contexts.identity.commands.provider import BeginAuthorization, GoOnWithAuthorization, Step
from salerno.contexts.identity.events import ClientAllowed
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.provider.bridge import drive
from salerno.contexts.identity.handlers.provider.clients import Client
from salerno.contexts.identity.handlers.provider.lookups import uuid_of
from salerno.contexts.identity.handlers.provider.requests import (
    ENCOUNTER,
    LAUNCHES,
    audience_of,
    is_plain,
    refuse_odd_request,
)
from salerno.contexts.identity.handlers.provider.server import Server
from salerno.contexts.identity.handlers.provider.talk import (
    ASKING_LIFE,
    CODE_LIFE,
    PUSHED_LIFE,
    Asked,
    Grounds,
    Talk,
    keys_for,
    new_handle,
    talk_of,
)
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.roles import ENROLMENT, Role
from salerno.contexts.identity.rules.scopes import PLAIN, allowed, narrowed, split
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
ALWAYS_ASKED = "native"  # any program may claim a loopback address or a scheme of its own


@dataclass(frozen=True, slots=True)
class Presence:
    """Who sits before the browser, and since when."""

    account: UUID
    home: UUID
    session: UUID
    since: datetime
    factor: bool
    shown: tuple[str, ...]
    acting: UUID | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the person has said on the page."""

    decision: str = ""
    scopes: tuple[str, ...] = ()
    patient: UUID | None = None


async def begin_authorization(desk: Desk, errand: BeginAuthorization, caller: Caller) -> Step:
    keys = await keys_for(desk)

    async def work(tx: Tx) -> Step:
        talk = talk_of(desk, keys, caller, tx, errand.parameters)
        if errand.posted:
            return await _step(talk, talk.now, Answered(), "", posted=True)
        if (refused := await _take_pushed(talk)) is not None:
            return refused
        return await _step(talk, talk.now, Answered(), "")

    return await desk.within(INSTALLATION, work)


async def go_on_with_authorization(desk: Desk, errand: GoOnWithAuthorization, caller: Caller) -> Step:
    keys = await keys_for(desk)

    async def work(tx: Tx) -> Step:
        row = await tx.fetchrow(SQL["authorization"], token_hash(errand.handle), tx.now)
        if row is None:
            return Step(outcome="error", error="expired")
        (asked,) = await tx.open_docs("authorizations", [row], Asked)
        talk = talk_of(desk, keys, caller, tx, asked.parameters)
        answered = Answered(errand.decision, errand.scopes, errand.patient)
        return await _step(talk, row["asked_at"], answered, errand.handle)

    return await desk.within(INSTALLATION, work)


async def keep(talk: Talk, client_id: str, parameters: tuple[tuple[str, str], ...], *, pushed: bool) -> str:
    """Remember a request under a name that only its browser or its program knows."""
    handle, id = new_handle(), talk.tx.new_id()
    sealed = await talk.tx.seal_doc("authorizations", id, INSTALLATION, Asked(parameters))
    life = PUSHED_LIFE if pushed else ASKING_LIFE
    await talk.tx.run(
        SQL["put_authorization"], token_hash(handle), id, INSTALLATION, sealed, client_id, pushed, talk.now,
        talk.now + life,
    )  # fmt: skip
    return handle


async def _take_pushed(talk: Talk) -> Step | None:
    """A request that was pushed stands in for the one in the address; no other address is ever fetched."""
    given = dict(talk.form)
    uri = given.get("request_uri")
    if uri is None:
        return None
    row = None
    if uri.startswith(REQUEST_URI):
        hash = token_hash(uri.removeprefix(REQUEST_URI))
        row = await talk.tx.fetchrow(SQL["take_pushed"], hash, talk.now, given.get("client_id", ""))
    if row is None:
        return Step(outcome="error", error="invalid_request_uri")
    (asked,) = await talk.tx.open_docs("authorizations", [row], Asked)
    talk.form = asked.parameters
    return None


async def _carried(talk: Talk, client_id: str) -> Step:
    """What came in a form goes on as if its program had pushed it: one way to a code, whatever the method."""
    named = dict(talk.form).get("request_uri")
    uri = named or REQUEST_URI + await keep(talk, client_id, talk.form, pushed=True)
    return Step(outcome="back", location=f"/authorize?{urlencode({'client_id': client_id, 'request_uri': uri})}")


async def _step(talk: Talk, asked_at: datetime, answered: Answered, handle: str, *, posted: bool = False) -> Step:
    if posted and "request_uri" in dict(talk.form):
        return await _carried(talk, dict(talk.form).get("client_id", ""))
    if not is_plain(talk.form):
        return Step(outcome="error", error="invalid_request")
    server, request = Server(talk), talk.request()
    try:
        await drive(server.get_consent_grant, request)
        refuse_odd_request(talk, request)
        if posted:
            return await _carried(talk, request.client.id)
        return await _decide(talk, request, asked_at, answered, handle)
    except OAuth2Error as error:
        if error.redirect_uri:
            error.state = request.payload.state
            _, _, headers = server.handle_error_response(request, error)
            if handle:
                await talk.tx.run(SQL["drop_authorization"], token_hash(handle))
            return Step(outcome="back", location=dict(headers)["Location"])
        return Step(outcome="error", error=str(error.error))


async def _decide(talk: Talk, request: Any, asked_at: datetime, answered: Answered, handle: str) -> Step:
    client: Client = request.client
    data: dict[str, str] = request.payload.data
    back = data["redirect_uri"]
    prompts = data.get("prompt", "").split()
    present = await _presence(talk)
    if present is None or _too_long_ago(present, data, prompts, asked_at):
        if prompts == ["none"]:
            raise LoginRequiredError(redirect_uri=back)
        handle = handle or await keep(talk, client.id, talk.form, pushed=False)
        return Step(outcome="sign-in", handle=handle, again=present is not None)
    if talk.caller.permissions == ENROLMENT:
        if prompts == ["none"]:
            raise LoginRequiredError(redirect_uri=back)
        return Step(outcome="enrol")
    if client.home not in (INSTALLATION, talk.caller.organisation) or answered.decision == "deny":
        raise AccessDeniedError(redirect_uri=back)
    wanted = _grantable(talk.caller, split(request.scope))
    patient, encounter = await _launched(talk, client, data, wanted, back)
    if encounter is None:  # nobody chooses a visit here: what is not given is not said to be granted
        wanted = tuple(scope for scope in wanted if scope != ENCOUNTER)
    if not wanted:
        raise InvalidScopeError(redirect_uri=back)
    patient = patient or _own_chart(talk.caller, wanted)
    must_choose = patient is None and _needs_patient(wanted)
    if await _must_ask(talk, client, present, wanted, prompts, must_choose) and not answered.decision:
        if prompts == ["none"]:
            raise ConsentRequiredError(redirect_uri=back)
        handle = handle or await keep(talk, client.id, talk.form, pushed=False)
        return Step(
            outcome="consent", handle=handle, name=client.terms.name, host=urlsplit(back).netloc or back,
            scopes=wanted, needs_patient=must_choose,
        )  # fmt: skip
    return await _grant(talk, request, present, wanted, (patient, encounter), answered, handle)


async def _grant(
    talk: Talk,
    request: Any,
    present: Presence,
    wanted: tuple[str, ...],
    launched: tuple[UUID | None, UUID | None],
    answered: Answered,
    handle: str,
) -> Step:
    """Everything is known: a code, for what the person has left of the wish."""
    client: Client = request.client
    data: dict[str, str] = request.payload.data
    back, (patient, encounter) = data["redirect_uri"], launched
    if answered.decision:
        must_choose = patient is None and _needs_patient(wanted)
        wanted = tuple(scope for scope in wanted if scope in answered.scopes or scope == "openid")
        if must_choose and _needs_patient(wanted):
            patient = answered.patient
            if patient is None:
                raise InvalidRequestError("No patient was chosen.", redirect_uri=back)
        if not wanted:
            raise AccessDeniedError(redirect_uri=back)
        await _remember(talk, client, present, wanted)
    elif client.trusted and not await _was_allowed(talk, client, present, wanted):
        await _remember(talk, client, present, wanted)  # ours ask nobody; their owner sees them listed all the same
    if handle and not await talk.tx.fetchval(SQL["drop_authorization"], token_hash(handle)):
        return Step(outcome="error", error="expired")
    grounds = Grounds(
        home=present.home, account=present.account, parent=present.session, acting=present.acting,
        scope=" ".join(wanted),
        audience=audience_of(talk, request), auth_time=present.since, factor=present.factor,
        shown=present.shown, nonce=data.get("nonce", ""), patient=patient, encounter=encounter, redirect_uri=back,
        challenge=data["code_challenge"],
    )  # fmt: skip
    return Step(outcome="back", location=await _location(talk, client, grounds, data.get("state")))


async def _presence(talk: Talk) -> Presence | None:
    """The person of a browser's session. A program's token is nobody's presence."""
    session = talk.caller.session
    if session is None:
        return None
    row = await talk.tx.fetchrow(SQL["session_for_provider"], session, talk.caller.actor)
    if row is None or row["kind"] != "web":
        return None
    home: Any = await talk.tx.fetchval(SQL["home_of"], talk.caller.actor)
    acting = row["acting"] and uuid_of(row["acting"])
    shown = tuple(row["shown"])
    return Presence(talk.caller.actor, uuid_of(home), session, row["opened_at"], row["factor"], shown, acting)


def _too_long_ago(present: Presence, data: dict[str, str], prompts: list[str], asked_at: datetime) -> bool:
    """Whether the program wants the person to prove again who they are."""
    if {"login", "select_account"} & set(prompts) and present.since < asked_at:
        return True
    if "max_age" not in data:
        return False
    return (asked_at - present.since).total_seconds() > int(data["max_age"])


def _grantable(caller: Caller, asked: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked without what would let the program do nothing, since the person may do nothing of it."""
    return tuple(scope for scope in asked if scope in PLAIN or narrowed(caller.permissions, [scope], with_patient=True))


def _needs_patient(scopes: tuple[str, ...]) -> bool:
    return "launch/patient" in scopes or any(scope.startswith("patient/") for scope in scopes)


def _own_chart(caller: Caller, scopes: tuple[str, ...]) -> UUID | None:
    """Patients reach their own chart, whichever program asks."""
    return caller.subject if caller.role == Role.PATIENT and _needs_patient(scopes) else None


async def _launched(
    talk: Talk, client: Client, data: dict[str, str], wanted: tuple[str, ...], back: str
) -> tuple[UUID | None, UUID | None]:
    """The chart from which the program was opened."""
    launch = data.get("launch")
    if "launch" not in wanted:
        if launch is not None:
            raise InvalidRequestError("A launch needs the scope launch.", redirect_uri=back)
        return None, None
    row = await talk.tx.fetchrow(SQL["launch"], token_hash(launch or ""), client.id, talk.caller.actor, talk.now)
    if row is None:
        raise InvalidRequestError("The launch is unknown or over.", redirect_uri=back)
    return uuid_of(row["patient"]), row["encounter"] and uuid_of(row["encounter"])


async def _must_ask(
    talk: Talk, client: Client, present: Presence, wanted: tuple[str, ...], prompts: list[str], must_choose: bool
) -> bool:
    """What was allowed before is not asked again; it is never stretched either."""
    if must_choose or "consent" in prompts:
        return True
    if client.trusted:
        return False
    if client.terms.kind == ALWAYS_ASKED:
        return True
    return not await _was_allowed(talk, client, present, wanted)


async def _was_allowed(talk: Talk, client: Client, present: Presence, wanted: tuple[str, ...]) -> bool:
    before = await talk.tx.fetchval(SQL["consent"], present.account, client.id)
    return set(allowed(wanted, split(before or ""))) == set(wanted)


async def _remember(talk: Talk, client: Client, present: Presence, scopes: tuple[str, ...]) -> None:
    kept = " ".join(scope for scope in scopes if scope not in LAUNCHES or scope == "launch")
    await talk.tx.run(SQL["put_consent"], present.account, client.id, kept, talk.now)
    async with talk.tx.inside(present.home) as there:
        await note(there, present.account, ClientAllowed(account=present.account, client=client.id, scopes=scopes))


async def _location(talk: Talk, client: Client, grounds: Grounds, state: str | None) -> str:
    code, id = new_handle(), talk.tx.new_id()
    sealed = await talk.tx.seal_doc("codes", id, INSTALLATION, grounds)
    await talk.tx.run(SQL["put_code"], token_hash(code), id, INSTALLATION, sealed, client.id, talk.now + CODE_LIFE)
    params = [("code", code), *([("state", state)] if state is not None else []), ("iss", talk.issuer)]
    return str(add_params_to_uri(grounds.redirect_uri, params))
