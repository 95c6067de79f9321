"""Signing out while the process is killed: what was acknowledged has ended everywhere, and nothing ends by half."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from bench.harness import Process, answer_of
from tests.journeys.conftest import Premises
from tests.soaking import times

from salerno.interfaces.cli.demo.clinic import PASSWORD

pytestmark = pytest.mark.chaos
LONGEST = 5.0  # seconds from the acknowledgement until every door has heard of it
COOKIE = "__Host-sid"
ONE_ADDRESS = {"SALERNO_BASE_URL": "http://localhost:3000"}  # both speak for one installation


class Clinic:
    """Two whole processes on one database: the one that is asked to sign out, and another that was not asked."""

    def __init__(self, data: Path) -> None:
        self.asked = Process(data, "--doors", "web,api", given=ONE_ADDRESS).start()
        self.other = Process(data, "--doors", "web,api", given=ONE_ADDRESS).start()
        self.asked.ready()
        self.other.ready()

    @property
    def urls(self) -> list[str]:
        return [self.asked.url, self.other.url]


@pytest.fixture(scope="module")
def clinic(premises: Premises) -> Iterator[Clinic]:
    made = Clinic(premises.data)
    yield made
    made.asked.stop()
    made.other.stop()


class Copies:
    """What a thief kept of a session: the cookie, or the access and refresh token."""

    def __init__(self, cookie: str = "", access: str = "", refresh: str = "") -> None:
        self.cookie, self.access, self.refresh = cookie, access, refresh
        self.headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {"Authorization": f"Bearer {access}"}

    def opens(self, url: str) -> bool:
        return httpx.get(f"{url}/api/v1/users/me", headers=self.headers, timeout=20).status_code == 200

    def refreshes(self, url: str) -> bool:
        body = {"refreshToken": self.refresh}
        return bool(self.refresh) and httpx.post(f"{url}/auth/refresh", json=body, timeout=20).is_success

    def introspected(self, url: str, by: str) -> bool:
        asked = httpx.post(
            f"{url}/auth/introspect", json={"token": self.access}, headers={"Authorization": f"Bearer {by}"}, timeout=20
        )
        return bool(answer_of(asked)["active"])


def by_token(clinic: Clinic, who: str) -> Copies:
    login = {"email": f"test.{who}@example.com", "password": PASSWORD}
    body = answer_of(httpx.post(f"{clinic.other.url}/api/v1/auth/login", json=login, timeout=20))
    return Copies(access=body["accessToken"], refresh=body["refreshToken"])


def by_cookie(clinic: Clinic, who: str) -> tuple[Copies, dict[str, str]]:
    """With what a browser needs to sign out: the token of its forms."""
    form = {"email": f"test.{who}@example.com", "password": PASSWORD}
    came_in = httpx.post(f"{clinic.other.url}/sign-in", data=form, headers={"Origin": clinic.other.url}, timeout=20)
    assert came_in.status_code == 303, came_in.text
    copies = Copies(cookie=came_in.headers["set-cookie"].partition(f"{COOKIE}=")[2].partition(";")[0])
    page = httpx.get(f"{clinic.other.url}/account", headers=copies.headers, timeout=20).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    return copies, copies.headers | {"X-CSRF-Token": token, "Origin": clinic.asked.url}


async def sign_out_and_be_killed(clinic: Clinic, path: str, headers: dict[str, str], after: float) -> bool:
    """Whether the sign-out was acknowledged before the process died."""
    async with httpx.AsyncClient(timeout=20) as client:
        asked = asyncio.create_task(client.post(f"{clinic.asked.url}{path}", headers=headers))
        await asyncio.sleep(after)
        clinic.asked.kill()
        try:
            answer = await asked
        except httpx.TransportError:
            return False
    assert answer.status_code in (204, 303, 503), answer.text
    return answer.status_code != 503


def test_t014_a_killed_sign_out_is_whole_or_has_not_been_and_an_acknowledged_one_ends_every_copy(
    clinic: Clinic,
) -> None:
    dice = random.Random(14)
    acknowledged = 0
    rounds = max(4, times(40))
    for nth in range(rounds):
        headers: dict[str, str]
        if nth % 2:
            copies, headers = by_cookie(clinic, "nurse")
            path = "/sign-out"
        else:
            copies = by_token(clinic, "nurse")
            headers, path = copies.headers, "/auth/logout"
        assert all(copies.opens(url) for url in clinic.urls)
        # Before it was heard, just after the answer, and somewhere in between.
        after = (0.0, 0.3, 0.3, 0.0)[nth] if nth < 4 else dice.uniform(0, 0.03)
        gone = asyncio.run(sign_out_and_be_killed(clinic, path, headers, after))
        killed = time.monotonic()
        acknowledged += gone
        clinic.asked.start().ready()
        while gone and any(copies.opens(url) for url in clinic.urls):
            assert time.monotonic() - killed < LONGEST, "a copy still opens a door"
            time.sleep(0.1)
        if not gone:
            time.sleep(max(0.0, 2.5 - (time.monotonic() - killed)))  # a process may remember a yes for two seconds
        ended = {not copies.opens(url) for url in clinic.urls}
        assert len(ended) == 1, "one process has heard, the other has not"
        if copies.access:
            ended.add(not copies.introspected(clinic.other.url, by_token(clinic, "admin").access))
            ended.add(not copies.refreshes(clinic.other.url))
        assert len(ended) == 1, "it has ended by half"
    assert 0 < acknowledged < rounds
