"""What happens to an account. This file is the room's published language. No secret stands in it."""

from datetime import datetime
from typing import TypeAlias, get_args
from uuid import UUID

from salerno.contexts.identity.events.clients import (
    ClientApproved,
    ClientAsked,
    ClientChanged,
    ClientEvent,
    ClientRegistered,
    ClientRetired,
    ClientSecretIssued,
    ClientTerms,
)
from salerno.contexts.identity.events.made_roles import MadeRoleEvent, RoleChanged, RoleDefined, RoleRetired
from salerno.contexts.identity.events.memberships import (
    MemberRoleAdded,
    MemberRoleChanged,
    MemberRoleTaken,
    MembershipAccepted,
    MembershipEnded,
    MembershipEvent,
    MembershipOffered,
)
from salerno.kernel.messages import Event

__all__ = [
    "ClientApproved",
    "ClientAsked",
    "ClientChanged",
    "ClientEvent",
    "ClientRegistered",
    "ClientRetired",
    "ClientSecretIssued",
    "ClientTerms",
    "MadeRoleEvent",
    "MemberRoleAdded",
    "MemberRoleChanged",
    "MemberRoleTaken",
    "MembershipAccepted",
    "MembershipEnded",
    "MembershipEvent",
    "MembershipOffered",
    "RoleChanged",
    "RoleDefined",
    "RoleRetired",
]


class AccountCreated(Event, tag="identity.account_created.v1"):
    """`status` is "active", "pending" until somebody with the right to grant the role approves, or what it waits for:
    "unverified" for its address to be confirmed, "invited" for the invitation to be accepted.
    """

    account: UUID
    role: str
    email: str
    full_name: str
    given_name: str
    family_name: str
    status: str
    staff: UUID | None = None
    patient: UUID | None = None
    language: str = ""


class AccountApproved(Event, tag="identity.account_approved.v1"):
    account: UUID


class AccountRoleChanged(Event, tag="identity.account_role_changed.v1"):
    account: UUID
    before: str
    role: str


class AccountUpdated(Event, tag="identity.account_updated.v1"):
    account: UUID
    full_name: str
    given_name: str
    family_name: str
    staff: UUID | None = None


class AccountDeactivated(Event, tag="identity.account_deactivated.v1"):
    account: UUID
    reason: str = ""


class AccountReactivated(Event, tag="identity.account_reactivated.v1"):
    account: UUID


class AccountUnlocked(Event, tag="identity.account_unlocked.v1"):
    account: UUID


class ChartLinked(Event, tag="identity.chart_linked.v1"):
    """The account's owner has shown, by a code that staff handed out, that this chart is theirs."""

    account: UUID
    patient: UUID


class ChartClaimRefused(Event, tag="identity.chart_claim_refused.v1"):
    """Somebody tried to link a chart that belongs to this account already."""

    account: UUID
    patient: UUID


class PreferencesChanged(Event, tag="identity.preferences_changed.v1"):
    account: UUID
    language: str
    theme: str


class PasswordChanged(Event, tag="identity.password_changed.v1"):
    account: UUID


class PasswordDropped(Event, tag="identity.password_dropped.v1"):
    """The account has no password any more; a passkey opens it alone."""

    account: UUID


class SecondFactorAdded(Event, tag="identity.second_factor_added.v1"):
    account: UUID
    method: str


class SecondFactorRemoved(Event, tag="identity.second_factor_removed.v1"):
    account: UUID


class RecoveryCodesIssued(Event, tag="identity.recovery_codes_issued.v1"):
    account: UUID
    count: int


class RecoveryCodeUsed(Event, tag="identity.recovery_code_used.v1"):
    account: UUID


class EmailConfirmed(Event, tag="identity.email_confirmed.v1"):
    """A link that was sent to the account's address came back. `status` is what the account is from now on."""

    account: UUID
    status: str


class AccountInvited(Event, tag="identity.account_invited.v1"):
    account: UUID
    until: datetime


class PasswordResetAsked(Event, tag="identity.password_reset_asked.v1"):
    account: UUID
    address: str = ""


class PasskeyAdded(Event, tag="identity.passkey_added.v1"):
    """A key that a device keeps for its owner. `name` is what the owner calls it."""

    account: UUID
    passkey: UUID
    name: str


class PasskeyRemoved(Event, tag="identity.passkey_removed.v1"):
    account: UUID
    passkey: UUID


