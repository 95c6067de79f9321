"""Passkeys: questions are put by us, kept as hashes, answered once; keys are checked by a library of its own."""

import hashlib
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from msgspec import Struct
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_attestation_object,
    parse_client_data_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from salerno.contexts.identity.commands import Opened
from salerno.contexts.identity.commands.passkeys import (
    AddPasskey,
    BeginPasskey,
    EnterByPasskey,
    MyPasskeys,
    OfferPasskey,
    Options,
    PasskeyKept,
    PasskeyLine,
    RemovePasskey,
)
from salerno.contexts.identity.errors import (
    AccountNotReady,
    FactorDemanded,
    NoSuchPasskey,
    PasskeyInvalid,
    PasskeyRefused,
    PasswordNeeded,
    TooManyAttempts,
)
from salerno.contexts.identity.events import (
    PasskeyAdded,
    PasskeyDoubted,
    PasskeyRemoved,
    SessionsEnded,
    SignInFailed,
)
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.accounts import password_of
from salerno.contexts.identity.handlers.choices import choices_of
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.factors import fresh_codes, own_account, put_codes, rotate
from salerno.contexts.identity.handlers.opening import Entry, new_token, note, open_session
from salerno.contexts.identity.projections import ACCOUNTS, SQL, AccountView
from salerno.contexts.identity.rules.methods import of_passkey
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.addresses import place_of
from salerno.kernel.database import UniqueViolation
from salerno.kernel.desk import Desk
from salerno.kernel.errors import NotSignedIn
from salerno.kernel.messages import INSTALLATION, Caller, Query
from salerno.kernel.room import Answer
from salerno.kernel.transactions import Tx

MOST = 10


class Kept(Struct, frozen=True, kw_only=True):
    """A passkey as it is sealed."""

    name: str
    credential: bytes
    public_key: bytes
    synced: bool = False


class Proof(Struct, frozen=True, kw_only=True):
    """Whose passkey has answered."""

    home: UUID
    view: AccountView
    passkey: UUID
    session: UUID | None
    shown: tuple[str, ...] = ()


def _rp(policy: SignInPolicy) -> tuple[str, str]:
    """The name that passkeys are bound to, and the one origin that may use them: never the request's own word."""
    parts = urlsplit(policy.issuer)
    return parts.hostname or "localhost", f"{parts.scheme}://{parts.netloc}"


def _hash(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


async def _put(desk: Desk, kind: str, challenge: bytes, caller: Caller | None) -> None:
    expires = desk.now + policy_of(desk.bus).challenge
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["forget_old_ceremonies"], desk.now)
        account, session = (caller.actor, caller.session) if caller else (None, None)
        await tx.run(SQL["put_ceremony"], _hash(challenge), kind, account, session, expires)


async def _take(desk: Desk, kind: str, credential: dict[str, Any]) -> tuple[bytes, Any] | None:
    """The challenge that this answers, which is spent by it; None where we never put it."""
    try:
        data = base64url_to_bytes(credential["response"]["clientDataJSON"])
        challenge = parse_client_data_json(data).challenge
    except Exception:  # noqa: BLE001 - whatever a stranger sends that is no answer, is refused
        return None
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["end_ceremony"], _hash(challenge), kind, desk.now)
    return (challenge, row) if row is not None else None


