"""What this provider says of itself: what it can do, and nothing else."""

from typing import Any

from salerno.contexts.identity.commands.provider import ProviderMetadata
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.handlers.keys import ALGORITHM
from salerno.contexts.identity.handlers.provider.assertions import ALGORITHMS
from salerno.contexts.identity.handlers.provider.clients import CODE, CONFIDENTIAL, DEVICE, METHODS, REFRESH, SERVICE
from salerno.contexts.identity.rules.methods import LEVELS
from salerno.contexts.identity.rules.scopes import PLAIN, api_scopes
from salerno.kernel.desk import Desk
from salerno.kernel.messages import Caller

SMART = ["patient/*.cruds", "user/*.cruds", "system/*.cruds"]
CLAIMS = [
    "sub", "iss", "aud", "exp", "iat", "auth_time", "amr", "acr", "nonce", "at_hash", "sid", "name", "given_name",
    "family_name", "locale", "email", "role", "roles", "org", "fhirUser",
]  # fmt: skip
CAPABILITIES = [
    "launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric",
    "client-confidential-asymmetric", "context-banner", "context-ehr-patient", "context-ehr-encounter",
    "context-standalone-patient", "permission-offline", "permission-patient", "permission-user", "permission-v1",
    "permission-v2", "sso-openid-connect",
]  # fmt: skip


async def provider_metadata(desk: Desk, errand: ProviderMetadata, caller: Caller) -> dict[str, Any]:
    issuer = policy_of(desk.bus).issuer
    common: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "scopes_supported": [*PLAIN, *api_scopes(), *SMART],
        "response_types_supported": ["code"],
        "grant_types_supported": [CODE, REFRESH, SERVICE, DEVICE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
    }
    if policy_of(desk.bus).registration:
        common |= {"registration_endpoint": f"{issuer}/register"}
    if errand.kind == "smart":
        return common | {"capabilities": CAPABILITIES}
    common |= {
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "response_modes_supported": ["query"],
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": ["it", "en"],
    }
    if errand.kind == "oauth":
        return common
    return common | {
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/end-session",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": CLAIMS,
        "acr_values_supported": LEVELS,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }
