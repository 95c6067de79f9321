"""`salerno letters`, as an operator types it."""

import asyncio
import base64
import os
import re
from pathlib import Path

from tests.operations.conftest import Installation

from salerno import app
from salerno.contexts.identity.commands.letters import AskPasswordReset
from salerno.interfaces.http.sessions import NOBODY
from salerno.kernel.embedded import EmbeddedPostgres


def test_an_operator_lists_retries_and_drops_what_is_not_out(top: Path) -> None:
    there = Installation(top / "letters")
    there.data.mkdir(mode=0o711)
    there.given["ENCRYPTION_KEY"] = base64.b64encode(os.urandom(32)).decode()
    there.given |= {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "1",
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "no-reply@example.com",
    }
    with EmbeddedPostgres(there.data / "postgres"):
        there.must("init", "--admin-email", "boss@example.com", typed="salerno-vesuvio-72-limone\n")
        assert there.must("letters", "list") == "No letters.\n"
        asyncio.run(write(there))
        listed = there.must("letters", "list")
        (letter,) = re.findall(r"^([0-9a-f-]{36})  waiting +reset ", listed, re.MULTILINE)
        assert "boss@example.com" not in listed
        assert "to boss@example.com" in there.must("letters", "list", "--addresses")
        assert there.must("letters", "list", "--failed") == "No letters.\n"
        assert there.must("letters", "retry", letter) == "1 to be tried again.\n"
        assert there.must("letters", "drop", letter) == "Dropped.\n"
        refused = there.run("letters", "drop", letter)
        assert (refused.exit_code, refused.output) == (1, "There is no such letter, or it has been sent.\n")
        assert there.run("letters", "drop", "nonsense").exit_code == 2


async def write(there: Installation) -> None:
    async with app.running(there.settings) as house:
        await house.bus.ask(AskPasswordReset(email="boss@example.com"), NOBODY)
