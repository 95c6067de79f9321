"""Making an account for oneself. What is answered does not tell who has one already."""

from dataclasses import replace
from uuid import UUID

from salerno.contexts.identity.commands import (
    ChartCode,
    ClaimChart,
    InitAdministrator,
    IssueChartCode,
    Register,
    Registered,
)
from salerno.contexts.identity.errors import (
    ChartCodeRefused,
    EmailTaken,
    MayNotGrant,
    NotActive,
    SignUpClosed,
    TooManyAttempts,
)
from salerno.contexts.identity.events import ChartClaimRefused, ChartLinked
from salerno.contexts.identity.handlers import counting, letters
from salerno.contexts.identity.handlers.accounts import keep_password
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import own_account
from salerno.contexts.identity.handlers.hashing import hashed
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.recovering import found_by, may_write
from salerno.contexts.identity.projections import ACCOUNTS, SQL
from salerno.contexts.identity.rules import codes, passwords
from salerno.contexts.identity.rules.account import ACCOUNT, SelfSignedUp, names
from salerno.contexts.identity.rules.chart_code import CHART_CODE, HandOut
from salerno.contexts.identity.rules.email import checked, same
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, may_grant, role_of
from salerno.kernel.addresses import place_of
from salerno.kernel.clock import stopwatch
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

APPROVED_IN_DEVELOPMENT = frozenset(Role) - {Role.SUPER_ADMIN, Role.ADMIN}
GRANTS = "identity.create_user"


async def register(desk: Desk, errand: Register, caller: Caller) -> Registered:
    started, policy = stopwatch(), policy_of(desk.bus)
    email, role = checked(errand.email), role_of(errand.role)
    given, family = names(errand.given_name, errand.family_name, "")
    password = passwords.check(errand.password, (email, given, family))
    appoints = GRANTS in caller.permissions
    if appoints and not may_grant(caller.role, role):
        raise MayNotGrant(role=role.value)
    if not appoints:
        await not_too_often(desk, caller, policy)
    home, patient = await _home_and_chart(desk, errand, role, caller, appoints)
    approved = appoints or patient is not None or (policy.development and role in APPROVED_IN_DEVELOPMENT)
    wish = SelfSignedUp(
        account=desk.new_id(),
        email=email,
        given_name=given,
        family_name=family,
        role=role,
        patient=patient,
        language=errand.language,
        approved=approved,
    )
    if policy.mails and not appoints:
        wish = unverified(wish)
    hash = await hashed(password)
    created = await create(desk, home, wish, hash, errand.code if patient else "", caller)
    if not created and appoints:
        raise EmailTaken()
    if not created:
        await tell_owner_of_address(desk, wish, hash)
    if not appoints:
        await counting.slow_down(started, policy)
    return registered(wish)


def registered(wish: SelfSignedUp) -> Registered:
    return Registered(
        user_id=wish.account,
        email=wish.email,
        given_name=wish.given_name,
        family_name=wish.family_name,
        role=wish.role.value,
        status=wish.status or ("active" if wish.approved else "pending"),
    )


def unverified(wish: SelfSignedUp) -> SelfSignedUp:
    """Nobody uses an account before its address is confirmed (IAM-42)."""
    return replace(wish, status="unverified")


def outcome_of(wish: SelfSignedUp) -> str:
    """What the account is once its address is confirmed: a patient's may be used, any other waits (C-11)."""
    return "active" if wish.approved or wish.role is Role.PATIENT else "pending"


async def tell_owner_of_address(desk: Desk, wish: SelfSignedUp, hash: str) -> None:
    """By letter alone. An account that was never confirmed is whose letter is: the newest password counts."""
    policy = policy_of(desk.bus)
    if not policy.mails or not await may_write(desk, wish.email):
        return
    home, view = await found_by(desk, wish.email)
    if home is None or view is None:
        return

    async def work(tx: Tx) -> None:
        if view.status == "unverified":
            await keep_password(tx, view.account, hash)
            await letters.write_link(tx, "confirm", view, policy, outcome_of(wish))
        elif view.status == "active":
            await letters.write_notice(tx, "taken", view, policy)

    await desk.within(home, work, actor=view.account)


