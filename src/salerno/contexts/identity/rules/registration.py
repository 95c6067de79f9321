"""What a program says of itself when it asks to be registered, and what of it could be registered (RFC 7591)."""

import json
from typing import Any

from salerno.contexts.identity.commands.registration import SaidOfItself
from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.rules import likeness, scopes
from salerno.contexts.identity.rules.client import PRINTABLE, PUBLIC, checked
from salerno.kernel.errors import Invalid

BY_KEY, PUBLIC_METHOD = "private_key_jwt", "none"
BY_SECRET = ("client_secret_basic", "client_secret_post")
CODE, REFRESH = "authorization_code", "refresh_token"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
METADATA, REDIRECTS, STATEMENT = "invalid_client_metadata", "invalid_redirect_uri", "unapproved_software_statement"
NAMES = {
    "redirect_uris": "redirect_uris", "logout_uris": "post_logout_redirect_uris", "name": "client_name",
    "scopes": "scope", "jwks": "jwks", "backchannel_uri": "backchannel_logout_uri",
}  # fmt: skip


class Unregistrable(Exception):
    """Why not, in the standard's word and in a sentence for the programmer, which quotes nothing that was sent."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.error, self.sentence = error, sentence


def terms_of(said: SaidOfItself) -> ClientTerms:
    """The terms that would be registered. Raises Unregistrable."""
    if said.software_statement:
        raise Unregistrable(STATEMENT, "Nobody's statements about software are relied on here.")
    if said.jwks_uri:
        raise Unregistrable(METADATA, "jwks_uri: send the keys themselves as jwks, no address is fetched.")
    if set(said.response_types) != {"code"}:
        raise Unregistrable(METADATA, "response_types: only code is given.")
    if not {CODE} <= set(said.grant_types) <= {CODE, REFRESH, DEVICE}:
        raise Unregistrable(
            METADATA, "grant_types: authorization_code, with it refresh_token and the device code, and no other."
        )
    if said.client_uri and not is_shown(said.client_uri):
        raise Unregistrable(METADATA, "client_uri: an http or https address.")
    if any(not one.isprintable() or likeness.is_odd(one) for one in said.contacts):
        raise Unregistrable(METADATA, "contacts: plain addresses.")
    if likeness.is_odd(said.client_name) or likeness.is_ours(said.client_name):
        raise Unregistrable(METADATA, "client_name: a name of its own, in plain letters of one alphabet.")
    if any(scope.startswith("system/") for scope in scopes.split(said.scope)):
        raise Unregistrable(METADATA, "scope: only an administrator gives the scopes of system/.")
    return _fit(said, _kind(said))


def _kind(said: SaidOfItself) -> str:
    method, native = said.token_endpoint_auth_method, said.application_type == "native"
    if said.application_type not in ("web", "native"):
        raise Unregistrable(METADATA, "application_type: web or native.")
    if method == PUBLIC_METHOD:
        return "native" if native else "browser"
    if native or method not in (*BY_SECRET, BY_KEY):
        raise Unregistrable(METADATA, "token_endpoint_auth_method: one that this kind of program can keep to.")
    if (method == BY_KEY) != (said.jwks is not None):
        raise Unregistrable(METADATA, "jwks: the public keys of a program that signs (private_key_jwt), of no other.")
    return "web"


def _fit(said: SaidOfItself, kind: str) -> ClientTerms:
    terms = ClientTerms(
        name=" ".join(said.client_name.split()),
        kind=kind,
        redirect_uris=said.redirect_uris,
        logout_uris=said.post_logout_redirect_uris,
        scopes=scopes.split(said.scope),
        jwks=json.dumps(said.jwks) if said.jwks is not None and kind not in PUBLIC else "",
        device=DEVICE in said.grant_types,
        backchannel_uri=said.backchannel_logout_uri,
    )
    try:
        return checked(terms)
    except Invalid as wrong:
        first = wrong.errors[0]
        error = REDIRECTS if first["path"] == "redirect_uris" else METADATA
        raise Unregistrable(error, f"{NAMES.get(first['path'], first['path'])}: {first['message']}") from None


def is_shown(uri: str) -> bool:
    """Whether it may be shown as text. It is never a link and never asked for."""
    return PRINTABLE.fullmatch(uri) is not None and uri.lower().startswith(("https://", "http://"))


def answer_of(terms: ClientTerms, said: SaidOfItself) -> dict[str, Any]:
    """What was registered of it, in the standard's names (RFC 7591 section 3.2.1)."""
    grants = [CODE, *([REFRESH] if "offline_access" in terms.scopes else []), *([DEVICE] if terms.device else [])]
    told: dict[str, Any] = {
        "client_name": terms.name,
        "redirect_uris": terms.redirect_uris,
        "token_endpoint_auth_method": said.token_endpoint_auth_method,
        "application_type": said.application_type,
        "grant_types": grants,
        "response_types": ["code"],
        "scope": " ".join(terms.scopes),
    }
    more = {
        "jwks": said.jwks if terms.jwks else None,
        "client_uri": said.client_uri,
        "contacts": said.contacts,
        "post_logout_redirect_uris": terms.logout_uris,
        "backchannel_logout_uri": terms.backchannel_uri,
    }
    return told | {name: value for name, value in more.items() if value}
