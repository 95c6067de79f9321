"""Accounts as screens and doors need them, and which organisations there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from salerno.contexts.identity.events import (
    AccountApproved,
    AccountCreated,
    AccountDeactivated,
    AccountReactivated,
    AccountRoleChanged,
    AccountUpdated,
    ChartLinked,
    ClientApproved,
    ClientAsked,
    ClientChanged,
    ClientEvent,
    ClientRegistered,
    ClientRetired,
    ClientTerms,
    EmailChanged,
    EmailChangeRevoked,
    EmailConfirmed,
    IdentityEvent,
    MadeRoleEvent,
    MemberRoleAdded,
    MemberRoleChanged,
    MemberRoleTaken,
    MembershipAccepted,
    MembershipEnded,
    MembershipEvent,
    MembershipOffered,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    PasswordDropped,
    PreferencesChanged,
    RoleAdded,
    RoleChanged,
    RoleDefined,
    RoleRetired,
    RoleTaken,
    SecondFactorAdded,
    SecondFactorRemoved,
)
from salerno.contexts.identity.rules.made_role import held_of
from salerno.contexts.organisations.events import (
    OrganisationRegistered,
    OrganisationSettingsChanged,
    OrganisationUpdated,
)
from salerno.kernel.database import load_sql
from salerno.kernel.documents import Documents
from salerno.kernel.messages import Recorded
from salerno.kernel.room import Projection
from salerno.kernel.transactions import Tx

SQL = load_sql(__package__)


class AccountView(Struct, frozen=True, kw_only=True):
    account: UUID
    email: str
    full_name: str
    given_name: str
    family_name: str
    role: str
    status: str
    staff: UUID | None = None
    patient: UUID | None = None
    language: str = ""
    theme: str = ""
    has_totp: bool = field(default=False, name="has_factor")  # so called before there were passkeys
    passkeys: tuple[UUID, ...] = ()
    also: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()  # those of the further roles that stand in the own role's place
    without_password: bool = False  # its owner dropped it

    @property
    def roles(self) -> tuple[str, ...]:
        """What it is, and what else it may do."""
        return (self.role, *self.also)

    @property
    def has_factor(self) -> bool:
        """Whether a password alone is not enough."""
        return self.has_totp or bool(self.passkeys)


def account_view(before: AccountView | None, item: Recorded[IdentityEvent]) -> AccountView | None:
    match item.event:
        case AccountCreated() as event:
            return _created(event)
        case _ if before is None:
            return None
        case AccountApproved() | AccountReactivated():
            return replace(before, status="active")
        case AccountDeactivated():
            return replace(before, status="deactivated")
        case AccountRoleChanged(role=role):
            return replace(before, role=role)
        case AccountUpdated(full_name=full, given_name=given, family_name=family, staff=staff):
            return replace(before, full_name=full, given_name=given, family_name=family, staff=staff)
        case ChartLinked(patient=patient):
            return replace(before, patient=patient)
        case EmailConfirmed(status=status):
            return replace(before, status=status)
        case EmailChanged(email=email) | EmailChangeRevoked(email=email):
            return replace(before, email=email)
        case PreferencesChanged(language=language, theme=theme):
            return replace(before, language=language, theme=theme)
        case _:
            return _with_access(before, item.event)


def _with_access(before: AccountView, event: IdentityEvent) -> AccountView:
    """How the account is entered, and what else it may do."""
    match event:
        case SecondFactorAdded():
            return replace(before, has_totp=True)
        case SecondFactorRemoved():
            return replace(before, has_totp=False)
        case PasskeyAdded(passkey=passkey):
            return replace(before, passkeys=(*before.passkeys, passkey))
        case PasskeyRemoved(passkey=passkey):
            return replace(before, passkeys=tuple(one for one in before.passkeys if one != passkey))
        case PasswordChanged() | PasswordDropped():
            return replace(before, without_password=isinstance(event, PasswordDropped))
        case RoleAdded(role=role, instead=instead):
            return replace(before, also=(*before.also, role), instead=(*before.instead, *([role] if instead else ())))
        case RoleTaken(role=role):
            return replace(before, also=_but(before.also, role), instead=_but(before.instead, role))
        case _:
            return before


def _but(roles: tuple[str, ...], role: str) -> tuple[str, ...]:
    return tuple(one for one in roles if one != role)


def _created(event: AccountCreated) -> AccountView:
    return AccountView(
        account=event.account,
        email=event.email,
        full_name=event.full_name,
        given_name=event.given_name,
        family_name=event.family_name,
        role=event.role,
        status=event.status,
        staff=event.staff,
        patient=event.patient,
        language=event.language,
    )


ACCOUNTS: Documents[AccountView] = Documents(
    table="accounts",
    kind="identity.account",
    shape=AccountView,
    evolve=account_view,
    columns=lambda view: {"role": view.role, "status": view.status},
)


class Asking(Struct, frozen=True, kw_only=True):
    """When and from where a program asked by itself, and its own words about whose it is."""

    at: datetime
    address: str = ""
    site: str = ""
    contacts: tuple[str, ...] = ()


class ClientView(Struct, frozen=True, kw_only=True):
    client: UUID
    terms: ClientTerms
    status: str = "active"
    asked: Asking | None = None


def client_view(before: ClientView | None, item: Recorded[ClientEvent]) -> ClientView | None:
    match item.event:
        case ClientRegistered(client=client, terms=terms):
            return ClientView(client=client, terms=terms)
        case ClientAsked() as event:
            asked = Asking(at=item.origin.recorded_at, address=event.address, site=event.site, contacts=event.contacts)
            return ClientView(client=event.client, terms=event.terms, status="pending", asked=asked)
        case _ if before is None:
            return None
        case ClientApproved():
            return replace(before, status="active")
        case ClientChanged(terms=terms):
            return replace(before, terms=terms)
        case ClientRetired():
            return replace(before, status="retired")
        case _:
            return before


CLIENTS: Documents[ClientView] = Documents(
    table="clients",
    kind="identity.client",
    shape=ClientView,
    evolve=client_view,
    columns=lambda view: {"status": view.status},
)


class MemberView(Struct, frozen=True, kw_only=True):
    """Somebody of another organisation who works here, or is asked to."""

    account: UUID
    role: str
    email: str
    full_name: str
    status: str
    staff: UUID | None = None
    also: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def member_view(before: MemberView | None, item: Recorded[MembershipEvent]) -> MemberView | None:
    match item.event:
        case MembershipOffered() as event:
            return MemberView(
                account=event.account, role=event.role, email=event.email, full_name=event.full_name,
                status="offered", staff=event.staff,
            )  # fmt: skip
        case _ if before is None:
            return None
        case MembershipAccepted():
            return replace(before, status="active")
        case MembershipEnded():
            return replace(before, status="ended")
        case MemberRoleChanged(role=role):
            return replace(before, role=role)
        case MemberRoleAdded(role=role, instead=instead):
            return replace(before, also=(*before.also, role), instead=(*before.instead, *([role] if instead else ())))
        case MemberRoleTaken(role=role):
            return replace(before, also=_but(before.also, role), instead=_but(before.instead, role))


MEMBERS: Documents[MemberView] = Documents(
    table="members",
    kind="identity.membership",
    shape=MemberView,
    evolve=member_view,
    columns=lambda view: {"role": view.role, "status": view.status},
)


class MadeRoleView(Struct, frozen=True, kw_only=True):
    """A role that the organisation made."""

    role: UUID
    name: str
    title: str
    permissions: dict[str, str]
    status: str = "active"

    @property
    def held(self) -> frozenset[str]:
        """What it gives, as a caller holds it."""
        return held_of(self.permissions) if self.status == "active" else frozenset()


def made_role_view(before: MadeRoleView | None, item: Recorded[MadeRoleEvent]) -> MadeRoleView | None:
    match item.event:
        case RoleDefined(role=role, name=name, title=title, permissions=permissions):
            return MadeRoleView(role=role, name=name, title=title, permissions=permissions)
        case _ if before is None:
            return None
        case RoleChanged(title=title, permissions=permissions):
            return replace(before, title=title, permissions=permissions)
        case RoleRetired():
            return replace(before, status="retired")


MADE_ROLES: Documents[MadeRoleView] = Documents(
    table="made_roles",
    kind="identity.role",
    shape=MadeRoleView,
    evolve=made_role_view,
    columns=lambda view: {"status": view.status},
)


class HomeName(Struct, frozen=True):
    """What an organisation is called."""

    name: str


async def learn_homes(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Sign-in must know whether there is one organisation or several."""
    for item in items:
        event: OrganisationRegistered | OrganisationUpdated = item.event
        home = item.origin.organisation
        sealed = await tx.seal_doc("homes", home, item.subject, HomeName(event.name))
        await tx.run(SQL["keep_home"], home, item.origin.recorded_at, event.kind, sealed, item.subject)


async def learn_choices(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Who needs a second factor, when an unused session ends, and what the clinic's clocks show."""
    for item in items:
        event: OrganisationRegistered | OrganisationSettingsChanged = item.event
        chosen = event.settings
        await tx.run(
            SQL["keep_choices"], item.origin.organisation, list(chosen.second_factor_roles),
            chosen.idle_minutes_default, list(chosen.idle_minutes), list(chosen.idle_minutes.values()),
            chosen.timezone, chosen.password_demanded,
        )  # fmt: skip


LISTENS = (
    Projection(
        name="identity.homes",
        tables=("homes",),
        events=(OrganisationRegistered, OrganisationUpdated),
        apply=learn_homes,
    ),
    Projection(
        name="identity.choices",
        tables=("choices",),
        events=(OrganisationRegistered, OrganisationSettingsChanged),
        apply=learn_choices,
    ),
)