# ------------------------------------------------------------------ adding and removing
async def begin_passkey(desk: Desk, errand: BeginPasskey, caller: Caller) -> Options:
    home, view = await own_account(desk, caller)
    name, _ = _rp(policy_of(desk.bus))
    async with desk.bus.reading("identity", home) as tx:
        known = await tx.open_docs("passkeys", await tx.fetch(SQL["passkeys_of"], home, view.account), Kept)
    if len(known) >= MOST:
        raise PasskeyInvalid(f"An account has at most {MOST} passkeys.")
    options = webauthn.generate_registration_options(
        rp_id=name,
        rp_name="Salerno",
        user_id=view.account.bytes,
        user_name=view.email,
        user_display_name=view.full_name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    await _put(desk, "add", options.challenge, caller)
    return options_to_json_dict(options)


async def add_passkey(desk: Desk, errand: AddPasskey, caller: Caller) -> PasskeyKept:
    home, view = await own_account(desk, caller)
    taken = await _take(desk, "add", errand.credential)
    if taken is None or taken[1]["account"] != view.account or taken[1]["session"] != caller.session:
        raise PasskeyInvalid()
    checked = _registered(errand.credential, taken[0], policy_of(desk.bus))
    kept = Kept(
        name=" ".join(errand.name.split()) or "Passkey",
        credential=checked.credential_id,
        public_key=checked.credential_public_key,
        synced=checked.credential_backed_up,
    )
    codes, token = () if view.has_factor else fresh_codes(), new_token()

    async def work(tx: Tx) -> UUID:
        id = tx.new_id()
        sealed = await tx.seal_doc("passkeys", id, view.account, kept)
        await tx.run(SQL["put_passkey"], home, id, view.account, sealed, checked.sign_count, tx.now)
        try:
            await tx.run(SQL["put_passkey_name"], _hash(kept.credential), home, view.account, id)
        except UniqueViolation as taken:
            raise PasskeyInvalid() from taken
        ended = SessionsEnded(account=view.account, reason="passkey added", kept=caller.session)
        await note(tx, view.account, PasskeyAdded(account=view.account, passkey=id, name=kept.name), ended)
        if codes:
            await put_codes(tx, view.account, codes)
        await rotate(tx, caller, token, factor=True)
        return id

    return PasskeyKept(passkey_id=await desk.within(home, work), codes=codes, token=token)


def _registered(credential: dict[str, Any], challenge: bytes, policy: SignInPolicy) -> Any:
    name, origin = _rp(policy)
    try:
        checked = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=name,
            expected_origin=origin,
            require_user_verification=True,
        )
        named = base64url_to_bytes(credential["rawId"])
    except Exception:  # noqa: BLE001 - bytes from outside: whatever the library says of them, they are refused
        raise PasskeyInvalid() from None
    data = parse_attestation_object(checked.attestation_object).auth_data.attested_credential_data
    if data is None or not named == checked.credential_id == data.credential_id:
        raise PasskeyInvalid()
    return checked


async def my_passkeys(desk: Desk, errand: MyPasskeys, caller: Caller) -> list[PasskeyLine]:
    home, view = await own_account(desk, caller)
    async with desk.bus.reading("identity", home) as tx:
        rows = await tx.fetch(SQL["passkeys_of"], home, view.account)
        docs = await tx.open_docs("passkeys", rows, Kept)
    return [
        PasskeyLine(
            passkey_id=row["id"], name=doc.name, added_at=row["added_at"], used_at=row["used_at"], synced=doc.synced
        )
        for row, doc in zip(rows, docs, strict=True)
    ]


async def remove_passkey(desk: Desk, errand: RemovePasskey, caller: Caller) -> None:
    home, view = await own_account(desk, caller)
    if errand.passkey_id not in view.passkeys:
        raise NoSuchPasskey()
    async with desk.bus.reading("identity", home) as tx:
        demanded = (await choices_of(tx, view.roles)).demands_factor(view.roles, policy_of(desk.bus))
    if demanded and not view.has_totp and len(view.passkeys) == 1:
        raise FactorDemanded()
    removed = PasskeyRemoved(account=view.account, passkey=errand.passkey_id)
    ended = SessionsEnded(account=view.account, reason="passkey removed", kept=caller.session)

    async def work(tx: Tx) -> None:
        await tx.fetchval(SQL["lock_account"], tx.organisation, view.account)
        if await _is_only_way_in(tx, view.account, errand.passkey_id):
            raise PasswordNeeded()
        await note(tx, view.account, removed, ended)

    await desk.within(home, work)


async def _is_only_way_in(tx: Tx, account: UUID, passkey: UUID) -> bool:
    """Whether neither another passkey nor a password would be left, nor a provider where there never was a password."""
    held = await ACCOUNTS.get(tx, account)
    if held is None or set(held.doc.passkeys) - {passkey} or await password_of(tx, account) is not None:
        return False
    return held.doc.without_password or not await tx.fetch(SQL["external_identities_of"], tx.organisation, account)


# ------------------------------------------------------------------ coming in
async def offer_passkey(desk: Desk, errand: OfferPasskey, caller: Caller) -> Options:
    name, _ = _rp(policy_of(desk.bus))
    options = webauthn.generate_authentication_options(
        rp_id=name, user_verification=UserVerificationRequirement.REQUIRED
    )
    signed_in = caller if caller.session is not None else None
    await _put(desk, "prove" if signed_in else "enter", options.challenge, signed_in)
    return options_to_json_dict(options)


