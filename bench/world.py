"""What is measured: a fresh installation with durable settings, one server process, and people in it."""

import asyncio
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from time import sleep
from uuid import UUID

from salerno import app
from salerno.contexts.encounters.commands import CompleteVisit, SaveDraft, StartVisit
from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import GivenAddress, RegisterPatient
from salerno.contexts.records.commands import RecordObservation, RecordProblem, RecordVitals
from salerno.contexts.records.events import Quantity
from salerno.contexts.staff.commands import AddStaffMember, DoctorDetails
from salerno.kernel.clock import SystemClock, uuid7
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.messages import Caller
from salerno.kernel.settings import Settings, read_settings

PORT = 3919
EMAIL, PASSWORD = "test.bench@example.com", "password123"
GIVEN = [
    "Maria",
    "Anna",
    "Giuseppe",
    "Antonio",
    "Francesco",
    "Luca",
    "Chiara",
    "Giulia",
    "Marco",
    "Elena",
    "Paolo",
    "Rosa",
    "Carlo",
    "Sara",
    "Andrea",
]
ENDINGS = [
    "rossi",
    "russo",
    "ferrari",
    "esposito",
    "bianchi",
    "romano",
    "colombo",
    "ricci",
    "marino",
    "greco",
    "bruno",
    "gallo",
    "conti",
    "costa",
    "fontana",
]
SOUNDS = [
    "ba",
    "be",
    "bi",
    "bo",
    "da",
    "de",
    "di",
    "do",
    "fa",
    "fe",
    "ga",
    "gi",
    "la",
    "le",
    "li",
    "lo",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "ni",
    "pa",
    "pe",
    "ra",
    "re",
    "ri",
    "sa",
    "se",
    "ta",
    "te",
    "va",
    "ve",
    "za",
]


@dataclass
class World:
    folder: Path
    settings: Settings
    server: EmbeddedPostgres
    house: app.House
    caller: Caller
    doctors: list[UUID]
    patients: list[UUID]
    dice: Random
    token: str = ""
    names: list[str] = field(default_factory=list)  # of some who are registered

    def somebody(self) -> UUID:
        return self.dice.choice(self.patients)

    def person(self) -> dict[str, object]:
        """Names as skewed as a town's: few given names, many family names, some of them common."""
        family = "".join(self.dice.choices(SOUNDS, k=2)) + self.dice.choice(ENDINGS)
        born = date(1930, 1, 1) + timedelta(days=self.dice.randrange(34_000))
        return {
            "full_name": f"{self.dice.choice(GIVEN)} {family.title()}",
            "date_of_birth": born.isoformat(),
            "gender": self.dice.choice(("female", "male")),
            "phone": f"+3933{self.dice.randrange(10**8):08}",
            "confirmed_not_duplicate": True,
        }

    def asked(self, *, slip: bool = False) -> str:
        """How somebody at a desk asks for one of them: the given name and five letters, or the name with a slip."""
        given, family = self.dice.choice(self.names).split()
        if not slip:
            return f"{given} {family[:5]}"
        at = self.dice.randrange(1, len(family) - 1)
        return f"{given} {family[:at]}{family[at + 1 :]}"

    async def register(self, count: int) -> None:
        """More people, many in one transaction: only the measured ones go through HTTP."""
        while count > 0:
            some = [self._registration() for _ in range(min(200, count))]
            ids = [wish.patient_id for wish in some]
            await self.house.bus.handle_all([(wish, None, None) for wish in some], self.caller, absent=ids)
            self.patients += ids  # type: ignore[arg-type]
            self.names += [wish.full_name for wish in some[:20]]
            count -= len(some)

    def _registration(self) -> RegisterPatient:
        person = self.person()
        return RegisterPatient(
            patient_id=uuid7(SystemClock().now()),
            full_name=str(person["full_name"]),
            date_of_birth=date.fromisoformat(str(person["date_of_birth"])),
            gender=str(person["gender"]),
            phone=str(person["phone"]),
            address=GivenAddress(line1="Via Roma 1", city="Salerno", postal_code="84121"),
            confirmed_not_duplicate=True,
        )

    async def long_history(self, patient: UUID) -> None:
        """Fifty encounters with notes and vital signs, and 200 observations."""
        bus, who = self.house.bus, self.caller
        await bus.handle(RecordProblem(patient_id=patient, code="I10", display="Hypertension"), who)
        for n in range(50):
            at = datetime(2020, 1, 1, 9, tzinfo=UTC) + timedelta(days=30 * n)
            visit = uuid7(SystemClock().now())
            started = StartVisit(visit_id=visit, patient_id=patient, practitioner_id=self.doctors[0], started_at=at)
            await bus.handle(started, who)
            await bus.handle(SaveDraft(visit_id=visit, subjective="Feels well. " * 20, plan="Carry on."), who)
            await bus.handle(RecordVitals(patient_id=patient, visit_id=visit, systolic=130, diastolic=80), who)
            await bus.handle(CompleteVisit(visit_id=visit, ended_at=at + timedelta(minutes=20)), who)
        for n in range(200):
            at = datetime(2020, 1, 1, 9, tzinfo=UTC) + timedelta(days=7 * n)
            await bus.handle(
                RecordObservation(
                    patient_id=patient, code="2345-7", system="http://loinc.org", display="Glucose", effective_at=at,
                    category=("laboratory",), quantity=Quantity(value=90 + n % 40, unit="mg/dL", code="mg/dL"),
                ),
                who,
            )  # fmt: skip


