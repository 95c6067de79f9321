"""A browser comes back from a provider: everything that it says is doubted before anything is opened by it."""

import hmac
from typing import Any
from uuid import UUID

from salerno.contexts.identity.commands.external import Arrival, ComeBackFromProvider
from salerno.contexts.identity.errors import (
    AccountNotReady,
    ExternalDenied,
    ExternalNotAdmitted,
    ExternalRefused,
    ExternalUnknown,
    FactorMissing,
    LinkOver,
)
from salerno.contexts.identity.events import EmailConfirmed, IdentityProvedAgain, SessionsEnded, SignInFailed
from salerno.contexts.identity.handlers.external import talking
from salerno.contexts.identity.handlers.external.going import derived, way_back
from salerno.contexts.identity.handlers.external.linking import Known, keep_identity, known_identity
from salerno.contexts.identity.handlers.external.talking import Metadata, Tokens
from salerno.contexts.identity.handlers.external.tokens import BadSignature, Wrong, checked, session_there, verified
from salerno.contexts.identity.handlers.factors import own_account, rotate
from salerno.contexts.identity.handlers.letters import account_in
from salerno.contexts.identity.handlers.opening import Entry, new_token, note, open_session, show
from salerno.contexts.identity.handlers.sessions import present
from salerno.contexts.identity.handlers.sign_in import pose
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.external import ExternalProvider, one_value
from salerno.contexts.identity.rules.methods import of_provider
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

ONESELF = "identity.change_self"
ANEW = ("prove", "unlock")  # they sign in there anew, and not by what they did before


async def come_back(desk: Desk, errand: ComeBackFromProvider, caller: Caller) -> Arrival:
    """Once for each departure, whatever comes of it."""
    provider = talking.provider_of(desk.bus, errand.provider)
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["end_departure"], token_hash(errand.token), provider.id, desk.now)
    if row is None:
        raise talking.refused(provider, "no departure")
    said = await talking.metadata_of(desk.bus, provider)
    code = _code(provider, said, errand)
    back = way_back(desk.bus, provider)
    tokens = await talking.redeemed(provider, said, code, derived("verifier", errand.token), back)
    since = row["begun_at"] if row["purpose"] in ANEW else None
    try:
        subject, claims = await _claims(desk, provider, said, tokens, errand.token, since)
    except Wrong as wrong:
        raise talking.refused(provider, f"id token: {wrong}") from None
    if not provider.admits(claims):
        raise ExternalNotAdmitted()
    if row["purpose"] in ("link", *ANEW):
        _same_person(provider, row, caller)
        if row["purpose"] == "link":
            return await _link(desk, provider, subject, claims, caller)
        return await _prove(desk, provider, subject, claims, caller, unlocks=row["purpose"] == "unlock")
    if row["purpose"] == "invitation":
        await _accept(desk, provider, subject, claims, row["link"])
    return await _enter(desk, provider, subject, claims, errand, caller)


def _code(provider: ExternalProvider, said: Metadata, errand: ComeBackFromProvider) -> str:
    """The code, where the answer is to this browser's question and from this provider (RFC 9207)."""
    given = one_value(errand.parameters)
    state = derived("state", errand.token)
    if given is None or not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
        raise talking.refused(provider, "state")
    named = given.get("iss")
    if named != provider.issuer and (named is not None or said.authorization_response_iss_parameter_supported):
        raise talking.refused(provider, "iss of the answer")
    if "error" in given:
        raise ExternalDenied()
    if not given.get("code"):
        raise talking.refused(provider, "no code")
    return given["code"]


async def _claims(
    desk: Desk, provider: ExternalProvider, said: Metadata, tokens: Tokens, token: str, since: Any
) -> tuple[str, dict[str, Any]]:
    """Subject and claims. A key that is not known yet may be a new one: it is looked for once more."""
    try:
        keys = await talking.keys_of(desk.bus, provider, said, anew=False)
        header, claims = verified(tokens.id_token, keys)
    except BadSignature:
        keys = await talking.keys_of(desk.bus, provider, said, anew=True)
        header, claims = verified(tokens.id_token, keys)
    nonce, now = derived("nonce", token), desk.now
    subject = checked(provider, header, claims, nonce=nonce, now=now, access_token=tokens.access_token, since=since)
    return subject, claims


def _same_person(provider: ExternalProvider, row: Any, caller: Caller) -> None:
    """Whoever went away in a session comes back in it, and it is not locked meanwhile, unless it was."""
    if caller.session is None or (row["account"], row["session"]) != (caller.actor, caller.session):
        raise talking.refused(provider, "another session")
    if ONESELF not in caller.permissions and row["purpose"] != "unlock":
        raise ExternalRefused()


