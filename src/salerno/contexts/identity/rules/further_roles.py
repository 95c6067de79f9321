"""When an account may have a further role: a clinical one, given by another administrator.

In an independent doctor's practice there is no other administrator: there its own takes the role, and the log says so.
"""

from collections.abc import Sequence
from uuid import UUID

from salerno.contexts.identity.errors import MayNotGrant, NoSuchAccount, NotActive, NotYourself
from salerno.contexts.identity.events import IdentityEvent, RoleAdded, RoleTaken, SessionsEnded
from salerno.contexts.identity.rules.account import Account, Status
from salerno.contexts.identity.rules.roles import Role, may_grant
from salerno.kernel.messages import Origin

CLINICAL = frozenset({Role.DOCTOR, Role.NURSE, Role.RECEPTIONIST, Role.PHARMACIST, Role.LAB_TECHNICIAN})
INDEPENDENT = "independent"


def add(state: Account, account: UUID, role: Role, origin: Origin) -> Sequence[IdentityEvent]:
    """By somebody else. Every session of the account ends, as with any change of its rights."""
    _reach(state, account, role, origin)
    if state.status is not Status.ACTIVE:
        raise NotActive()
    if role is state.role or role.value in state.also:
        return []
    return [RoleAdded(account=account, role=role.value), SessionsEnded(account=account, reason="role added")]


def take(state: Account, account: UUID, role: Role, origin: Origin) -> Sequence[IdentityEvent]:
    _reach(state, account, role, origin)
    if role.value not in state.also:
        return []
    return [RoleTaken(account=account, role=role.value), SessionsEnded(account=account, reason="role taken")]


def add_made(
    state: Account, account: UUID, name: str, origin: Origin, *, instead: bool, within_gift: bool
) -> Sequence[IdentityEvent]:
    """A role of the organisation's own making. `within_gift`: whoever gives it may give each of its permissions."""
    _touch(state, account, name, origin)
    if not within_gift:
        raise MayNotGrant(role=name)
    if state.status is not Status.ACTIVE:
        raise NotActive()
    if name in state.also and instead == (name in state.instead):
        return []
    before = [RoleTaken(account=account, role=name)] if name in state.also else []
    added = RoleAdded(account=account, role=name, instead=instead)
    return [*before, added, SessionsEnded(account=account, reason="role added")]


def take_made(state: Account, account: UUID, name: str, origin: Origin) -> Sequence[IdentityEvent]:
    """Also one that has retired."""
    _touch(state, account, name, origin)
    if name not in state.also:
        return []
    return [RoleTaken(account=account, role=name), SessionsEnded(account=account, reason="role taken")]


def practise(state: Account, account: UUID, role: Role, kind: str) -> Sequence[IdentityEvent]:
    """By oneself: only who administers a practice of one doctor."""
    if state.role is not Role.ADMIN or kind != INDEPENDENT or role is not Role.DOCTOR:
        raise NotYourself("Another administrator gives you this role.")
    return [] if role.value in state.also else [RoleAdded(account=account, role=role.value)]


def _reach(state: Account, account: UUID, role: Role, origin: Origin) -> None:
    _touch(state, account, role.value, origin)
    if role not in CLINICAL or not may_grant(origin.role, role):
        raise MayNotGrant(role=role.value)


def _touch(state: Account, account: UUID, name: str, origin: Origin) -> None:
    """Whether who asks may decide what else this account may do."""
    if origin.actor == account:
        raise NotYourself()
    if state.status is Status.UNKNOWN:
        raise NoSuchAccount()
    own = state.role in CLINICAL or state.role is Role.ADMIN
    if not own or not may_grant(origin.role, state.role):
        raise MayNotGrant(role=name)
