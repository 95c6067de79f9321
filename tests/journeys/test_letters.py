"""Letters of a real installation: its settings, a mail server that is away at first, and a process that is killed."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller
from bench.harness import Process, free_port
from tests.journeys.conftest import Premises

from salerno.kernel.embedded import EmbeddedPostgres

pytestmark = pytest.mark.chaos
LONGEST = 60.0


class Inbox:
    def __init__(self) -> None:
        self.letters: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.letters.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


async def every_letters_turn_has_come(data: Path) -> None:
    """Half a minute after a first try that failed, or two minutes after the death of a process that held it."""
    connection = await asyncpg.connect(EmbeddedPostgres(data / "postgres").url("postgres"))
    await connection.execute("UPDATE identity.letters SET due_at = now()")
    await connection.close()


def test_a_letter_written_while_the_mail_server_is_away_outlives_the_process_that_wrote_it(premises: Premises) -> None:
    data, port, inbox = premises.data, free_port(), Inbox()
    given = {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_SECURITY": "none",
        "SMTP_FROM": "Salerno <no-reply@clinic.example>", "SALERNO_BASE_URL": "http://localhost:3000",
    }  # fmt: skip
    first = Process(data, "--doors", "api", given=given).start()
    first.ready()
    for email in ("test.nurse@example.com", "nobody@example.com"):
        body = {"email": email}
        asked = httpx.post(f"{first.url}/auth/password/forgotten", json=body, headers={"Host": "localhost:3000"})
        assert asked.status_code == 202
    first.kill()
    asyncio.run(every_letters_turn_has_come(data))
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    second = Process(data, "--doors", "api", given=given).start()
    try:
        second.ready()
        until = time.monotonic() + LONGEST
        while not inbox.letters and time.monotonic() < until:
            time.sleep(0.1)
        ((to, text),) = inbox.letters
        assert to == ["test.nurse@example.com"]
        assert "http://localhost:3000/reset-password?token=3D" in text.replace("=\r\n", "")
    finally:
        second.stop()
        server.stop()