def _may_be_of(provider: ExternalProvider, home: UUID) -> None:
    if provider.organisation not in (None, home):
        raise ExternalNotAdmitted()


async def _link(
    desk: Desk, provider: ExternalProvider, subject: str, claims: dict[str, Any], caller: Caller
) -> Arrival:
    home, view = await own_account(desk, caller)
    _may_be_of(provider, home)
    token = new_token()

    async def work(tx: Tx) -> None:
        linked = await keep_identity(tx, provider, view.account, subject, claims.get("email"))
        ended = SessionsEnded(account=view.account, reason="external identity linked", kept=caller.session)
        await note(tx, view.account, linked, ended)
        await rotate(tx, caller, token)

    await desk.within(home, work)
    return Arrival(outcome="linked", opened=await present(desk, home, caller, token))


async def _prove(
    desk: Desk, provider: ExternalProvider, subject: str, claims: dict[str, Any], caller: Caller, *, unlocks: bool
) -> Arrival:
    """As the password does: it unlocks a screen, and proves nothing grave where there is a second factor, unless that
    was shown there.
    """
    home, view = await own_account(desk, caller)
    known = await known_identity(desk, provider, subject)
    if known is None or known.account != view.account:
        raise ExternalUnknown()
    _may_be_of(provider, home)
    proved = not view.has_factor or provider.vouches(claims)
    if not proved and not unlocks:
        raise FactorMissing("Use your passkey or a code of your authenticator.")
    session, token = caller.session, new_token()
    assert session is not None

    async def work(tx: Tx) -> None:
        if not await tx.fetchval(SQL["prove_session"], session, view.account, tx.now, proved):
            raise NotSignedIn()
        await show(tx, session, *of_provider(claims, vouched=provider.vouches(claims)))
        await rotate(tx, caller, token)
        method = f"openid:{provider.id}"
        await note(tx, view.account, IdentityProvedAgain(account=view.account, session=session, method=method))

    await desk.within(home, work)
    return Arrival(outcome="proved", opened=await present(desk, home, caller, token))


async def _accept(desk: Desk, provider: ExternalProvider, subject: str, claims: dict[str, Any], link: bytes) -> None:
    """An invitation is accepted with the identity there in a password's place."""
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row: Any = await tx.fetchrow(SQL["link"], link, "invitation", desk.now)
    if row is None:
        raise LinkOver()
    home, account = UUID(bytes=row["home"].bytes), UUID(bytes=row["account"].bytes)
    _may_be_of(provider, home)
    if (await account_in(desk.bus, home, account)).status != "invited":
        raise LinkOver()

    async def work(tx: Tx) -> None:
        if await tx.fetchrow(SQL["use_link"], link, "invitation", tx.now) is None:
            raise LinkOver()
        linked = await keep_identity(tx, provider, account, subject, claims.get("email"))
        await note(tx, account, EmailConfirmed(account=account, status="active"), linked)

    await desk.within(home, work, actor=account)


async def _enter(
    desk: Desk,
    provider: ExternalProvider,
    subject: str,
    claims: dict[str, Any],
    errand: ComeBackFromProvider,
    caller: Caller,
) -> Arrival:
    """A second factor is asked for as after a password, unless the provider has seen one that counts here."""
    known = await known_identity(desk, provider, subject)
    if known is None:
        raise ExternalUnknown()
    _may_be_of(provider, known.home)
    view = await account_in(desk.bus, known.home, known.account)
    if view.status != "active":
        await _not_ready(desk, known, caller)
    vouched = provider.vouches(claims)
    if view.has_factor and not vouched:
        posed = await pose(
            desk, known.home, view, "web", of_provider(claims), provider.id, session_there(provider, claims)
        )
        return Arrival(outcome="challenged", posed=posed)
    entry = Entry(
        home=known.home,
        account=known.account,
        kind="web",
        method=f"openid:{provider.id}",
        shown=of_provider(claims, vouched=vouched),
        factor=vouched,
        address=caller.address,
        agent=errand.agent,
        device=errand.device,
        previous=errand.previous,
        provider=provider.id,
        provider_session=session_there(provider, claims),
        vouched=vouched,
    )
    return Arrival(outcome="entered", opened=await open_session(desk, entry))


async def _not_ready(desk: Desk, known: Known, caller: Caller) -> None:
    failed = SignInFailed(account=known.account, reason="account not active", address=caller.address)
    await desk.within(known.home, lambda tx: note(tx, known.account, failed), actor=known.account)
    raise AccountNotReady()
