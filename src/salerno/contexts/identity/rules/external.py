"""Somebody else's OpenID providers, at which people may sign in to us: those that the installation's table names."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
ODD_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalProvider:
    """One provider. `factors` are the values of `amr` that count here as a second factor; none, where it is empty.

    `organisation` is the only one whose accounts may come in by it, None for all of them. `domains` and `claim`
    (a name and the value it must have) say whom of the provider's people we let in at all.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    organisation: UUID | None = None
    domains: frozenset[str] = frozenset()
    claim: tuple[str, str] = ("", "")
    factors: frozenset[str] = frozenset()

    def owns(self, url: Any) -> bool:
        """Whether an address that the provider names is on its own host, so that we may speak to it."""
        return isinstance(url, str) and len(url) <= 500 and _origin(url) == _origin(self.issuer) is not None

    def admits(self, claims: Mapping[str, Any]) -> bool:
        """Whether the table lets in whoever has these claims."""
        name, wanted = self.claim
        found = claims.get(name)
        if name and wanted not in (found if isinstance(found, list) else [found]):
            return False
        email = claims.get("email")
        if not self.domains:
            return True
        return (
            isinstance(email, str)
            and claims.get("email_verified") is True
            and email.rpartition("@")[2].lower() in self.domains
        )

    def vouches(self, claims: Mapping[str, Any]) -> bool:
        """Whether what was shown there counts here as a second factor."""
        shown = claims.get("amr")
        return isinstance(shown, list) and any(isinstance(one, str) and one in self.factors for one in shown)


@dataclass(frozen=True, slots=True)
class ExternalProviders:
    """The providers of the configuration, by their ids."""

    by_id: Mapping[str, ExternalProvider] = field(default_factory=dict)


class BadProviders(Exception):
    """A table of providers that cannot be followed. The process does not start."""


def providers_in(text: str, secret_at: Callable[[str], str], *, development: bool) -> ExternalProviders:
    """The table's providers. `secret_at` finds what a column `secret` points to; `development` allows http here."""
    found: dict[str, ExternalProvider] = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            one = _provider(row, secret_at, development=development)
        except (KeyError, ValueError, TypeError, AttributeError, OSError) as wrong:
            said = wrong.args[0] if isinstance(wrong, Unfit) else "the provider is not well described"
            raise BadProviders(f"providers, line {number}: {said}") from wrong
        if one.id in found or any(other.issuer == one.issuer for other in found.values()):
            raise BadProviders(f"providers, line {number}: this id or this issuer stands there twice")
        found[one.id] = one
    return ExternalProviders(found)


class Unfit(ValueError):
    """What is wrong with a line, in words that hold no secret."""


def _provider(row: Mapping[str, str], secret_at: Callable[[str], str], *, development: bool) -> ExternalProvider:
    domains = row["domains"].lower().split()
    name, _, value = row["claim"].partition("=")
    for wrong, said in (
        (not SLUG.fullmatch(row["id"]), "id is not a short word of small letters, digits and dashes"),
        (not row["name"].strip() or ODD_IN_NAMES.search(row["name"]), "name is empty or holds odd characters"),
        (not _is_issuer(row["issuer"], development), "issuer is not an https address without query and fragment"),
        (not row["client_id"].strip(), "client_id is missing"),
        (not all(DOMAIN.fullmatch(one) for one in domains), "domains are not host names with spaces between"),
        (bool(name) != bool(value), "claim is not name=value"),
    ):
        if wrong:
            raise Unfit(said)
    return ExternalProvider(
        id=row["id"],
        name=row["name"].strip(),
        issuer=row["issuer"],
        client_id=row["client_id"].strip(),
        secret=_secret(row["secret"], secret_at),
        organisation=UUID(row["organisation"]) if row["organisation"] else None,
        domains=frozenset(domains),
        claim=(name, value),
        factors=frozenset(row["factors"].split()),
    )


def _secret(place: str, secret_at: Callable[[str], str]) -> str:
    if not place:
        return ""
    try:
        found = secret_at(place)
    except (OSError, ValueError) as wrong:
        raise Unfit("secret points nowhere: write env:NAME or file:/path, never the secret itself") from wrong
    if not found:
        raise Unfit("secret points to something empty")
    return found


def _is_issuer(url: str, development: bool) -> bool:
    parts = _parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc or "#" in url or "?" in url:
        return False
    return parts.scheme == "https" or (development and parts.scheme == "http" and parts.hostname in LOOPBACK)


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and (parts.port is None or parts.port) else None
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str, int] | None:
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def one_value(parameters: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """What came back in an address; None where a name stands there twice."""
    pairs: Sequence[tuple[str, str]] = tuple(parameters)
    found = dict(pairs)
    return found if len(found) == len(pairs) else None
