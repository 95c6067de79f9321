"""How an account was signed in to, read from its own history."""

from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.history import MySignIns, SignInLine, SignInsOfUser
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.events import PasskeyDoubted, SignedIn, SignInFailed
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.kernel import eventstore
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller, Page, Query, Recorded
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

TOLD = (SignedIn, SignInFailed, PasskeyDoubted)
NAMES = [eventstore.name_of(event) for event in TOLD]


async def my_sign_ins(desk: Desk, errand: MySignIns, caller: Caller) -> Page[SignInLine]:
    home, view = await own_account(desk, caller)
    async with desk.bus.reading("identity", home) as tx:
        return await _page(tx, view.account, errand.limit, errand.offset)


async def sign_ins_of_user(tx: Tx, query: SignInsOfUser, caller: Caller) -> Page[SignInLine]:
    """Of somebody from elsewhere only their own organisation may know."""
    if await ACCOUNTS.get(tx, query.account_id) is None:
        raise NoSuchAccount()
    return await _page(tx, query.account_id, query.limit, query.offset)


async def _page(tx: Tx, account: UUID, limit: int, offset: int) -> Page[SignInLine]:
    rows = await tx.fetch(SQL["sign_ins_of"], tx.organisation, account, NAMES, limit, offset)
    total = await tx.fetchval(SQL["count_sign_ins_of"], tx.organisation, account, NAMES)
    items = await eventstore.open_rows(tx.connection, tx.vault, tx.bus.catalogue, tx.organisation, rows, tx.now)
    return Page(items=[_line(item) for item in items], total=total, limit=limit, offset=offset)


def _line(item: Recorded[Any]) -> SignInLine:
    at, event = item.origin.recorded_at, item.event
    match event:
        case SignedIn():
            return SignInLine(
                at=at, outcome="signed-in", method=event.method, address=event.address, agent=event.agent,
                device=event.device,
            )  # fmt: skip
        case SignInFailed():
            return SignInLine(at=at, outcome="refused", reason=event.reason, address=event.address)
        case _:
            return SignInLine(at=at, outcome="refused", reason="passkey doubted", address=event.address)


HISTORY: dict[type[Query], Answer] = {MySignIns: my_sign_ins, SignInsOfUser: sign_ins_of_user}
