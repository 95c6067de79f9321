"""Starting an organisation: its first administrator has an account in it before there is anything else."""

from salerno.contexts.identity.commands import Profile, Registered, RegisterFounder, WaitingFounders
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.hashing import hashed
from salerno.contexts.identity.handlers.sign_up import (
    create,
    not_too_often,
    registered,
    tell_owner_of_address,
    unverified,
)
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.contexts.identity.queries import profile
from salerno.contexts.identity.rules import passwords
from salerno.contexts.identity.rules.account import SelfSignedUp, names
from salerno.contexts.identity.rules.email import checked
from salerno.contexts.identity.rules.roles import Role
from salerno.kernel.clock import stopwatch
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotAllowed
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx


async def register_founder(desk: Desk, errand: RegisterFounder, caller: Caller) -> Registered:
    """Outside development a system administrator approves who may start an organisation (C-11)."""
    started, policy = stopwatch(), policy_of(desk.bus)
    email = checked(errand.email)
    given, family = names(errand.given_name, errand.family_name, "")
    password = passwords.check(errand.password, (email, given, family))
    await not_too_often(desk, caller, policy)
    home = desk.new_id()
    wish = SelfSignedUp(
        account=desk.new_id(),
        email=email,
        given_name=given,
        family_name=family,
        role=Role.ADMIN,
        patient=None,
        language=errand.language,
        approved=policy.development,
    )

    async def remember(tx: Tx) -> None:
        await tx.run(SQL["put_founder"], home, wish.account, tx.now)

    if policy.mails:
        wish = unverified(wish)
    hash = await hashed(password)
    if await create(desk, home, wish, hash, "", caller):
        await desk.within(home, remember, actor=wish.account)
    else:
        await tell_owner_of_address(desk, wish, hash)
    await counting.slow_down(started, policy)
    return registered(wish)


async def waiting_founders(desk: Desk, errand: WaitingFounders, caller: Caller) -> list[Profile]:
    if caller.role != Role.SUPER_ADMIN:
        raise NotAllowed()
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch(SQL["founders"])
    waiting = []
    for row in rows:
        async with desk.bus.reading("identity", row["home"]) as tx:
            held = await ACCOUNTS.get(tx, row["account"])
        if held is not None and held.doc.status == "pending":
            waiting.append(profile(held, row["home"]))
    return waiting
