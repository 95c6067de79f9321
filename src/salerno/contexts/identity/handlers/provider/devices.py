"""Devices without a keyboard (RFC 8628): they show a code, a person types it elsewhere, and they poll meanwhile."""

from dataclasses import dataclass
from typing import Any

from salerno.contexts.identity.commands.provider import AnswerDevice, Device, FindDevice
from salerno.contexts.identity.errors import NoSuchDevice, TooManyAttempts
from salerno.contexts.identity.events import ClientAllowed
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.provider.clients import Client, known_client
from salerno.contexts.identity.handlers.provider.lookups import uuid_of
from salerno.contexts.identity.handlers.provider.talk import DEVICE_LIFE, Grounds, Talk
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import hash_of, token_hash
from salerno.contexts.identity.rules.roles import ENROLMENT
from salerno.contexts.identity.rules.scopes import split
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotAllowed, NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

SLOWER = 5  # seconds more between two polls, for who polls too fast
GUESSES = 10


@dataclass(frozen=True, slots=True)
class Credential:
    """A device code that was found, as Authlib asks about it."""

    client_id: str
    scope: str
    expired: bool
    too_fast: bool

    def get_client_id(self) -> str:
        return self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_user_code(self) -> str:
        return ""

    def is_expired(self) -> bool:
        return self.expired


async def save(talk: Talk, client_id: str, scope: str, data: dict[str, Any]) -> None:
    client = await talk.client(client_id)
    assert client is not None
    granted = " ".join(client.allowed(scope))
    await talk.tx.run(
        SQL["put_device_code"], token_hash(data["device_code"]), hash_of(data["user_code"]), client_id, granted,
        talk.now + DEVICE_LIFE, talk.now, data["interval"],
    )  # fmt: skip


async def credential(talk: Talk, device_code: str) -> Credential | None:
    """Under its lock, so that two polls at once get one token."""
    hash = token_hash(device_code)
    row = await talk.tx.fetchrow(SQL["lock_device_code"], hash)
    if row is None:
        return None
    fast = (talk.now - row["polled_at"]).total_seconds() < row["seconds"]
    await talk.tx.run(SQL["poll_device_code"], hash, talk.now, row["seconds"] + (SLOWER if fast else 0))
    if row["allowed"] is not None:
        talk.device_answer = (row["account"], row["allowed"])
    if row["allowed"]:
        talk.grounds = await _grounds(talk, row)
    return Credential(row["client"], row["scope"], row["expires_at"] <= talk.now, fast)


async def _grounds(talk: Talk, row: Any) -> Grounds | None:
    parent = await talk.tx.fetchrow(SQL["session_for_provider"], row["parent"], row["account"])
    if parent is None:
        talk.device_answer = (row["account"], False)
        return None
    return Grounds(
        home=uuid_of(row["home"]),
        account=uuid_of(row["account"]),
        parent=uuid_of(row["parent"]),
        acting=parent["acting"] and uuid_of(parent["acting"]),
        scope=row["scope"],
        audience=talk.policy.audience,
        auth_time=parent["opened_at"],
        factor=parent["factor"],
        shown=tuple(parent["shown"]),
    )


async def spend(talk: Talk, device_code: str) -> None:
    await talk.tx.run(SQL["drop_device_code"], token_hash(device_code))


# ------------------------------------------------------------------ the person
async def _counted(desk: Desk, caller: Caller) -> None:
    """A code has 34 bits: each account gets a few guesses."""
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> int:
        (token,) = await tx.tokens("device-code", caller.actor.hex)
        return await counting.count(tx, "device-code", token, GUESSES, policy)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def _client_for(desk: Desk, row: Any, caller: Caller) -> Client:
    client = await known_client(desk.bus, row["client"]) if row is not None else None
    if client is None or client.home not in (INSTALLATION, caller.organisation):
        raise NoSuchDevice()
    return client


async def find_device(desk: Desk, errand: FindDevice, caller: Caller) -> Device:
    await _counted(desk, caller)
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["device_by_user_code"], hash_of(errand.user_code), tx.now)
    client = await _client_for(desk, row, caller)
    assert row is not None
    return Device(name=client.terms.name, scopes=split(row["scope"]))


async def answer_device(desk: Desk, errand: AnswerDevice, caller: Caller) -> None:
    if caller.session is None:
        raise NotSignedIn()
    if caller.permissions == ENROLMENT:
        raise NotAllowed()
    await _counted(desk, caller)
    home, view = await own_account(desk, caller)

    async def work(tx: Tx) -> None:
        session = await tx.fetchrow(SQL["session_for_provider"], caller.session, view.account)
        if session is None or session["kind"] != "web":
            raise NotSignedIn()
        row = await tx.fetchrow(
            SQL["answer_device"], hash_of(errand.user_code), tx.now, errand.allow, home, view.account, caller.session
        )
        client = await _client_for(desk, row, caller)
        if errand.allow and row is not None:
            async with tx.inside(home) as there:
                event = ClientAllowed(account=view.account, client=client.id, scopes=split(row["scope"]))
                await note(there, view.account, event)

    await desk.within(INSTALLATION, work)
