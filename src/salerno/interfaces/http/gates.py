"""What a session must be for a route: unlocked, and for anything grave just shown to be its owner's."""

from typing import Any

from litestar import Request

from salerno.contexts.identity.commands import SignIn, SignOut, VerifySecondFactor
from salerno.contexts.identity.commands.external import ComeBackFromProvider, EnterByProvider, UnlockByProvider
from salerno.contexts.identity.commands.passkeys import EnterByPasskey, LockScreen, OfferPasskey, ProveAgain
from salerno.contexts.identity.commands.provider import EndSession
from salerno.interfaces.http.problems import Problem
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Query

LOCKED, REAUTH = "locked", "reauth-required"
OPEN_WHEN_LOCKED = frozenset(
    {
        SignIn, SignOut, EndSession, VerifySecondFactor, EnterByPasskey, LockScreen, OfferPasskey, ProveAgain,
        EnterByProvider, ComeBackFromProvider, UnlockByProvider,
    }
)  # fmt: skip
STREAM = "/live"


def check_lock(request: "Request[Any, Any, Any]", message: type | None, path: str) -> None:
    """Raises where the session's screen is locked. It comes first: behind a lock nobody has any permission."""
    found = request.scope["state"].get("session")
    if found is None or not found.locked:
        return
    if path == STREAM if message is None else message not in OPEN_WHEN_LOCKED:
        raise Problem(403, LOCKED, "The screen is locked. Show who you are to go on.")


def check_proof(request: "Request[Any, Any, Any]", message: type | None) -> None:
    """Raises where the session is too long unproved for this message, which it may send otherwise."""
    found = request.scope["state"].get("session")
    if found is not None and found.stale and message is not None and _is_grave(request, message):
        raise Problem(403, REAUTH, "Show once more that it is you, then go on.")


def _is_grave(request: "Request[Any, Any, Any]", message: type) -> bool:
    """A form may be looked at; what it sends, or a question that is grave itself, may not pass."""
    bus: Bus = request.app.state["bus"]
    return bus.needs(message).fresh and (request.method not in ("GET", "HEAD") or issubclass(message, Query))
