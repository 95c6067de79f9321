"""T050: this product reads no XML at any door, so that nothing in XML can be expanded, fetched or run."""

import re
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.doors.probe import client_of
from tests.doors.test_api import application

from salerno.interfaces.api import door
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BODIES = {
    "external-entity": '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient><id value="&x;"/></Patient>',
    "parameter-entity": '<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1:9/e.dtd"> %x;]><Patient/>',
    "billion-laughs": f'<!DOCTYPE p [<!ENTITY l0 "ha">{LAUGHS}]><Patient><id value="&l9;"/></Patient>',
    "xinclude": '<Patient xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></Patient>',
    "stylesheet": '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?><ClinicalDocument/>',
    "drawing": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
}
PARAMETER = re.compile(r"\{\w+:(\w+)\}")
NOBODY, FILLED = "00000000-0000-4000-8000-000000000000", {"int": "1", "date": "2026-03-02"}
OFF = frozenset({"/register"})  # without its setting there is no such address
MEDIA = ("application/xml", "text/xml", "application/fhir+xml", "image/svg+xml", "application/hl7-sda+xml")


def _with_bodies(bus: Bus) -> list[tuple[str, str]]:
    """Method and path of each route that takes a body, with somebody who is not there in place of its parameters."""
    routes = [(route.paths()[0], route) for route in door(bus).routes if route.takes is not None]
    return [(route.method, PARAMETER.sub(lambda found: FILLED.get(found[1], NOBODY), path)) for path, route in routes]


@pytest.fixture
def everybody(bus: Bus, admin: Caller) -> Caller:
    return replace(admin, permissions=frozenset(bus.permissions()))


async def _sent(client: httpx.AsyncClient, method: str, path: str, media: str, body: str) -> tuple[int, Any]:
    answer = await client.request(method, path, content=body.encode(), headers={"Content-Type": media})
    assert "root:" not in answer.text and "hahahaha" not in answer.text
    return answer.status_code, answer.json().get("code")


async def test_t050_no_route_takes_a_body_of_xml(bus: Bus, everybody: Caller) -> None:
    routes = _with_bodies(bus)
    assert len(routes) > 100
    body = BODIES["external-entity"]
    async with client_of(application(bus, everybody), headers={"Authorization": "Bearer known"}) as client:
        for nth, (method, path) in enumerate(routes):
            media = MEDIA[nth % len(MEDIA)]
            if path not in OFF:
                assert await _sent(client, method, path, media, body) == (415, "unsupported-media-type"), path
                assert (await _sent(client, method, path, "application/json", body))[0] == 400, path


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("media", MEDIA)
async def test_t050_whatever_the_xml_says_it_is_not_read(bus: Bus, everybody: Caller, media: str, body: str) -> None:
    async with client_of(application(bus, everybody), headers={"Authorization": "Bearer known"}) as client:
        assert await _sent(client, "POST", "/api/v1/commands/register-patient", media, body) == (
            415, "unsupported-media-type",
        )  # fmt: skip


async def test_t050_a_body_nested_a_hundred_thousand_deep_is_refused(bus: Bus, everybody: Caller) -> None:
    async with client_of(application(bus, everybody), headers={"Authorization": "Bearer known"}) as client:
        for body in ("[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000):
            status, _ = await _sent(client, "POST", "/api/v1/commands/register-patient", "application/json", body)
            assert status in (400, 413)
