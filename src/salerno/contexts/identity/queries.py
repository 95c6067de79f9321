"""What may be read of accounts."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from salerno.contexts.identity.commands import Profile
from salerno.contexts.identity.errors import NoSuchAccount, NoSuchClient, NoSuchRole
from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.projections import (
    ACCOUNTS,
    CLIENTS,
    MADE_ROLES,
    MEMBERS,
    SQL,
    AccountView,
    Asking,
    ClientView,
    MadeRoleView,
    MemberView,
)
from salerno.contexts.identity.rules.client import DeclaredClients, shipped
from salerno.contexts.identity.rules.likeness import alike
from salerno.contexts.identity.rules.made_role import demands_factor, held_of, offered_to
from salerno.contexts.identity.rules.roles import (
    SENSITIVE,
    Role,
    cell_in,
    listed_permissions,
    may_grant,
    permissions_of,
    role_of,
)
from salerno.contexts.identity.rules.scopes import PLAIN, api_scopes
from salerno.kernel.documents import Held
from salerno.kernel.messages import Caller, Errand, Page, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx


class Users(Query):
    """The organisation's accounts, by name; `q` finds in name and address."""

    q: str = ""
    role: str | None = None
    status: str | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0)] = 0


class UserById(Query):
    account_id: UUID


class Members(Query):
    """Who works here with an account that is at home in another organisation, or is asked to."""


class GrantableRoles(Query):
    """Which roles the caller may give, take and touch, in the order of the table."""


class Clients(Query):
    """The organisation's applications, by name."""

    status: str | None = None


class ClientById(Query):
    client_id: UUID


class Roles(Query):
    """The roles that this organisation made; those that retired last."""

    status: str | None = None


class RoleById(Query):
    role_id: UUID


class RolePermissions(Query):
    """Every permission: who of the eight holds it how, and which cells the caller may put into a role."""


class RoleLine(Struct, frozen=True, kw_only=True):
    """A role that the organisation made. `demands_factor`: whoever has it needs a second factor."""

    role_id: UUID
    name: str
    title: str
    permissions: dict[str, str]
    status: str = "active"
    demands_factor: bool = False
    holders: int = 0
    version: int = 0


class PermissionLine(Struct, frozen=True, kw_only=True):
    """`cells` says for each of the eight roles that holds the permission how; `offered` is empty where it is not."""

    permission: str
    cells: dict[str, str]
    offered: tuple[str, ...] = ()


class OfferedScopes(Query):
    """The scopes that applications may be given, without SMART's, which are written rather than chosen."""


class ClientLine(Struct, frozen=True, kw_only=True):
    """An application as administrators see it. `fixed` is one of the configuration: it is changed there.

    One that asked by itself says when and from where in `asked`; while it waits, `alike` are the names for which its
    own may be taken.
    """

    client_id: str
    terms: ClientTerms
    status: str = "active"
    fixed: bool = False
    version: int = 0
    asked: Asking | None = None
    alike: tuple[str, ...] = ()


class Me(Errand):
    """The caller's own account, wherever it belongs."""


async def users(tx: Tx, query: Users, caller: Caller) -> Page[Profile]:
    role = role_of(query.role).value if query.role else None
    held = await ACCOUNTS.open(tx, await tx.fetch(SQL["accounts_of"], tx.organisation, role, query.status))
    words = query.q.casefold().split()
    lines = [_known(one, tx) for one in held]
    found = [one for one in lines if all(word in f"{one.full_name} {one.email}".casefold() for word in words)]
    found.sort(key=_by_name)
    return Page(
        items=found[query.offset : query.offset + query.limit], total=len(found), limit=query.limit, offset=query.offset
    )


def _by_name(line: Profile) -> tuple[bool, str, str, str]:
    """Whoever is concealed stands last: between names, the place would tell."""
    return line.concealed, line.family_name.casefold(), line.given_name.casefold(), str(line.user_id)


def _known(held: Held[AccountView], tx: Tx) -> Profile:
    """An account as it is shown to others; without name, address and chart where its owner's chart is restricted."""
    shown = profile(held, tx.organisation)
    if held.doc.patient is None or held.doc.patient not in tx.hidden:
        return shown
    return replace(
        shown, email="", full_name="", given_name="", family_name="", patient_id=None, language="", theme="",
        concealed=True,
    )  # fmt: skip


async def user_by_id(tx: Tx, query: UserById, caller: Caller) -> Profile:
    held = await ACCOUNTS.get(tx, query.account_id)
    if held is not None:
        return _known(held, tx)
    member = await MEMBERS.get(tx, query.account_id)
    if member is None or member.doc.status == "ended":
        raise NoSuchAccount()
    return member_profile(member, tx.organisation)


async def members(tx: Tx, query: Members, caller: Caller) -> list[Profile]:
    held = await MEMBERS.open(tx, await tx.fetch(SQL["members_of"], tx.organisation, None, None))
    return sorted((member_profile(one, tx.organisation) for one in held), key=lambda one: one.full_name.casefold())


def member_profile(held: Held[MemberView], here: UUID) -> Profile:
    """As this organisation knows them: what was typed with the offer, nothing of their home."""
    view = held.doc
    return Profile(
        user_id=view.account,
        hospital_id=here,
        email=view.email,
        full_name=view.full_name,
        given_name="",
        family_name=view.full_name,
        role=view.role,
        status="invited" if view.status == "offered" else view.status,
        staff_id=view.staff,
        also=view.also,
        instead=view.instead,
        member=True,
        version=held.version,
    )


