"""Applications are told of a sign-out by a signed token, again until they hear it, and never inside our own network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.doors.provider_world import POLICY, World, csrf_in, opened

from salerno.contexts.identity.commands.provider import AnswerDevice, WithdrawApplication
from salerno.contexts.identity.events import AccountUpdated, SessionsEnded, SignedOut
from salerno.contexts.identity.handlers.provider import PROVIDER
from salerno.contexts.identity.handlers.provider.backchannel import EVENT, Herald, NotThere, placed
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller, Event
from salerno.kernel.remote import answer_type


@pytest.fixture
async def world(bus: Bus, admin: Caller) -> AsyncIterator[World]:
    async with opened(bus, admin, replace(POLICY, development=True)) as world:
        yield world


@asynccontextmanager
async def listener(heard: list[str], answers: list[int]) -> AsyncIterator[str]:
    """A program's ear: it keeps each logout token, and answers as told (then with 200)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        heard.append(parse_qs((await reader.readexactly(length)).decode())["logout_token"][0])
        status = answers.pop(0) if answers else 200
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/out"


async def test_t030_the_program_hears_of_the_sign_out_by_a_token_that_is_good_for_nothing_else(
    world: World, bus: Bus
) -> None:
    heard: list[str] = []
    async with listener(heard, [500]) as uri:
        client = await world.client(backchannel_uri=uri)
        account, email = await world.account()
        await world.sign_in(email)
        got = await world.tokens(client, scope="openid offline_access patient-api")
        herald = Herald(bus)
        assert await herald.tell() == 0
        page = await world.browser.get("/account")
        await world.browser.post("/sign-out", data={"csrf": csrf_in(page)})
        assert await herald.tell() == 0  # it answered 500: another time
        assert len(heard) == 1
        bus.clock.set(bus.clock.now() + timedelta(seconds=31))  # type: ignore[attr-defined]
        assert await herald.tell() == 1
        assert await herald.tell() == 0
    keys = KeySet.import_key_set((await world.program.get("/.well-known/jwks.json")).json())
    token = jwt.decode(heard[1], keys, algorithms=["ES256"])
    sid = jwt.decode(got["id_token"], keys, algorithms=["ES256"]).claims["sid"]
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["events"] == {EVENT: {}}
    assert (token.claims["sub"], token.claims["sid"], token.claims["aud"]) == (str(account), sid, client)
    assert "nonce" not in token.claims
    assert (await world.get("/api/v1/patients", heard[1])).status_code == 401


@pytest.mark.parametrize(
    "uri",
    ["https://127.0.0.1/x", "https://localhost/x", "https://10.1.2.3/", "https://169.254.169.254/latest",
     "https://[::1]/", "https://[fe80::1]/", "https://192.168.0.1:8443/", "https://0.0.0.0/", "https://224.0.0.1/",
     "http://93.184.216.34/"],
)  # fmt: skip
async def test_t027_our_own_network_is_out_of_reach(uri: str) -> None:
    with pytest.raises(NotThere):
        await placed(uri, inside=False)


async def test_the_address_that_was_looked_up_is_the_one_that_is_asked() -> None:
    url, host = await placed("https://93.184.216.34:8443/out?a=b", inside=False)
    assert (url, host) == ("https://93.184.216.34:8443/out?a=b", "93.184.216.34:8443")


@pytest.mark.parametrize(("kind", "wakes"), [(SignedOut, True), (SessionsEnded, True), (AccountUpdated, False)])
async def test_the_herald_wakes_for_what_ends_sessions(bus: Bus, kind: type[Event], wakes: bool) -> None:
    rounds: asyncio.Queue[None] = asyncio.Queue()

    class Counted(Herald):
        async def tell(self) -> int:
            rounds.put_nowait(None)
            raise OSError("the database is away")  # and comes back: the next round is not lost

    going = asyncio.create_task(Counted(bus, look_every=60).run())
    try:
        await asyncio.wait_for(rounds.get(), 5)
        for told in bus.woken:
            told(frozenset({kind}))
        await asyncio.sleep(0.05)
        assert rounds.qsize() == int(wakes)
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


async def test_a_token_that_is_given_back_is_no_sign_out_and_one_sign_out_is_told_once(world: World, bus: Bus) -> None:
    heard: list[str] = []
    async with listener(heard, []) as uri:
        client = await world.client(backchannel_uri=uri)
        _, email = await world.account()
        await world.sign_in(email)
        for _ in range(3):
            got = await world.tokens(client, scope="openid offline_access")
        form = {"client_id": client, "client_secret": world.secrets[client], "token": got["refresh_token"]}
        assert (await world.program.post("/revoke", data=form)).status_code == 200
        herald = Herald(bus)
        assert await herald.tell() == 0
        page = await world.browser.get("/account")
        await world.browser.post("/sign-out", data={"csrf": csrf_in(page)})
        assert [await herald.tell(), await herald.tell(), len(heard)] == [1, 0, 1]


async def test_the_answers_of_the_provider_pass_between_processes(bus: Bus) -> None:
    for errand in PROVIDER:
        assert answer_type(bus, errand) is not None or errand in (AnswerDevice, WithdrawApplication)
