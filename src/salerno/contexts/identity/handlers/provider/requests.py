"""What Authlib does not look at in an authorization request: prompts, modes, audiences, ages."""

import re
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from salerno.contexts.identity.handlers.provider.talk import Talk
from salerno.contexts.identity.rules.scopes import smart, split

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
ENCOUNTER = "launch/encounter"
LAUNCHES = frozenset({"launch", "launch/patient", ENCOUNTER})

FREE_TEXT = frozenset({"state", "login_hint", "ui_locales", "nonce", "logout_hint"})
VISIBLE = re.compile(r"[ !#-\[\]-~]*")


def is_plain(pairs: tuple[tuple[str, str], ...]) -> bool:
    """Whether the parameters of the protocol are in its alphabet (RFC 6749, appendix A): Authlib counts on it."""
    return all(name in FREE_TEXT or VISIBLE.fullmatch(value) for name, value in pairs)


class RequestNotSupportedError(OAuth2Error):
    error = "request_not_supported"


class InvalidTargetError(OAuth2Error):
    error = "invalid_target"


def refuse_odd_request(talk: Talk, request: Any) -> None:
    """Raises what is wrong, as something to be told to the program."""
    data: dict[str, str] = request.payload.data
    uri = data.get("redirect_uri")
    error: OAuth2Error | None = None
    if any(len(values) > 1 for name, values in request.payload.datalist.items() if name != "resource"):
        error = InvalidRequestError("A parameter appears twice.")
    elif "request" in data or "registration" in data:
        error = RequestNotSupportedError()
    elif data.get("response_mode", "query") != "query":
        error = InvalidRequestError("Only the response_mode query is supported.")
    elif not prompts_are_fit(data.get("prompt", "")):
        error = InvalidRequestError("Invalid 'prompt'")
    elif not data.get("max_age", "0").isdigit() or len(data.get("max_age", "0")) > 9:
        error = InvalidRequestError("Invalid 'max_age'")
    elif not _targets_are_ours(talk, request) or (_needs_target(request) and not _target(data)):
        error = InvalidTargetError("The audience is not this server's.")
    if error is not None:
        error.redirect_uri, error.state = uri, data.get("state")
        raise error


def prompts_are_fit(prompt: str) -> bool:
    asked = prompt.split()
    return set(asked) <= PROMPTS and ("none" not in asked or asked == ["none"])


def _targets_are_ours(talk: Talk, request: Any) -> bool:
    lists: Any = request.payload.datalist
    named = [*lists.get("resource", []), *lists.get("aud", []), *lists.get("audience", [])]
    return set(named) <= {talk.fhir, talk.policy.audience, talk.issuer} and len(set(named)) < 2


def _target(data: dict[str, str]) -> str:
    return data.get("aud") or data.get("audience") or data.get("resource") or ""


def _needs_target(request: Any) -> bool:
    """SMART: a program says which record it means, so that no other can be put in its place."""
    asked = split(request.payload.scope or "")
    return any(scope in LAUNCHES or smart(scope) for scope in asked)


def audience_of(talk: Talk, request: Any) -> str:
    return talk.fhir if _target(request.payload.data) == talk.fhir else talk.policy.audience
