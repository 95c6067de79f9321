"""The end of access, as the log tells it to every process: nothing remembered, no stream left open."""

from uuid import UUID

from salerno.contexts.identity.events import (
    AccountDeactivated,
    AccountRoleChanged,
    AccountUpdated,
    ChartLinked,
    ClientDisallowed,
    MemberRoleAdded,
    MemberRoleChanged,
    MemberRoleTaken,
    MembershipEnded,
    PasskeyRemoved,
    RoleAdded,
    RoleChanged,
    RoleRetired,
    RoleTaken,
    SecondFactorAdded,
    SecondFactorRemoved,
    SessionsEnded,
    SignedOut,
)
from salerno.contexts.protection.events import ChartRestricted, GlassEnded, RestrictionChanged
from salerno.interfaces.http.live import Live
from salerno.interfaces.http.sessions import Sessions
from salerno.kernel.eventstore import name_of
from salerno.kernel.tail import News

KINDS = ("identity.account", "identity.membership")  # of either the id is the account's
OF_ACCESS = frozenset(
    name_of(event)
    for event in (
        AccountDeactivated,
        AccountRoleChanged,
        AccountUpdated,
        ChartLinked,
        ClientDisallowed,
        MemberRoleAdded,
        MemberRoleChanged,
        MemberRoleTaken,
        MembershipEnded,
        PasskeyRemoved,
        RoleAdded,
        RoleTaken,
        SecondFactorAdded,
        SecondFactorRemoved,
        SessionsEnded,
        SignedOut,
    )
)


OF_CHARTS = frozenset(name_of(event) for event in (ChartRestricted, GlassEnded, RestrictionChanged))
OF_ROLES = frozenset(name_of(event) for event in (RoleChanged, RoleRetired))


def end_access(sessions: Sessions, live: Live, news: News) -> None:
    """Whoever lost access in any process loses it here now. What is not heard ends with what is remembered."""
    if news.kind in KINDS and news.event in OF_ACCESS:
        account = UUID(bytes=news.aggregate.bytes)
        sessions.forget_account(account)
        live.look_again(account)
    elif news.event in OF_CHARTS:
        live.look_again_at(f"{news.organisation}/{news.subject}")
    elif news.event in OF_ROLES:  # whoever has this role may do something else now: all of the organisation look again
        sessions.forget_organisation(news.organisation)
        live.all_look_again(news.organisation)
