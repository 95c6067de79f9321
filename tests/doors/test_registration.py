"""T027: programs that ask by themselves to be registered (RFC 7591), and the administrators who decide."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc.jwk import ECKey
from tests.doors.provider_world import BASE, CALLBACK, HTML, World, application, back, csrf_in

from salerno.app import sign_in_policy
from salerno.contexts.identity.commands.clients import ApproveClient, IssueClientSecret, RetireClient
from salerno.contexts.identity.errors import NoSuchClient
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.queries import ClientById, ClientLine, Clients
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.settings import read_settings

SAID: dict[str, Any] = {
    "client_name": "Cuore", "redirect_uris": [CALLBACK], "scope": "openid profile offline_access patient-api",
}  # fmt: skip


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        issuer=BASE, second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, registration=True
    )
    yield
    bus.settings.pop(SignInPolicy, None)


def from_anywhere(app: Any) -> httpx.ASGITransport:
    return httpx.ASGITransport(app, client=(f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1", 1234))


async def found(bus: Bus, organisation: UUID) -> None:
    """The identity room knows of the organisation, as if the organisations' room had said it."""
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["keep_home"], organisation, bus.clock.now(), "clinic", None, None)


@pytest.fixture
async def world(bus: Bus, admin: Caller) -> AsyncIterator[World]:
    """Whose address nobody has asked from before: tests do not use up each other's tries."""
    await found(bus, admin.organisation)
    app = application(bus)
    transport = from_anywhere(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=HTML) as browser,
        httpx.AsyncClient(transport=transport, base_url=BASE) as program,
    ):
        yield World(bus, admin, browser, program, app)


async def ask(world: World, **changes: Any) -> httpx.Response:
    """From an address of its own, so that a test may ask more often than one address may."""
    said = {name: value for name, value in (SAID | changes).items() if value is not None}
    async with httpx.AsyncClient(transport=from_anywhere(world.app), base_url=BASE) as program:
        return await program.post("/register", params={"hospital_id": str(world.admin.organisation)}, json=said)


async def asked(world: World, **changes: Any) -> dict[str, Any]:
    got = await ask(world, **changes)
    assert got.status_code == 201, got.text
    body: dict[str, Any] = got.json()
    if "client_secret" in body:
        world.secrets[body["client_id"]] = body["client_secret"]
    return body


async def line(world: World, client: str) -> ClientLine:
    found: ClientLine = await world.bus.ask(ClientById(client_id=UUID(client)), world.admin)
    return found


async def approve(world: World, client: str) -> None:
    await world.bus.handle(ApproveClient(client_id=UUID(client)), world.admin)


# ------------------------------------------------------------------ off, and on
async def test_t027_without_the_setting_there_is_no_such_address_and_nobody_says_there_is(
    world: World, bus: Bus
) -> None:
    bus.settings[SignInPolicy] = replace(bus.settings[SignInPolicy], registration=False)
    got = await ask(world)
    assert (got.status_code, got.json()["code"]) == (404, "not-found")
    for content, kind in ((b"{", "application/json"), (b"{}", "application/json"), (b"x=y", "text/plain"), (b"", "")):
        other = await world.program.post("/register", content=content, headers={"Content-Type": kind})
        assert (other.status_code, other.json()["code"]) == (404, "not-found")
    for path in ("openid-configuration", "oauth-authorization-server", "smart-configuration"):
        told = (await world.program.get(f"/.well-known/{path}")).json()
        assert "registration_endpoint" not in told
    assert await bus.ask(Clients(status="pending"), world.admin) == []


def test_t027_it_is_off_unless_a_setting_says_so() -> None:
    for given, on in (({}, False), ({"SALERNO_REGISTRATION": "true"}, True)):
        assert sign_in_policy(read_settings(given, Path("/nowhere"))).registration is on


async def test_with_the_setting_every_document_names_the_address(world: World) -> None:
    for path in ("openid-configuration", "oauth-authorization-server", "smart-configuration"):
        told = (await world.program.get(f"/.well-known/{path}")).json()
        assert told["registration_endpoint"] == f"{BASE}/register"


