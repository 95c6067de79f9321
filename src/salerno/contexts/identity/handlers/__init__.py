"""Which rule answers which command, and who runs which errand."""

from salerno.contexts.identity.commands import (
    ApproveClient,
    ApproveUser,
    ChangeClient,
    ChangePassword,
    ChangePreferences,
    ChangeUserRole,
    ClaimChart,
    ConfirmTotp,
    CreateUser,
    DeactivateUser,
    DropPassword,
    EndMySession,
    EndMySessions,
    EndUserSessions,
    EnrolTotp,
    InitAdministrator,
    Introspect,
    IssueChartCode,
    IssueClientSecret,
    MySessions,
    ReactivateUser,
    Refresh,
    RegenerateRecoveryCodes,
    Register,
    RegisterClient,
    RegisterFounder,
    RemoveTotp,
    ResetSecondFactor,
    ResolveBearer,
    ResolveSession,
    RetireClient,
    SignIn,
    SigningKeys,
    SignOut,
    UnlockUser,
    UpdateUser,
    VerifySecondFactor,
    WaitingFounders,
)
from salerno.contexts.identity.commands.letters import TellPrivacyOfficers
from salerno.contexts.identity.handlers.accounts import on_account
from salerno.contexts.identity.handlers.clients import issue_client_secret, on_client
from salerno.contexts.identity.handlers.email_change import EMAIL_CHANGE
from salerno.contexts.identity.handlers.explaining import EXPLAINING
from salerno.contexts.identity.handlers.external import EXTERNAL
from salerno.contexts.identity.handlers.factors import (
    confirm_totp,
    enrol_totp,
    regenerate_recovery_codes,
    remove_totp,
)
from salerno.contexts.identity.handlers.founding import register_founder, waiting_founders
from salerno.contexts.identity.handlers.further_roles import FURTHER, FURTHER_HANDLERS
from salerno.contexts.identity.handlers.history import HISTORY
from salerno.contexts.identity.handlers.letters import on_tell_officers
from salerno.contexts.identity.handlers.made_roles import MADE_ROLE_HANDLERS
from salerno.contexts.identity.handlers.memberships import MEMBER_HANDLERS, MEMBERSHIPS
from salerno.contexts.identity.handlers.outbox import OUTBOX
from salerno.contexts.identity.handlers.passkeys import PASSKEYS
from salerno.contexts.identity.handlers.passwordless import drop_password
from salerno.contexts.identity.handlers.provider import PROVIDER
from salerno.contexts.identity.handlers.proving import PROVING
from salerno.contexts.identity.handlers.recovering import RECOVERING, RECOVERING_HANDLERS
from salerno.contexts.identity.handlers.sessions import (
    change_password,
    end_my_session,
    end_my_sessions,
    me,
    my_sessions,
    resolve_session,
    sign_out,
)
from salerno.contexts.identity.handlers.sign_in import sign_in, verify_second_factor
from salerno.contexts.identity.handlers.sign_up import claim_chart, init_administrator, issue_chart_code, register
from salerno.contexts.identity.handlers.tokens import introspect, refresh, resolve_bearer, signing_keys
from salerno.contexts.identity.queries import Me
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Answer, Handler

HANDLERS: dict[type[Command], Handler] = {
    CreateUser: on_account,
    UpdateUser: on_account,
    ApproveUser: on_account,
    ChangeUserRole: on_account,
    DeactivateUser: on_account,
    ReactivateUser: on_account,
    UnlockUser: on_account,
    ResetSecondFactor: on_account,
    EndUserSessions: on_account,
    ChangePreferences: on_account,
    **RECOVERING_HANDLERS,
    TellPrivacyOfficers: on_tell_officers,
    **FURTHER_HANDLERS,
    **MEMBER_HANDLERS,
    **MADE_ROLE_HANDLERS,
    RegisterClient: on_client,
    ChangeClient: on_client,
    ApproveClient: on_client,
    RetireClient: on_client,
}
ERRANDS: dict[type[Query], Answer] = {
    SignIn: sign_in,
    VerifySecondFactor: verify_second_factor,
    ResolveSession: resolve_session,
    ResolveBearer: resolve_bearer,
    SignOut: sign_out,
    MySessions: my_sessions,
    EndMySession: end_my_session,
    EndMySessions: end_my_sessions,
    ChangePassword: change_password,
    DropPassword: drop_password,
    EnrolTotp: enrol_totp,
    ConfirmTotp: confirm_totp,
    RegenerateRecoveryCodes: regenerate_recovery_codes,
    RemoveTotp: remove_totp,
    Register: register,
    RegisterFounder: register_founder,
    WaitingFounders: waiting_founders,
    IssueChartCode: issue_chart_code,
    ClaimChart: claim_chart,
    InitAdministrator: init_administrator,
    Refresh: refresh,
    Introspect: introspect,
    SigningKeys: signing_keys,
    Me: me,
    **HISTORY,
    **RECOVERING,
    **EMAIL_CHANGE,
    **OUTBOX,
    **PASSKEYS,
    **PROVING,
    **EXTERNAL,
    **FURTHER,
    **MEMBERSHIPS,
    IssueClientSecret: issue_client_secret,
    **PROVIDER,
    **EXPLAINING,
}
