"""Signing in at somebody else's OpenID provider: being sent there, coming back, and which identity there is whose."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.sign_in import ChallengePosed, Opened, Token
from salerno.kernel.messages import Errand

ProviderId = Annotated[str, Meta(max_length=40)]


class ExternalProvidersHere(Errand):
    """Which providers the installation knows. Answers ProviderLines."""


class ProviderLine(Struct, frozen=True, kw_only=True):
    provider: str
    name: str


class EnterByProvider(Errand):
    """Sign in at this provider. Answers Departure. `invitation` is the token of a letter that is accepted so."""

    provider: ProviderId
    invitation: Token = ""

    def __repr__(self) -> str:
        return "EnterByProvider()"


class LinkProvider(Errand):
    """Link one's identity there with one's account here. Answers Departure."""

    provider: ProviderId


class ProveByProvider(Errand):
    """Show once more who one is, by signing in there anew. Answers Departure."""

    provider: ProviderId


class UnlockByProvider(Errand):
    """Unlock the screen by signing in anew at the provider by which one came. Answers Departure."""

    provider: ProviderId


class ProviderOfSession(Errand):
    """The provider by which the caller's session was opened, as a ProviderLine; None for none, or none any more."""


class HearSignOut(Errand):
    """A provider says that somebody has signed out there (back-channel logout). Answers ProviderAnswer."""

    provider: ProviderId
    logout_token: Annotated[str, Meta(max_length=20_000)]

    def __repr__(self) -> str:
        return "HearSignOut()"


class Departure(Struct, frozen=True, kw_only=True):
    """Where the browser goes, and the token for its cookie, by which it is known again for ten minutes."""

    location: str
    token: str

    def __repr__(self) -> str:
        return "Departure()"


class ComeBackFromProvider(Errand):
    """The browser has come back with these parameters in its address. Answers Arrival."""

    provider: ProviderId
    parameters: tuple[tuple[str, str], ...]
    token: Token
    agent: Annotated[str, Meta(max_length=400)] = ""
    device: Token = ""
    previous: Token = ""

    def __repr__(self) -> str:
        return "ComeBackFromProvider()"


class Arrival(Struct, frozen=True, kw_only=True):
    """`entered` and `proved` have a session; `challenged` a second factor still to show; `linked` has neither."""

    outcome: Literal["entered", "challenged", "linked", "proved"]
    opened: Opened | None = None
    posed: ChallengePosed | None = None


class MyExternalIdentities(Errand):
    """The caller's identities at other providers, oldest first."""


class ExternalIdentityLine(Struct, frozen=True, kw_only=True):
    """`label` is what the identity was called there when it was linked; `listed` whether the provider still is."""

    identity_id: UUID
    provider: str
    name: str
    label: str
    linked_at: datetime
    used_at: datetime | None = None
    listed: bool = True


class UnlinkExternalIdentity(Errand):
    identity_id: UUID


class LeaveProvider(Errand):
    """The provider's address for signing out there; "" where it has none."""

    provider: ProviderId
