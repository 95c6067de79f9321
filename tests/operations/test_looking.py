"""Operators who look into the log are written down like everybody else."""

import asyncio
import base64
import os
import re
from pathlib import Path
from uuid import UUID

from tests.operations.conftest import Installation

from salerno import app
from salerno.interfaces.cli.house import OPERATOR
from salerno.kernel.embedded import EmbeddedPostgres

LOOKS = "SELECT user_id, outcome, subjects FROM kernel.access_log WHERE action = 'EventsShow'"


def test_whoever_shows_events_is_in_the_access_log(top: Path) -> None:
    there = Installation(top / "looking")
    there.data.mkdir(mode=0o711)
    there.given["ENCRYPTION_KEY"] = base64.b64encode(os.urandom(32)).decode()
    with EmbeddedPostgres(there.data / "postgres"):
        said = there.must("init", "--admin-email", "boss@example.com", typed="salerno-vesuvio-72-limone\n")
        account = UUID(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[0])
        shown = there.must("events", "show", str(account))
        assert "identity.account_created.v1" in shown
        assert "boss@example.com" in shown
        assert looks(there) == [(OPERATOR, "disclosed", [account])]
        there.must("events", "tail")
        assert len(looks(there)) == 1


def looks(there: Installation) -> list[tuple[UUID, str, list[UUID]]]:
    async def read() -> list[tuple[UUID, str, list[UUID]]]:
        async with app.running(there.settings) as house, house.database.owner() as owner:
            await owner.execute("SET ROLE salerno_ledger")
            return [(row[0], row[1], list(row[2])) for row in await owner.fetch(LOOKS)]

    return asyncio.run(read())