async def grantable_roles(tx: Tx, query: GrantableRoles, caller: Caller) -> list[str]:
    return [role.value for role in Role if may_grant(caller.role, role)]


async def clients(tx: Tx, query: Clients, caller: Caller) -> list[ClientLine]:
    held = await CLIENTS.open(tx, await tx.fetch(SQL["clients_of"], tx.organisation, query.status))
    lines = (client_line(one) for one in held)
    own = sorted(lines, key=lambda one: (one.status != "pending", one.terms.name.casefold(), one.client_id))
    if query.status not in (None, "active"):
        return own
    configured = declared_clients(tx.bus.settings).by_id.values()
    fixed = [ClientLine(client_id=one.client_id, terms=one.terms, fixed=True) for one in configured]
    return [*own, *fixed]


async def client_by_id(tx: Tx, query: ClientById, caller: Caller) -> ClientLine:
    held = await CLIENTS.get(tx, query.client_id)
    if held is None:
        raise NoSuchClient()
    line = client_line(held)
    if held.doc.status != "pending":
        return line
    known = [one.terms.name for one in await clients(tx, Clients(status="active"), caller)]
    return replace(line, alike=alike(line.terms.name, known))


async def offered_scopes(tx: Tx, query: OfferedScopes, caller: Caller) -> list[str]:
    return [*PLAIN, *api_scopes()]


async def roles(tx: Tx, query: Roles, caller: Caller) -> list[RoleLine]:
    held = await MADE_ROLES.open(tx, await tx.fetch(SQL["made_roles_of"], tx.organisation, query.status))
    accounts = await ACCOUNTS.open(tx, await tx.fetch(SQL["accounts_of"], tx.organisation, None, None)) if held else []
    others = await MEMBERS.open(tx, await tx.fetch(SQL["members_of"], tx.organisation, None, None)) if held else []
    further = [one.doc.also for one in accounts if one.doc.status != "deactivated"] + [one.doc.also for one in others]
    held_by = Counter(name for also in further for name in also)
    factor_roles = await _factor_roles(tx)
    lines = [_role_line(one, factor_roles, held_by[one.doc.name]) for one in held]
    return sorted(lines, key=lambda line: (line.status, line.title.casefold()))


async def role_by_id(tx: Tx, query: RoleById, caller: Caller) -> RoleLine:
    for line in await roles(tx, Roles(), caller):
        if line.role_id == query.role_id:
            return line
    raise NoSuchRole()


async def _factor_roles(tx: Tx) -> Collection[str]:
    row = await tx.fetchrow(SQL["choices"], tx.organisation)
    return SENSITIVE if row is None else row["factor_roles"]


def _role_line(held: Held[MadeRoleView], factor_roles: Collection[str], holders: int) -> RoleLine:
    view = held.doc
    return RoleLine(
        role_id=view.role,
        name=view.name,
        title=view.title,
        permissions=view.permissions,
        status=view.status,
        demands_factor=demands_factor(held_of(view.permissions), factor_roles),
        holders=holders,
        version=held.version,
    )


async def role_permissions(tx: Tx, query: RolePermissions, caller: Caller) -> list[PermissionLine]:
    offered = offered_to(caller.role, tx.bus.permits.about_charts())
    return [
        PermissionLine(permission=name, cells=_cells(name), offered=offered.get(name, ()))
        for name in listed_permissions()
    ]


def _cells(permission: str) -> dict[str, str]:
    cells = {role.value: cell_in(permissions_of(role), permission) for role in Role}
    return {role: cell for role, cell in cells.items() if cell}


def client_line(held: Held[ClientView]) -> ClientLine:
    view = held.doc
    return ClientLine(
        client_id=str(view.client), terms=view.terms, status=view.status, version=held.version, asked=view.asked
    )


def declared_clients(settings: Mapping[type, Any]) -> DeclaredClients:
    """The clients of this installation's configuration; those that ship where it names none."""
    found = settings.get(DeclaredClients)
    return found if isinstance(found, DeclaredClients) else shipped()


def profile(held: Held[AccountView], home: UUID) -> Profile:
    """An account as it is shown."""
    view = held.doc
    return Profile(
        user_id=view.account,
        hospital_id=home,
        email=view.email,
        full_name=view.full_name,
        given_name=view.given_name,
        family_name=view.family_name,
        role=view.role,
        status=view.status,
        staff_id=view.staff,
        patient_id=view.patient,
        language=view.language,
        theme=view.theme,
        also=view.also,
        instead=view.instead,
        has_second_factor=view.has_factor,
        has_totp=view.has_totp,
        passkeys=len(view.passkeys),
        without_password=view.without_password,
        version=held.version,
    )


ANSWERS: dict[type[Query], Answer] = {
    Users: users,
    UserById: user_by_id,
    Members: members,
    GrantableRoles: grantable_roles,
    Clients: clients,
    ClientById: client_by_id,
    OfferedScopes: offered_scopes,
    Roles: roles,
    RoleById: role_by_id,
    RolePermissions: role_permissions,
}
