"""Signing out at the wish of a program (RP-initiated logout)."""

from typing import Any
from uuid import UUID

from authlib.common.urls import add_params_to_uri
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from salerno.contexts.identity.commands.provider import EndSession, Farewell
from salerno.contexts.identity.events import SignedOut
from salerno.contexts.identity.handlers.keys import ALGORITHM
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.provider.lookups import uuid_of
from salerno.contexts.identity.handlers.provider.talk import Talk, keys_for, talk_of
from salerno.contexts.identity.projections import SQL
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx


async def end_session(desk: Desk, errand: EndSession, caller: Caller) -> Farewell:
    """At once with an id token of this very session; else only when the person confirms."""
    keys = await keys_for(desk)

    async def work(tx: Tx) -> Farewell:
        talk = talk_of(desk, keys, caller, tx, errand.parameters)
        said = dict(errand.parameters)
        hint = hint_of(talk, said.get("id_token_hint", ""))
        client_id = str(hint["aud"]) if hint else ""
        if said.get("client_id", client_id) != client_id:
            hint, client_id = None, ""
        client = await talk.client(client_id) if client_id else None
        wanted = said.get("post_logout_redirect_uri", "")
        registered = client is not None and wanted in client.terms.logout_uris
        location = _with_state(wanted, said.get("state")) if registered else ""
        name = client.terms.name if client else ""
        if caller.session is None:
            return Farewell(ended=True, location=location, name=name)
        if not errand.confirmed and (hint is None or hint.get("sid") != str(caller.session)):
            return Farewell(ended=False, location=location, name=name)
        await _end(tx, caller.session, caller.actor)
        return Farewell(ended=True, location=location, name=name)

    return await desk.within(INSTALLATION, work)


def hint_of(talk: Talk, token: str) -> dict[str, Any] | None:
    """The claims of an id token that we have signed, even if it has expired."""
    if not token or len(token) > 8192:
        return None
    try:
        decoded = jwt.decode(token, KeySet([key for _, key in talk.ring.keys]), algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError):
        return None
    claims = decoded.claims
    fit = decoded.header.get("typ") == "JWT" and claims.get("iss") == talk.issuer and isinstance(claims.get("aud"), str)
    return dict(claims) if fit and "sid" in claims and "sub" in claims else None


def _with_state(uri: str, state: str | None) -> str:
    return str(add_params_to_uri(uri, [("state", state)])) if state else uri


async def _end(tx: Tx, session: UUID, account: UUID) -> None:
    home: Any = await tx.fetchval(SQL["home_of"], account)
    if home is None or not await tx.fetchval(SQL["end_session"], session, account, tx.now):
        return
    await tx.run(SQL["follow_parents"], tx.now)
    async with tx.inside(uuid_of(home)) as there:
        await note(there, account, SignedOut(account=account, session=session))