async def enter_by_passkey(desk: Desk, errand: EnterByPasskey, caller: Caller) -> Opened:
    await _not_too_often(desk, caller)
    proof = await answered(desk, "enter", errand.credential, caller)
    if proof.view.status != "active":
        raise AccountNotReady()
    entry = Entry(
        home=proof.home,
        account=proof.view.account,
        kind=errand.kind,
        method="passkey",
        shown=proof.shown,
        factor=True,
        address=caller.address,
        agent=errand.agent,
        device=errand.device,
        previous=errand.previous,
    )
    return await open_session(desk, entry)


async def _not_too_often(desk: Desk, caller: Caller) -> None:
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> int:
        (place,) = await tx.tokens("passkey", place_of(caller.address))
        return await counting.count(tx, "passkey", place, policy.failures_per_address, policy, endless=True)

    if wait := await desk.within(INSTALLATION, work):
        raise TooManyAttempts(retry_after=wait)


async def answered(desk: Desk, kind: str, credential: dict[str, Any], caller: Caller) -> Proof:
    """Whose passkey gave this answer to a question of ours. PasskeyRefused for anything else."""
    taken = await _take(desk, kind, credential)
    if taken is None:
        raise PasskeyRefused()
    challenge, row = taken
    if row["session"] is not None and row["session"] != caller.session:
        raise PasskeyRefused()
    found = await _known(desk, credential)
    if found is None:
        raise PasskeyRefused()
    home, account, passkey = found
    shown = await desk.within(
        home, lambda tx: _check(tx, account, passkey, credential, challenge, caller), actor=account
    )
    if shown is None:
        raise PasskeyRefused()
    async with desk.bus.reading("identity", home) as tx:
        held = await ACCOUNTS.get(tx, account)
    if held is None:
        raise NotSignedIn()
    return Proof(home=home, view=held.doc, passkey=passkey, session=row["session"], shown=shown)


async def _known(desk: Desk, credential: dict[str, Any]) -> tuple[UUID, UUID, UUID] | None:
    try:
        name = base64url_to_bytes(credential["rawId"])
    except Exception:  # noqa: BLE001 - whatever a stranger sends
        return None
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow(SQL["passkey_by_name"], _hash(name))
    return (UUID(bytes=row["home"].bytes), UUID(bytes=row["account"].bytes), row["passkey"]) if row else None


async def _check(
    tx: Tx, account: UUID, passkey: UUID, credential: dict[str, Any], challenge: bytes, caller: Caller
) -> tuple[str, ...] | None:
    """What was shown by it; None where it is refused. Under the row's lock, so that a counter goes forward once."""
    row = await tx.fetchrow(SQL["lock_passkey"], tx.organisation, passkey)
    docs = await tx.open_docs("passkeys", [row], Kept) if row else []
    if not docs or row is None:
        return None
    signed = _signed(credential, challenge, docs[0], account, policy_of(tx.bus))
    if signed is None:
        await note(tx, account, SignInFailed(account=account, reason="passkey refused", address=caller.address))
        return None
    uses = signed.new_sign_count
    if (uses or row["uses"]) and uses <= row["uses"]:
        await note(tx, account, PasskeyDoubted(account=account, passkey=passkey, address=caller.address))
        return None
    await tx.run(SQL["use_passkey"], tx.organisation, passkey, uses, tx.now)
    return of_passkey(synced=signed.credential_device_type == CredentialDeviceType.MULTI_DEVICE)


def _signed(
    credential: dict[str, Any], challenge: bytes, kept: Kept, account: UUID, policy: SignInPolicy
) -> VerifiedAuthentication | None:
    """What the authenticator says, where everything is as it should be. Its counter is judged by us."""
    name, origin = _rp(policy)
    try:
        handle = credential["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != account.bytes:
            return None
        return webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=name,
            expected_origin=origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - bytes from outside: whatever the library says of them, they are refused
        return None


PASSKEYS: dict[type[Query], Answer] = {
    BeginPasskey: begin_passkey,
    AddPasskey: add_passkey,
    MyPasskeys: my_passkeys,
    RemovePasskey: remove_passkey,
    OfferPasskey: offer_passkey,
    EnterByPasskey: enter_by_passkey,
}
