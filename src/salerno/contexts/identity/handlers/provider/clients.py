"""The program that asks, as Authlib wants to know it: looked up in the configuration, then among the registered."""

import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.projections import CLIENTS, SQL
from salerno.contexts.identity.queries import declared_clients
from salerno.contexts.identity.rules import client as rules
from salerno.contexts.identity.rules import scopes
from salerno.contexts.identity.rules.codes import token_hash
from salerno.kernel.bus import Bus
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.transactions import Tx

CODE, REFRESH, SERVICE = "authorization_code", "refresh_token", "client_credentials"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
BY_KEY, BY_BASIC, BY_POST, PUBLIC = "private_key_jwt", "client_secret_basic", "client_secret_post", "none"
METHODS = [BY_KEY, BY_BASIC, BY_POST, PUBLIC]
CONFIDENTIAL = [BY_KEY, BY_BASIC, BY_POST]


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A program that may ask. `home` is its organisation; INSTALLATION where it serves all of them."""

    id: str
    terms: ClientTerms
    home: UUID
    secret: bytes = b""
    trusted: bool = False

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked cut to what is registered. None refuses; nothing asked is nothing granted."""
        return " ".join(self.allowed(scope or "")) or None

    def allowed(self, scope: str) -> tuple[str, ...]:
        return scopes.allowed(scopes.split(scope), self.terms.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return rules.is_registered(redirect_uri, self.terms)

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(self.secret) and hmac.compare_digest(token_hash(client_secret), self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if self.terms.kind in rules.PUBLIC:
            return method == PUBLIC
        return method == BY_KEY if self.terms.jwks else method in (BY_BASIC, BY_POST)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.terms.kind != "service"

    def check_grant_type(self, grant_type: str) -> bool:
        if self.terms.kind == "service":
            return grant_type == SERVICE
        if grant_type == REFRESH:
            return "offline_access" in self.terms.scopes
        return grant_type == CODE or (grant_type == DEVICE and self.terms.device)

    @property
    def service(self) -> UUID:
        """The account that stands for a program without people."""
        try:
            return UUID(self.id)
        except ValueError:
            return UUID(bytes=token_hash(self.id)[:16], version=8)


async def find_client(tx: Tx, client_id: str) -> Client | None:
    """By its id; None where there is none, or none any more."""
    if declared := declared_client(tx.bus, client_id):
        return declared
    id = _id_of(client_id)
    home: Any = await tx.fetchval(SQL["client_home"], id) if id else None
    if id is None or home is None:
        return None
    async with tx.inside(UUID(bytes=home.bytes)) as there:
        held = await CLIENTS.get(there, id)
    if held is None or held.doc.status != "active":
        return None
    secret = await tx.fetchval(SQL["client_secret"], client_id)
    return Client(client_id, held.doc.terms, UUID(bytes=home.bytes), secret or b"")


async def known_client(bus: Bus, client_id: str) -> Client | None:
    """The same where nothing is written and no transaction is open; without its secret."""
    if declared := declared_client(bus, client_id):
        return declared
    id = _id_of(client_id)
    if id is None:
        return None
    async with bus.reading("identity", INSTALLATION) as tx:
        home: Any = await tx.fetchval(SQL["client_home"], id)
    if home is None:
        return None
    async with bus.reading("identity", UUID(bytes=home.bytes)) as tx:
        held = await CLIENTS.get(tx, id)
    if held is None or held.doc.status != "active":
        return None
    return Client(client_id, held.doc.terms, UUID(bytes=home.bytes))


def declared_client(bus: Bus, client_id: str) -> Client | None:
    found = declared_clients(bus.settings).by_id.get(client_id)
    if found is None:
        return None
    return Client(found.client_id, found.terms, INSTALLATION, found.secret, found.trusted)


def _id_of(client_id: str) -> UUID | None:
    """Only in the one spelling that we hand out: one id is one string."""
    try:
        id = UUID(client_id)
    except ValueError:
        return None
    return id if str(id) == client_id else None
