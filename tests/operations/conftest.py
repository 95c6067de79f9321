"""An installation in a data folder of its own, and the command line as an operator types it."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from salerno.interfaces.cli import main
from salerno.kernel.settings import Settings, read_settings

QUIET = {"LOG_LEVEL": "error"}


@dataclass
class Installation:
    """One data folder. `run` is what an operator types there."""

    data: Path
    given: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return {**QUIET, "SALERNO_DATA": str(self.data), **self.given}

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment, Path("/nowhere"))

    def run(self, *words: str | Path, typed: str = "") -> Result:
        with _environment(self.environment):
            return CliRunner().invoke(main, [str(word) for word in words], input=typed, catch_exceptions=False)

    def must(self, *words: str | Path, typed: str = "") -> str:
        result = self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.output


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({"PATH": before.get("PATH", ""), "HOME": before.get("HOME", "/"), **wanted})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    """A folder through which the server's user may pass."""
    folder = Path(tempfile.mkdtemp(prefix="salerno-ops-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
