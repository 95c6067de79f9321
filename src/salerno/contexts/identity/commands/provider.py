"""What is asked of the OpenID provider: by programs with a form, by browsers with a person before them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Errand

Text = Annotated[str, Meta(max_length=10_000)]
Pairs = Annotated[tuple[tuple[Text, Text], ...], Meta(max_length=60)]
Handle = Annotated[str, Meta(max_length=200)]
Endpoint = Literal["token", "par", "introspection", "revocation", "device_authorization"]


class AskProvider(Errand):
    """One request of a program at one of the endpoints: its form as it came, and its Authorization header."""

    endpoint: Endpoint
    form: Pairs
    authorization: Annotated[str, Meta(max_length=4000)] = ""

    def __repr__(self) -> str:
        return f"AskProvider(endpoint={self.endpoint})"


class ProviderAnswer(Struct, frozen=True, kw_only=True):
    """What the program is answered, as it goes out."""

    status: int
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"ProviderAnswer(status={self.status})"


class ProviderMetadata(Errand):
    """What this provider can do, for programs that look for it."""

    kind: Literal["openid", "oauth", "smart"] = "openid"


class BeginAuthorization(Errand):
    """A browser stands at /authorize with these parameters. Answers a Step.

    `posted`: they came in a form of another site, where nobody's cookie counts. What is wrong with them is said at
    once; else the browser goes on "back" to the same address, where a name stands in their place.
    """

    parameters: Pairs
    posted: bool = False

    def __repr__(self) -> str:
        return "BeginAuthorization()"


class GoOnWithAuthorization(Errand):
    """The same browser comes back: signed in by now, or with the answer to what it was asked. Answers a Step."""

    handle: Handle
    decision: Literal["", "allow", "deny"] = ""
    scopes: Annotated[tuple[Text, ...], Meta(max_length=100)] = ()
    patient: UUID | None = None

    def __repr__(self) -> str:
        return f"GoOnWithAuthorization(decision={self.decision})"


class Step(Struct, frozen=True, kw_only=True):
    """What the browser does next.

    "error": a page that says why, and no way back to the program, which may be a forger's. "back": to `location`,
    with a code or an error. "sign-in": sign in (again, where `again`), then come back with `handle`. "enrol": set up
    the second factor first. "consent": ask the person about `scopes` for the program `name` at `host`.
    """

    outcome: Literal["error", "back", "sign-in", "enrol", "consent"]
    location: str = ""
    handle: str = ""
    again: bool = False
    error: str = ""
    name: str = ""
    host: str = ""
    scopes: tuple[str, ...] = ()
    needs_patient: bool = False

    def __repr__(self) -> str:
        return f"Step(outcome={self.outcome})"


class FindDevice(Errand):
    """Which program waits on the device that shows this code. Answers a Device."""

    user_code: Annotated[str, Meta(max_length=100)]

    def __repr__(self) -> str:
        return "FindDevice()"


class AnswerDevice(Errand):
    """Let it in, or not."""

    user_code: Annotated[str, Meta(max_length=100)]
    allow: bool

    def __repr__(self) -> str:
        return "AnswerDevice()"


class Device(Struct, frozen=True, kw_only=True):
    name: str
    scopes: tuple[str, ...]


class EndSession(Errand):
    """RP-initiated logout: a program sends its user here to be signed out. Answers a Farewell."""

    parameters: Pairs
    confirmed: bool = False

    def __repr__(self) -> str:
        return "EndSession()"


class Farewell(Struct, frozen=True, kw_only=True):
    """`ended` says that nobody is signed in here any more; `location` is where the program wants its user back."""

    ended: bool
    location: str = ""
    name: str = ""


class UserInfo(Errand):
    """The claims that the caller's token may read, as a mapping."""


class MyApplications(Errand):
    """The programs that the caller has let in. Answers ApplicationLines."""


class ApplicationLine(Struct, frozen=True, kw_only=True):
    client_id: str
    name: str
    scopes: tuple[str, ...]


class WithdrawApplication(Errand):
    """What it was granted ends at once, and it has to ask again."""

    client_id: Annotated[str, Meta(max_length=100)]


class LaunchApplication(Errand):
    """Open an application from a chart: answers the address that the browser goes to."""

    client_id: UUID
    patient_id: UUID
    encounter_id: UUID | None = None


class LaunchableApplications(Errand):
    """The organisation's programs that can be opened from a chart. Answers ApplicationLines."""
