"""Who is behind a cookie or a bearer token: the port the edge asks, and its adapter over the identity room."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands import ResolveBearer, ResolveSession
from salerno.kernel.bus import Bus
from salerno.kernel.clock import stopwatch
from salerno.kernel.messages import INSTALLATION, Caller

NOBODY = Caller(actor=UUID(int=0), organisation=INSTALLATION)
COOKIE = "__Host-sid"
FRESH_SECONDS = 2.0
REMEMBERED = 20_000


class Found(Struct, frozen=True, kw_only=True):
    """A live session or token, as the identity room described it."""

    caller: Caller
    csrf: str
    expires_at: datetime
    language: str = ""
    theme: str = ""
    must_enrol: bool = False
    zone: str = ""
    stale: bool = False
    locked: bool = False
    lock_after: int = 0
    audience: str = ""
    scopes: tuple[str, ...] = ()


class Sessions(Protocol):
    """What the edge asks for each request that carries a credential."""

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None: ...

    async def caller_by_bearer(self, token: str) -> Found | None: ...

    def forget(self, token: str = "") -> None: ...

    def forget_account(self, account: UUID) -> None: ...

    def forget_organisation(self, organisation: UUID) -> None: ...


class Nobody:
    """No identity room in this process: every request is anonymous."""

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return None

    async def caller_by_bearer(self, token: str) -> Found | None:
        return None

    def forget(self, token: str = "") -> None:
        return None

    def forget_account(self, account: UUID) -> None:
        return None

    def forget_organisation(self, organisation: UUID) -> None:
        return None


_Question: TypeAlias = tuple[bytes, bool]  # a credential's digest, and whether a person comes with it


class _Kept(Struct, frozen=True):
    found: Found
    until: float
    user_initiated: bool


class RememberedSessions:
    """Asks the identity room, and remembers a yes for at most two seconds, or until the log tells of its end.

    A no is never remembered. Requests that come while the room is being asked share its answer, unless something
    ended meanwhile. The clock is monotonic: it measures how long, it does not tell the time.
    """

    def __init__(
        self,
        by_cookie: Callable[[bytes, bool], Awaitable[Found | None]],
        by_bearer: Callable[[str], Awaitable[Found | None]],
    ) -> None:
        self._by_cookie, self._by_bearer = by_cookie, by_bearer
        self._kept: dict[bytes, _Kept] = {}
        self._asking: dict[_Question, asyncio.Task[Found | None]] = {}
        self._endings = 0  # told so far

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        digest = hashlib.sha256(token.encode()).digest()
        kept = self._fresh(digest)
        if kept is not None and (kept.user_initiated or not user_initiated):
            return kept.found
        return await self._ask((digest, user_initiated), lambda: self._by_cookie(digest, user_initiated))

    async def caller_by_bearer(self, token: str) -> Found | None:
        digest = hashlib.sha256(b"bearer " + token.encode()).digest()
        if kept := self._fresh(digest):
            return kept.found
        return await self._ask((digest, True), lambda: self._by_bearer(token))

    def forget(self, token: str = "") -> None:
        """Drop one cookie's session, or all of them when rights have changed."""
        self._ended()
        if token:
            self._kept.pop(hashlib.sha256(token.encode()).digest(), None)
        else:
            self._kept.clear()

    def forget_account(self, account: UUID) -> None:
        """Something has ended or changed for this account, in this process or another."""
        self._ended()
        for digest in [digest for digest, kept in self._kept.items() if kept.found.caller.actor == account]:
            del self._kept[digest]

    def forget_organisation(self, organisation: UUID) -> None:
        """What roles of this organisation may do has changed."""
        self._ended()
        for digest in [one for one, kept in self._kept.items() if kept.found.caller.organisation == organisation]:
            del self._kept[digest]

    def _fresh(self, digest: bytes) -> _Kept | None:
        kept = self._kept.get(digest)
        return kept if kept is not None and kept.until > stopwatch() else None

    def _ended(self) -> None:
        """What is being asked just now may be answered with what was: later requests ask anew."""
        self._endings += 1
        self._asking.clear()

    async def _ask(self, question: _Question, ask: Callable[[], Awaitable[Found | None]]) -> Found | None:
        asking = self._asking.get(question)
        if asking is None:
            asking = self._asking[question] = asyncio.create_task(self._answer(question, ask))
        return await asyncio.shield(asking)  # one request that is given up does not end it for the others

    async def _answer(self, question: _Question, ask: Callable[[], Awaitable[Found | None]]) -> Found | None:
        endings = self._endings
        try:
            found = await ask()
        finally:
            if self._asking.get(question) is asyncio.current_task():
                del self._asking[question]
        return self._keep(*question, found) if endings == self._endings else found

    def _keep(self, digest: bytes, user_initiated: bool, found: Found | None) -> Found | None:
        self._kept.pop(digest, None)
        if found is None:
            return None
        if len(self._kept) >= REMEMBERED:
            self._kept.pop(next(iter(self._kept)))
        self._kept[digest] = _Kept(found, stopwatch() + FRESH_SECONDS, user_initiated)
        return found


def sessions_of(bus: Bus) -> RememberedSessions:
    """The identity room of this bus as the edge's sessions."""

    async def by_cookie(digest: bytes, user_initiated: bool) -> Found | None:
        return _found(await bus.ask(ResolveSession(token_hash=digest, user_initiated=user_initiated), NOBODY))

    async def by_bearer(token: str) -> Found | None:
        return _found(await bus.ask(ResolveBearer(token=token), NOBODY))

    return RememberedSessions(by_cookie, by_bearer)


def _found(resolved: Any) -> Found | None:
    if resolved is None:
        return None
    return Found(
        caller=resolved.caller,
        csrf=resolved.csrf,
        expires_at=resolved.expires_at,
        language=resolved.language,
        theme=resolved.theme,
        must_enrol=resolved.must_enrol,
        zone=resolved.zone,
        stale=resolved.stale,
        locked=resolved.locked,
        lock_after=resolved.lock_after,
        audience=resolved.audience,
        scopes=resolved.scopes,
    )
