"""Whose request it is: what our proxies say counts, and what anybody else says does not."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.doors.probe import TOKEN, application, client_of

from salerno.interfaces.http.forwarded import Proxies
from salerno.kernel.addresses import networks_in, place_of

OURS = Proxies(networks_in("127.0.0.1, ::1, 10.0.0.0/8, fd00::/8"))
STANDARD = Proxies(OURS.networks, b"forwarded")


def client_of_lines(proxies: Proxies, peer: str, *lines: str, header: bytes = b"x-forwarded-for") -> str:
    return proxies.client_of(peer, [(b"host", b"clinic.test"), *((header, line.encode("latin-1")) for line in lines)])


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (["6.6.6.6", "203.0.113.9, 10.1.2.3", "10.9.9.9"], "203.0.113.9"),
        (["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9:51000"], "203.0.113.9"),
        (["[2001:db8::9]:51000"], "2001:db8::9"),
        (["2001:0DB8::0009"], "2001:db8::9"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["10.1.1.1, 10.1.2.3"], "10.1.1.1"),  # all of them ours: the farthest
        (["<script>"], "127.0.0.1"),
        (["203.0.113.9, unknown, 10.1.2.3"], "10.1.2.3"),  # beyond a hop that is not named, nobody is believed
        ([""], "127.0.0.1"),
        ([], "127.0.0.1"),
        ([", ".join(["10.0.0.1"] * 500)], "10.0.0.1"),
    ],
)
def test_t132_behind_our_proxies_the_nearest_address_that_is_none_of_theirs_asks(lines: list[str], client: str) -> None:
    assert client_of_lines(OURS, "127.0.0.1", *lines) == client


@pytest.mark.parametrize("peer", ["203.0.113.50", "2001:db8::50", "::ffff:203.0.113.50"])
def test_t132_what_others_say_of_themselves_is_not_believed(peer: str) -> None:
    assert client_of_lines(OURS, peer, "6.6.6.6, 10.0.0.1") == peer.removeprefix("::ffff:")
    assert client_of_lines(Proxies(), peer, "6.6.6.6") == peer.removeprefix("::ffff:")


def test_t132_without_configured_proxies_not_even_this_machine_is_believed() -> None:
    assert client_of_lines(Proxies(), "127.0.0.1", "6.6.6.6") == "127.0.0.1"


@pytest.mark.parametrize(
    ("line", "client"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ('for=6.6.6.6, For="[2001:db8::9]:4711";proto=https;by=10.0.0.1', "2001:db8::9"),
        ("proto=https;for=203.0.113.9;host=clinic.test, for=10.1.2.3", "203.0.113.9"),
        ("for=_hidden, for=10.1.2.3", "10.1.2.3"),
        ("by=6.6.6.6", "127.0.0.1"),
        ('for="203.0.113.9, for=6.6.6.6"', "6.6.6.6"),  # a proxy writes its own element last: only that one counts
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_that_one(line: str, client: str) -> None:
    assert client_of_lines(STANDARD, "127.0.0.1", line, header=b"forwarded") == client.strip('"')


def test_t132_the_header_that_our_proxies_do_not_write_is_the_clients_own_and_ignored() -> None:
    assert client_of_lines(OURS, "127.0.0.1", "for=6.6.6.6", header=b"forwarded") == "127.0.0.1"
    assert client_of_lines(STANDARD, "127.0.0.1", "6.6.6.6") == "127.0.0.1"


@given(some.lists(some.text(max_size=40), max_size=4))
def test_whatever_the_header_says_the_answer_is_an_address_or_the_proxys(lines: list[str]) -> None:
    raw = [(b"x-forwarded-for", line.encode("utf-8", "surrogatepass")) for line in lines]
    found = OURS.client_of("127.0.0.1", raw)
    assert found == "127.0.0.1" or place_of(found)


async def test_t132_the_edge_takes_the_address_from_there() -> None:
    headers = {"Cookie": f"__Host-sid={TOKEN}", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"}

    async def address(client: httpx.AsyncClient) -> str:
        return str((await client.get("/me", headers=headers)).json()["address"])

    async with client_of(application()) as client:
        assert await address(client) == "127.0.0.1"
    async with client_of(application(proxies=OURS)) as client:
        assert await address(client) == "203.0.113.9"


def test_a_household_of_ipv6_is_counted_as_one_place() -> None:
    assert place_of("2001:db8:1:2:3::4") == place_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert place_of("2001:db8:1:3::4") == "2001:db8:1:3::/64"
    assert place_of("::ffff:203.0.113.9") == place_of("203.0.113.9") == "203.0.113.9"
    assert place_of("") == "" and place_of("no: address") == "no: address"
