"""Programs that ask by themselves to be registered (RFC 7591). None may do anything before somebody approves it."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.clients import Name, Uri, Uris
from salerno.kernel.messages import Errand

Word = Annotated[str, Meta(max_length=200)]
Words = Annotated[tuple[Word, ...], Meta(max_length=10)]


class SaidOfItself(Struct, frozen=True, kw_only=True):
    """What a program says of itself, in the standard's names (RFC 7591 section 2, OpenID Connect Registration).

    Anything else that it says is not read. No address in here is ever fetched.
    """

    client_name: Name
    redirect_uris: Uris = ()
    token_endpoint_auth_method: Word = "client_secret_basic"  # noqa: S105 - the standard's default, no secret
    application_type: Word = "web"
    grant_types: Words = ("authorization_code",)
    response_types: Words = ("code",)
    scope: Annotated[str, Meta(max_length=4000)] = "openid profile"
    jwks: dict[str, Any] | None = None
    jwks_uri: Uri = ""
    client_uri: Uri = ""
    contacts: Words = ()
    post_logout_redirect_uris: Uris = ()
    backchannel_logout_uri: Uri = ""
    software_statement: Annotated[str, Meta(max_length=20_000)] = ""


class AskToRegister(Errand):
    """A program asks to be registered. Answers a ProviderAnswer: 201, or 400 in the standard's words.

    `organisation` is whose administrators decide; it may be left out where there is only one.
    """

    said: SaidOfItself
    organisation: UUID | None = None

    def __repr__(self) -> str:
        return "AskToRegister()"