@asynccontextmanager
async def opened(seed: int = 11) -> AsyncIterator[World]:
    """An installation in a folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="salerno-bench-"))
    folder.chmod(0o711)
    environment = {
        "SALERNO_DATA": str(folder), "PORT": str(PORT), "RATE_LIMIT_MAX_REQUESTS": "0", "RATE_LIMIT_MAX_SIGNED_IN": "0",
        "RATE_LIMIT_MAX_SECRETS": "0", "RATE_LIMIT_MAX_PROBES": "0",
        "RATE_LIMIT_FAILURES_PER_ACCOUNT": "1000000", "RATE_LIMIT_FAILURES_PER_ADDRESS": "1000000",
        "SALERNO_SECOND_FACTOR": "offered", "LOG_LEVEL": "error",
    }  # fmt: skip
    os.environ.update(environment)
    settings = read_settings()
    _, server = app.house_of(settings)  # makes the master key, before there is data that it would miss
    assert server is not None
    server.start()
    try:
        async with app.running(settings, follow=False) as house:
            yield await _furnished(folder, settings, server, house, Random(seed))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _furnished(
    folder: Path, settings: Settings, server: EmbeddedPostgres, house: app.House, dice: Random
) -> World:
    organisation, actor = (uuid7(SystemClock().now()) for _ in range(2))
    permissions = frozenset(house.bus.permissions())
    founder = Caller(actor=actor, organisation=organisation, role="SUPER_ADMIN", permissions=permissions)
    await house.bus.handle(RegisterOrganisation(organisation_id=organisation, kind="clinic", name="Bench"), founder)
    doctors = []
    for n in range(40):
        wish = AddStaffMember(
            given_name="Doctor", family_name=f"Number {n}", role="DOCTOR",
            doctor=DoctorDetails(licence_number=f"B-{n}", specialties=("General practice",)),
        )  # fmt: skip
        doctors.append((await house.bus.handle(wish, founder)).aggregate_id)
    user = CreateUser(email=EMAIL, password=PASSWORD, full_name="Bench Doctor", role="DOCTOR", staff_id=doctors[0])
    account = (await house.bus.handle(user, founder)).aggregate_id
    caller = Caller(actor=account, organisation=organisation, role="DOCTOR", permissions=permissions)
    await house.bus.settled()
    return World(folder, settings, server, house, caller, doctors, [], dice)


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[subprocess.Popen[bytes]]:
    """One server process with one worker, signed in."""
    process = subprocess.Popen(
        [sys.executable, "-m", "salerno", "serve", "--port", str(PORT)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await asyncio.to_thread(_wait_until_healthy)
        world.token = await asyncio.to_thread(_sign_in)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_healthy() -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
            connection.request("GET", "/health", headers={"Host": "localhost"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        sleep(0.1)
    raise RuntimeError("the server did not come up")


def _sign_in() -> str:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    body = json.dumps({"email": EMAIL, "password": PASSWORD})
    headers = {"Host": "localhost", "Content-Type": "application/json"}
    connection.request("POST", "/auth/login", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"sign-in answered {answer.status}: {content[:300]!r}")
    return str(json.loads(content)["token"])


def memory_of(process: subprocess.Popen[bytes]) -> float:
    """Megabytes of the largest process below this one: the worker."""
    found = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{process.pid}\n" in text or f"\nPid:\t{process.pid}\n" in text:
            kilobytes = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
            found = max(found, float(kilobytes[0]) / 1024 if kilobytes else 0.0)
    return found
