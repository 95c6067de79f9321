"""T019: access that was ended is gone from every door of every process within five seconds, open streams too."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.harness import Process, answer_of
from tests.journeys.conftest import Premises

from salerno.interfaces.cli.demo.clinic import PASSWORD

LONGEST = 5.0
ONE_ADDRESS = {"SALERNO_BASE_URL": "http://localhost:3000"}
HTML = {"Accept": "text/html"}


class Clinic:
    """Two whole processes on one database: access is ended in the first, and probed in both."""

    def __init__(self, data: Path) -> None:
        self.pair = [Process(data, "--doors", "web,api", given=ONE_ADDRESS).start() for _ in range(2)]
        for process in self.pair:
            process.ready()
        self.urls = [process.url for process in self.pair]


@pytest.fixture(scope="module")
def clinic(premises: Premises) -> Iterator[Clinic]:
    made = Clinic(premises.data)
    yield made
    for process in made.pair:
        process.stop()


class Held:
    """Everything that a person holds after signing in: cookie, tokens, and a stream open in each process."""

    def __init__(self, clinic: Clinic, who: str) -> None:
        self.clinic, self.login = clinic, {"email": f"test.{who}@example.com", "password": PASSWORD}
        self.cookie = cookie_of(clinic.urls[0], self.login)
        self.long = answer_of(httpx.post(f"{clinic.urls[0]}/auth/login", json=self.login))["token"]
        body = answer_of(httpx.post(f"{clinic.urls[0]}/api/v1/auth/login", json=self.login))
        self.access, self.refresh, self.user = body["accessToken"], body["refreshToken"], body["user"]["id"]
        self.streams = [Stream(url, self.cookie) for url in clinic.urls]

    def doors(self) -> dict[str, Callable[[], bool]]:
        """Each door by name, and whether it still opens."""
        tried: dict[str, Callable[[], bool]] = {}
        for nth, url in enumerate(self.clinic.urls):
            tried[f"cookie {nth}"] = lambda url=url: _opens(url, {"Cookie": f"__Host-sid={self.cookie}"})
            tried[f"access token {nth}"] = lambda url=url: _opens(url, {"Authorization": f"Bearer {self.access}"})
            tried[f"long token {nth}"] = lambda url=url: _opens(url, {"Authorization": f"Bearer {self.long}"})
            tried[f"stream {nth}"] = lambda nth=nth: self.streams[nth].open
        return tried

    def refreshes(self) -> bool:
        got = httpx.post(f"{self.clinic.urls[1]}/api/v1/auth/refresh", json={"refreshToken": self.refresh})
        return got.status_code == 200


def cookie_of(url: str, login: dict[str, str]) -> str:
    got = httpx.post(f"{url}/sign-in", data=login)
    found = re.search(r"__Host-sid=([\w-]+)", " ".join(got.headers.get_list("set-cookie")))
    assert found is not None, got.text[:300]
    return found[1]


def _opens(url: str, headers: dict[str, str]) -> bool:
    return httpx.get(f"{url}/users/me", headers={**headers, "X-Background": "1"}, timeout=10).status_code == 200


class Stream:
    """An event stream that a browser keeps open."""

    def __init__(self, url: str, cookie: str, path: str = "/live") -> None:
        self.open, self.started = True, threading.Event()
        self._thread = threading.Thread(target=self._read, args=(url + path, cookie), daemon=True)
        self._thread.start()
        assert self.started.wait(10)

    def _read(self, url: str, cookie: str) -> None:
        wide = httpx.Timeout(30)
        with (
            httpx.Client(timeout=wide) as client,
            client.stream("GET", url, headers={"Cookie": f"__Host-sid={cookie}"}) as answer,
        ):
            assert answer.status_code == 200
            for _ in answer.iter_raw():
                self.started.set()
        self.open = False


def seconds_until_shut(doors: dict[str, Callable[[], bool]], since: float) -> dict[str, float]:
    left, took = dict(doors), dict[str, float]()
    while left and time.monotonic() - since < LONGEST + 3:
        for name in [name for name, opens in left.items() if not opens()]:
            took[name] = time.monotonic() - since
            del left[name]
        time.sleep(0.1)
    assert not left, f"still open: {sorted(left)}"
    return took


def _admin(clinic: Clinic) -> dict[str, str]:
    login = {"email": "test.admin@example.com", "password": PASSWORD}
    token = answer_of(httpx.post(f"{clinic.urls[0]}/auth/login", json=login))["token"]
    return {"Authorization": f"Bearer {token}"}


def _deactivate(clinic: Clinic, held: Held) -> Any:
    return httpx.delete(f"{clinic.urls[0]}/users/{held.user}", headers=_admin(clinic))


def _other_role(clinic: Clinic, held: Held) -> Any:
    url = f"{clinic.urls[0]}/users/{held.user}"
    return httpx.patch(url, json={"role": "RECEPTIONIST"}, headers=_admin(clinic))


def _password(clinic: Clinic, held: Held) -> Any:
    body = {"current": PASSWORD, "new": "seven herons cross the marsh at dusk"}
    by = answer_of(httpx.post(f"{clinic.urls[0]}/auth/login", json=held.login))["token"]
    return httpx.put(f"{clinic.urls[0]}/users/me/password", json=body, headers={"Authorization": f"Bearer {by}"})


@pytest.mark.parametrize(
    ("who", "end"),
    [("nurse", _other_role), ("lab", _deactivate), ("pharmacist", _password)],
    ids=["role changed", "deactivated", "password changed"],
)
def test_t019_ended_in_one_process_is_ended_in_both_within_five_seconds(
    clinic: Clinic, who: str, end: Callable[[Clinic, Held], Any]
) -> None:
    held = Held(clinic, who)
    doors = held.doors()
    assert all(opens() for opens in doors.values())
    assert end(clinic, held).is_success
    took = seconds_until_shut(doors, time.monotonic())
    assert max(took.values()) < LONGEST, took
    assert not held.refreshes()
    print(f"{end.__name__}: the last door shut after {max(took.values()):.2f} s")


def test_t019_one_session_ended_from_another_device_leaves_the_others_open(clinic: Clinic) -> None:
    held = Held(clinic, "receptionist")
    by = {"Authorization": f"Bearer {held.long}"}
    listed = answer_of(httpx.get(f"{clinic.urls[1]}/users/me/sessions", headers=by))["sessions"]
    (web,) = [one["session"] for one in listed if one["kind"] == "web"]
    assert httpx.delete(f"{clinic.urls[1]}/users/me/sessions/{web}", headers=by).is_success
    doors = {name: opens for name, opens in held.doors().items() if "cookie" in name or "stream" in name}
    took = seconds_until_shut(doors, time.monotonic())
    assert max(took.values()) < LONGEST, took
    assert all(opens() for name, opens in held.doors().items() if "token" in name)


def test_t019_what_a_made_role_gave_is_gone_from_both_processes_when_it_retires(clinic: Clinic) -> None:
    admin, url = _admin(clinic), clinic.urls[0]
    account = answer_of(
        httpx.post(f"{url}/auth/login", json={"email": "test.doctor@example.com", "password": PASSWORD})
    )["user"]["user_id"]
    body = {"title": "Sees accounts", "permissions": {"identity.read_users": "yes"}}
    role = answer_of(httpx.post(f"{url}/api/v1/roles", json=body, headers=admin))
    given = httpx.post(f"{url}/api/v1/users/{account}/roles", json={"role": role["name"]}, headers=admin)
    assert given.is_success, given.text
    held = Held(clinic, "doctor")
    by = {"Authorization": f"Bearer {held.long}"}

    def lists(url: str) -> Callable[[], bool]:
        return lambda: httpx.get(f"{url}/users", headers=by, timeout=10).status_code == 200

    doors = {f"accounts {nth}": lists(one) for nth, one in enumerate(clinic.urls)}
    assert all(opens() for opens in doors.values())
    assert httpx.delete(f"{url}/api/v1/roles/{role['role_id']}", headers=admin).status_code == 204
    took = seconds_until_shut(doors, time.monotonic())
    assert max(took.values()) < LONGEST, took
    assert all(opens() for opens in held.doors().values())  # who they are has not changed
    print(f"retired: gone after {max(took.values()):.2f} s")
