"""A program asks by itself to be registered: off unless a setting says so, and worth nothing until it is approved."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.provider import ProviderAnswer
from salerno.contexts.identity.commands.registration import AskToRegister
from salerno.contexts.identity.errors import TooManyAttempts
from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.client import CLIENT, PUBLIC, Asks
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.registration import METADATA, Unregistrable, answer_of, terms_of
from salerno.kernel.addresses import place_of
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

KIND = "registration"
MOST = 10  # of one address, in a window
MOST_WAITING, LOOK_BACK = 50, timedelta(days=7)
TRY_AGAIN = 3600
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


async def ask_to_register(desk: Desk, errand: AskToRegister, caller: Caller) -> ProviderAnswer:
    if not policy_of(desk.bus).registration:
        raise NotFound()
    await _not_too_often(desk, caller)
    try:
        terms, home = terms_of(errand.said), await _home(desk, errand.organisation)
    except Unregistrable as wrong:
        body = {"error": wrong.error, "error_description": wrong.sentence}
        return ProviderAnswer(status=400, body=body, headers=NO_STORE)
    client, secret = desk.new_id(), new_token() if _keeps_secret(terms) else ""
    said = errand.said
    wish = Asks(client, terms, site=said.client_uri, contacts=said.contacts, address=caller.address)

    async def work(tx: Tx) -> None:
        if await tx.fetchval(SQL["count_waiting_clients"], tx.organisation, tx.now - LOOK_BACK) >= MOST_WAITING:
            raise TooManyAttempts(retry_after=TRY_AGAIN)
        await tx.execute(CLIENT, client, wish, subject=tx.organisation)
        if secret:
            await tx.run(SQL["put_client_secret"], str(client), token_hash(secret), tx.now)

    await desk.within(home, work, actor=client)
    told = {"client_id": str(client), "client_id_issued_at": int(desk.now.timestamp())} | answer_of(terms, said)
    if secret:
        told |= {"client_secret": secret, "client_secret_expires_at": 0}
    return ProviderAnswer(status=201, body=told, headers=NO_STORE)


def _keeps_secret(terms: ClientTerms) -> bool:
    return terms.kind not in PUBLIC and not terms.jwks


async def _home(desk: Desk, organisation: UUID | None) -> UUID:
    """Whose administrators decide: the organisation that is named, or the only one there is."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        if organisation is not None:
            known: Any = await tx.fetchval(SQL["is_home"], organisation)
            homes = [organisation] if known else []
        else:
            homes = [UUID(bytes=row["home"].bytes) for row in await tx.fetch(SQL["homes"])]
    if len(homes) != 1:
        raise Unregistrable(METADATA, "The address has to name an organisation: ?hospital_id=….")
    return homes[0]


async def _not_too_often(desk: Desk, caller: Caller) -> None:
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens(KIND, place_of(caller.address))
        return await counting.count(tx, KIND, place, MOST, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)
