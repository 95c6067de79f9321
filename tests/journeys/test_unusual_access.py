"""T100: somebody opens five hundred charts; the server is killed meanwhile; one alert, within a minute of the look."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from bench.harness import Process, answer_of
from tests.journeys.conftest import Premises

from salerno import app
from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.cli.demo.clinic import PASSWORD
from salerno.kernel.settings import read_settings

CHARTS, LIMIT, LONGEST = 500, 60, 60.0


async def filled(premises: Premises) -> list[UUID]:
    """Five hundred patients of the clinic."""
    settings = read_settings({"SALERNO_DATA": str(premises.data), "LOG_LEVEL": "error"}, Path("/nowhere"))
    async with app.running(settings, follow=True) as house:
        desk = premises.clinic.callers["receptionist"]
        wishes: list[Any] = [
            (RegisterPatient(patient_id=uuid4(), full_name=f"Ada Conti{nth}", confirmed_not_duplicate=True), None, None)
            for nth in range(CHARTS)
        ]
        for start in range(0, CHARTS, 50):
            await house.bus.handle_all(wishes[start : start + 50], desk)
        await house.bus.settled()
        return [wish.patient_id for wish, _, _ in wishes]


@pytest.fixture(scope="module")
def served(premises: Premises) -> Iterator[tuple[Process, list[UUID]]]:
    charts = asyncio.run(filled(premises))
    process = Process(premises.data, "--doors", "web,api").start().ready()
    yield process, charts
    process.stop()


def token(process: Process, who: str) -> dict[str, str]:
    login = {"email": f"test.{who}@example.com", "password": PASSWORD}
    return {"Authorization": f"Bearer {answer_of(httpx.post(f'{process.url}/auth/login', json=login))['token']}"}


def alerts(process: Process, headers: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer_of(httpx.get(f"{process.url}/api/v1/alerts", headers=headers))["alerts"]
    return [one for one in found if one["kind"] == "bulk-reads"]


def test_t100_one_alert_within_a_minute_though_the_server_was_killed(served: tuple[Process, list[UUID]]) -> None:
    process, charts = served
    admin, nurse = token(process, "admin"), token(process, "nurse")
    me = answer_of(httpx.get(f"{process.url}/users/me", headers=nurse))["user_id"]
    with httpx.Client(base_url=process.url, headers=nurse) as client:
        for chart in charts[: LIMIT + 40]:
            answer_of(client.get(f"/api/v1/patients/{chart}"))
        began = time.monotonic()
    process.kill()
    process.start().ready()
    with httpx.Client(base_url=process.url, headers=nurse, timeout=30) as client:
        for chart in charts[LIMIT + 40 :]:
            answer_of(client.get(f"/api/v1/patients/{chart}"))
    while not (seen := alerts(process, admin)):
        assert time.monotonic() - began < LONGEST, process.complaints()
        time.sleep(0.2)
    time.sleep(5)  # time enough for another round, and another alert, were there one
    (alert,) = alerts(process, admin)
    assert [alert] == seen
    assert (alert["account_id"], alert["role"], alert["count"]) == (me, "NURSE", LIMIT + 1)
    assert alert["status"] == "open"
    mine = answer_of(httpx.get(f"{process.url}/api/v1/users/me/alerts", headers=nurse))["alerts"]
    assert alert["alert_id"] in [one["alert_id"] for one in mine]
