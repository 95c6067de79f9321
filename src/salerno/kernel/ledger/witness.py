"""Where checkpoints are kept out of the database's reach: a port, and the folder that is the default."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from salerno.kernel.ledger.keys import create

NAME = re.compile(r"(\d{20})\.checkpoint")


class WitnessDisagrees(Exception):
    """The witness holds another history than the one it was offered: an alarm, never to be smoothed over."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    size: int
    note: str


class Witness(Protocol):
    """Something that remembers what it was shown and never lets go of it. Calls may block on a disk or a network."""

    def newest(self, origin: str) -> Witnessed | None: ...

    def add(self, origin: str, size: int, note: str, leaves: bytes) -> None:
        """Remember a checkpoint and the leaf hashes it adds to the one before."""

    def notes(self, origin: str) -> Iterator[Witnessed]:
        """Every checkpoint, smallest tree first."""

    def leaves(self, origin: str) -> Iterator[bytes]:
        """The leaf hashes in order, a run for each checkpoint; nothing where this witness keeps none."""


class FolderWitness:
    """One new file per checkpoint, never opened for writing again, synced before the call returns.

    Put the folder where the database's account cannot write: another disk, a share, write-once storage.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._newest: dict[str, tuple[int, Witnessed | None]] = {}

    def newest(self, origin: str) -> Witnessed | None:
        """Asked every few seconds: the folder, which grows for years, is listed only when it has changed."""
        folder = self._path(origin, 0, "").parent
        changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
        if origin not in self._newest or self._newest[origin][0] != changed:
            sizes = self._sizes(origin)
            found = Witnessed(sizes[-1], self._note(origin, sizes[-1])) if sizes else None
            self._newest[origin] = (changed, found)
        return self._newest[origin][1]

    def add(self, origin: str, size: int, note: str, leaves: bytes) -> None:
        self._keep(self._path(origin, size, "leaves"), leaves)
        self._keep(self._path(origin, size, "checkpoint"), note.encode())

    def notes(self, origin: str) -> Iterator[Witnessed]:
        for size in self._sizes(origin):
            yield Witnessed(size, self._note(origin, size))

    def leaves(self, origin: str) -> Iterator[bytes]:
        for size in self._sizes(origin):
            yield self._path(origin, size, "leaves").read_bytes()

    def _keep(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not create(path, content, 0o444) and path.read_bytes() != content:
            raise WitnessDisagrees(f"the witness already holds another {path.name}")

    def _sizes(self, origin: str) -> Sequence[int]:
        folder = self._path(origin, 0, "").parent
        if not folder.is_dir():
            return []
        return sorted(int(found[1]) for path in folder.iterdir() if (found := NAME.fullmatch(path.name)))

    def _note(self, origin: str, size: int) -> str:
        # Bytes that are no text must read as a broken note, not end the verification.
        return self._path(origin, size, "checkpoint").read_bytes().decode(errors="replace")

    def _path(self, origin: str, size: int, ending: str) -> Path:
        return self.folder / origin.replace("/", "_") / f"{size:020d}.{ending}"
