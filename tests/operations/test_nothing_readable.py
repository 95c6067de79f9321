"""The whole demo clinic, used through its doors and backed up: no name, telephone number or note lies readable."""

import asyncio
import base64
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from bench.harness import Process
from tests.operations.conftest import Installation

from salerno import app
from salerno.kernel import eventstore
from salerno.kernel.embedded import EmbeddedPostgres

LONG_ENOUGH = 10  # what is shorter may be there by chance
ROOMS_OF_PATIENTS = {"patients", "scheduling", "encounters", "records", "prescribing"}
ALL = f"SELECT {eventstore.COLUMNS} FROM kernel.event_store WHERE hospital_id = $1 ORDER BY position"
# What any clinic's database holds, whoever its patients are.
NOT_A_PERSONS = re.compile(r"^[a-z_]+\.[a-z_.]+$|^https?://|^[A-Z][a-z]+/[A-Z]|^\d{4}-\d\d-\d\dT|^[0-9a-f-]{36}$")


@dataclass
class Used:
    """What people said, and every file where it must not stand."""

    data: Path
    places: dict[str, Path]
    names: set[str]
    texts: set[str]


def strings_of(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an event with the name of its field."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from strings_of(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from strings_of(part, at)


async def said_in(data: Path, installation: Installation) -> tuple[set[str], set[str], set[str]]:
    """All names and numbers of patients, all free texts about them, and the rooms that know of them."""
    names, texts, rooms = set[str](), set[str](), set[str]()
    async with app.running(installation.settings) as house:
        async with house.database.context("salerno_reader", None, "kernel") as connection:
            found = await connection.fetch("SELECT DISTINCT hospital_id FROM kernel.event_store")
        for organisation in (UUID(bytes=row[0].bytes) for row in found):
            async with house.bus.reading("patients", organisation) as tx:
                rows = await tx.fetch(ALL, organisation)
                items = await eventstore.open_rows(
                    tx.connection, tx.vault, house.bus.catalogue, organisation, rows, tx.now
                )
            for item in items:
                room = item.kind.partition(".")[0]
                if room not in ROOMS_OF_PATIENTS or not hasattr(item.event, "patient"):
                    continue
                rooms.add(room)
                for field, text in strings_of(msgspec.to_builtins(item.event)):
                    if room == "patients" and field in ("family_name", "given_name", "phone", "email", "birth_date"):
                        names.add(text)
                    if " " in text and not NOT_A_PERSONS.search(text):
                        texts.add(text)
    return names, texts, rooms


def use(process: Process, names: set[str]) -> None:
    """What a day leaves in logs: searches by name, charts, mistakes, addresses with names in them."""
    with httpx.Client(base_url=process.url, timeout=30) as client:
        login = {"email": "test.doctor@example.com", "password": "password123"}
        client.headers["Authorization"] = f"Bearer {client.post('/auth/login', json=login).json()['token']}"
        for name in sorted(names)[:40]:
            client.get("/patients", params={"q": name})
            client.get(f"/patients/{name}")
            client.post("/commands/register-patient", json={"payload": {"full_name": name, "gender": name}})
            client.get(f"/no/such/{name}", headers={"User-Agent": name, "Referer": f"https://x.example/{name}"})
        charts = client.get("/patients", params={"limit": 20}).json()["patients"]
        assert len(charts) == 20
        for chart in charts:
            for path in ("", "/vitals", "/summary", "/notes", "/prescriptions"):
                client.get(f"/patients/{chart.get('id') or chart.get('patient_id')}{path}")


def forms_of(text: str) -> list[bytes]:
    plain = text.encode()
    aligned = [base64.b64encode(b"\0" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, plain.hex().encode(), plain[::-1], *(form for form in aligned if len(form) >= LONG_ENOUGH)]


def found_in(folder: Path, texts: set[str], patterns: Path) -> dict[str, set[str]]:
    """Which of these texts stand in which files, in any form and in capitals or not."""
    lines = {line for text in texts for form in forms_of(text) for line in form.split(b"\n") if len(line) >= 7}
    patterns.write_bytes(b"\n".join(sorted(lines)) + b"\n")
    words = ["grep", "-r", "-a", "-o", "-i", "-F", "-f", patterns, "--exclude-dir=programs-*", folder]
    done = subprocess.run(words, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    assert done.returncode in (0, 1), done.stderr
    hits: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        path, _, hit = line.decode(errors="replace").partition(":")
        hits.setdefault(Path(path).name, set()).add(hit)
    return hits


@pytest.fixture(scope="module")
def used(top: Path) -> Used:
    installation = Installation(top / "demo")
    installation.must("demo", "--no-serve", "--patients", "40")
    names, texts, rooms = asyncio.run(said_in(installation.data, installation))
    assert rooms == ROOMS_OF_PATIENTS
    process = Process(installation.data, given={"LOG_LEVEL": "debug"}).start().ready()
    try:
        use(process, names)
    finally:
        process.stop()
    printed = top / "printed"
    printed.mkdir()
    for words in (
        ["backup", top / "backup"],
        ["events", "tail"],
        ["projections", "list"],
        ["ledger", "verify"],
        ["projections", "rebuild"],
    ):
        (printed / "-".join(map(str, words[:2])).replace("/", "-")).write_text(installation.must(*words))
    dump = top / "dump"
    dump.mkdir()
    restore = EmbeddedPostgres(installation.settings.postgres).dump_tools() / "pg_restore"
    subprocess.run([restore, "-f", dump / "dump.sql", top / "backup/database.dump"], check=True)
    logs = top / "logs"
    logs.mkdir()
    (top / f"serve-{process.port}.log").rename(logs / "serve.log")
    places = {"data": installation.data, "backup": top / "backup", "dump": dump, "logs": logs, "printed": printed}
    return Used(installation.data, places, names, texts)


def test_t075_the_search_itself_finds_what_it_looks_for(used: Used, top: Path) -> None:
    folder = top / "planted"
    folder.mkdir()
    text = max(used.texts, key=len).split("\n")[0]
    for nth, form in enumerate(forms_of(text)):
        (folder / f"form-{nth}").write_bytes(b"\0\x81binary" + form.upper() + b"\0more")
    assert len(found_in(folder, {text}, top / "patterns")) >= 3
    assert (used.places["logs"] / "serve.log").stat().st_size > 10_000
    assert (used.places["dump"] / "dump.sql").stat().st_size > 1_000_000
    assert any(path.stat().st_size >= 16 << 20 for path in (used.data / "postgres/data/pg_wal").iterdir())


@pytest.mark.parametrize("place", ["data", "backup", "dump", "logs", "printed"])
def test_t075_no_patients_name_telephone_number_or_note_of_the_demo_lies_readable(
    used: Used, top: Path, place: str
) -> None:
    long = {text for text in used.names | used.texts if len(text) >= LONG_ENOUGH}
    whole = {name for name in used.names if len(name) >= 7}
    assert len(used.names) > 100 and len(used.texts) > 150
    assert found_in(used.places[place], long | whole, top / "patterns") == {}
