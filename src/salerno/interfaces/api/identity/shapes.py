"""The shapes in which accounts, sessions and tokens travel, as the requirement rows name them."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from salerno.contexts.identity.commands import (
    Opened,
    Profile,
    SessionLine,
)
from salerno.interfaces.http import (
    Body,
    Paging,
    Request,
    Response,
)
from salerno.interfaces.http.cookies import forget

TAGS = ("identity",)
PUBLIC = "whoever signs in is nobody yet"
Email = Annotated[str, Meta(max_length=254, examples=["test.doctor@example.com"])]
Secret = Annotated[str, Meta(max_length=100_000)]
Name = Annotated[str, Meta(max_length=120)]


class Credentials(Body):
    email: Annotated[str, Meta(max_length=1000)]
    password: Secret


class Factor(Body):
    challenge: Annotated[str, Meta(max_length=200)]
    code: Annotated[str, Meta(max_length=100)]


class PlainUser(Struct, frozen=True, kw_only=True):
    """An account as the bare paths show it: snake case, the role in lower case."""

    user_id: UUID
    hospital_id: UUID
    email: str
    full_name: str
    role: str


class PlainLogin(Struct, frozen=True, kw_only=True):
    token: str
    user: PlainUser
    expires_in: int
    must_enrol_second_factor: bool


class ApiUser(Struct, frozen=True, kw_only=True, rename="camel"):
    """An account as the versioned paths show it."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    hospital_id: UUID
    status: str
    staff_id: UUID | None = None
    patient_id: UUID | None = None
    language: str = ""
    theme: str = ""
    two_factor_enabled: bool = False


class ApiLogin(Struct, frozen=True, kw_only=True, rename="camel"):
    user: ApiUser
    access_token: str
    refresh_token: str
    expires_in: int
    must_enrol_second_factor: bool


class Registration(Body):
    """`firstName` or `first_name`, `lastName` or `last_name`: either spelling."""

    email: Email
    password: Secret
    first_name_camel: Name = field(default="", name="firstName")
    last_name_camel: Name = field(default="", name="lastName")
    first_name: Name = ""
    last_name: Name = ""
    role: Annotated[str, Meta(max_length=40)] = "PATIENT"
    language: Annotated[str, Meta(pattern="^(it|en)?$")] = ""
    code: Annotated[str, Meta(max_length=100)] = ""


class RegisteredUser(Struct, frozen=True, kw_only=True, rename="camel"):
    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    status: str


class RegisteredAnswer(Struct, frozen=True, kw_only=True):
    user: RegisteredUser


class RefreshToken(Body):
    """`refreshToken` or `refresh_token`."""

    camel: Annotated[str, Meta(max_length=200)] = field(default="", name="refreshToken")
    refresh_token: Annotated[str, Meta(max_length=200)] = ""


class Token(Body):
    token: Annotated[str, Meta(max_length=8192)]


class Code(Body):
    code: Annotated[str, Meta(max_length=100)]


class Password(Body):
    password: Secret


class PasswordAndCode(Body):
    password: Secret
    code: Annotated[str, Meta(max_length=100)]


class NewPassword(Body):
    current: Secret
    new: Secret


class UsersWanted(Paging):
    q: Annotated[str, Meta(max_length=200)] = ""
    role: Annotated[str, Meta(max_length=40)] | None = None
    status: Annotated[str, Meta(pattern="^(pending|active|deactivated)$")] | None = None


class UserChange(Body):
    """Fields left out stay as they are. A role is changed by whoever may grant both the old and the new one."""

    given_name: Name | None = None
    family_name: Name | None = None
    staff_id: UUID | None = None
    role: Annotated[str, Meta(max_length=40)] | None = None


class UserList(Struct, frozen=True, kw_only=True):
    users: Sequence[Profile]
    total: int
    limit: int
    offset: int


class SessionList(Struct, frozen=True, kw_only=True):
    sessions: Sequence[SessionLine]


def plain_of(opened: Opened) -> PlainLogin:
    user = opened.user
    shown = PlainUser(
        user_id=user.user_id,
        hospital_id=user.hospital_id,
        email=user.email,
        full_name=user.full_name,
        role=user.role.lower(),
    )
    return PlainLogin(
        token=opened.access_token,
        user=shown,
        expires_in=opened.access_seconds,
        must_enrol_second_factor=opened.must_enrol,
    )


def user_of(user: Profile) -> ApiUser:
    return ApiUser(
        id=user.user_id,
        email=user.email,
        first_name=user.given_name,
        last_name=user.family_name,
        role=user.role,
        hospital_id=user.hospital_id,
        status=user.status,
        staff_id=user.staff_id,
        patient_id=user.patient_id,
        language=user.language,
        theme=user.theme,
        two_factor_enabled=user.has_second_factor,
    )


def api_of(opened: Opened) -> ApiLogin:
    return ApiLogin(
        user=user_of(opened.user),
        access_token=opened.access_token,
        refresh_token=opened.refresh_token,
        expires_in=opened.access_seconds,
        must_enrol_second_factor=opened.must_enrol,
    )


def forgetting(request: Request[Any, Any, Any], made: Response[Any]) -> Response[Any]:
    forget(request)
    return made
