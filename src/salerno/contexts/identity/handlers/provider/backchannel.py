"""Telling applications that somebody has signed out (OpenID back-channel logout), until they have heard it."""

import asyncio
import ipaddress
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import structlog
from joserfc import jwt

from salerno.contexts.identity.events import ClientRetired, SessionsEnded, SignedOut
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.keys import ALGORITHM, Ring, ring
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.handlers.provider.clients import Client, known_client
from salerno.contexts.identity.projections import SQL
from salerno.kernel.bus import Bus
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller, Event
from salerno.kernel.rounds import go_round

LOOK_EVERY = 3.0
LEASE = timedelta(seconds=30)
TRIES = 10
LOOK_BACK = timedelta(days=1)
TIMEOUT = 5.0
TOKEN_LIFE = 120
EVENT = "http://schemas.openid.net/event/backchannel-logout"
ENDINGS: frozenset[type[Event]] = frozenset({SignedOut, SessionsEnded, ClientRetired})
LOG = structlog.get_logger("salerno.logouts")


class NotThere(Exception):
    """An address that we do not speak to: it lies in our own network, or is none."""


class Herald:
    """Ends grants whose browser's session has ended, and tells their applications, at least once each."""

    def __init__(self, bus: Bus, look_every: float = LOOK_EVERY) -> None:
        self.bus, self.look_every = bus, look_every

    async def run(self) -> None:
        await go_round(self.bus, self.tell, ENDINGS, self.look_every, "logouts")

    async def tell(self) -> int:
        """Whatever is to be told by now. Answers how many have heard it."""
        now = self.bus.clock.now()
        async with self.bus.reading("identity", INSTALLATION) as tx:
            await tx.run(SQL["follow_parents"], now)
            await tx.run(SQL["gather_logouts"], now, now - LOOK_BACK)
        heard = 0
        while (row := await self._take()) is not None:
            heard += await self._one(row)
        return heard

    async def _take(self) -> Any:
        now = self.bus.clock.now()
        async with self.bus.reading("identity", INSTALLATION) as tx:
            return await tx.fetchrow(SQL["take_logout"], now, now + LEASE, TRIES)

    async def _one(self, row: Any) -> bool:
        client = await known_client(self.bus, row["client"])
        uri = client.terms.backchannel_uri if client else ""
        if client is None or not uri:
            await self._done(row)
            return False
        try:
            await self._post(client, uri, await self._token(row, client))
        except (httpx.HTTPError, NotThere, OSError) as error:
            LOG.info("logouts.later", client=row["client"], tries=row["tries"], error=type(error).__name__)
            return False
        await self._done(row)
        return True

    async def _done(self, row: Any) -> None:
        async with self.bus.reading("identity", INSTALLATION) as tx:
            await tx.run(SQL["logout_told"], row["session"])

    async def _token(self, row: Any, client: Client) -> str:
        desk = Desk(self.bus, self.bus.rooms["identity"], Caller(actor=INSTALLATION, organisation=INSTALLATION))
        keys = await ring(desk, to_sign=True)
        return logout_token(keys, policy_of(self.bus).issuer, client, row, int(self.bus.clock.now().timestamp()))

    async def _post(self, client: Client, uri: str, token: str) -> None:
        """To the address that was looked at, not to whatever the name means a moment later; no redirect is followed."""
        inside = policy_of(self.bus).development or client.home == INSTALLATION
        url, host = await placed(uri, inside=inside)
        async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as http:
            answer = await http.post(
                url,
                data={"logout_token": token},
                headers={"Host": host},
                extensions={"sni_hostname": host.partition(":")[0]},
            )
        if answer.status_code >= 300:
            raise httpx.HTTPError(f"answered {answer.status_code}")


async def placed(uri: str, *, inside: bool) -> tuple[str, str]:
    """The address with its host looked up, and the host. Our own network is out of reach unless `inside`."""
    parts = urlsplit(uri)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    address = ipaddress.ip_address(found[0][4][0])
    if not inside and (parts.scheme != "https" or not address.is_global or address.is_multicast):
        raise NotThere(host)
    shown = f"[{address}]" if address.version == 6 else str(address)
    return urlunsplit(parts._replace(netloc=f"{shown}:{port}")), host if parts.port is None else f"{host}:{port}"


def logout_token(keys: Ring, issuer: str, client: Client, row: Any, now: int) -> str:
    key = keys.newest
    assert key is not None
    claims = {
        "iss": issuer,
        "sub": str(row["account"]),
        "aud": client.id,
        "iat": now,
        "exp": now + TOKEN_LIFE,
        "jti": new_token(),
        "sid": str(row["parent"] or row["session"]),
        "events": {EVENT: {}},
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "logout+jwt", "kid": key.kid}, claims, key, algorithms=[ALGORITHM])
