"""Further roles: what the account is and what kind of organisation it is in, before the rule decides."""

from collections.abc import Sequence
from typing import Any

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.further_roles import AddUserRole, PractiseMyself, TakeUserRole
from salerno.contexts.identity.errors import NoSuchAccount, NoSuchRole
from salerno.contexts.identity.events import IdentityEvent
from salerno.contexts.identity.handlers.choices import made_among
from salerno.contexts.identity.handlers.factors import own_account, rotate
from salerno.contexts.identity.handlers.opening import new_token, note
from salerno.contexts.identity.handlers.sessions import present
from salerno.contexts.identity.projections import MEMBERS, SQL, MadeRoleView
from salerno.contexts.identity.rules import further_roles as rule
from salerno.contexts.identity.rules.account import ACCOUNT, Account
from salerno.contexts.identity.rules.made_role import beyond
from salerno.contexts.identity.rules.membership import MEMBERSHIP, Give, Take
from salerno.contexts.identity.rules.roles import may_grant, role_of
from salerno.kernel.desk import Desk
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Caller, Command, Origin, Query, Recorded
from salerno.kernel.room import Answer, Handler
from salerno.kernel.transactions import Tx


async def on_role(tx: Tx, command: AddUserRole | TakeUserRole, origin: Origin) -> Sequence[Recorded[Any]]:
    account = command.account_id
    if await tx.fetchval(SQL["home_of"], account) != tx.organisation:
        return await _of_member(tx, command, origin)
    await tx.fetchval(SQL["lock_account"], tx.organisation, account)
    state, _ = await tx.load(ACCOUNT, account)
    name = named(command.role)
    if made := (await made_among(tx, (name,))).get(name):
        return await note(tx, account, *_of_made(tx, state, made, command, origin))
    if isinstance(command, AddUserRole) and command.instead:
        raise only_made()
    decide = rule.add if isinstance(command, AddUserRole) else rule.take
    return await note(tx, account, *decide(state, account, role_of(command.role), origin))


async def _of_member(tx: Tx, command: AddUserRole | TakeUserRole, origin: Origin) -> Sequence[Recorded[Any]]:
    """Somebody whose home is elsewhere: what they may do here is of this organisation alone."""
    account, name = command.account_id, named(command.role)
    if await MEMBERS.get(tx, account) is None:
        raise NoSuchAccount()
    made = (await made_among(tx, (name,))).get(name)
    if isinstance(command, TakeUserRole):
        return await tx.execute(MEMBERSHIP, account, Take(account, name))
    if made is None:
        role = role_of(name)
        if command.instead:
            raise only_made()
        within = role in rule.CLINICAL and may_grant(origin.role, role)
    elif made.status != "active":
        raise NoSuchRole()
    else:
        within = not beyond(made.permissions, origin.role, tx.bus.permits.about_charts())
    return await tx.execute(MEMBERSHIP, account, Give(account, name, command.instead, within))


def only_made() -> Invalid:
    return Invalid.field("instead", "not-for-this-role", "Only a role that the organisation made stands instead.")


def named(role: str) -> str:
    return role.strip().upper().replace(" ", "_").replace("-", "_")


def _of_made(
    tx: Tx, state: Account, made: MadeRoleView, command: AddUserRole | TakeUserRole, origin: Origin
) -> Sequence[IdentityEvent]:
    if isinstance(command, TakeUserRole):
        return rule.take_made(state, command.account_id, made.name, origin)
    if made.status != "active":
        raise NoSuchRole()
    within = not beyond(made.permissions, origin.role, tx.bus.permits.about_charts())
    return rule.add_made(state, command.account_id, made.name, origin, instead=command.instead, within_gift=within)


async def practise_myself(desk: Desk, errand: PractiseMyself, caller: Caller) -> Opened:
    """More rights for this session: it goes on under a new token."""
    home, view = await own_account(desk, caller)
    token = new_token()

    async def work(tx: Tx) -> None:
        await tx.fetchval(SQL["lock_account"], tx.organisation, view.account)
        state, _ = await tx.load(ACCOUNT, view.account)
        await note(tx, view.account, *rule.practise(state, view.account, role_of(errand.role), await _kind(tx)))
        await rotate(tx, caller, token)

    await desk.within(home, work)
    return await present(desk, home, caller, token)


async def _kind(tx: Tx) -> str:
    """What the organisations' room has said; a moment ago, perhaps."""
    kind = await tx.fetchval(SQL["kind_of_home"], tx.organisation)
    if not kind:
        await tx.catch_up()
        kind = await tx.fetchval(SQL["kind_of_home"], tx.organisation)
    return str(kind or "")


FURTHER_HANDLERS: dict[type[Command], Handler] = {AddUserRole: on_role, TakeUserRole: on_role}
FURTHER: dict[type[Query], Answer] = {PractiseMyself: practise_myself}
