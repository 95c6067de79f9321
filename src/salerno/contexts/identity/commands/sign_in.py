"""Coming in and going out. A door keeps the token it is given; the room keeps only its hash."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from salerno.kernel.messages import Caller, Errand

Password = Annotated[str, Meta(max_length=100_000)]
Kind = Literal["web", "password", "api"]
Token = Annotated[str, Meta(max_length=200)]


class SignIn(Errand):
    """Answers Opened, or ChallengePosed where the account has a second factor.

    `kind`: "web" opens a browser's session; "password" one with a long access token (IAM-13); "api" one
    with a short access token and a refresh token (IAM-14). `device` is the token that an earlier sign-in
    on this device was given: it keeps the door open for the owner while others are locked out.
    `agent` names the program, for the list of one's sessions. `previous` is the session of before, which ends.
    """

    email: Annotated[str, Meta(max_length=1000)]
    password: Password
    kind: Kind = "web"
    device: Token = ""
    agent: Annotated[str, Meta(max_length=400)] = ""
    previous: Token = ""

    def __repr__(self) -> str:
        return f"SignIn(kind={self.kind})"


class VerifySecondFactor(Errand):
    """The second half: a code of the authenticator, or a recovery code."""

    challenge: Token
    code: Annotated[str, Meta(max_length=100)]
    device: Token = ""
    agent: Annotated[str, Meta(max_length=400)] = ""
    previous: Token = ""

    def __repr__(self) -> str:
        return "VerifySecondFactor()"


class Profile(Struct, frozen=True, kw_only=True):
    """Who an account is, for its owner and for administrators."""

    user_id: UUID
    hospital_id: UUID
    email: str
    full_name: str
    given_name: str
    family_name: str
    role: str
    status: str
    staff_id: UUID | None = None
    patient_id: UUID | None = None
    language: str = ""
    theme: str = ""
    member: bool = False  # the account is at home in another organisation
    also: tuple[str, ...] = ()  # further roles
    instead: tuple[str, ...] = ()  # those of them that stand in the role's place
    has_second_factor: bool = False
    has_totp: bool = False
    passkeys: int = 0
    without_password: bool = False  # its owner dropped it
    concealed: bool = False  # it is that of a patient whose chart is hidden from whoever asks: nothing names them
    version: int = 0


class Opened(Struct, frozen=True, kw_only=True):
    """A session. `token` goes into the cookie; programs get `access_token` and, for "api", `refresh_token`.

    `device` is for a cookie of a year. `must_enrol` says that the role demands a second factor and the
    account has none: the session may do nothing but set one up.
    """

    session: UUID
    user: Profile
    expires_at: datetime
    token: str = ""
    access_token: str = ""
    access_seconds: int = 0
    refresh_token: str = ""
    device: str = ""
    must_enrol: bool = False

    def __repr__(self) -> str:
        return f"Opened(session={self.session})"


class ChallengePosed(Struct, frozen=True, kw_only=True):
    """The password was right; now the second factor, with this challenge, by then."""

    challenge: str
    expires_at: datetime
    methods: tuple[str, ...] = ("totp", "recovery-code")

    def __repr__(self) -> str:
        return "ChallengePosed()"


class FoundCaller(Struct, frozen=True, kw_only=True):
    """Who is behind a cookie or a token, for the doors."""

    caller: Caller
    csrf: str
    expires_at: datetime
    language: str = ""
    theme: str = ""
    must_enrol: bool = False
    zone: str = ""
    stale: bool = False  # too long since its owner showed who they are, for anything grave
    lock_after: int = 0  # seconds without a person's action until it locks
    locked: bool = False  # the screen is locked: only unlocking and signing out are open
    audience: str = ""  # for which of our interfaces the token was made
    scopes: tuple[str, ...] = ()


class ResolveSession(Errand):
    """FoundCaller or None. Only what a person did (not a poll, not a stream) keeps a session alive."""

    token_hash: bytes
    user_initiated: bool = True


class SignOut(Errand):
    """Ends the caller's session, its access tokens and its refresh tokens, everywhere.

    Answers the other provider by which the session was opened, "" for none.
    """


class MySessions(Errand):
    """The caller's live sessions, newest first."""


class SessionLine(Struct, frozen=True, kw_only=True):
    session: UUID
    kind: str
    opened_at: datetime
    seen_at: datetime
    address: str
    agent: str
    current: bool


class EndMySession(Errand):
    session_id: UUID


class EndMySessions(Errand):
    """All of one's sessions but the present one, or that one as well."""

    present_too: bool = False


class ChangePassword(Errand):
    """Ends every other session and answers a new token for the present one.

    `current` is empty where a passkey stands in the password's place: then the first one is chosen.
    """

    current: Password
    new: Password

    def __repr__(self) -> str:
        return "ChangePassword()"


class DropPassword(Errand):
    """Do without a password from now on: a passkey opens the account alone.

    Answers Opened; every other session ends.
    """


class InitAdministrator(Errand):
    """The first super administrator, or another one: for the command line only. Answers the account's id."""

    email: Annotated[str, Meta(max_length=254)]
    password: Password
    full_name: Annotated[str, Meta(max_length=240)] = "Administrator"

    def __repr__(self) -> str:
        return "InitAdministrator()"


Lines = Sequence[SessionLine]