class PasskeyDoubted(Event, tag="identity.passkey_doubted.v1"):
    """A passkey's counter went back: there may be two of it."""

    account: UUID
    passkey: UUID
    address: str = ""


class ExternalIdentityLinked(Event, tag="identity.external_identity_linked.v1"):
    """The account may be entered by way of another provider. `label` is what its owner is called there."""

    account: UUID
    identity: UUID
    provider: str
    label: str


class ExternalIdentityUnlinked(Event, tag="identity.external_identity_unlinked.v1"):
    account: UUID
    identity: UUID
    provider: str


class IdentityProvedAgain(Event, tag="identity.proved_again.v1"):
    """Somebody signed in showed once more that it is they, before something grave."""

    account: UUID
    session: UUID
    method: str


class RoleAdded(Event, tag="identity.role_added.v1"):
    """The account may do what this role may, beside its own; or, with `instead`, in its own role's place."""

    account: UUID
    role: str
    instead: bool = False


class RoleTaken(Event, tag="identity.role_taken.v1"):
    account: UUID
    role: str


class SignedIn(Event, tag="identity.signed_in.v1"):
    """`device` is known or new where it was a browser, by the token that it keeps; `agent` is how it names itself."""

    account: UUID
    session: UUID
    method: str
    address: str = ""
    agent: str = ""
    device: str = ""


class SignInFailed(Event, tag="identity.sign_in_failed.v1"):
    account: UUID
    reason: str
    address: str = ""


class SignedOut(Event, tag="identity.signed_out.v1"):
    """One session has ended; `reason` where it was not its owner who ended it."""

    account: UUID
    session: UUID
    reason: str = ""


class SessionsEnded(Event, tag="identity.sessions_ended.v1"):
    """Nothing that was issued to this account before this moment holds any longer."""

    account: UUID
    reason: str
    kept: UUID | None = None


class ChartCodeIssued(Event, tag="identity.chart_code_issued.v1"):
    """Staff handed out a code for a chart. The code itself is kept as a hash, elsewhere."""

    code: UUID
    patient: UUID
    expires_at: datetime


class SigningKeyMade(Event, tag="identity.signing_key_made.v1"):
    """By its thumbprint (RFC 7638); the key itself is kept sealed, elsewhere."""

    key: UUID
    thumbprint: str


class ClientAllowed(Event, tag="identity.client_allowed.v1"):
    """The owner of the account let an application act for them, within these scopes."""

    account: UUID
    client: str
    scopes: tuple[str, ...]


class ClientDisallowed(Event, tag="identity.client_disallowed.v1"):
    account: UUID
    client: str


class EmailChangeAsked(Event, tag="identity.email_change_asked.v1"):
    """Somebody wishes another address for the account, its owner or an administrator. Nothing has changed by that.

    `address` is from where it was asked.
    """

    account: UUID
    email: str
    address: str = ""


class EmailChanged(Event, tag="identity.email_changed.v1"):
    """The link of the letter to the new address came back. Until then, whoever reads the old one may undo it."""

    account: UUID
    before: str
    email: str
    until: datetime


class EmailChangeRevoked(Event, tag="identity.email_change_revoked.v1"):
    """Whoever reads the old address did not want that. `email` is the account's address, as before."""

    account: UUID
    email: str
    address: str = ""


IdentityEvent: TypeAlias = (
    AccountCreated
    | EmailConfirmed
    | EmailChangeAsked
    | EmailChanged
    | EmailChangeRevoked
    | AccountInvited
    | PasswordResetAsked
    | PasskeyAdded
    | PasskeyRemoved
    | PasskeyDoubted
    | ExternalIdentityLinked
    | ExternalIdentityUnlinked
    | IdentityProvedAgain
    | RoleAdded
    | RoleTaken
    | AccountApproved
    | AccountRoleChanged
    | AccountUpdated
    | AccountDeactivated
    | AccountReactivated
    | AccountUnlocked
    | ChartLinked
    | ChartClaimRefused
    | PreferencesChanged
    | PasswordChanged
    | PasswordDropped
    | SecondFactorAdded
    | SecondFactorRemoved
    | RecoveryCodesIssued
    | RecoveryCodeUsed
    | SignedIn
    | SignInFailed
    | SignedOut
    | SessionsEnded
    | ClientAllowed
    | ClientDisallowed
)
EVENTS = (
    *get_args(IdentityEvent),
    *get_args(MembershipEvent),
    *get_args(MadeRoleEvent),
    *get_args(ClientEvent),
    ChartCodeIssued,
    SigningKeyMade,
)
