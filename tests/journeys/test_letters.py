"""Letters of a real installation: its settings, a mail server that is away at first, and a process that is killed."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from bench.harness import Process

from salerno import app
from salerno.interfaces.cli.demo.clinic import open_clinic
from salerno.kernel.settings import read_settings

pytestmark = pytest.mark.chaos
LONGEST = 60.0  # a first pause of half a minute, and the lease of a process that died holding a letter


class Inbox:
    def __init__(self) -> None:
        self.letters: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.letters.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


async def found(data: Path) -> None:
    settings = read_settings({"SALERNO_DATA": str(data), "LOG_LEVEL": "error"}, Path("/nowhere"))
    async with app.running(settings, follow=True) as house:
        await open_clinic(house)


@pytest.fixture
def data() -> Iterator[Path]:
    top = Path(tempfile.mkdtemp(prefix="salerno-letters-"))
    top.chmod(0o711)
    asyncio.run(found(top / "data"))
    yield top / "data"
    shutil.rmtree(top)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_letter_written_while_the_mail_server_is_away_outlives_the_process_that_wrote_it(data: Path) -> None:
    port, inbox = free_port(), Inbox()
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
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    second = Process(data, "--doors", "api", given=given).start()
    try:
        second.ready()
        until = time.monotonic() + LONGEST
        while not inbox.letters and time.monotonic() < until:
            time.sleep(0.5)
        ((to, text),) = inbox.letters
        assert to == ["test.nurse@example.com"]
        assert "http://localhost:3000/reset-password?token=3D" in text.replace("=\r\n", "")
    finally:
        second.stop()
        server.stop()
