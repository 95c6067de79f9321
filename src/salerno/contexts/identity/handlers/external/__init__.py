"""Signing in at somebody else's OpenID provider. We are the one that relies on it, and believe nothing unproved."""

from salerno.contexts.identity.commands.external import (
    ComeBackFromProvider,
    EnterByProvider,
    ExternalProvidersHere,
    HearSignOut,
    LeaveProvider,
    LinkProvider,
    MyExternalIdentities,
    ProveByProvider,
    ProviderOfSession,
    UnlinkExternalIdentity,
    UnlockByProvider,
)
from salerno.contexts.identity.handlers.external.arriving import come_back
from salerno.contexts.identity.handlers.external.going import (
    enter_by_provider,
    external_providers_here,
    leave_provider,
    link_provider,
    prove_by_provider,
    provider_of_session,
    unlock_by_provider,
)
from salerno.contexts.identity.handlers.external.hearing import hear_sign_out
from salerno.contexts.identity.handlers.external.linking import my_external_identities, unlink_external_identity
from salerno.kernel.messages import Query
from salerno.kernel.room import Answer

EXTERNAL: dict[type[Query], Answer] = {
    ExternalProvidersHere: external_providers_here,
    EnterByProvider: enter_by_provider,
    LinkProvider: link_provider,
    ProveByProvider: prove_by_provider,
    ComeBackFromProvider: come_back,
    MyExternalIdentities: my_external_identities,
    UnlinkExternalIdentity: unlink_external_identity,
    LeaveProvider: leave_provider,
    UnlockByProvider: unlock_by_provider,
    ProviderOfSession: provider_of_session,
    HearSignOut: hear_sign_out,
}
