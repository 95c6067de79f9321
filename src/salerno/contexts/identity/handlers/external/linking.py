"""Which identity at a provider is whose account here. A matching address alone never makes it so."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from salerno.contexts.identity.commands.external import (
    ExternalIdentityLine,
    MyExternalIdentities,
    UnlinkExternalIdentity,
)
from salerno.contexts.identity.errors import ExternalNeeded, ExternalTaken, NoSuchExternalIdentity
from salerno.contexts.identity.events import ExternalIdentityLinked, ExternalIdentityUnlinked, SessionsEnded
from salerno.contexts.identity.handlers.accounts import password_of
from salerno.contexts.identity.handlers.external.talking import providers_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.external import ExternalProvider
from salerno.kernel.database import UniqueViolation
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

MOST = 5
LONGEST_LABEL = 254


class KeptIdentity(Struct, frozen=True, kw_only=True):
    """An identity as it is sealed."""

    issuer: str
    subject: str
    label: str


class Known(Struct, frozen=True, kw_only=True):
    """Whose account an identity opens."""

    home: UUID
    account: UUID
    identity: UUID


def _named(provider: ExternalProvider, subject: str) -> str:
    return f"{provider.issuer}\n{subject}"


async def known_identity(desk: Desk, provider: ExternalProvider, subject: str, *, used: bool = True) -> Known | None:
    """Found by a keyed number, then held against the sealed words themselves. `used`: somebody comes in by it now."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        (token,) = await tx.tokens("external", _named(provider, subject))
        row: Any = await tx.fetchrow(SQL["external_identity"], token)
    if row is None:
        return None
    home, account, identity = (UUID(bytes=row[name].bytes) for name in ("home", "account", "identity"))
    async with desk.bus.reading("identity", home) as tx:
        if used:
            rows = await tx.fetch(SQL["use_external_identity"], home, identity, tx.now)
        else:
            rows = await tx.fetch(SQL["kept_external_identity"], home, identity)
        docs = await tx.open_docs("external_identities", rows, KeptIdentity)
    if not docs or (docs[0].issuer, docs[0].subject) != (provider.issuer, subject):
        return None
    return Known(home=home, account=account, identity=identity)


async def keep_identity(
    tx: Tx, provider: ExternalProvider, account: UUID, subject: str, email: Any
) -> ExternalIdentityLinked:
    """Put it by, in the transaction of the event that tells of it, which this answers."""
    label = email[:LONGEST_LABEL] if isinstance(email, str) and email.isprintable() else ""
    id, kept = tx.new_id(), KeptIdentity(issuer=provider.issuer, subject=subject, label=label)
    if len(await tx.fetch(SQL["external_identities_of"], tx.organisation, account)) >= MOST:
        raise ExternalTaken(f"An account is linked with at most {MOST} others.")
    sealed = await tx.seal_doc("external_identities", id, account, kept)
    await tx.run(SQL["put_external_identity"], tx.organisation, id, account, provider.id, sealed, tx.now)
    home = tx.organisation
    async with tx.inside(INSTALLATION) as above:
        (token,) = await above.tokens("external", _named(provider, subject))
        try:
            await above.run(SQL["put_external_name"], token, home, account, id)
        except UniqueViolation as taken:
            raise ExternalTaken() from taken
    return ExternalIdentityLinked(account=account, identity=id, provider=provider.id, label=label)


async def my_external_identities(
    desk: Desk, errand: MyExternalIdentities, caller: Caller
) -> Sequence[ExternalIdentityLine]:
    home, view = await own_account(desk, caller)
    listed = providers_of(desk.bus).by_id
    async with desk.bus.reading("identity", home) as tx:
        rows = await tx.fetch(SQL["external_identities_of"], home, view.account)
        docs = await tx.open_docs("external_identities", rows, KeptIdentity)
    return [
        ExternalIdentityLine(
            identity_id=row["id"],
            provider=row["provider"],
            name=listed[row["provider"]].name if row["provider"] in listed else row["provider"],
            label=doc.label,
            linked_at=row["linked_at"],
            used_at=row["used_at"],
            listed=row["provider"] in listed,
        )
        for row, doc in zip(rows, docs, strict=True)
    ]


async def unlink_external_identity(desk: Desk, errand: UnlinkExternalIdentity, caller: Caller) -> None:
    """Nobody locks themselves out by it; every other session ends."""
    home, view = await own_account(desk, caller)

    async def work(tx: Tx) -> None:
        provider = await tx.fetchval(SQL["drop_external_identity"], home, errand.identity_id, view.account)
        if provider is None:
            raise NoSuchExternalIdentity()
        left = await tx.fetch(SQL["external_identities_of"], home, view.account)
        if not left and not view.passkeys and await password_of(tx, view.account) is None:
            raise ExternalNeeded()
        await tx.run(SQL["drop_external_name"], errand.identity_id)
        gone = ExternalIdentityUnlinked(account=view.account, identity=errand.identity_id, provider=provider)
        ended = SessionsEnded(account=view.account, reason="external identity unlinked", kept=caller.session)
        await note(tx, view.account, gone, ended)

    await desk.within(home, work)
