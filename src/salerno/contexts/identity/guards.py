"""What must be true across accounts, in the transaction of the change: one per address, no session left over."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from salerno.contexts.identity.errors import ChartCodeRefused, ClientRefused, EmailTaken, RoleNameTaken
from salerno.contexts.identity.events import (
    AccountCreated,
    AccountDeactivated,
    AccountUnlocked,
    ChartLinked,
    ClientAsked,
    ClientRegistered,
    ClientRetired,
    EmailChanged,
    EmailChangeRevoked,
    MemberRoleAdded,
    MemberRoleChanged,
    MemberRoleTaken,
    MembershipEnded,
    MembershipOffered,
    PasskeyRemoved,
    PasswordChanged,
    PasswordDropped,
    RoleDefined,
    SecondFactorRemoved,
    SessionsEnded,
)
from salerno.contexts.identity.handlers.letters import OF_ACCESS, no_link_left, tell_of_access
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.contexts.identity.rules.email import same
from salerno.kernel.database import UniqueViolation
from salerno.kernel.messages import INSTALLATION, Recorded
from salerno.kernel.room import Guard
from salerno.kernel.transactions import Tx


async def one_account_per_address(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        event: AccountCreated = item.event
        async with tx.inside(INSTALLATION) as above:
            (token,) = await above.tokens("login", same(event.email))
            await _take_address(above, token, tx.organisation, event.account)


async def _take_address(above: Tx, token: int, home: UUID, account: UUID) -> None:
    if not await above.fetchval(SQL["take_address"], token, home, account, above.now):
        raise EmailTaken()


async def address_moved(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """The new one opens the account from now on; the old one opens nothing, and is nobody else's for some days."""
    for item in items:
        event: EmailChanged = item.event
        async with tx.inside(INSTALLATION) as above:
            before, after = await above.tokens("login", same(event.before), same(event.email))
            await above.run(SQL["leave_address"], before, event.account, event.until)
            await _take_address(above, after, tx.organisation, event.account)


async def address_back(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """The account has the address of before, and none that it was given since."""
    for item in items:
        event: EmailChangeRevoked = item.event
        async with tx.inside(INSTALLATION) as above:
            (token,) = await above.tokens("login", same(event.email))
            await above.run(SQL["drop_later_addresses"], event.account, token)
            if not await above.fetchval(SQL["take_address_back"], token, tx.organisation, event.account):
                raise EmailTaken()


async def one_account_per_chart(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        patient = item.event.patient
        if patient is None:
            continue
        try:
            await tx.run(SQL["link_chart"], tx.organisation, patient, item.event.account)
        except UniqueViolation as taken:
            raise ChartCodeRefused() from taken


async def no_session_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Sessions are rows that every process looks at: ended here, ended everywhere."""
    for item in items:
        event: SessionsEnded = item.event
        await tx.run(SQL["end_sessions"], event.account, event.kept, tx.now)
        await tx.run(SQL["forget_challenges"], event.account)


async def no_factor_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(SQL["drop_factor"], tx.organisation, item.event.account)
        held = await ACCOUNTS.get(tx, item.event.account)
        if held is None or not held.doc.passkeys:
            await tx.run(SQL["drop_recovery_codes"], tx.organisation, item.event.account)


async def no_passkey_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(SQL["drop_passkey"], tx.organisation, item.event.passkey)
        await tx.run(SQL["drop_passkey_name"], item.event.passkey)
        held = await ACCOUNTS.get(tx, item.event.account)
        if held is not None and not held.doc.has_totp and set(held.doc.passkeys) <= {item.event.passkey}:
            await tx.run(SQL["drop_recovery_codes"], tx.organisation, item.event.account)


async def no_lock_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(SQL["unlock"], item.event.account)


async def one_role_per_name(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        (name,) = await tx.tokens("role", item.event.name)
        try:
            await tx.run(SQL["put_role_name"], tx.organisation, name, item.event.role)
        except UniqueViolation as taken:
            raise RoleNameTaken() from taken


async def one_home_per_client(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        try:
            await tx.run(SQL["put_client_home"], item.event.client, tx.organisation)
        except UniqueViolation as taken:
            raise ClientRefused() from taken


async def no_token_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(SQL["end_grants_of_client"], str(item.event.client), None, tx.now)
        await tx.run(SQL["drop_client_secret"], str(item.event.client))


async def workplace_known(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    for item in items:
        await tx.run(SQL["put_workplace"], item.event.account, tx.organisation)


async def no_work_left(tx: Tx, items: Sequence[Recorded[Any]]) -> None:
    """Who works here no longer, or as something else, is out of every session that acts here."""
    for item in items:
        await tx.run(SQL["act_here_no_longer"], item.event.account, tx.organisation, tx.now)


GUARDS = (
    Guard(events=(MembershipOffered,), check=workplace_known),
    Guard(events=(MembershipEnded, MemberRoleChanged, MemberRoleAdded, MemberRoleTaken), check=no_work_left),
    Guard(events=(AccountCreated,), check=one_account_per_address),
    Guard(events=(EmailChanged,), check=address_moved),
    Guard(events=(EmailChangeRevoked,), check=address_back),
    Guard(events=(AccountCreated, ChartLinked), check=one_account_per_chart),
    Guard(events=(SessionsEnded,), check=no_session_left),
    Guard(events=(SecondFactorRemoved,), check=no_factor_left),
    Guard(events=(PasskeyRemoved,), check=no_passkey_left),
    Guard(events=(AccountUnlocked,), check=no_lock_left),
    Guard(
        events=(PasswordChanged, PasswordDropped, AccountDeactivated, EmailChanged, EmailChangeRevoked),
        check=no_link_left,
    ),
    Guard(events=OF_ACCESS, check=tell_of_access),
    Guard(events=(RoleDefined,), check=one_role_per_name),
    Guard(events=(ClientRegistered, ClientAsked), check=one_home_per_client),
    Guard(events=(ClientRetired,), check=no_token_left),
)
