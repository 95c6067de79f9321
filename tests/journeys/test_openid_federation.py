"""Two Salernos: the people of the one, a hospital with a provider, come in to the other, which relies on it."""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from bench.harness import Process, free_port
from tests.doors.provider_world import BASE, HTML, World, csrf_in, opened
from tests.journeys.conftest import Premises

from salerno.contexts.identity.rules.external import ExternalProvider, ExternalProviders
from salerno.interfaces.cli.demo.clinic import PASSWORD
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

BACK = "/sign-in/back/ospedale"
SECRET = "a-secret-of-the-hospital-0123456789"
COLUMNS = "client_id,name,kind,redirect_uris,logout_uris,scopes,device,trusted,backchannel_uri,launch_uri,secret_sha256"


class Ear:
    """Where the hospital tells the clinic of sign-outs: what it sends is kept, to be handed on by the test."""

    def __init__(self) -> None:
        self.heard: Queue[str] = Queue()
        ear = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                ear.heard.put(form["logout_token"][0])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/out"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Hospital:
    """A whole Salerno in a process of its own, which knows the clinic as one of its applications."""

    def __init__(self, top: Path) -> None:
        self.ear = Ear()
        table, port = top / "clients.csv", free_port()
        hash = hashlib.sha256(SECRET.encode()).hexdigest()
        table.write_text(
            f"{COLUMNS}\nclinic,Clinic,web,{BASE}{BACK},{BASE}/sign-in,openid email,,yes,{self.ear.uri},,{hash}\n"
        )
        given = {"SALERNO_BASE_URL": f"http://127.0.0.1:{port}", "SALERNO_CLIENTS": str(table)}
        self.server = Process(top / "data", given=given, port=port).start().ready()

    def sign_in(self, who: str = "nurse") -> dict[str, str]:
        """The cookie of somebody who has signed in there. By hand: it is for https, and this is loopback."""
        form = {"email": f"test.{who}@example.com", "password": PASSWORD}
        came = httpx.post(f"{self.server.url}/sign-in", data=form, headers={"Origin": self.server.url}, timeout=20)
        assert came.status_code == 303, came.text
        return {"Cookie": "__Host-sid=" + came.headers["set-cookie"].partition("__Host-sid=")[2].partition(";")[0]}

    def authorize(self, location: str, cookie: dict[str, str]) -> dict[str, str]:
        assert location.startswith(f"{self.server.url}/authorize?")
        back = httpx.get(location, headers=cookie, timeout=20)
        assert back.status_code == 303 and back.headers["location"].startswith(f"{BASE}{BACK}?"), back.text[:800]
        return dict(parse_qsl(urlsplit(back.headers["location"]).query))


@pytest.fixture(scope="module")
def hospital(premises: Premises) -> Iterator[Hospital]:
    made = Hospital(premises.top)
    yield made
    made.server.stop()
    made.ear.server.shutdown()
    made.ear.server.server_close()


@pytest.fixture
async def clinic(bus: Bus, admin: Caller, hospital: Hospital) -> AsyncIterator[World]:
    one = ExternalProvider(
        id="ospedale", name="Ospedale", issuer=hospital.server.url, client_id="clinic", secret=SECRET
    )
    bus.settings[ExternalProviders] = ExternalProviders({"ospedale": one})
    async with opened(bus, admin, **HTML) as world:
        yield world
    bus.settings.pop(ExternalProviders)


