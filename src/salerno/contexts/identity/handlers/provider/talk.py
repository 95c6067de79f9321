"""One conversation with the provider: everything that Authlib's hooks need, in one transaction."""

import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749.requests import OAuth2Payload, OAuth2Request
from joserfc import jwt
from msgspec import Struct

from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.keys import ALGORITHM, Ring, ring
from salerno.contexts.identity.handlers.provider.clients import Client, find_client
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx

CODE_LIFE = timedelta(seconds=60)
PUSHED_LIFE = timedelta(seconds=60)
ASKING_LIFE = timedelta(minutes=10)
DEVICE_LIFE = timedelta(minutes=10)
LAUNCH_LIFE = timedelta(minutes=5)
ID_TOKEN_LIFE = timedelta(minutes=5)
GRANT_LIFE = timedelta(days=90)  # however often it is refreshed
LEEWAY = 30


class Asked(Struct, frozen=True):
    """The parameters of an authorization request, as they were sent."""

    parameters: tuple[tuple[str, str], ...]


class Grounds(Struct, frozen=True, kw_only=True):
    """On what a token is granted: who allowed it, from which browser's session, for what."""

    home: UUID
    account: UUID
    parent: UUID
    acting: UUID | None = None  # the organisation where it is not at home
    scope: str
    audience: str
    auth_time: datetime
    factor: bool
    shown: tuple[str, ...] = ()
    nonce: str = ""
    patient: UUID | None = None
    encounter: UUID | None = None
    redirect_uri: str = ""
    challenge: str = ""


@dataclass(slots=True)
class Talk:
    """Who asks what, and what the answer needs. A talk lasts for one transaction."""

    tx: Tx
    ring: Ring
    policy: SignInPolicy
    caller: Caller
    form: tuple[tuple[str, str], ...] = ()
    authorization: str = ""
    proved: bool = False  # the program has shown who it is
    grounds: Grounds | None = None
    session: UUID | None = None  # of the grant that is renewed
    refreshed: str = ""  # the refresh token that is renewed
    used: bytes = b""  # hash of the code that is redeemed
    device_answer: tuple[Any, bool] | None = None  # what the person has said of the device, if they have
    _clients: dict[str, Client | None] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.tx.now

    @property
    def issuer(self) -> str:
        return self.policy.issuer

    @property
    def fhir(self) -> str:
        return self.policy.fhir

    async def client(self, client_id: str) -> Client | None:
        if client_id not in self._clients:
            self._clients[client_id] = await find_client(self.tx, client_id)
        return self._clients[client_id]

    def sign(self, claims: dict[str, Any], type: str) -> str:
        key = self.ring.newest
        assert key is not None
        return jwt.encode({"alg": ALGORITHM, "typ": type, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    def request(self) -> OAuth2Request:
        made = Request(self.form)
        if self.authorization:
            made.headers = {"Authorization": self.authorization}
        return made


async def keys_for(desk: Desk) -> Ring:
    """The keys, loaded before the transaction: making one is a transaction of its own."""
    return await ring(desk, to_sign=True)


def talk_of(desk: Desk, keys: Ring, caller: Caller, tx: Tx, form: tuple[tuple[str, str], ...] = ()) -> Talk:
    return Talk(tx, keys, policy_of(desk.bus), caller, form)


def new_handle() -> str:
    return secrets.token_urlsafe(32)


class Payload(OAuth2Payload):
    """Parameters as Authlib wants them: the first of each name, and all of each name."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._all: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            self._all[name].append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._all.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._all


class Request(OAuth2Request):
    """A request whose transport has been looked at already: the address here only says so to Authlib."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__("POST", "https://provider.invalid/")
        self.payload = Payload(pairs)

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data
