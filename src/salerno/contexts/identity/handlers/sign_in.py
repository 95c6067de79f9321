"""Coming in: count, look up, verify, and only then open. What is answered on failure is always the same."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands import ChallengePosed, Opened, SignIn, VerifySecondFactor
from salerno.contexts.identity.errors import (
    AccountNotReady,
    ChallengeOver,
    PasswordRefused,
    TooManyAttempts,
    WrongCode,
    WrongCredentials,
)
from salerno.contexts.identity.events import RecoveryCodeUsed, SignInFailed
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.accounts import keep_password, password_of
from salerno.contexts.identity.handlers.counting import Attempt, policy_of
from salerno.contexts.identity.handlers.factors import is_right_code
from salerno.contexts.identity.handlers.hashing import hashed, is_outdated, is_right
from salerno.contexts.identity.handlers.opening import Entry, new_token, note, open_session
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules import codes, methods, passwords
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx


async def sign_in(desk: Desk, errand: SignIn, caller: Caller) -> Opened | ChallengePosed:
    if passwords.is_too_big(errand.password):
        raise PasswordRefused(errors=[{"path": "password", "code": "too-long", "message": "No password is this long."}])
    attempt = await counting.begin(desk, errand.email, caller.address, errand.device)
    if not attempt.allowed:
        raise TooManyAttempts(retry_after=attempt.retry_after)
    view, stored = await _credentials(desk, attempt)
    if not await is_right(errand.password, stored) or view is None or stored is None:
        await _failed(desk, attempt, caller, "wrong password")
        raise WrongCredentials()
    if view.status != "active":
        await _failed(desk, attempt, caller, "account not active")
        raise AccountNotReady()
    await _succeeded(desk, attempt, errand, stored)
    return await _proceed(desk, attempt, errand, caller, view)


async def _credentials(desk: Desk, attempt: Attempt) -> tuple[AccountView | None, str | None]:
    """Asks the same questions where there is no account."""
    home, account = attempt.home or INSTALLATION, attempt.account or INSTALLATION
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, account)
        return (held.doc if held else None), await password_of(tx, account)


async def _failed(desk: Desk, attempt: Attempt, caller: Caller, reason: str) -> None:
    account = attempt.account
    if attempt.home is not None and account is not None:
        event = SignInFailed(account=account, reason=reason, address=caller.address)
        await desk.within(attempt.home, lambda tx: note(tx, account, event), actor=account)
    await counting.slow_down(attempt.started, policy_of(desk.bus))


async def _succeeded(desk: Desk, attempt: Attempt, errand: SignIn, stored: str) -> None:
    """The count starts anew, and a hash of an older kind is replaced while the password is at hand."""
    home, account = attempt.home, attempt.account
    assert home is not None and account is not None
    better = await hashed(errand.password) if is_outdated(stored) else None

    async def work(tx: Tx) -> None:
        await counting.clear(tx, "account", attempt.token)
        if better is not None:
            await keep_password(tx, account, better)

    await desk.within(home, work, actor=account)


async def _proceed(
    desk: Desk, attempt: Attempt, errand: SignIn, caller: Caller, view: AccountView
) -> Opened | ChallengePosed:
    home, account = attempt.home, attempt.account
    assert home is not None and account is not None
    if view.has_factor:
        return await pose(desk, home, view, errand.kind, methods.PASSWORD)
    return await open_session(
        desk,
        Entry(
            home=home,
            account=account,
            kind=errand.kind,
            method="password",
            shown=methods.PASSWORD,
            factor=False,
            address=caller.address,
            agent=errand.agent,
            device=errand.device,
            previous=errand.previous,
        ),
    )


async def pose(
    desk: Desk,
    home: UUID,
    view: AccountView,
    kind: str,
    shown: Sequence[str],
    provider: str = "",
    provider_session: bytes | None = None,
) -> ChallengePosed:
    """Ask for the second factor. `shown` is what was shown first; `provider` the one where, if it was not here."""
    token, expires = new_token(), desk.now + policy_of(desk.bus).challenge

    async def work(tx: Tx) -> None:
        hash = codes.token_hash(token)
        await tx.run(
            SQL["put_challenge"], hash, home, view.account, kind, expires, provider, list(shown), provider_session
        )

    await desk.within(home, work)
    own = (*(("totp",) if view.has_totp else ()), *(("passkey",) if view.passkeys else ()))
    return ChallengePosed(challenge=token, expires_at=expires, methods=(*own, "recovery-code"))


async def verify_second_factor(desk: Desk, errand: VerifySecondFactor, caller: Caller) -> Opened:
    """Five tries a challenge, and as many failures an account as with passwords, however many challenges."""
    found = await desk.within(INSTALLATION, lambda tx: _try(tx, errand, desk))
    if found is None:
        raise ChallengeOver()
    row, wait = found
    home, account, provider = UUID(bytes=row["home"].bytes), UUID(bytes=row["account"].bytes), row["provider"]
    if wait:
        raise TooManyAttempts(retry_after=wait)
    method = await desk.within(home, lambda tx: _check_code(tx, account, errand), actor=account)
    if method is None:
        event = SignInFailed(account=account, reason="wrong code", address=caller.address)
        await desk.within(home, lambda tx: note(tx, account, event), actor=account)
        raise WrongCode()
    await desk.within(INSTALLATION, lambda tx: _forget_tries(tx, account))
    return await open_session(
        desk,
        Entry(
            home=home,
            account=account,
            kind=row["kind"],
            shown=methods.together(row["shown"], methods.CODES[method]),
            method=f"openid:{provider} {method}" if provider else method,
            factor=True,
            address=caller.address,
            agent=errand.agent,
            device=errand.device,
            previous=errand.previous,
            provider=provider,
            provider_session=row["provider_session"],
        ),
    )


async def _try(tx: Tx, errand: VerifySecondFactor, desk: Desk) -> tuple[Any, int] | None:
    """The challenge's row, and the seconds to wait."""
    policy = policy_of(desk.bus)
    row: Any = await tx.fetchrow(SQL["try_challenge"], codes.token_hash(errand.challenge), codes.TRIES, tx.now)
    if row is None:
        return None
    (token,) = await tx.tokens("factor", str(row["account"]))
    return row, await counting.count(tx, "factor", token, policy.failures_per_account, policy)


async def _check_code(tx: Tx, account: UUID, errand: VerifySecondFactor) -> str | None:
    """The method that was right, with its code and the challenge spent in the same transaction."""
    method = await is_right_code(tx, account, errand.code)
    if method is None or not await tx.fetchval(SQL["end_challenge"], codes.token_hash(errand.challenge)):
        return None
    if method == "recovery-code":
        await note(tx, account, RecoveryCodeUsed(account=account))
    return method


async def _forget_tries(tx: Tx, account: UUID) -> None:
    (token,) = await tx.tokens("factor", str(account))
    await counting.clear(tx, "factor", token)
