"""How often anybody may ask, counted in one process: T132 as far as one process goes."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.applications import build
from tests.doors.probe import TOKEN, application, client_of

from salerno import app
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup
from salerno.interfaces.http.limits import (
    ANONYMOUS,
    PROBE,
    ROOM,
    SECRET,
    SIGNED_IN,
    VERIFYING,
    Limiting,
    Limits,
    Policy,
    limits_of,
    policies_of,
)
from salerno.interfaces.http.limits.memory import REMEMBERED, Pace
from salerno.interfaces.http.limits.policies import TABLE
from salerno.interfaces.http.sessions import Found
from salerno.kernel.bus import Bus
from salerno.kernel.errors import TooMany
from salerno.kernel.messages import Caller
from salerno.kernel.settings import Settings

COOKIE = {"Cookie": f"__Host-sid={TOKEN}"}


async def allowed(limits: Limiting, name: str, key: str, tries: int) -> int:
    """How many of so many at once."""
    outcomes = await asyncio.gather(*(limits.take(name, key) for _ in range(tries)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {type(None), TooMany}
    return outcomes.count(None)


async def test_a_rate_is_allowed_at_once_and_then_says_exactly_how_long_to_wait() -> None:
    limits = Limits([Policy(SIGNED_IN, 100, 60.0)])
    assert await allowed(limits, SIGNED_IN, "ada", 1_000) == 100
    with pytest.raises(TooMany) as refused:
        await limits.take(SIGNED_IN, "ada")
    assert refused.value.details["retry_after"] == pytest.approx(0.6, abs=0.3)
    assert await allowed(limits, SIGNED_IN, "bice", 1_000) == 100
    assert await allowed(limits, "no such limit", "ada", 1_000) == 1_000


def test_who_has_waited_is_allowed_again_one_by_one() -> None:
    pace = Pace(Policy(SIGNED_IN, 3, 60.0))
    assert [pace.take("ada", 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]
    assert pace.take("ada", 1019.0) == 1.0
    assert [pace.take("ada", 1020.0) for _ in range(2)] == [0.0, 20.0]
    assert [pace.take("ada", 5000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]


@pytest.mark.parametrize(("processes", "share"), [(1, 100), (3, 34), (200, 1)])
async def test_c20_without_a_store_each_of_several_processes_allows_its_share(processes: int, share: int) -> None:
    assert await allowed(Limits([Policy(ANONYMOUS, 100, 600.0)], processes), ANONYMOUS, "203.0.113.9", 500) == share


def test_what_is_remembered_is_bounded() -> None:
    pace = Pace(Policy(ANONYMOUS, 2, 600.0))
    for nth in range(REMEMBERED * 2):
        pace.take(str(nth), 0.0)
    assert len(pace._moments) <= REMEMBERED


def test_api11_every_limit_is_a_setting() -> None:
    given = {rate: nth + 1 for nth, (_, _, rate, _, _) in enumerate(TABLE)}
    told = policies_of(Settings(**given, rate_limit_window_ms=5_000))
    assert [(each.name, each.rate) for each in told] == [(row[0], nth + 1) for nth, row in enumerate(TABLE)]
    assert {each.seconds for each in told if each.name != ROOM} == {5.0}
    assert {each.seconds for each in told if each.name == ROOM} == {1.0}


def test_api10_a_hundred_before_sign_in_and_three_hundred_after_and_fewer_for_secrets() -> None:
    told = {each.name: (each.rate, each.seconds) for each in policies_of(Settings())}
    assert told[ANONYMOUS] == (100, 60.0)
    assert told[SIGNED_IN] == (300, 60.0)
    assert told[SECRET] == (60, 60.0)
    assert ROOM not in told


async def test_c20_workers_and_instances_share_the_rate() -> None:
    limits = limits_of(Settings(salerno_workers=2, salerno_instances=2), bytes(32))
    assert isinstance(limits, Limits)
    assert await allowed(limits, ANONYMOUS, "203.0.113.9", 200) == 25


async def test_t132_one_address_at_ten_times_its_limit_is_told_when_to_come_back() -> None:
    limits = Limits([Policy(ANONYMOUS, 10, 600.0), Policy(SIGNED_IN, 30, 600.0)])
    async with client_of(application(limits=limits)) as client:
        answers = await asyncio.gather(*(client.get("/large") for _ in range(100)))
        assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 90
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.json()["code"], refused.json()["status"]) == ("too-many-requests", 429)
        wait = int(refused.headers["retry-after"])
        assert 55 <= wait <= 61
        assert refused.headers["ratelimit"] == f'"anonymous";r=0;t={wait}'
        assert refused.headers["ratelimit-policy"] == '"anonymous";q=10;w=600'
        by_account = [(await client.get("/me", headers=COOKIE)).status_code for _ in range(40)]
        assert by_account == [200] * 30 + [429] * 10


async def test_t132_forged_forwarding_headers_open_no_further_account_of_requests() -> None:
    async with client_of(application(limits=Limits([Policy(ANONYMOUS, 5, 600.0)]))) as client:
        statuses = []
        for nth in range(20):
            forged = {
                "X-Forwarded-For": f"10.0.0.{nth}",
                "Forwarded": f"for=10.1.0.{nth}",
                "X-Real-IP": f"10.2.0.{nth}",
            }
            statuses.append((await client.get("/large", headers=forged)).status_code)
        assert statuses == [200] * 5 + [429] * 15


async def test_probes_have_a_limit_of_their_own() -> None:
    async with client_of(application(limits=Limits([Policy(ANONYMOUS, 1, 600.0), Policy(PROBE, 3, 600.0)]))) as client:
        assert [(await client.get("/livez")).status_code for _ in range(5)] == [404] * 3 + [429] * 2
        assert [(await client.get("/large")).status_code for _ in range(2)] == [200, 429]


class Seat:
    """Whoever comes with the bearer token `known`, and somebody of another organisation with `other`."""

    def __init__(self, caller: Caller) -> None:
        other = msgspec.structs.replace(caller, actor=uuid4(), organisation=uuid4())
        at = app.SystemClock().now()
        self.found = {
            token: Found(caller=who, csrf="c" * 43, expires_at=at)
            for token, who in (("known", caller), ("other", other))
        }

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Found | None:
        return None

    async def caller_by_bearer(self, token: str) -> Found | None:
        return self.found.get(token)

    def forget(self, token: str = "") -> None:
        return None


@pytest.fixture(autouse=True)
def _guesses_of_other_tests_do_not_count(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(failures_per_account=100_000, failures_per_address=100_000)
    yield
    bus.settings.pop(SignInPolicy, None)


def whole(bus: Bus, admin: Caller, *policies: Policy) -> httpx.AsyncClient:
    setup = Setup(sessions=Seat(admin), limits=Limits(policies), stop=False)  # type: ignore[arg-type]
    built: Any = build(bus, [api.door(bus), web.door(bus)], setup)
    return httpx.AsyncClient(transport=httpx.ASGITransport(built), base_url="https://clinic.test")


async def test_what_verifies_a_secret_has_a_stricter_limit_for_an_address_over_all_its_ways(
    bus: Bus, admin: Caller
) -> None:
    async with whole(bus, admin, Policy(SECRET, 4, 600.0)) as client:
        ways = itertools.cycle(
            [
                ("/auth/login", {"email": "a@example.com", "password": "x"}),
                ("/auth/second-factor", {"challenge": "x", "code": "1"}),
                ("/auth/password/reset", {"token": "x", "password": "y"}),
                ("/auth/refresh", {"refresh_token": "x"}),
            ]
        )
        tried = [await client.post(path, json=body) for path, body in itertools.islice(ways, 8)]
        assert [answer.status_code == 429 for answer in tried] == [False] * 4 + [True] * 4
        assert {answer.headers["ratelimit-policy"] for answer in tried[4:]} == {'"secret";q=4;w=600'}
        assert (await client.post("/token", data={"grant_type": "x"})).status_code == 429
        assert (await client.get("/sign-in")).status_code == 200
        proving = await client.post("/auth/prove", json={"password": "x"}, headers={"Authorization": "Bearer known"})
        assert proving.status_code == 429


async def test_api06_a_room_answers_so_many_a_second_whoever_asks(bus: Bus, admin: Caller) -> None:
    async with whole(bus, admin, Policy(ROOM, 5, 600.0)) as client:
        known = {"Authorization": "Bearer known"}
        asked = [(await client.get("/patients", headers=known)).status_code for _ in range(7)]
        assert asked == [200] * 5 + [429] * 2
        assert (await client.get("/appointments", headers=known)).status_code == 200


async def test_t132_while_one_account_floods_another_organisation_gets_every_answer(bus: Bus, admin: Caller) -> None:
    async with whole(bus, admin, Policy(SIGNED_IN, 30, 600.0)) as client:

        async def ask(token: str) -> int:
            return (await client.get("/patients", headers={"Authorization": f"Bearer {token}"})).status_code

        statuses = await asyncio.gather(*(ask("other" if nth % 12 == 0 else "known") for nth in range(360)))
        assert [status for nth, status in enumerate(statuses) if nth % 12 == 0] == [200] * 30
        assert sorted(status for nth, status in enumerate(statuses) if nth % 12) == [200] * 30 + [429] * 300


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Too many attempts. Wait a little."), ("it", "Troppi tentativi. Attendi un poco.")],
)
async def test_a_person_reads_on_a_page_that_there_were_too_many(
    bus: Bus, admin: Caller, language: str, words: str
) -> None:
    async with whole(bus, admin, Policy(SECRET, 1, 600.0), Policy(ANONYMOUS, 3, 600.0)) as client:
        headers = {"Accept": "text/html", "Accept-Language": language}
        form = {"email": "a@example.com", "password": "x"}
        await client.post("/sign-in", data=form, headers=headers)
        for asked in (
            client.post("/sign-in", data=form, headers=headers),  # the route's limit
            client.get("/sign-in", headers=headers),
            client.get("/sign-in", headers=headers),  # the edge's
        ):
            page = await asked
        assert page.status_code == 429
        assert page.headers["content-type"].startswith("text/html")
        assert words in page.text and "retry-after" in page.headers and "ratelimit" in page.headers


NOT_GUESSED = {
    "InitAdministrator": "of the command line",
    "CreateUser": "an administrator's word for somebody else's new account",
    "ResolveBearer": "at every request: the limits by address and account count it",
    "ResolveSession": "likewise",
    "HearSignOut": "signed by a provider's key; how often an unknown key makes us look is counted by address",
    "GoOnWithAuthorization": "the handle is its own browser's",
    "ComeBackFromProvider": "likewise; how many leave for a provider is counted by address",
}
SECRETIVE = ("password", "code", "credential", "secret", "token", "handle", "challenge", "current")


def test_whatever_takes_a_secret_is_in_the_list_of_what_verifies_one(bus: Bus) -> None:
    """A new message of the identity room that brings one has to be limited, or say here why not."""
    taking = {
        message.__name__
        for message in bus._room_of
        if bus.room_of(message) == "identity"
        and any(word in field.name for field in msgspec.structs.fields(message) for word in SECRETIVE)
    }
    listed = {message.__name__ for message in VERIFYING}
    assert taking - listed - set(NOT_GUESSED) == set()
    assert set(NOT_GUESSED) - taking == set()


def test_every_message_of_that_list_has_a_route_that_is_limited(bus: Bus) -> None:
    routed = {route.of for door in (api.door(bus), web.door(bus)) for route in door.routes if route.method != "GET"}
    assert routed >= VERIFYING


def test_t132_the_account_of_one_is_not_that_of_another() -> None:
    pace = Pace(Policy(SIGNED_IN, 3, 600.0))
    for _ in range(30):
        pace.take(UUID(int=1).hex, 0.0)
    assert pace.take(UUID(int=2).hex, 0.0) == 0.0