async def test_t027_a_program_that_asked_gets_nothing_before_an_administrator_has_approved_it(world: World) -> None:
    body = await asked(world)
    client = body["client_id"]
    assert (body["client_secret_expires_at"], body["scope"]) == (0, SAID["scope"])
    assert body["grant_types"] == ["authorization_code", "refresh_token"]
    _, email = await world.account()
    await world.sign_in(email)
    page = await world.authorize(client)
    assert (page.status_code, "location" in page.headers) == (400, False)
    for form in (
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": "v" * 43},
        {"grant_type": "client_credentials", "scope": "patient-api"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
    ):
        refused = await world.token(client, **form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    pushed = await world.program.post("/par", data=world.request(client) | {"client_secret": body["client_secret"]})
    assert pushed.status_code == 401
    await approve(world, client)
    got = await world.tokens(client, scope="openid offline_access patient-api")
    assert got["scope"] == "openid offline_access patient-api"
    assert (await world.refresh(client, got["refresh_token"])).status_code == 200


async def test_t027_who_was_refused_stays_out(world: World) -> None:
    client = (await asked(world))["client_id"]
    await world.bus.handle(RetireClient(client_id=UUID(client)), world.admin)
    assert (await line(world, client)).status == "retired"
    assert (await world.authorize(client)).status_code == 400
    with pytest.raises(NoSuchClient):
        await approve(world, client)


async def test_only_administrators_of_the_organisation_decide(world: World, doctor: Caller, caller: Any) -> None:
    client = (await asked(world))["client_id"]
    with pytest.raises(NotAllowed):
        await world.bus.handle(ApproveClient(client_id=UUID(client)), doctor)
    with pytest.raises(NoSuchClient):
        await world.bus.handle(ApproveClient(client_id=UUID(client)), caller("ADMIN", organisation_id=uuid4()))
    with pytest.raises(NoSuchClient):
        await world.bus.ask(IssueClientSecret(client_id=UUID(client)), world.admin)


# ------------------------------------------------------------------ what is refused
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://you@app.example/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": [CALLBACK, "vbscript:x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": []}, "invalid_redirect_uri"),
    ({"redirect_uris": None}, "invalid_redirect_uri"),
    ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "invalid_client_metadata"),
    ({"scope": "openid system/*.rs"}, "invalid_client_metadata"),
    ({"scope": "openid everything"}, "invalid_client_metadata"),
    ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
    ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
    ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ({"grant_types": ["password"]}, "invalid_client_metadata"),
    ({"response_types": ["code", "token"]}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ({"application_type": "robot"}, "invalid_client_metadata"),
    ({"application_type": "native"}, "invalid_client_metadata"),
    ({"jwks_uri": "https://169.254.169.254/keys"}, "invalid_client_metadata"),
    ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
    ({"software_statement": "eyJ.e.x"}, "unapproved_software_statement"),
    ({"client_name": "<b>Cuore</b>"}, "invalid_client_metadata"),
    ({"client_name": "Cuo\u202ere"}, "invalid_client_metadata"),
    ({"client_name": "Cuo\u00adre"}, "invalid_client_metadata"),
    ({"client_name": "Cu\u043ere"}, "invalid_client_metadata"),
    ({"client_name": "Salerno"}, "invalid_client_metadata"),
    ({"client_name": "S\u0430lern0"}, "invalid_client_metadata"),
    ({"client_name": "5AIERN0"}, "invalid_client_metadata"),
    ({"client_name": "x" * 81}, "invalid_client_metadata"),
    ({"client_name": None}, "invalid_client_metadata"),
    ({"client_name": 7}, "invalid_client_metadata"),
]


async def test_t027_what_makes_no_honest_application_is_refused_in_the_standards_words(world: World) -> None:
    for changes, error in REFUSED:
        got = await ask(world, **changes)
        assert (got.status_code, got.json()["error"]) == (400, error), (changes, got.text)
        assert got.json()["error_description"] and got.headers["cache-control"] == "no-store"
        assert "alert(1)" not in got.text and "169.254" not in got.text
    assert await world.bus.ask(Clients(status="pending"), world.admin) == []


async def test_t027_its_own_keys_open_no_scope_of_a_system(world: World) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
    public, private = ({"keys": [key.as_dict(private=one)]} for one in (False, True))
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}
    for scope in ("system/*.*", "system/*.cruds", "openid system/Patient.rs"):
        assert (await ask(world, **by_key, jwks=public, scope=scope)).json()["error"] == "invalid_client_metadata"
    refused = await ask(world, **by_key, jwks=private)
    assert refused.json()["error"] == "invalid_client_metadata"
    assert key.as_dict(private=True)["d"] not in refused.text
    body = await asked(world, **by_key, jwks=public)
    assert "client_secret" not in body and body["jwks"] == public
    assert json.loads((await line(world, body["client_id"])).terms.jwks) == public


