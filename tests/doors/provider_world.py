"""A clinic with the whole product before it, and a program that speaks OAuth by hand, to say what it likes."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
from tests.applications import build

from salerno.contexts.identity.commands import CreateUser, IssueClientSecret, RegisterClient
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, fhir, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.edge import Rules
from salerno.interfaces.http.sessions import sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"
HTML = {"Accept": "text/html"}
BASE = "https://clinic.test"
CALLBACK = "https://app.example/cb"
VERIFIER = "v" * 20 + "0123456789-._~" + "abcdefghij" * 3
POLICY = SignInPolicy(issuer=BASE, second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class World:
    """`browser` is a person's; `program` has no cookies."""

    bus: Bus
    admin: Caller
    browser: httpx.AsyncClient
    program: httpx.AsyncClient
    app: Any = None
    secrets: dict[str, str] = field(default_factory=dict)

    async def client(self, **said: Any) -> str:
        """Register an application of the clinic; its id."""
        wish: dict[str, Any] = {
            "name": "Cardio", "kind": "web", "redirect_uris": (CALLBACK,),
            "scopes": ("openid", "profile", "email", "offline_access", "patient-api", "appointment-api"),
        } | said  # fmt: skip
        id = (await self.bus.handle(RegisterClient(**wish), self.admin)).aggregate_id
        if wish["kind"] in ("web", "service") and not wish.get("jwks"):
            self.secrets[str(id)] = (await self.bus.ask(IssueClientSecret(client_id=id), self.admin)).secret
        return str(id)

    async def account(self, role: str = "DOCTOR", **more: Any) -> tuple[UUID, str]:
        email = f"{uuid4().hex[:12]}@example.com"
        wish = CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role=role, **more)
        return (await self.bus.handle(wish, self.admin)).aggregate_id, email

    async def sign_in(self, email: str, next: str = "/today") -> httpx.Response:
        page = await self.browser.get("/sign-in?again=true")
        form = {"email": email, "password": PASSWORD, "next": next, "csrf": csrf_in(page)}
        return await self.browser.post("/sign-in", data=form)

    def request(self, client: str, **said: str | None) -> dict[str, str]:
        given: dict[str, str | None] = {
            "response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": "openid profile",
            "state": "st", "nonce": "no", "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
        }  # fmt: skip
        return {name: value for name, value in (given | said).items() if value is not None}

    async def authorize(self, client: str, **said: str | None) -> httpx.Response:
        return await self.browser.get("/authorize", params=self.request(client, **said))

    async def allow(self, asked: httpx.Response, *, only: set[str] | None = None, **more: str) -> httpx.Response:
        """Tick what stands on the consent page (or `only` some of it), and allow."""
        page = await self.browser.get(asked.headers["location"]) if asked.status_code == 303 else asked
        assert page.status_code == 200, page.text[:600]
        named = re.findall(r'name="scope" value="([^"]+)"', page.text)
        form = [("csrf", csrf_in(page)), ("decision", "allow"), *more.items()]
        form += [("scope", one.replace("&amp;", "&")) for one in named if only is None or one in only]
        return await self.browser.post(
            str(page.request.url.path), content=urlencode(form), headers={"Content-Type": FORM}
        )

    async def code(self, client: str, **said: str | None) -> str:
        """Through consent to a code."""
        asked = await self.authorize(client, **said)
        if asked.status_code == 303 and asked.headers["location"].startswith("/authorize/go/"):
            asked = await self.allow(asked)
        return back(asked)["code"]

    async def token(self, client: str, **form: str) -> httpx.Response:
        if client in self.secrets and "client_assertion" not in form:
            form.setdefault("client_id", client)
            form.setdefault("client_secret", self.secrets[client])
        else:
            form.setdefault("client_id", client)
        return await self.program.post("/token", data=form)

    async def redeem(self, client: str, code: str, **more: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.token(client, **form | more)

    async def tokens(self, client: str, **said: str | None) -> dict[str, Any]:
        got = await self.redeem(client, await self.code(client, **said))
        assert got.status_code == 200, got.text
        body: dict[str, Any] = got.json()
        return body

    async def refresh(self, client: str, token: str, **more: str) -> httpx.Response:
        return await self.token(client, grant_type="refresh_token", refresh_token=token, **more)

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.program.get(path, headers={"Authorization": f"Bearer {token}"})

    def forget_sessions(self) -> None:
        """Two seconds later."""
        self.app.state["sessions"].forget()


FORM = "application/x-www-form-urlencoded"


def csrf_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert found, page.text[:400]
    return found[1]


def back(answer: httpx.Response) -> dict[str, str]:
    """What the program is told: in the redirect's address, or in the page that leads on to it."""
    location = answer.headers.get("location", "")
    if not location:
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
        assert found, (answer.status_code, answer.text[:800])
        location = found[1].replace("&amp;", "&")
    assert location.startswith((CALLBACK, "http://localhost:3000/callback")), location
    told = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    assert len(dict(told)) == len(told)
    return dict(told)


def one_of(query: str, name: str) -> str:
    return parse_qs(query)[name][0]


def application(bus: Bus, **rules: Any) -> Any:
    setup = Setup(sessions=sessions_of(bus), stop=False, clock=bus.clock, rules=Rules(**rules))
    return build(bus, [web.door(bus), api.door(bus), fhir.door(bus)], setup)


@asynccontextmanager
async def opened(bus: Bus, admin: Caller, policy: SignInPolicy = POLICY, **headers: str) -> AsyncIterator[World]:
    """The clinic, for as long as the block lasts. `headers` are what its program always says."""
    app = application(bus)
    transport = httpx.ASGITransport(app)
    bus.settings[SignInPolicy] = policy
    async with (
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=HTML) as browser,
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as program,
    ):
        yield World(bus, admin, browser, program, app)
    bus.settings.pop(SignInPolicy, None)
