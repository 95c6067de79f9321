"""Clients of the small application of probe.py, and a clinic with the whole product before it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.doors.probe import TOKEN, application, client_of
from tests.doors.provider_world import World, opened

from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application()) as client:
        yield client


@pytest.fixture
async def signed_in() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(), headers={"Cookie": f"__Host-sid={TOKEN}"}) as client:
        yield client


@pytest.fixture
async def world(bus: Bus, admin: Caller) -> AsyncIterator[World]:
    async with opened(bus, admin) as world:
        yield world