async def test_a_program_that_keeps_no_secret_gets_none(world: World) -> None:
    browser = await asked(world, token_endpoint_auth_method="none")
    native = await asked(
        world, token_endpoint_auth_method="none", application_type="native", redirect_uris=["com.example.cuore:/cb"]
    )
    assert "client_secret" not in browser and "client_secret" not in native
    kinds = [(await line(world, one["client_id"])).terms.kind for one in (browser, native)]
    assert kinds == ["browser", "native"]


async def test_t027_no_address_is_fetched_and_pictures_are_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("somebody asks an address")

    monkeypatch.setattr("socket.getaddrinfo", fetched)
    monkeypatch.setattr("httpx.AsyncHTTPTransport.handle_async_request", fetched)
    inside = {"logo_uri": "http://127.0.0.1:9/logo.png", "policy_uri": "http://10.0.0.1/", "tos_uri": "http://[::1]/"}
    body = await asked(world, client_uri="http://192.168.0.1/admin", **inside)
    assert not inside.keys() & body.keys()
    assert (await line(world, body["client_id"])).asked.site == "http://192.168.0.1/admin"  # type: ignore[union-attr]


NO_DESCRIPTION = [
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b'{"client_name": "a", "client_name": "b"}', "application/json", 400),
    (b"client_name=Cuore", "application/x-www-form-urlencoded", 415),
    (json.dumps(SAID).encode(), "text/plain", 415),
    (b'{"client_name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
]


async def test_what_is_no_description_is_refused(world: World) -> None:
    for content, kind, status in NO_DESCRIPTION:
        got = await world.program.post("/register", content=content, headers={"Content-Type": kind})
        assert got.status_code == status, (content[:40], got.text)


async def test_an_organisation_is_named_where_there_are_several(world: World, bus: Bus) -> None:
    await found(bus, uuid4())
    for query in ({}, {"hospital_id": str(uuid4())}):
        got = await world.program.post("/register", params=query, json=SAID)
        assert (got.status_code, got.json()["error"]) == (400, "invalid_client_metadata")
    assert (await world.program.post("/register?hospital_id=x", json=SAID)).status_code == 400


async def test_t027_strangers_cannot_flood_whoever_decides(world: World) -> None:
    query = {"hospital_id": str(world.admin.organisation)}
    statuses = [(await world.program.post("/register", params=query, json=SAID)).status_code for _ in range(12)]
    assert statuses == [201] * 10 + [429] * 2
    from_everywhere = [(await ask(world)).status_code for _ in range(42)]
    assert from_everywhere == [201] * 40 + [429] * 2


async def test_a_cookie_counts_for_nothing_there_and_no_other_site_needs_one(world: World) -> None:
    _, email = await world.account()
    await world.sign_in(email)
    query = {"hospital_id": str(world.admin.organisation)}
    got = await world.browser.post("/register", params=query, json=SAID, headers={"Origin": "https://other.example"})
    assert got.status_code == 201, got.text


# ------------------------------------------------------------------ what the administrator sees
async def test_t027_whoever_decides_is_told_for_whom_it_may_be_taken(world: World) -> None:
    known = await world.client(name="Cardiologia Rossi")
    assert (await line(world, known)).alike == ()
    for name in ("Cardiologia R0ssi", "cardiologia-rossi", "Cardi\u00f2logia Rossi", "Kardiologia Rossi"):
        client = (await asked(world, client_name=name))["client_id"]
        assert (await line(world, client)).alike == ("Cardiologia Rossi",), name
    assert (await line(world, (await asked(world, client_name="ASL Salerno"))["client_id"])).alike == ("Salerno",)
    assert (await line(world, (await asked(world, client_name="Meditrak"))["client_id"])).alike == ("MediTrack",)
    assert (await line(world, (await asked(world, client_name="Ortopedia"))["client_id"])).alike == ()


async def test_t027_the_consent_page_names_the_host_and_every_scope(world: World) -> None:
    client = (await asked(world))["client_id"]
    await approve(world, client)
    _, email = await world.account()
    await world.sign_in(email)
    asking = await world.authorize(client, scope=SAID["scope"])
    page = await world.browser.get(asking.headers["location"])
    assert "app.example" in page.text
    assert all(f'value="{scope}"' in page.text for scope in SAID["scope"].split())
    assert "code" in back(await world.allow(page)) and csrf_in(page)
