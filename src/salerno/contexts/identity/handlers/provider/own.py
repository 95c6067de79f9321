"""What concerns the owner of an account: their claims, the programs they let in, and opening one from a chart."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from salerno.contexts.identity.commands.provider import (
    ApplicationLine,
    LaunchableApplications,
    LaunchApplication,
    MyApplications,
    UserInfo,
    WithdrawApplication,
)
from salerno.contexts.identity.errors import NoSuchClient, ScopeMissing
from salerno.contexts.identity.events import ClientDisallowed
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.keys import ring
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.provider.clients import find_client, known_client
from salerno.contexts.identity.handlers.provider.lookups import uuid_of
from salerno.contexts.identity.handlers.provider.talk import LAUNCH_LIFE, new_handle, talk_of
from salerno.contexts.identity.handlers.provider.tokens import person_claims, person_of
from salerno.contexts.identity.projections import CLIENTS, SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.scopes import split
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx


async def user_info(desk: Desk, errand: UserInfo, caller: Caller) -> dict[str, Any]:
    if caller.session is None:
        raise NotSignedIn()
    keys, session = await ring(desk), caller.session

    async def work(tx: Tx) -> dict[str, Any]:
        grant = await tx.fetchrow(SQL["grant"], session)
        if grant is None or grant["account"] is None or "openid" not in split(grant["scope"]):
            raise ScopeMissing()
        talk, acting = talk_of(desk, keys, caller, tx), grant["acting"] and uuid_of(grant["acting"])
        person = await person_of(talk, uuid_of(grant["home"]), caller.actor, acting)
        if person is None:
            raise NotSignedIn()
        return person_claims(talk, person, grant["scope"])

    return await desk.within(INSTALLATION, work)


async def my_applications(desk: Desk, errand: MyApplications, caller: Caller) -> Sequence[ApplicationLine]:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch(SQL["consents"], caller.actor)
    found = [(row, await known_client(desk.bus, row["client"])) for row in rows]
    return [
        ApplicationLine(client_id=client.id, name=client.terms.name, scopes=split(row["scope"]))
        for row, client in found
        if client is not None
    ]


async def withdraw_application(desk: Desk, errand: WithdrawApplication, caller: Caller) -> None:
    home, view = await own_account(desk, caller)

    async def work(tx: Tx) -> None:
        await tx.run(SQL["end_grants_of_client"], errand.client_id, view.account, tx.now)
        if await tx.fetchval(SQL["drop_consent"], view.account, errand.client_id):
            await note(tx, view.account, ClientDisallowed(account=view.account, client=errand.client_id))

    await desk.within(home, work)


async def launch_application(desk: Desk, errand: LaunchApplication, caller: Caller) -> str:
    """Where the browser goes. That the caller may see the chart has been looked at where they see it."""
    handle, fhir = new_handle(), policy_of(desk.bus).fhir

    async def work(tx: Tx) -> str:
        client = await find_client(tx, str(errand.client_id))
        if client is None or client.home != caller.organisation or not client.terms.launch_uri:
            raise NoSuchClient()
        await tx.run(
            SQL["put_launch"], token_hash(handle), client.id, caller.actor, errand.patient_id, errand.encounter_id,
            tx.now + LAUNCH_LIFE,
        )  # fmt: skip
        return client.terms.launch_uri

    uri = await desk.within(INSTALLATION, work)
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'iss': fhir, 'launch': handle})}"


async def launchable_applications(
    desk: Desk, errand: LaunchableApplications, caller: Caller
) -> Sequence[ApplicationLine]:
    async with desk.bus.reading("identity", caller.organisation) as tx:
        held = await CLIENTS.open(tx, await tx.fetch(SQL["clients_of"], tx.organisation, "active"))
    return [
        ApplicationLine(client_id=str(one.doc.client), name=one.doc.terms.name, scopes=one.doc.terms.scopes)
        for one in sorted(held, key=lambda one: one.doc.terms.name.casefold())
        if one.doc.terms.launch_uri
    ]
