"""The rules of an account: who may appoint whom, and what a deactivated one may still do (nothing)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from salerno.contexts.identity.commands import (
    ApproveUser,
    ChangePreferences,
    ChangeUserRole,
    CreateUser,
    DeactivateUser,
    EndUserSessions,
    ReactivateUser,
    ResetSecondFactor,
    UnlockUser,
    UpdateUser,
    UserCommand,
)
from salerno.contexts.identity.errors import AlreadyExists, MayNotGrant, NoSuchAccount, NotActive, NotYourself
from salerno.contexts.identity.events import (
    AccountApproved,
    AccountCreated,
    AccountDeactivated,
    AccountInvited,
    AccountReactivated,
    AccountRoleChanged,
    AccountUnlocked,
    AccountUpdated,
    ChartClaimRefused,
    ChartLinked,
    ClientAllowed,
    ClientDisallowed,
    EmailChangeAsked,
    EmailChanged,
    EmailChangeRevoked,
    EmailConfirmed,
    ExternalIdentityLinked,
    ExternalIdentityUnlinked,
    IdentityEvent,
    IdentityProvedAgain,
    PasskeyAdded,
    PasskeyDoubted,
    PasskeyRemoved,
    PasswordChanged,
    PasswordDropped,
    PasswordResetAsked,
    PreferencesChanged,
    RecoveryCodesIssued,
    RecoveryCodeUsed,
    RoleAdded,
    RoleTaken,
    SecondFactorAdded,
    SecondFactorRemoved,
    SessionsEnded,
    SignedIn,
    SignedOut,
    SignInFailed,
)
from salerno.contexts.identity.rules.email import checked
from salerno.contexts.identity.rules.roles import Role, may_grant, role_of
from salerno.kernel.decider import Decider
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Origin


class Status(StrEnum):
    UNKNOWN = "unknown"
    PENDING = "pending"
    UNVERIFIED = "unverified"
    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class Account:
    status: Status = Status.UNKNOWN
    role: Role = Role.PATIENT
    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    staff: UUID | None = None
    patient: UUID | None = None
    has_factor: bool = False
    passkeys: frozenset[UUID] = frozenset()
    also: frozenset[str] = frozenset()
    instead: frozenset[str] = frozenset()
    language: str = ""
    theme: str = ""


@dataclass(frozen=True, slots=True)
class SelfSignedUp:
    """Somebody made an account for themselves: with a wish for a role, and perhaps with proof of a chart."""

    account: UUID
    email: str
    given_name: str
    family_name: str
    role: Role
    patient: UUID | None
    language: str
    approved: bool
    status: str = ""  # where it is neither active nor pending at first
    staff: UUID | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that an errand has already checked, and that this account's history must tell."""

    event: IdentityEvent


@dataclass(frozen=True, slots=True)
class Known:
    """A command with the id of the account and the role of who asks."""

    account: UUID
    command: UserCommand


Access = SecondFactorAdded | SecondFactorRemoved | PasskeyAdded | PasskeyRemoved | RoleAdded | RoleTaken
Wish = Known | SelfSignedUp | Noted


def decide(state: Account, wish: Wish, origin: Origin) -> Sequence[IdentityEvent]:
    match wish:
        case SelfSignedUp():
            return _sign_up(state, wish)
        case Noted():
            return [wish.event] if state.status is not Status.UNKNOWN else []
        case Known():
            return _manage(state, wish, origin)
        case _:
            assert_never(wish)


