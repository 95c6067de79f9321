"""One account, several organisations: what is offered, accepted and ended, and where a session acts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.letters import InviteUser
from salerno.contexts.identity.commands.memberships import (
    AcceptMembership,
    ChangeMemberRole,
    EndMembership,
    LeaveOrganisation,
    MyOrganisations,
    OrganisationLine,
    SwitchOrganisation,
)
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.handlers import letters
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account, rotate
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.handlers.sessions import present
from salerno.contexts.identity.projections import ACCOUNTS, MEMBERS, SQL, HomeName, MemberView
from salerno.contexts.identity.rules.email import checked, same
from salerno.contexts.identity.rules.membership import MEMBERSHIP, Accept, Leave, Offer
from salerno.contexts.identity.rules.roles import role_of
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller, Command, Origin, Query, Recorded
from salerno.kernel.room import Answer, Handler
from salerno.kernel.transactions import Tx


async def offer(tx: Tx, command: InviteUser) -> Sequence[Recorded[Any]] | None:
    """An offer to somebody who has an account elsewhere; None where the address is free, or at home here."""
    async with tx.inside(INSTALLATION) as above:
        (token,) = await above.tokens("login", same(command.email))
        row = await above.fetchrow(SQL["login"], token)
    if row is None or row["home"] in (tx.organisation, INSTALLATION):
        return None
    account = UUID(bytes=row["account"].bytes)
    async with tx.inside(UUID(bytes=row["home"].bytes)) as there:
        held = await ACCOUNTS.get(there, account)
        if held is None or held.doc.status != "active":
            return None
        wish = Offer(
            account=account, role=role_of(command.role), email=checked(command.email),
            full_name=f"{command.given_name} {command.family_name}".strip(),
            staff=command.staff_id,
        )  # fmt: skip
    recorded = await tx.execute(MEMBERSHIP, account, wish, subject=account)
    async with tx.inside(UUID(bytes=row["home"].bytes)) as there:
        await letters.write_notice(there, "offered", held.doc, policy_of(tx.bus), "/account/organisations")
    return recorded


async def on_member(tx: Tx, command: EndMembership | ChangeMemberRole, origin: Origin) -> Sequence[Recorded[Any]]:
    held = await MEMBERS.get(tx, command.account_id)
    if held is None:
        raise NoSuchAccount()
    return await tx.execute(MEMBERSHIP, command.account_id, command)


async def my_organisations(desk: Desk, errand: MyOrganisations, caller: Caller) -> list[OrganisationLine]:
    home, view = await own_account(desk, caller)
    lines = [
        OrganisationLine(
            organisation_id=home, name=await _name(desk, home), role=view.role, status="home",
            current=caller.organisation == home,
        )
    ]  # fmt: skip
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch(SQL["workplaces_of"], view.account)
    for row in rows:
        place = UUID(bytes=row["organisation_id"].bytes)
        async with desk.bus.reading("identity", place) as tx:
            held = await MEMBERS.get(tx, view.account)
        if held is not None and held.doc.status != "ended":
            lines.append(
                OrganisationLine(
                    organisation_id=place, name=await _name(desk, place), role=held.doc.role,
                    status=held.doc.status, since=held.recorded_at, current=caller.organisation == place,
                )
            )  # fmt: skip
    return lines


async def _name(desk: Desk, organisation: UUID) -> str:
    async with desk.bus.reading("identity", organisation) as tx:
        row = await tx.fetchrow(SQL["name_of_home"], organisation)
        docs = await tx.open_docs("homes", [row], HomeName) if row is not None and row["doc"] else []
    return docs[0].name if docs else ""


async def accept_membership(desk: Desk, errand: AcceptMembership, caller: Caller) -> None:
    _, view = await own_account(desk, caller)
    await _of(desk, errand.organisation_id, view.account)
    wish = Accept(view.account)
    await desk.within(errand.organisation_id, lambda tx: tx.execute(MEMBERSHIP, view.account, wish), actor=view.account)


async def leave_organisation(desk: Desk, errand: LeaveOrganisation, caller: Caller) -> None:
    _, view = await own_account(desk, caller)
    await _of(desk, errand.organisation_id, view.account)
    wish = Leave(view.account)
    await desk.within(errand.organisation_id, lambda tx: tx.execute(MEMBERSHIP, view.account, wish), actor=view.account)


async def _of(desk: Desk, organisation: UUID, account: UUID) -> MemberView:
    """Absent and foreign look the same."""
    async with desk.bus.reading("identity", organisation) as tx:
        held = await MEMBERS.get(tx, account)
    if held is None or held.doc.status == "ended":
        raise NoSuchAccount("There is no such organisation among yours.")
    return held.doc


async def switch_organisation(desk: Desk, errand: SwitchOrganisation, caller: Caller) -> Opened:
    home, view = await own_account(desk, caller)
    if caller.session is None:
        raise NotSignedIn()
    session, place, token = caller.session, errand.organisation_id, new_token()
    if place != home and (await _of(desk, place, view.account)).status != "active":
        raise NoSuchAccount("There is no such organisation among yours.")

    async def work(tx: Tx) -> None:
        await tx.run(SQL["act_in"], session, view.account, None if place == home else place)
        await rotate(tx, caller, token)

    await desk.within(home, work)
    return await present(desk, home, caller, token)


MEMBER_HANDLERS: dict[type[Command], Handler] = {EndMembership: on_member, ChangeMemberRole: on_member}
MEMBERSHIPS: dict[type[Query], Answer] = {
    MyOrganisations: my_organisations,
    AcceptMembership: accept_membership,
    LeaveOrganisation: leave_organisation,
    SwitchOrganisation: switch_organisation,
}
