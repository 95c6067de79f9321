"""An OpenID provider that says what a test tells it to say, true or not, over real HTTP on this machine."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "salerno", "a secret of the provider's: with a colon and ünusual letters"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [header | {"alg": "none"}, claims]
    return ".".join(encoded(json.dumps(part).encode()) for part in parts) + "."


@dataclass
class Liar:
    """`claims` are laid over the true ones (None takes one away); `metadata`, `token_answer` over true answers."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))
    subject: str = field(default_factory=lambda: uuid4().hex)
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    signs: Any = None  # instead of the true signature: a function of header and claims
    published: list[ECKey] = field(default_factory=list)
    redirects: str = ""  # where the token endpoint sends whoever asks
    padding: int = 0
    now: Any = None
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        liar = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.asked.append(self.path)
                if self.path.startswith("/authorize?"):  # whoever comes here is signed in
                    request = dict(parse_qsl(urlsplit(self.path).query))
                    self.send_response(303)
                    self.send_header("Location", f"{request['redirect_uri']}?{urlencode(liar.authorize(request))}")
                    self.end_headers()
                    return
                told = {"/.well-known/openid-configuration": liar.said, "/keys": liar.keys}.get(self.path)
                self._tell(200 if told else 404, told() if told else {})

            def do_POST(self) -> None:
                liar.asked.append(self.path)
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if liar.redirects:
                    self.send_response(302)
                    self.send_header("Location", liar.redirects)
                    self.end_headers()
                    return
                self._tell(*liar.token({name: values[0] for name, values in form.items()}, self.headers))

            def _tell(self, status: int, body: dict[str, Any]) -> None:
                raw = json.dumps(body).encode() + b" " * liar.padding
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *words: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def said(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["plain", "S256"],
        } | self.metadata

    def keys(self) -> dict[str, Any]:
        encryption = ECKey.generate_key("P-256", {"kid": "two", "use": "enc"})
        shown = self.published or [self.key]
        return {"keys": [one.as_dict(private=False) for one in (encryption, *shown)]}

    def authorize(self, request: dict[str, str]) -> dict[str, str]:
        """Somebody signs in here: what their browser takes back."""
        assert request["response_type"] == "code" and request["code_challenge_method"] == "S256"
        assert request["client_id"] == CLIENT and "openid" in request["scope"].split()
        code = uuid4().hex
        self.codes[code] = request
        return {"code": code, "state": request["state"], "iss": self.issuer}

    def token(self, form: dict[str, str], headers: Any) -> tuple[int, dict[str, Any]]:
        request = self.codes.pop(form.get("code", ""), None)
        if headers.get("Authorization") != _basic():
            return 401, {"error": "invalid_client"}
        verifier = encoded(hashlib.sha256(form["code_verifier"].encode()).digest())
        if request is None or verifier != request["code_challenge"] or form["redirect_uri"] != request["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self._id_token(request["nonce"])}

    def _id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        true: dict[str, Any] = {
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": nonce,
            "auth_time": at, "at_hash": encoded(hashlib.sha256(b"at").digest()[:16]),
            "email": "ada@ospedale.example", "email_verified": True,
        }  # fmt: skip
        claims = {name: value for name, value in (true | self.claims).items() if value is not None}
        header = {"alg": "ES256", "kid": "one"} | self.header
        signed: str = self.signs(header, claims) if self.signs else jwt.encode(header, claims, self.key)
        return signed


def _basic() -> str:
    """As RFC 6749 2.3.1 has it: encoded like a form, then joined."""
    return "Basic " + base64.b64encode(f"{CLIENT}:{quote(SECRET, safe='')}".encode()).decode()
