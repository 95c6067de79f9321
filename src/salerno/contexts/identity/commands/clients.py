"""The programs that may ask for tokens, as administrators keep them."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.events import ClientTerms
from salerno.kernel.messages import Command, Errand

Kind = Literal["web", "browser", "native", "service"]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Uri = Annotated[str, Meta(max_length=500)]
Uris = Annotated[tuple[Uri, ...], Meta(max_length=20)]
Scopes = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=400)], ...], Meta(max_length=100)]
KeySetText = Annotated[str, Meta(max_length=20_000)]


class _Terms(Command):
    """`kind`: "web" keeps a secret on its server; "browser" and "native" cannot keep one; "service" has no people.

    `jwks` is a set of public keys by which a "web" or "service" client signs (private_key_jwt); without it
    the client has a secret.
    """

    name: Name
    kind: Kind
    redirect_uris: Uris = ()
    logout_uris: Uris = ()
    scopes: Scopes = ()
    jwks: KeySetText = ""
    device: bool = False
    backchannel_uri: Uri = ""
    launch_uri: Uri = ""

    def terms(self) -> ClientTerms:
        return ClientTerms(**{name: getattr(self, name) for name in ClientTerms.__struct_fields__})


class RegisterClient(_Terms):
    """Let an application of this organisation ask for tokens."""

    client_id: UUID | None = None


class ChangeClient(_Terms):
    client_id: UUID


class RetireClient(Command):
    """The application gets no tokens any more, and those that it has end; who waits for approval is refused so."""

    client_id: UUID


class ApproveClient(Command):
    """A program that asked by itself to be registered may be used from now on, with the terms that it asked for."""

    client_id: UUID


class IssueClientSecret(Errand):
    """A new secret, shown this once. The old one is void."""

    client_id: UUID


class ClientSecret(Struct, frozen=True, kw_only=True):
    client_id: UUID
    secret: str

    def __repr__(self) -> str:
        return f"ClientSecret(client_id={self.client_id})"


ClientCommand = RegisterClient | ChangeClient | ApproveClient | RetireClient