def _manage(state: Account, wish: Known, origin: Origin) -> Sequence[IdentityEvent]:
    account = wish.account
    match wish.command:
        case CreateUser() as command:
            return _create(state, account, command, origin)
        case ChangePreferences() as command:
            return _prefer(state, account, command)
        case UpdateUser() as command:
            _reach(state, origin)
            return _update(state, account, command)
        case ApproveUser():
            _appoint(state, account, state.role, origin)
            return [AccountApproved(account=account)] if state.status is Status.PENDING else []
        case ChangeUserRole() as command:
            return _change_role(state, account, role_of(command.role), origin)
        case DeactivateUser() as command:
            _appoint(state, account, state.role, origin)
            return _deactivate(state, account, command)
        case ReactivateUser():
            _appoint(state, account, state.role, origin)
            return [AccountReactivated(account=account)] if state.status is Status.DEACTIVATED else []
        case UnlockUser():
            _appoint(state, account, state.role, origin)
            return [AccountUnlocked(account=account)]
        case ResetSecondFactor():
            _appoint(state, account, state.role, origin)
            lost = [PasskeyRemoved(account=account, passkey=passkey) for passkey in sorted(state.passkeys)]
            return [SecondFactorRemoved(account=account), *lost, _ended(account, "second factor reset")]
        case EndUserSessions():
            _reach(state, origin)
            return [_ended(account, "ended by an administrator")]
        case _:
            assert_never(wish.command)


def evolve(state: Account, event: IdentityEvent) -> Account:
    match event:
        case AccountCreated():
            return _created(event)
        case AccountApproved() | AccountReactivated():
            return replace(state, status=Status.ACTIVE)
        case AccountRoleChanged():
            return replace(state, role=Role(event.role))
        case AccountUpdated():
            return replace(
                state,
                full_name=event.full_name,
                given_name=event.given_name,
                family_name=event.family_name,
                staff=event.staff,
            )
        case AccountDeactivated():
            return replace(state, status=Status.DEACTIVATED)
        case ChartLinked():
            return replace(state, patient=event.patient)
        case PreferencesChanged():
            return replace(state, language=event.language, theme=event.theme)
        case EmailConfirmed():
            return replace(state, status=Status(event.status))
        case (
            SecondFactorAdded() | SecondFactorRemoved() | PasskeyAdded() | PasskeyRemoved() | RoleAdded() | RoleTaken()
        ):
            return _evolve_access(state, event)
        case (
            AccountUnlocked()
            | AccountInvited()
            | PasswordResetAsked()
            | EmailChangeAsked()
            | EmailChanged()
            | EmailChangeRevoked()
            | PasskeyDoubted()
            | ExternalIdentityLinked()
            | ExternalIdentityUnlinked()
            | IdentityProvedAgain()
            | ChartClaimRefused()
            | PasswordChanged()
            | PasswordDropped()
            | RecoveryCodesIssued()
            | RecoveryCodeUsed()
            | SignedIn()
            | SignInFailed()
            | SignedOut()
            | SessionsEnded()
            | ClientAllowed()
            | ClientDisallowed()
        ):
            return state
        case _:
            assert_never(event)


def _evolve_access(state: Account, event: Access) -> Account:
    match event:
        case SecondFactorAdded():
            return replace(state, has_factor=True)
        case SecondFactorRemoved():
            return replace(state, has_factor=False)
        case PasskeyAdded():
            return replace(state, passkeys=state.passkeys | {event.passkey})
        case PasskeyRemoved():
            return replace(state, passkeys=state.passkeys - {event.passkey})
        case RoleAdded():
            instead = state.instead | {event.role} if event.instead else state.instead
            return replace(state, also=state.also | {event.role}, instead=instead)
        case RoleTaken():
            return replace(state, also=state.also - {event.role}, instead=state.instead - {event.role})
        case _:
            assert_never(event)


def _created(event: AccountCreated) -> Account:
    return Account(
        status=Status(event.status),
        role=Role(event.role),
        given_name=event.given_name,
        family_name=event.family_name,
        full_name=event.full_name,
        staff=event.staff,
        patient=event.patient,
        language=event.language,
    )


def _reach(state: Account, origin: Origin) -> None:
    """Whether who asks may touch an account of this role at all."""
    if state.status is Status.UNKNOWN:
        raise NoSuchAccount()
    if not may_grant(origin.role, state.role):
        raise MayNotGrant(role=state.role.value)


