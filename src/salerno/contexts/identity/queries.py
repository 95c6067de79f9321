"""What may be read of accounts."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import Profile
from salerno.contexts.identity.errors import NoSuchAccount, NoSuchClient
from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.projections import ACCOUNTS, CLIENTS, MEMBERS, SQL, AccountView, ClientView, MemberView
from salerno.contexts.identity.rules.client import DeclaredClients, shipped
from salerno.contexts.identity.rules.roles import Role, may_grant, role_of
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


class OfferedScopes(Query):
    """The scopes that applications may be given, without SMART's, which are written rather than chosen."""


class ClientLine(Struct, frozen=True, kw_only=True):
    """An application as administrators see it. `fixed` is one of the configuration: it is changed there."""

    client_id: str
    terms: ClientTerms
    status: str = "active"
    fixed: bool = False
    version: int = 0


class Me(Errand):
    """The caller's own account, wherever it belongs."""


async def users(tx: Tx, query: Users, caller: Caller) -> Page[Profile]:
    role = role_of(query.role).value if query.role else None
    held = await ACCOUNTS.open(tx, await tx.fetch(SQL["accounts_of"], tx.organisation, role, query.status))
    words = query.q.casefold().split()
    found = [one for one in held if all(word in f"{one.doc.full_name} {one.doc.email}".casefold() for word in words)]
    found.sort(key=lambda one: (one.doc.family_name.casefold(), one.doc.given_name.casefold(), str(one.id)))
    page = found[query.offset : query.offset + query.limit]
    items = [profile(one, tx.organisation) for one in page]
    return Page(items=items, total=len(found), limit=query.limit, offset=query.offset)


async def user_by_id(tx: Tx, query: UserById, caller: Caller) -> Profile:
    held = await ACCOUNTS.get(tx, query.account_id)
    if held is not None:
        return profile(held, tx.organisation)
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
        member=True,
        version=held.version,
    )


async def grantable_roles(tx: Tx, query: GrantableRoles, caller: Caller) -> list[str]:
    return [role.value for role in Role if may_grant(caller.role, role)]


async def clients(tx: Tx, query: Clients, caller: Caller) -> list[ClientLine]:
    held = await CLIENTS.open(tx, await tx.fetch(SQL["clients_of"], tx.organisation, query.status))
    own = sorted((client_line(one) for one in held), key=lambda one: (one.terms.name.casefold(), one.client_id))
    if query.status == "retired":
        return own
    configured = declared_clients(tx.bus.settings).by_id.values()
    fixed = [ClientLine(client_id=one.client_id, terms=one.terms, fixed=True) for one in configured]
    return [*own, *fixed]


async def client_by_id(tx: Tx, query: ClientById, caller: Caller) -> ClientLine:
    held = await CLIENTS.get(tx, query.client_id)
    if held is None:
        raise NoSuchClient()
    return client_line(held)


async def offered_scopes(tx: Tx, query: OfferedScopes, caller: Caller) -> list[str]:
    return [*PLAIN, *api_scopes()]


def client_line(held: Held[ClientView]) -> ClientLine:
    view = held.doc
    return ClientLine(client_id=str(view.client), terms=view.terms, status=view.status, version=held.version)


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
        has_second_factor=view.has_factor,
        has_totp=view.has_totp,
        passkeys=len(view.passkeys),
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
}
