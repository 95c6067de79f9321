"""The endpoints for programs: one form in, one JSON answer out. What a refusal has marked stays marked."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from salerno.contexts.identity.commands.provider import AskProvider, ProviderAnswer
from salerno.contexts.identity.handlers.provider import lookups
from salerno.contexts.identity.handlers.provider.authorize import keep
from salerno.contexts.identity.handlers.provider.bridge import drive, wait
from salerno.contexts.identity.handlers.provider.clients import METHODS, REFRESH, Client
from salerno.contexts.identity.handlers.provider.guessing import (
    count_secret,
    forget_secrets_tried,
    who_shows_a_secret,
)
from salerno.contexts.identity.handlers.provider.requests import is_plain, refuse_odd_request
from salerno.contexts.identity.handlers.provider.server import Answer, Server
from salerno.contexts.identity.handlers.provider.talk import PUSHED_LIFE, Talk, keys_for, talk_of
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.client import PUBLIC
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
MAY_REPEAT = frozenset({"resource"})


async def ask_provider(desk: Desk, errand: AskProvider, caller: Caller) -> ProviderAnswer:
    client = who_shows_a_secret(errand)
    tried = None if client is None else await count_secret(desk, client, caller)
    keys = await keys_for(desk)

    async def work(tx: Tx) -> tuple[Answer, bool]:
        talk = talk_of(desk, keys, caller, tx, errand.form)
        talk.authorization = errand.authorization
        return await drive(_answer, Server(talk), errand.endpoint), talk.proved

    (status, body, headers), proved = await desk.within(INSTALLATION, work)
    if tried is not None and proved:
        await forget_secrets_tried(desk, tried)
    return ProviderAnswer(status=status, body=dict(body), headers=tuple((n, str(v)) for n, v in headers))


def _answer(server: Server, endpoint: str) -> Answer:
    request = server.talk.request()
    answer: Answer
    try:
        _once_each(server.talk)
        _one_way_to_prove(server.talk)
        match endpoint:
            case "token":
                wait(_tidy(server.talk))
                wait(_name_public_client(server.talk))
                answer = server.create_token_response(server.talk.request())
            case "par":
                answer = _push(server, request)
            case _:
                answer = server.create_endpoint_response(endpoint, request)
    except OAuth2Error as error:
        answer = server.handle_error_response(request, error)
    return answer


async def _tidy(talk: Talk) -> None:
    """What is long over is not kept."""
    await talk.tx.run(SQL["forget_provider_rows"], talk.now, talk.now - talk.policy.refresh_token)


async def _name_public_client(talk: Talk) -> None:
    """SMART's own library renews without a client_id: of a public client, the refresh token says whose it is."""
    said = dict(talk.form)
    if said.get("grant_type") != REFRESH or "client_id" in said or talk.authorization or "client_assertion" in said:
        return
    found = await lookups.refresh_token(talk, said.get("refresh_token", ""))
    client = await talk.client(found.client_id) if found else None
    if client is not None and client.terms.kind in PUBLIC:
        talk.form = (*talk.form, ("client_id", client.id))


def _once_each(talk: Talk) -> None:
    if not is_plain(talk.form):
        raise InvalidRequestError("A parameter has characters that it cannot have.")
    names = [name for name, _ in talk.form if name not in MAY_REPEAT]
    if len(set(names)) != len(names):
        raise InvalidRequestError("A parameter appears twice.")


def _one_way_to_prove(talk: Talk) -> None:
    names = {name for name, value in talk.form if value}
    ways = [bool(talk.authorization), "client_secret" in names, "client_assertion" in names]
    if sum(ways) > 1:
        raise InvalidRequestError("More than one way of client authentication.")


def _push(server: Server, request: Any) -> Answer:
    """Pushed authorization requests (RFC 9126): checked now, asked for later by a name of our making."""
    talk = server.talk
    if "request_uri" in request.form or "request" in request.form:
        raise InvalidRequestError("A pushed request names no other.")
    client: Client = server.authenticate_client(request, METHODS, "par")
    if request.form.get("client_id", client.id) != client.id:
        raise InvalidRequestError("client_id is another one's.")
    if not any(name == "client_id" for name, _ in talk.form):
        talk.form = (*talk.form, ("client_id", client.id))
    asked = talk.request()
    try:
        server.get_consent_grant(asked)
        refuse_odd_request(talk, asked)
    except OAuth2Error as error:
        error.redirect_uri = None
        raise
    secret = ("client_secret", "client_assertion", "client_assertion_type")
    pairs = tuple(pair for pair in talk.form if pair[0] not in secret)
    handle = wait(keep(talk, client.id, pairs, pushed=True))
    body = {"request_uri": REQUEST_URI + handle, "expires_in": int(PUSHED_LIFE.total_seconds())}
    return server.handle_response(201, body, [("Content-Type", "application/json")])
