"""Showing once more who one is: before something grave, and behind a locked screen."""

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.passkeys import LockScreen, ProveAgain
from salerno.contexts.identity.errors import FactorMissing, PasskeyRefused, TooManyAttempts, WrongCode
from salerno.contexts.identity.events import IdentityProvedAgain, SignInFailed
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import (
    confirm_password,
    count_code,
    forget_codes_tried,
    is_right_code,
    own_account,
    rotate,
)
from salerno.contexts.identity.handlers.opening import new_token, note, show
from salerno.contexts.identity.handlers.passkeys import answered
from salerno.contexts.identity.handlers.standing import acting_in, must_enrol
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.queries import profile
from salerno.contexts.identity.rules import methods
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import Caller, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx


async def prove_again(desk: Desk, errand: ProveAgain, caller: Caller) -> Opened:
    """The session goes on under a new token, and counts as proved for some minutes."""
    home, view = await own_account(desk, caller)
    if caller.session is None:
        raise NotSignedIn()
    session, token = caller.session, new_token()
    method, shown = await _method(desk, errand, caller, view)
    proved = method != "password" or not view.has_factor  # a password that unlocks is no second factor

    async def work(tx: Tx) -> None:
        if not await tx.fetchval(SQL["prove_session"], session, view.account, tx.now, proved):
            raise NotSignedIn()
        await show(tx, session, *shown)
        await rotate(tx, caller, token)
        await note(tx, view.account, IdentityProvedAgain(account=view.account, session=session, method=method))

    await desk.within(home, work)
    acting, _ = await acting_in(desk.bus, home)
    async with desk.bus.reading("identity", home) as tx:
        held, choices = await ACCOUNTS.get(tx, view.account), await choices_of(tx, view.roles)
    if held is None:
        raise NotSignedIn()
    policy = policy_of(desk.bus)
    return Opened(
        session=session,
        user=profile(held, acting),
        expires_at=desk.now + choices.idle(held.doc.roles, policy),
        token=token,
        must_enrol=must_enrol(held.doc, policy, choices),
    )


async def _method(desk: Desk, errand: ProveAgain, caller: Caller, view: AccountView) -> tuple[str, tuple[str, ...]]:
    """By what it was shown, for the history and for programs.

    A second factor that exists is asked for: the password alone opens nothing grave.
    """
    home, _ = await own_account(desk, caller)
    if errand.credential is not None:
        proof = await answered(desk, "prove", errand.credential, caller)
        if proof.view.account != view.account:
            raise PasskeyRefused()
        return "passkey", proof.shown
    if errand.code:
        return "code", methods.CODES[await _check_code(desk, errand, view, caller)]
    if view.has_factor and errand.purpose == "grave":
        raise FactorMissing("Use your passkey or a code of your authenticator.")
    await confirm_password(desk, home, view, errand.password)
    return "password", methods.PASSWORD


async def _check_code(desk: Desk, errand: ProveAgain, view: AccountView, caller: Caller) -> str:
    """The kind of code that it was."""
    home, _ = await own_account(desk, caller)
    limit = policy_of(desk.bus).failures_per_account

    async def work(tx: Tx) -> str | int:
        """The kind where it was right, 0 where it was wrong, else the seconds to wait."""
        if wait := await count_code(tx, view.account, limit, desk):
            return wait
        kind = await is_right_code(tx, view.account, errand.code)
        if kind is None:
            failed = SignInFailed(account=view.account, reason="wrong code", address=caller.address)
            await note(tx, view.account, failed)
            return 0
        await forget_codes_tried(tx, view.account)
        return kind

    found = await desk.within(home, work)
    if isinstance(found, str):
        return found
    if found:
        raise TooManyAttempts(retry_after=found)
    raise WrongCode()


async def lock_screen(desk: Desk, errand: LockScreen, caller: Caller) -> None:
    if caller.session is None:
        raise NotSignedIn()
    async with desk.bus.reading("identity", caller.organisation) as tx:
        await tx.run(SQL["lock_session"], caller.session, caller.actor, tx.now)


PROVING: dict[type[Query], Answer] = {ProveAgain: prove_again, LockScreen: lock_screen}
