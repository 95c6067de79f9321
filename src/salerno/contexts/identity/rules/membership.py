"""Somebody of another organisation works here too: offered by us, accepted by them, ended by either."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from salerno.contexts.identity.commands.memberships import ChangeMemberRole, EndMembership
from salerno.contexts.identity.errors import AlreadyExists, MayNotGrant, NoSuchAccount
from salerno.contexts.identity.events import (
    MemberRoleAdded,
    MemberRoleChanged,
    MemberRoleTaken,
    MembershipAccepted,
    MembershipEnded,
    MembershipEvent,
    MembershipOffered,
)
from salerno.contexts.identity.rules.further_roles import CLINICAL
from salerno.contexts.identity.rules.roles import Role, may_grant, role_of
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin

OFFERED_ROLES = CLINICAL | {Role.ADMIN}


class Standing(StrEnum):
    NONE = "none"
    OFFERED = "offered"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Membership:
    standing: Standing = Standing.NONE
    role: Role = Role.NURSE
    also: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    account: UUID
    role: Role
    email: str
    full_name: str
    staff: UUID | None


@dataclass(frozen=True, slots=True)
class Accept:
    account: UUID


@dataclass(frozen=True, slots=True)
class Leave:
    account: UUID


@dataclass(frozen=True, slots=True)
class Give:
    """A further role. `within_gift`: whoever gives it may give everything that it brings."""

    account: UUID
    role: str
    instead: bool
    within_gift: bool


@dataclass(frozen=True, slots=True)
class Take:
    account: UUID
    role: str


Wish = Give | Take | Offer | Accept | Leave | EndMembership | ChangeMemberRole


def decide(state: Membership, wish: Wish, origin: Origin) -> Sequence[MembershipEvent]:
    match wish:
        case Offer():
            return _offer(state, wish, origin)
        case Accept(account=account):
            _is(state, Standing.OFFERED)
            return [MembershipAccepted(account=account)]
        case Leave(account=account):
            _is(state, Standing.OFFERED, Standing.ACTIVE)
            return [MembershipEnded(account=account, reason="left")]
        case EndMembership(account_id=account, reason=reason):
            _reach(state, state.role, origin)
            return [MembershipEnded(account=account, reason=reason or "ended by an administrator")]
        case ChangeMemberRole(account_id=account):
            role = role_of(wish.role)
            _reach(state, role, origin)
            return [] if role is state.role else [MemberRoleChanged(account=account, role=role.value)]
        case Give():
            return _give(state, wish, origin)
        case Take(account=account, role=name):
            _reach(state, state.role, origin)
            return [MemberRoleTaken(account=account, role=name)] if name in state.also else []
        case _:
            assert_never(wish)


def _give(state: Membership, wish: Give, origin: Origin) -> list[MembershipEvent]:
    _reach(state, state.role, origin)
    if not wish.within_gift:
        raise MayNotGrant(role=wish.role)
    if wish.role == state.role or (wish.role in state.also and wish.instead == (wish.role in state.instead)):
        return []
    before = [MemberRoleTaken(account=wish.account, role=wish.role)] if wish.role in state.also else []
    return [*before, MemberRoleAdded(account=wish.account, role=wish.role, instead=wish.instead)]


def evolve(state: Membership, event: MembershipEvent) -> Membership:
    match event:
        case MembershipOffered():
            return Membership(standing=Standing.OFFERED, role=Role(event.role))
        case MembershipAccepted():
            return replace(state, standing=Standing.ACTIVE)
        case MembershipEnded():
            return replace(state, standing=Standing.ENDED)
        case MemberRoleChanged():
            return replace(state, role=Role(event.role))
        case MemberRoleAdded(role=role, instead=instead):
            return replace(state, also=(*state.also, role), instead=(*state.instead, *([role] if instead else ())))
        case MemberRoleTaken(role=role):
            also = tuple(one for one in state.also if one != role)
            return replace(state, also=also, instead=tuple(one for one in state.instead if one != role))
        case _:
            assert_never(event)


def _offer(state: Membership, wish: Offer, origin: Origin) -> list[MembershipEvent]:
    if state.standing in (Standing.OFFERED, Standing.ACTIVE):
        raise AlreadyExists("This person works here already, or has been asked to.")
    if wish.role not in OFFERED_ROLES or not may_grant(origin.role, wish.role):
        raise MayNotGrant(role=wish.role.value)
    return [
        MembershipOffered(
            account=wish.account, role=wish.role.value, email=wish.email, full_name=wish.full_name, staff=wish.staff
        )
    ]


def _is(state: Membership, *wanted: Standing) -> None:
    if state.standing not in wanted:
        raise NoSuchAccount("There is no such offer.")


def _reach(state: Membership, role: Role, origin: Origin) -> None:
    _is(state, Standing.OFFERED, Standing.ACTIVE)
    if role not in OFFERED_ROLES or not may_grant(origin.role, state.role) or not may_grant(origin.role, role):
        raise MayNotGrant(role=role.value)


MEMBERSHIP: Decider[Membership, Wish, MembershipEvent] = Decider(
    kind="identity.membership", initial=Membership(), decide=decide, evolve=evolve, events=MembershipEvent
)
