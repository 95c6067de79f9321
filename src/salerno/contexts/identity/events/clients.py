"""What happens to an application that may ask for access."""

from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from salerno.kernel.messages import Event


class ClientTerms(Struct, frozen=True, kw_only=True):
    """What an application is and may ask for."""

    name: str
    kind: str
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    jwks: str = ""
    device: bool = False
    backchannel_uri: str = ""
    launch_uri: str = ""


class ClientRegistered(Event, tag="identity.client_registered.v1"):
    client: UUID
    terms: ClientTerms


class ClientAsked(Event, tag="identity.client_asked.v1"):
    """A program has asked by itself to be registered. It may do nothing before an administrator has approved it.

    `site` and `contacts` are its own words; `address` is from where it asked.
    """

    client: UUID
    terms: ClientTerms
    site: str = ""
    contacts: tuple[str, ...] = ()
    address: str = ""


class ClientApproved(Event, tag="identity.client_approved.v1"):
    """A program that had asked by itself may be used."""

    client: UUID


class ClientChanged(Event, tag="identity.client_changed.v1"):
    client: UUID
    terms: ClientTerms


class ClientSecretIssued(Event, tag="identity.client_secret_issued.v1"):
    """The secret itself is kept as a hash, elsewhere."""

    client: UUID


class ClientRetired(Event, tag="identity.client_retired.v1"):
    client: UUID


ClientEvent: TypeAlias = (
    ClientRegistered | ClientAsked | ClientApproved | ClientChanged | ClientSecretIssued | ClientRetired
)
