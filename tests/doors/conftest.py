"""Clients of the small application of probe.py."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.doors.probe import TOKEN, application, client_of


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application()) as client:
        yield client


@pytest.fixture
async def signed_in() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(), headers={"Cookie": f"__Host-sid={TOKEN}"}) as client:
        yield client