async def test_a_nurse_of_the_hospital_links_her_account_comes_in_by_it_and_goes(
    clinic: World, hospital: Hospital
) -> None:
    cookie = hospital.sign_in()
    _, email = await clinic.account("NURSE")
    await clinic.sign_in(email)
    page = await clinic.browser.get("/account/providers")
    left = await clinic.browser.post("/account/providers/link/ospedale", data={"csrf": csrf_in(page)})
    location = left.text.partition('content="0; url=')[2].partition('"')[0].replace("&amp;", "&")
    told = hospital.authorize(location, cookie)
    assert told["iss"] == hospital.server.url
    linked = await clinic.browser.get(BACK, params=told)
    assert linked.headers["location"] == "/account/providers?done=linked"
    assert "test.nurse@example.com" in (await clinic.browser.get("/account/providers")).text
    clinic.browser.cookies.clear()
    left = await clinic.browser.get("/sign-in/with/ospedale?next=/account")
    told = hospital.authorize(left.headers["location"], cookie)
    came = await clinic.browser.get(BACK, params=told)
    assert (came.status_code, came.headers["location"]) == (303, "/account")
    page = await clinic.browser.get("/account")
    assert email in page.text
    again = await clinic.browser.get(BACK, params=told)  # the same answer once more
    assert again.status_code == 401
    out = await clinic.browser.post("/sign-out", data={"csrf": csrf_in(page)})
    assert out.headers["location"] == "/sign-in?done=out&at=ospedale"
    there = (await clinic.browser.get("/sign-out/at/ospedale")).headers["location"]
    asked = httpx.get(there, headers=cookie | HTML, timeout=20)
    assert asked.status_code == 200 and 'action="/end-session"' in asked.text


async def test_a_code_that_the_hospital_gave_for_another_browser_opens_nothing(
    clinic: World, hospital: Hospital
) -> None:
    cookie = hospital.sign_in()
    left = await clinic.browser.get("/sign-in/with/ospedale")
    attackers = hospital.authorize(left.headers["location"], cookie)
    clinic.browser.cookies.clear()
    left = await clinic.browser.get("/sign-in/with/ospedale")
    own = dict(parse_qsl(urlsplit(left.headers["location"]).query))
    injected = attackers | {"state": own["state"]}
    refused = await clinic.browser.get(BACK, params=injected)  # the verifier is another's: the hospital refuses it
    assert refused.status_code == 401 and "__Host-sid" not in clinic.browser.cookies


async def test_t030_a_sign_out_at_the_hospital_ends_the_clinics_session_within_five_seconds(
    clinic: World, hospital: Hospital
) -> None:
    cookie = hospital.sign_in("receptionist")
    _, email = await clinic.account("NURSE")
    await clinic.sign_in(email)
    page = await clinic.browser.get("/account/providers")
    left = await clinic.browser.post("/account/providers/link/ospedale", data={"csrf": csrf_in(page)})
    location = left.text.partition('content="0; url=')[2].partition('"')[0].replace("&amp;", "&")
    linked = await clinic.browser.get(BACK, params=hospital.authorize(location, cookie))
    assert linked.headers["location"] == "/account/providers?done=linked", linked.text[-600:]
    clinic.browser.cookies.clear()
    left = await clinic.browser.get("/sign-in/with/ospedale?next=/account")
    await clinic.browser.get(BACK, params=hospital.authorize(left.headers["location"], cookie))
    assert (await clinic.browser.get("/account")).status_code == 200
    there = httpx.get(f"{hospital.server.url}/account", headers=cookie | HTML, timeout=20)
    origin = {"Origin": hospital.server.url}
    data, since = {"csrf": csrf_in(there)}, time.monotonic()
    assert (
        httpx.post(f"{hospital.server.url}/sign-out", data=data, headers=cookie | origin, timeout=20).status_code == 303
    )
    token = await asyncio.to_thread(hospital.ear.heard.get, True, 10)
    told = await clinic.program.post("/sign-in/out/ospedale", data={"logout_token": token})
    assert told.status_code == 200, told.text
    while (await clinic.browser.get("/account", headers={"X-Background": "1"})).status_code == 200:
        assert time.monotonic() - since < 5
        await asyncio.sleep(0.1)
    took = time.monotonic() - since
    assert took < 5, took
    assert (await clinic.program.post("/sign-in/out/ospedale", data={"logout_token": token})).status_code == 400