async def not_too_often(desk: Desk, caller: Caller, policy: SignInPolicy) -> None:
    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens("register", place_of(caller.address))
        return await counting.count(tx, "register", place, policy.failures_per_address, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def _home_and_chart(
    desk: Desk, errand: Register, role: Role, caller: Caller, appoints: bool
) -> tuple[UUID, UUID | None]:
    """The organisation is never the caller's word: an administrator's own, the code's, or the only one there is."""
    if appoints:
        return caller.organisation, None
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        code = await tx.fetchrow(SQL["chart_code"], codes.hash_of(errand.code), tx.now) if errand.code else None
        homes = await tx.fetch(SQL["homes"])
    if errand.code:
        if code is None or role is not Role.PATIENT:
            raise ChartCodeRefused()
        return UUID(bytes=code["home"].bytes), UUID(bytes=code["patient"].bytes)
    if len(homes) != 1:
        raise SignUpClosed()
    return UUID(bytes=homes[0]["home"].bytes), None


async def create(desk: Desk, home: UUID, wish: SelfSignedUp, hash: str, code: str, caller: Caller) -> bool:
    """False where the address has an account: its owner alone will be told, by mail."""

    async def work(tx: Tx) -> None:
        if code and not await tx.fetchrow(SQL["use_chart_code"], codes.hash_of(code), tx.now):
            raise ChartCodeRefused()
        await tx.execute(ACCOUNT, wish.account, wish, subject=wish.account)
        await keep_password(tx, wish.account, hash)
        if wish.status == "unverified":
            held = await ACCOUNTS.get(tx, wish.account)
            assert held is not None
            await letters.write_link(tx, "confirm", held.doc, policy_of(desk.bus), outcome_of(wish))

    if await _is_taken(desk, wish.email):
        return False
    try:
        await desk.within(home, work, actor=caller.actor if caller.actor.int else wish.account)
    except EmailTaken:
        return False
    return True


async def _is_taken(desk: Desk, email: str) -> bool:
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        (token,) = await tx.tokens("login", same(email))
        return await tx.fetchrow(SQL["login"], token) is not None


async def issue_chart_code(desk: Desk, errand: IssueChartCode, caller: Caller) -> ChartCode:
    code, expires = codes.new_code(), desk.now + policy_of(desk.bus).chart_code

    async def work(tx: Tx) -> None:
        id = tx.new_id()
        await tx.run(SQL["void_chart_codes"], tx.organisation, errand.patient_id)
        await tx.run(SQL["put_chart_code"], codes.hash_of(code), id, tx.organisation, errand.patient_id, expires)
        await tx.execute(CHART_CODE, id, HandOut(id, errand.patient_id, expires), subject=errand.patient_id)

    await desk.within(caller.organisation, work)
    return ChartCode(code=code, expires_at=expires)


async def claim_chart(desk: Desk, errand: ClaimChart, caller: Caller) -> UUID:
    """The chart that is one's own from now on. Five tries a week; whoever has the chart already is told."""
    home, view = await own_account(desk, caller)
    policy = policy_of(desk.bus)
    if view.role != Role.PATIENT or view.patient is not None:
        raise NotActive("Only a patient's account without a chart can be linked.")

    async def counted(tx: Tx) -> int:
        (token,) = await tx.tokens("chart", str(view.account))
        return await counting.count(tx, "chart", token, codes.TRIES, policy)

    if wait := await desk.within(INSTALLATION, counted):
        raise TooManyAttempts(retry_after=wait)

    async def work(tx: Tx) -> UUID:
        row = await tx.fetchrow(SQL["use_chart_code"], codes.hash_of(errand.code), tx.now)
        if row is None or row["home"] != home:
            raise ChartCodeRefused()
        patient = UUID(bytes=row["patient"].bytes)
        await note(tx, view.account, ChartLinked(account=view.account, patient=patient))
        return patient

    try:
        return await desk.within(home, work)
    except ChartCodeRefused:
        await _tell_owner(desk, home, errand.code)
        raise


async def _tell_owner(desk: Desk, home: UUID, code: str) -> None:
    """A good code for a chart that somebody has already: that account's history says so."""

    async def work(tx: Tx) -> None:
        row = await tx.fetchrow(SQL["chart_code"], codes.hash_of(code), tx.now)
        if row is None or row["home"] != home:
            return
        owner = await tx.fetchval(SQL["chart_owner"], tx.organisation, row["patient"])
        if owner is not None:
            owner = UUID(bytes=owner.bytes)
            await note(tx, owner, ChartClaimRefused(account=owner, patient=UUID(bytes=row["patient"].bytes)))

    await desk.within(home, work)


async def init_administrator(desk: Desk, errand: InitAdministrator, caller: Caller) -> UUID:
    """Above all organisations. Only the command line holds the permission that this needs."""
    email = checked(errand.email)
    given, family = names("", "", errand.full_name)
    password = passwords.check(errand.password, (email, given, family))
    wish = SelfSignedUp(
        account=desk.new_id(),
        email=email,
        given_name=given,
        family_name=family,
        role=Role.SUPER_ADMIN,
        patient=None,
        language="",
        approved=True,
    )
    if not await create(desk, INSTALLATION, wish, await hashed(password), "", caller):
        raise EmailTaken()
    return wish.account
