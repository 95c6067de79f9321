"""The demo's clinic in a data folder of each file's own: made once by a test process, and copied."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from salerno import app
from salerno.interfaces.cli.demo.clinic import Clinic, open_clinic
from salerno.kernel.settings import read_settings


@dataclass(frozen=True, slots=True)
class Premises:
    """`top` is a folder through which the server's user may pass; the installation is in its `data`."""

    top: Path
    clinic: Clinic

    @property
    def data(self) -> Path:
        return self.top / "data"


@contextmanager
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="salerno-journey-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


async def founded(data: Path) -> Clinic:
    settings = read_settings({"SALERNO_DATA": str(data), "LOG_LEVEL": "error"}, Path("/nowhere"))
    async with app.running(settings, follow=True) as house:
        return await open_clinic(house)


@pytest.fixture(scope="session")
def model() -> Iterator[Premises]:
    with open_folder() as top:
        yield Premises(top, asyncio.run(founded(top / "data")))


@pytest.fixture(scope="module")
def premises(model: Premises) -> Iterator[Premises]:
    with open_folder() as top:
        subprocess.run(["cp", "-a", model.data, top / "data"], check=True)
        yield Premises(top, model.clinic)
