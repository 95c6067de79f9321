"""Authlib's server with its corrections: S256 alone, `iss` in every answer, one use of each code, our own clock."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidScopeError
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from joserfc.errors import JoseError

from salerno.contexts.identity.handlers.provider import assertions, devices, lookups, tokens
from salerno.contexts.identity.handlers.provider.bridge import wait
from salerno.contexts.identity.handlers.provider.clients import (
    BY_KEY,
    CONFIDENTIAL,
    METHODS,
    SERVICE,
    Client,
)
from salerno.contexts.identity.handlers.provider.talk import DEVICE_LIFE, Grounds, Request, Talk
from salerno.contexts.identity.rules.scopes import is_known, split

Answer = tuple[int, Any, list[tuple[str, str]]]
NO_STORE = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class Server(AuthorizationServer):
    """One conversation's server."""

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self.talk = talk
        self.register_client_auth_method(BY_KEY, Assertion(talk))
        self.register_grant(CodeGrant, [OnlyS256(required=True)])
        self.register_grant(RefreshGrant)
        self.register_grant(ServiceGrant)
        self.register_grant(DeviceGrant)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)
        self.register_endpoint(DeviceAuthorization)

    def query_client(self, client_id: str) -> Client | None:
        return wait(self.talk.client(client_id))

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Client:
        client: Client = super().authenticate_client(request, methods, endpoint)
        self.talk.proved = True
        return client

    def save_token(self, token: Any, request: Any) -> None:
        """It was written when it was made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def validate_requested_scope(self, scope: str | None) -> None:
        """A scope that nobody knows is refused, rather than left out without a word."""
        if not all(map(is_known, split(scope or ""))):
            raise InvalidScopeError()

    def generate_token(
        self,
        grant_type: str,
        client: Client,
        user: Any = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        if grant_type == SERVICE:
            return self._for_service(client, scope or "")
        assert self.talk.grounds is not None
        made = wait(tokens.issue(self.talk, client, self.talk.grounds, scope or self.talk.grounds.scope))
        if made is None:
            raise InvalidGrantError("The account may not come in any more.")
        return made

    def _for_service(self, client: Client, scope: str) -> dict[str, Any]:
        granted = client.allowed(scope or " ".join(client.terms.scopes))
        if not granted:
            raise InvalidScopeError()
        return wait(tokens.issue_to_service(self.talk, client, " ".join(granted)))

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        if isinstance(error, InvalidClientError):
            error.status_code = 401
        answer: Answer = super().handle_error_response(request, error)
        return answer

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Every way back to a program says who answers (RFC 9207)."""
        told = [(name, self._signed(value) if name == "Location" else value) for name, value in headers or []]
        names = {name.lower() for name, _ in told}
        told += [pair for pair in NO_STORE if pair[0].lower() not in names]
        return status, body, told

    def _signed(self, location: str) -> str:
        parts = urlsplit(location)
        pairs = [*parse_qsl(parts.query, keep_blank_values=True), ("iss", self.talk.issuer)]
        return urlunsplit(parts._replace(query=urlencode(pairs)))


class OnlyS256(CodeChallenge):
    """Required of everyone, and never "plain"."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge of the method S256 is required.")
        if len(data["code_challenge"]) != 43:
            raise InvalidRequestError("Invalid 'code_challenge'")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge(self, authorization_code: "Held") -> str:
        return authorization_code.grounds.challenge

    def get_authorization_code_challenge_method(self, authorization_code: "Held") -> str:
        return "S256"


class Held:
    """A code or a refresh token that was found, as Authlib asks about it."""

    def __init__(self, grounds: Grounds, client_id: str) -> None:
        self.grounds, self.client_id = grounds, client_id

    def get_redirect_uri(self) -> str:
        return self.grounds.redirect_uri

    def get_scope(self) -> str:
        return self.grounds.scope

    def check_client(self, client: Client) -> bool:
        return client.id == self.client_id


class CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_authorization_code(self, code: str, client: Client) -> Held | None:
        talk: Talk = self.server.talk
        grounds = wait(lookups.code(talk, code, client))
        if grounds is None:
            return None
        talk.grounds = grounds
        return Held(grounds, client.id)

    def authenticate_user(self, authorization_code: Held) -> Grounds:
        return authorization_code.grounds

    def delete_authorization_code(self, authorization_code: Held) -> None:
        """It was marked as used in the transaction that made the token."""

    def generate_token(self, **said: Any) -> Any:
        made = super().generate_token(**said)
        wait(lookups.spend_code(self.server.talk, made))
        return made

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Codes are made where the person's answer is known, see authorize.py."""
        raise InvalidRequestError()


