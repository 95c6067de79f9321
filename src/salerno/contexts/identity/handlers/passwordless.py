"""Doing without a password: a passkey is two factors by itself, and what nobody knows nobody gives away."""

from salerno.contexts.identity.commands import DropPassword, Opened
from salerno.contexts.identity.errors import NoMail, NoPassword, PasskeyNeeded, PasswordDemanded
from salerno.contexts.identity.events import PasswordDropped, SessionsEnded
from salerno.contexts.identity.handlers.accounts import password_of
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account, rotate
from salerno.contexts.identity.handlers.opening import new_token, note
from salerno.contexts.identity.handlers.sessions import present
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller
from salerno.kernel.transactions import Tx


async def drop_password(desk: Desk, errand: DropPassword, caller: Caller) -> Opened:
    """Every passkey here verifies its owner: `add_passkey` takes no other. Every other session ends.

    A lost device must not lock its owner out for good: the letter for another password leads back in, and asks for
    the second factor as ever. So there has to be a mail server.
    """
    home, view = await own_account(desk, caller)
    if not policy_of(desk.bus).mails:
        raise NoMail("This installation has no mail server: without a password a lost passkey would lock you out.")
    async with desk.bus.reading("identity", home) as tx:
        if (await choices_of(tx)).password_demanded:
            raise PasswordDemanded()
    token = new_token()

    async def work(tx: Tx) -> None:
        await tx.fetchval(SQL["lock_account"], tx.organisation, view.account)
        held = await ACCOUNTS.get(tx, view.account)
        if held is None or not held.doc.passkeys:
            raise PasskeyNeeded()
        if await password_of(tx, view.account) is None:
            raise NoPassword()
        await tx.run(SQL["drop_credential"], tx.organisation, view.account)
        ended = SessionsEnded(account=view.account, reason="password dropped", kept=caller.session)
        await note(tx, view.account, PasswordDropped(account=view.account), ended)
        await rotate(tx, caller, token)

    await desk.within(home, work)
    return await present(desk, home, caller, token)
