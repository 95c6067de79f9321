"""Two Salernos: the people of the one, a hospital with a provider, come in to the other, which relies on it."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

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


class Hospital:
    """A whole Salerno in a process of its own, which knows the clinic as one of its applications."""

    def __init__(self, top: Path) -> None:
        table, port = top / "clients.csv", free_port()
        hash = hashlib.sha256(SECRET.encode()).hexdigest()
        table.write_text(f"{COLUMNS}\nclinic,Clinic,web,{BASE}{BACK},{BASE}/sign-in,openid email,,yes,,,{hash}\n")
        given = {"SALERNO_BASE_URL": f"http://127.0.0.1:{port}", "SALERNO_CLIENTS": str(table)}
        self.server = Process(top / "data", given=given, port=port).start().ready()

    def sign_in(self) -> dict[str, str]:
        """The cookie of a nurse who has signed in there. By hand: it is for https, and this is loopback."""
        form = {"email": "test.nurse@example.com", "password": PASSWORD}
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