class RefreshGrant(RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Held | None:
        talk: Talk = self.server.talk
        found = wait(lookups.refresh_token(talk, refresh_token))
        return Held(found.grounds, found.client_id) if found else None

    def validate_token_request(self) -> None:
        """Spent last: neither another client's guess nor a wrong scope uses it up."""
        super().validate_token_request()
        talk: Talk = self.server.talk
        if not wait(lookups.spend_refresh_token(talk, self.request.form["refresh_token"])):
            raise InvalidGrantError()
        talk.grounds = self.request.refresh_token.grounds

    def authenticate_user(self, refresh_token: Held) -> Grounds:
        return refresh_token.grounds

    def revoke_old_credential(self, refresh_token: Held) -> None:
        """It was spent under its lock."""


class ServiceGrant(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL


class DeviceGrant(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_device_credential(self, device_code: str) -> Any:
        return wait(devices.credential(self.server.talk, device_code))

    def query_user_grant(self, user_code: str) -> Any:
        """Authlib asks by the code that the person typed; ours is kept as a hash, beside the device's."""
        return self.server.talk.device_answer

    def should_slow_down(self, credential: devices.Credential) -> bool:
        return credential.too_fast

    def generate_token(self, **said: Any) -> Any:
        wait(devices.spend(self.server.talk, self.request.payload.data["device_code"]))
        return super().generate_token(**said)


class DeviceAuthorization(DeviceAuthorizationEndpoint):
    CLIENT_AUTH_METHODS = METHODS
    EXPIRES_IN = int(DEVICE_LIFE.total_seconds())

    def create_endpoint_response(self, request: Any) -> Any:
        self.authenticate_client(request)
        client: Client = request.client
        if not client.check_grant_type(DeviceGrant.GRANT_TYPE):
            raise InvalidRequestError("This client does not sign people in on devices.")
        self.server.validate_requested_scope(request.payload.scope)
        if client.get_allowed_scope(request.payload.scope) is None:
            raise InvalidScopeError()
        return super().create_endpoint_response(request)

    def get_verification_uri(self) -> str:
        return f"{self.server.talk.issuer}/device"

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        wait(devices.save(self.server.talk, client_id, scope, data))


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        return wait(lookups.any_token(self.server.talk, token_string))

    def revoke_token(self, token: Any, request: Any) -> None:
        wait(lookups.revoke(self.server.talk, token))


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = CONFIDENTIAL

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        return wait(lookups.any_token(self.server.talk, token_string))

    def check_permission(self, token: lookups.Token, client: Client, request: Any) -> bool:
        """One's own tokens, and those of one's organisation."""
        own: bool = token.check_client(client)
        near: bool = token.home == client.home
        return own or near

    def introspect_token(self, token: Any) -> dict[str, Any]:
        return token.described(self.server.talk)  # type: ignore[no-any-return]


class Assertion(JWTBearerClientAssertion):
    """private_key_jwt: signed by a registered key, for us, now, for a short while, once."""

    CLIENT_AUTH_METHOD = BY_KEY

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self.talk = talk

    def resolve_client_public_key(self, client: Client) -> Any:
        return assertions.keys_of(client)

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        try:
            return wait(assertions.verified(self.talk, assertion, resolve_key))
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError, json.JSONDecodeError) as wrong:
            raise InvalidClientError(description="The assertion was not accepted.") from wrong
