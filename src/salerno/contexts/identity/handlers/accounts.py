"""Accounts, as administrators and their owners change them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands import ApproveUser, ChangePreferences, CreateUser, UserCommand
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.hashing import hashed
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules import passwords
from salerno.contexts.identity.rules.account import ACCOUNT, Known
from salerno.contexts.identity.rules.roles import Role
from salerno.kernel.messages import INSTALLATION, Origin, Recorded
from salerno.kernel.transactions import Tx


class Credential(Struct, frozen=True):
    """A password's hash."""

    hash: str


async def on_account(tx: Tx, command: UserCommand, origin: Origin) -> Sequence[Recorded[Any]]:
    if isinstance(command, CreateUser):
        return await _create(tx, command)
    account = origin.actor if isinstance(command, ChangePreferences) else command.account_id
    home = await tx.fetchval(SQL["home_of"], account)
    if home is None or not (_reaches(tx, home, account, origin) or await _is_for_approval(tx, home, command, origin)):
        raise NoSuchAccount()
    if home == tx.organisation:
        return await tx.execute(ACCOUNT, account, Known(account, command))
    async with tx.inside(UUID(bytes=home.bytes)) as there:
        return await there.execute(ACCOUNT, account, Known(account, command))


def _reaches(tx: Tx, home: UUID, account: UUID, origin: Origin) -> bool:
    """One's own organisation; those above all organisations reach each other and themselves."""
    above = home == INSTALLATION and origin.role == Role.SUPER_ADMIN
    return home == tx.organisation or above or origin.actor == account


async def _is_for_approval(tx: Tx, home: Any, command: UserCommand, origin: Origin) -> bool:
    """Who starts an organisation waits for somebody above all organisations."""
    if not isinstance(command, ApproveUser) or origin.role != Role.SUPER_ADMIN:
        return False
    return bool(await tx.fetchval(SQL["is_founder"], home, command.account_id))


async def _create(tx: Tx, command: CreateUser) -> Sequence[Recorded[Any]]:
    account = command.account_id or tx.new_id()
    hash = None
    if command.password is not None:
        hash = await hashed(_checked(tx, command, command.password))
    recorded = await tx.execute(ACCOUNT, account, Known(account, command), subject=account)
    if hash is not None:
        await keep_password(tx, account, hash)
    return recorded


def _checked(tx: Tx, command: CreateUser, password: str) -> str:
    if policy_of(tx.bus).development and passwords.is_demo(command.email, password):
        return password
    return passwords.check(password, (command.email, command.given_name, command.family_name, command.full_name))


async def keep_password(tx: Tx, account: UUID, hash: str) -> None:
    """Sealed under the account's key, whose master lies outside the database."""
    sealed = await tx.seal_doc("credentials", account, account, Credential(hash))
    await tx.run(SQL["put_credential"], tx.organisation, account, sealed, tx.now)


async def password_of(tx: Tx, account: UUID) -> str | None:
    rows = await tx.fetch(SQL["credential"], tx.organisation, account)
    docs = await tx.open_docs("credentials", rows, Credential)
    return docs[0].hash if docs else None