def _appoint(state: Account, account: UUID, role: Role, origin: Origin) -> None:
    """Whether who asks may decide what this account may do: never the owner of it."""
    if origin.actor == account:
        raise NotYourself()
    _reach(state, origin)
    if not may_grant(origin.role, role):
        raise MayNotGrant(role=role.value)


def _create(state: Account, account: UUID, command: CreateUser, origin: Origin) -> list[IdentityEvent]:
    if state.status is not Status.UNKNOWN:
        raise AlreadyExists()
    role = role_of(command.role)
    if not may_grant(origin.role, role):
        raise MayNotGrant(role=role.value)
    given, family = names(command.given_name, command.family_name, command.full_name)
    return [
        AccountCreated(
            account=account,
            role=role.value,
            email=checked(command.email),
            full_name=f"{given} {family}".strip(),
            given_name=given,
            family_name=family,
            status=Status.ACTIVE.value,
            staff=command.staff_id,
            language=command.language,
        )
    ]


def names(given: str, family: str, full: str) -> tuple[str, str]:
    """Given and family name, from both or from the full name."""
    given, family = " ".join(given.split()), " ".join(family.split())
    if not (given or family):
        given, _, family = " ".join(full.split()).rpartition(" ")
    if not (given or family):
        raise Invalid.field("full_name", "required", "A name is needed.")
    return given, family


def _sign_up(state: Account, wish: SelfSignedUp) -> list[IdentityEvent]:
    if state.status is not Status.UNKNOWN:
        raise AlreadyExists()
    return [
        AccountCreated(
            account=wish.account,
            role=wish.role.value,
            email=wish.email,
            full_name=f"{wish.given_name} {wish.family_name}".strip(),
            given_name=wish.given_name,
            family_name=wish.family_name,
            status=wish.status or (Status.ACTIVE if wish.approved else Status.PENDING).value,
            staff=wish.staff,
            patient=wish.patient,
            language=wish.language,
        )
    ]


def _prefer(state: Account, account: UUID, command: ChangePreferences) -> list[IdentityEvent]:
    language = state.language if command.language is None else command.language
    theme = state.theme if command.theme is None else command.theme
    if (language, theme) == (state.language, state.theme):
        return []
    return [PreferencesChanged(account=account, language=language, theme=theme)]


def _update(state: Account, account: UUID, command: UpdateUser) -> list[IdentityEvent]:
    given, family = names(
        state.given_name if command.given_name is None else command.given_name,
        state.family_name if command.family_name is None else command.family_name,
        state.full_name,
    )
    staff = command.staff_id or state.staff
    if (given, family, staff) == (state.given_name, state.family_name, state.staff):
        return []
    full = f"{given} {family}".strip()
    return [AccountUpdated(account=account, full_name=full, given_name=given, family_name=family, staff=staff)]


def _change_role(state: Account, account: UUID, role: Role, origin: Origin) -> list[IdentityEvent]:
    _appoint(state, account, role, origin)
    if state.status is Status.DEACTIVATED:
        raise NotActive()
    if role is state.role:
        return []
    return [
        AccountRoleChanged(account=account, before=state.role.value, role=role.value),
        *(RoleTaken(account=account, role=further) for further in sorted(state.also)),
        _ended(account, "role changed"),
    ]


def _deactivate(state: Account, account: UUID, command: DeactivateUser) -> list[IdentityEvent]:
    if state.status is Status.DEACTIVATED:
        return []
    return [AccountDeactivated(account=account, reason=command.reason), _ended(account, "account deactivated")]


def _ended(account: UUID, reason: str) -> SessionsEnded:
    return SessionsEnded(account=account, reason=reason)


ACCOUNT: Decider[Account, Wish, IdentityEvent] = Decider(
    kind="identity.account", initial=Account(), decide=decide, evolve=evolve, events=IdentityEvent
)
