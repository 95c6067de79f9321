"""The programs that may ask for tokens: what they must say of themselves, and those that are declared in a file."""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, assert_never
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from salerno.contexts.identity.commands.clients import (
    ApproveClient,
    ChangeClient,
    ClientCommand,
    RegisterClient,
    RetireClient,
)
from salerno.contexts.identity.errors import ClientRefused, NoSuchClient
from salerno.contexts.identity.events import (
    ClientApproved,
    ClientAsked,
    ClientChanged,
    ClientEvent,
    ClientRegistered,
    ClientRetired,
    ClientSecretIssued,
    ClientTerms,
)
from salerno.contexts.identity.rules import scopes
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin

KINDS = ("web", "browser", "native", "service")
PUBLIC = frozenset({"browser", "native"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PRINTABLE = re.compile(r"[!-~]{1,500}")
OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
ODD_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
MOST = 20
KEY_TYPES = {"EC": ("P-256", "P-384", "P-521"), "RSA": ()}
SECRETS_OF_KEYS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
RSA_BYTES = 256


class Status(StrEnum):
    UNKNOWN = "unknown"
    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ClientState:
    status: Status = Status.UNKNOWN
    terms: ClientTerms | None = None


@dataclass(frozen=True, slots=True)
class SecretMade:
    """A new secret has been made; the old ones are void."""

    client: UUID


@dataclass(frozen=True, slots=True)
class Asks:
    """A program asks by itself; `site` and `contacts` are its own words, `address` is from where."""

    client: UUID
    terms: ClientTerms
    site: str = ""
    contacts: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True)
class AboutClient:
    """A command with the id of the client."""

    client: UUID
    command: ClientCommand


def decide(state: ClientState, wish: AboutClient | SecretMade | Asks, origin: Origin) -> Sequence[ClientEvent]:
    match wish:
        case SecretMade(client=client):
            _here(state)
            return [ClientSecretIssued(client=client)]
        case Asks():
            if state.status is not Status.UNKNOWN:
                raise ClientRefused("This application is registered already.")
            return [
                ClientAsked(
                    client=wish.client, terms=checked(wish.terms), site=wish.site, contacts=wish.contacts,
                    address=wish.address,
                )
            ]  # fmt: skip
        case AboutClient(client=client, command=ApproveClient()):
            if state.status is not Status.PENDING:
                _here(state)
                return []
            return [ClientApproved(client=client)]
        case AboutClient(client=client, command=RegisterClient() as command):
            if state.status is not Status.UNKNOWN:
                raise ClientRefused("This application is registered already.")
            return [ClientRegistered(client=client, terms=checked(command.terms()))]
        case AboutClient(client=client, command=ChangeClient() as command):
            _here(state)
            terms = checked(command.terms())
            return [ClientChanged(client=client, terms=terms)] if terms != state.terms else []
        case AboutClient(client=client, command=RetireClient()):
            if state.status is Status.UNKNOWN:
                raise NoSuchClient()
            return [ClientRetired(client=client)] if state.status is not Status.RETIRED else []
        case AboutClient():
            raise NoSuchClient()
        case _:
            assert_never(wish)


def _here(state: ClientState) -> None:
    if state.status is not Status.ACTIVE:
        raise NoSuchClient()


def evolve(state: ClientState, event: ClientEvent) -> ClientState:
    match event:
        case ClientRegistered(terms=terms) | ClientChanged(terms=terms):
            return ClientState(Status.ACTIVE, terms)
        case ClientAsked(terms=terms):
            return ClientState(Status.PENDING, terms)
        case ClientApproved():
            return ClientState(Status.ACTIVE, state.terms)
        case ClientRetired():
            return ClientState(Status.RETIRED, state.terms)
        case ClientSecretIssued():
            return state
        case _:
            assert_never(event)


CLIENT: Decider[ClientState, AboutClient | SecretMade | Asks, ClientEvent] = Decider(
    kind="identity.client", initial=ClientState(), decide=decide, evolve=evolve, events=ClientEvent
)


# ------------------------------------------------------------------ what a client must say of itself
def checked(terms: ClientTerms) -> ClientTerms:
    """The terms as they will hold, or every field that is wrong."""
    errors = [*_name(terms), *_uris(terms), *_scopes(terms), *_keys(terms)]
    if errors:
        raise Invalid(errors=errors)
    return terms


def _wrong(path: str, code: str, message: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": message}


def _name(terms: ClientTerms) -> Iterable[dict[str, str]]:
    if not terms.name.strip() or ODD_IN_NAMES.search(terms.name):
        yield _wrong("name", "malformed", "A name without markup and without invisible characters.")


def _uris(terms: ClientTerms) -> Iterable[dict[str, str]]:
    service = terms.kind == "service"
    if service and (terms.redirect_uris or terms.logout_uris or terms.launch_uri or terms.device):
        yield _wrong("redirect_uris", "not-for-services", "Nobody signs in at a service: it has no such address.")
    if not service and not terms.redirect_uris:
        yield _wrong("redirect_uris", "required", "At least one address to come back to.")
    for name in ("redirect_uris", "logout_uris"):
        uris: tuple[str, ...] = getattr(terms, name)
        if len(uris) > MOST or not all(is_return_address(uri, terms.kind) for uri in uris):
            yield _wrong(name, "bad-address", "An https address (http on this machine only) without a fragment.")
    for name in ("backchannel_uri", "launch_uri"):
        uri: str = getattr(terms, name)
        if uri and not is_return_address(uri, "web"):
            yield _wrong(name, "bad-address", "An https address (http on this machine only) without a fragment.")


def is_return_address(uri: str, kind: str) -> bool:
    """Whether a browser may be sent there with a code. Native programs may use loopback or a scheme of their own."""
    parts = _parts(uri)
    if parts is None or "#" in uri or "\\" in uri or "*" in uri or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return kind == "native" and OWN_SCHEME.fullmatch(parts.scheme) is not None


def _parts(uri: str) -> SplitResult | None:
    if not PRINTABLE.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def is_registered(uri: str, terms: ClientTerms) -> bool:
    """The same string, letter by letter; a native program listens on whatever loopback port is free (RFC 8252)."""
    if uri in terms.redirect_uris:
        return True
    return terms.kind == "native" and _portless(uri) is not None and _portless(uri) in terms.redirect_uris


def _portless(uri: str) -> str | None:
    found = re.fullmatch(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(/[!-\[\]-~]*)?", uri)
    return f"{found[1]}{found[3] or ''}" if found and int(found[2] or 1) < 65_536 and "#" not in uri else None


def _scopes(terms: ClientTerms) -> Iterable[dict[str, str]]:
    for scope in terms.scopes:
        if not scopes.is_known(scope):
            yield _wrong("scopes", "unknown-scope", "There is no such scope.")
            return
    of_system = [scope for scope in terms.scopes if scope.startswith("system/")]
    for_people = [s for s in terms.scopes if s in scopes.PLAIN or s.startswith(("patient/", "user/"))]
    if terms.kind == "service" and for_people:
        yield _wrong("scopes", "not-for-services", "A service has the scopes of rooms and of system/ only.")
    if terms.kind != "service" and of_system:
        yield _wrong("scopes", "for-services", "Only a service may have scopes of system/.")


def _keys(terms: ClientTerms) -> Iterable[dict[str, str]]:
    if not terms.jwks:
        return
    if terms.kind in PUBLIC:
        yield _wrong("jwks", "not-for-public", "A program that cannot keep a secret has no key.")
    elif keys_of(terms.jwks) is None:
        yield _wrong("jwks", "malformed", "A JWK set of public keys: EC, or RSA of 2048 bits and more.")


def keys_of(text: str) -> KeySet | None:
    """The public keys of a JWK set; None where one of them is private, weak, or no key at all."""
    try:
        listed: list[dict[str, Any]] = json.loads(text)["keys"]
        if not listed or len(listed) > MOST or not all(_is_fit(key) for key in listed):
            return None
        return KeySet.import_key_set({"keys": listed})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _is_fit(key: dict[str, Any]) -> bool:
    kind = key.get("kty")
    if kind not in KEY_TYPES or SECRETS_OF_KEYS & key.keys() or key.get("use", "sig") != "sig" or not key.get("kid"):
        return False
    return key.get("crv") in KEY_TYPES[kind] if KEY_TYPES[kind] else len(str(key.get("n", ""))) * 3 // 4 >= RSA_BYTES


# ------------------------------------------------------------------ those declared in a file
@dataclass(frozen=True, slots=True)
class Declared:
    """A client of the configuration: it holds for every organisation. `trusted` ones are ours and ask no consent."""

    client_id: str
    terms: ClientTerms
    trusted: bool = False
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class DeclaredClients:
    """The clients of the configuration, by their ids."""

    by_id: Mapping[str, Declared]


class BadClients(Exception):
    """A file of clients that cannot be followed. The process does not start."""


@cache
def shipped() -> DeclaredClients:
    text = (resources.files("salerno.contexts.identity") / "data" / "clients.csv").read_text("utf-8")
    return DeclaredClients(dict(_declared(text)))


def declared_in(text: str) -> DeclaredClients:
    """Those that ship, and those of the installation's own file, which may say a shipped one anew."""
    return DeclaredClients({**shipped().by_id, **dict(_declared(text))})


def _declared(text: str) -> Iterable[tuple[str, Declared]]:
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            terms = ClientTerms(
                name=row["name"],
                kind=row["kind"],
                redirect_uris=tuple(row["redirect_uris"].split()),
                logout_uris=tuple(row["logout_uris"].split()),
                scopes=scopes.split(row["scopes"]),
                device=row["device"] == "yes",
                backchannel_uri=row["backchannel_uri"],
                launch_uri=row["launch_uri"],
            )
            if terms.kind not in KINDS or not re.fullmatch(r"[a-z][a-z0-9-]{1,60}", row["client_id"]):
                raise ValueError(row["client_id"])
            yield (
                row["client_id"],
                Declared(
                    row["client_id"],
                    checked(terms),
                    row["trusted"] == "yes",
                    bytes.fromhex(row["secret_sha256"] or ""),
                ),
            )
        except (Invalid, KeyError, ValueError, TypeError, AttributeError) as wrong:
            raise BadClients(f"clients, line {number}: the client is not well described") from wrong
