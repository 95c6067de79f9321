"""Applications, as administrators keep them. A secret is shown once; what is kept is its hash."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.commands.clients import ClientCommand, ClientSecret, IssueClientSecret, RegisterClient
from salerno.contexts.identity.errors import ClientRefused, NoSuchClient
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.projections import CLIENTS, SQL
from salerno.contexts.identity.rules.client import CLIENT, PUBLIC, AboutClient, SecretMade
from salerno.contexts.identity.rules.codes import token_hash
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller, Origin, Recorded
from salerno.kernel.transactions import Tx


async def on_client(tx: Tx, command: ClientCommand, origin: Origin) -> Sequence[Recorded[Any]]:
    if isinstance(command, RegisterClient):
        client = command.client_id or tx.new_id()
        return await tx.execute(CLIENT, client, AboutClient(client, command), subject=tx.organisation)
    if await CLIENTS.get(tx, command.client_id) is None:
        raise NoSuchClient()
    return await tx.execute(CLIENT, command.client_id, AboutClient(command.client_id, command))


async def issue_client_secret(desk: Desk, errand: IssueClientSecret, caller: Caller) -> ClientSecret:
    """256 random bits need no slow hash."""
    secret = new_token()

    async def work(tx: Tx) -> None:
        held = await CLIENTS.get(tx, errand.client_id)
        if held is None or held.doc.status != "active":
            raise NoSuchClient()
        if held.doc.terms.kind in PUBLIC or held.doc.terms.jwks:
            raise ClientRefused("This application has no secret: it cannot keep one, or it signs with a key.")
        await tx.execute(CLIENT, errand.client_id, SecretMade(errand.client_id))
        await tx.run(SQL["put_client_secret"], str(errand.client_id), token_hash(secret), tx.now)

    await desk.within(caller.organisation, work)
    return ClientSecret(client_id=errand.client_id, secret=secret)
