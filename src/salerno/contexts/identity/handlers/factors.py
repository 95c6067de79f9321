"""The second factor: begun with the password, counted once confirmed, each code used once."""

from datetime import timedelta
from uuid import UUID

import pyotp
from msgspec import Struct

from salerno.contexts.identity.commands import (
    ConfirmTotp,
    EnrolTotp,
    RecoveryCodes,
    RegenerateRecoveryCodes,
    RemoveTotp,
    TotpSecret,
)
from salerno.contexts.identity.errors import (
    FactorDemanded,
    FactorMissing,
    NoSuchAccount,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from salerno.contexts.identity.events import (
    RecoveryCodesIssued,
    SecondFactorAdded,
    SecondFactorRemoved,
    SessionsEnded,
    SignInFailed,
)
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.accounts import password_of
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.hashing import is_right
from salerno.contexts.identity.handlers.opening import new_token, note, show
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules import codes, methods
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

ENROL_WITHIN = timedelta(minutes=15)


class Secret(Struct, frozen=True):
    """What an authenticator shares with us."""

    base32: str


async def own_account(desk: Desk, caller: Caller) -> tuple[UUID, AccountView]:
    """The caller's own account, and the organisation that it belongs to."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        home = await tx.fetchval(SQL["home_of"], caller.actor)
    if home is None:
        raise NoSuchAccount()
    async with desk.bus.reading("identity", UUID(bytes=home.bytes)) as tx:
        held = await ACCOUNTS.get(tx, caller.actor)
    if held is None or held.doc.status != "active":
        raise NotSignedIn()
    return UUID(bytes=home.bytes), held.doc


async def confirm_password(desk: Desk, home: UUID, view: AccountView, password: str) -> None:
    """A stolen session alone changes nothing that guards the account."""
    attempt = await counting.begin(desk, view.email, "")
    if not attempt.allowed:
        raise TooManyAttempts(retry_after=attempt.retry_after)
    async with desk.bus.reading("identity", home) as tx:
        stored = await password_of(tx, view.account)
    if not await is_right(password, stored):
        event = SignInFailed(account=view.account, reason="wrong password in settings")
        await desk.within(home, lambda tx: note(tx, view.account, event))
        raise WrongPassword()
    await desk.within(home, lambda tx: counting.clear(tx, "account", attempt.token))


async def confirm_owner(desk: Desk, home: UUID, view: AccountView, password: str) -> None:
    """By the password. Who dropped it has shown a passkey or a code to come this far: the messages are grave."""
    if not view.without_password:
        await confirm_password(desk, home, view, password)


async def is_right_code(tx: Tx, account: UUID, code: str) -> str | None:
    """The method by which this code is right; under the row's lock it is used in the same breath."""
    row = await tx.fetchrow(SQL["lock_factor"], tx.organisation, account)
    if row is not None and row["confirmed"]:
        (secret,) = await tx.open_docs("factors", [row], Secret)
        if (step := codes.step_of(secret.base32, code, row["last_step"], tx.now)) is not None:
            await tx.run(SQL["use_step"], tx.organisation, account, step)
            return "totp"
    used = await tx.fetchval(SQL["use_recovery_code"], tx.organisation, account, codes.hash_of(code), tx.now)
    return "recovery-code" if used else None


async def enrol_totp(desk: Desk, errand: EnrolTotp, caller: Caller) -> TotpSecret:
    home, view = await own_account(desk, caller)
    await confirm_owner(desk, home, view, errand.password)
    secret = pyotp.random_base32()

    async def work(tx: Tx) -> None:
        sealed = await tx.seal_doc("factors", view.account, view.account, Secret(secret))
        if not await tx.fetchval(SQL["begin_factor"], tx.organisation, view.account, sealed, tx.now):
            raise FactorMissing("There is a second factor already. Remove it first.")

    await desk.within(home, work)
    return TotpSecret(secret=secret, uri=pyotp.TOTP(secret).provisioning_uri(name=view.email, issuer_name="Salerno"))


async def confirm_totp(desk: Desk, errand: ConfirmTotp, caller: Caller) -> RecoveryCodes:
    home, view = await own_account(desk, caller)
    fresh, token = fresh_codes(), new_token()

    async def work(tx: Tx) -> bool:
        if await count_code(tx, view.account, policy_of(desk.bus).failures_per_account, desk):
            return False
        row = await tx.fetchrow(SQL["lock_factor"], tx.organisation, view.account)
        if row is None or row["confirmed"] or row["begun_at"] < tx.now - ENROL_WITHIN:
            raise FactorMissing()
        (secret,) = await tx.open_docs("factors", [row], Secret)
        step = codes.step_of(secret.base32, errand.code, row["last_step"], tx.now)
        if step is None:
            return False
        await tx.run(SQL["use_step"], tx.organisation, view.account, step)
        ended = SessionsEnded(account=view.account, reason="second factor added", kept=caller.session)
        await note(tx, view.account, SecondFactorAdded(account=view.account, method="totp"), ended)
        await put_codes(tx, view.account, fresh)
        await forget_codes_tried(tx, view.account)
        if caller.session is not None:
            await show(tx, caller.session, *methods.CODES["totp"])
        await rotate(tx, caller, token, factor=True)
        return True

    if not await desk.within(home, work):
        raise WrongCode()
    return RecoveryCodes(codes=fresh, token=token)


async def count_code(tx: Tx, account: UUID, limit: int, desk: Desk) -> int:
    async with tx.inside(INSTALLATION) as above:
        (token,) = await above.tokens("factor", str(account))
        return await counting.count(above, "factor", token, limit, policy_of(desk.bus))


async def forget_codes_tried(tx: Tx, account: UUID) -> None:
    async with tx.inside(INSTALLATION) as above:
        (token,) = await above.tokens("factor", str(account))
        await counting.clear(above, "factor", token)


async def regenerate_recovery_codes(desk: Desk, errand: RegenerateRecoveryCodes, caller: Caller) -> RecoveryCodes:
    home, view = await own_account(desk, caller)
    await confirm_owner(desk, home, view, errand.password)
    if not view.has_factor:
        raise FactorMissing()
    fresh = fresh_codes()
    await desk.within(home, lambda tx: put_codes(tx, view.account, fresh))
    return RecoveryCodes(codes=fresh)


async def remove_totp(desk: Desk, errand: RemoveTotp, caller: Caller) -> None:
    home, view = await own_account(desk, caller)
    await confirm_owner(desk, home, view, errand.password)
    async with desk.bus.reading("identity", home) as tx:
        if (await choices_of(tx, view.roles)).demands_factor(view.roles, policy_of(desk.bus)) and not view.passkeys:
            raise FactorDemanded()

    async def work(tx: Tx) -> bool:
        if await count_code(tx, view.account, policy_of(desk.bus).failures_per_account, desk):
            return False
        if await is_right_code(tx, view.account, errand.code) is None:
            return False
        await forget_codes_tried(tx, view.account)
        ended = SessionsEnded(account=view.account, reason="second factor removed", kept=caller.session)
        await note(tx, view.account, SecondFactorRemoved(account=view.account), ended)
        return True

    if not view.has_totp:
        raise FactorMissing()
    if not await desk.within(home, work):
        raise WrongCode()


def fresh_codes() -> tuple[str, ...]:
    return tuple(codes.new_code() for _ in range(codes.RECOVERY_CODES))


async def put_codes(tx: Tx, account: UUID, fresh: tuple[str, ...]) -> None:
    """A new set voids the old one."""
    await tx.run(SQL["drop_recovery_codes"], tx.organisation, account)
    await tx.run_many(SQL["put_recovery_code"], [(tx.organisation, account, codes.hash_of(one)) for one in fresh])
    await note(tx, account, RecoveryCodesIssued(account=account, count=len(fresh)))


async def rotate(tx: Tx, caller: Caller, token: str, *, factor: bool = False) -> None:
    """The present session goes on under a new token; the old one is void at once."""
    if caller.session is not None:
        hash, csrf = codes.token_hash(token), new_token()
        await tx.run(SQL["rotate_session"], caller.session, caller.actor, hash, csrf, factor, tx.now)
