"""Signing in, tokens, one's own account, and everybody's for administrators (IAM-13 to IAM-18, IAM-22, IAM-23)."""

from salerno.interfaces.api.identity.coming_in import (
    api_login,
    api_second_factor,
    introspect,
    jwks,
    logout,
    plain_login,
    plain_second_factor,
    refresh,
    register,
)
from salerno.interfaces.api.identity.email_change import ROUTES as EMAIL_CHANGE
from salerno.interfaces.api.identity.external import ROUTES as EXTERNAL
from salerno.interfaces.api.identity.further_roles import ROUTES as FURTHER_ROLES
from salerno.interfaces.api.identity.history import ROUTES as HISTORY
from salerno.interfaces.api.identity.made_roles import ROUTES as MADE_ROLES
from salerno.interfaces.api.identity.memberships import ROUTES as MEMBERSHIPS
from salerno.interfaces.api.identity.own import (
    api_me,
    change_password,
    claim_chart,
    confirm_totp,
    drop_password,
    end_my_session,
    end_my_sessions,
    enrol_totp,
    issue_chart_code,
    my_sessions,
    plain_me,
    recovery_codes,
    remove_totp,
)
from salerno.interfaces.api.identity.passkeys import ROUTES as PASSKEYS
from salerno.interfaces.api.identity.recovering import ROUTES as RECOVERING
from salerno.interfaces.api.identity.users import (
    approve_user,
    change_user,
    deactivate_user,
    reactivate_user,
    user,
    users,
)

ROUTES = [
    plain_login,
    api_login,
    plain_second_factor,
    api_second_factor,
    register,
    refresh,
    logout,
    introspect,
    jwks,
    api_me,
    plain_me,
    change_password,
    drop_password,
    enrol_totp,
    confirm_totp,
    remove_totp,
    recovery_codes,
    my_sessions,
    end_my_sessions,
    end_my_session,
    claim_chart,
    issue_chart_code,
    users,
    user,
    change_user,
    approve_user,
    reactivate_user,
    deactivate_user,
    *HISTORY,
    *RECOVERING,
    *EMAIL_CHANGE,
    *PASSKEYS,
    *EXTERNAL,
    *FURTHER_ROLES,
    *MEMBERSHIPS,
    *MADE_ROLES,
]
