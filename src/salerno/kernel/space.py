"""Room on the disk. Near the end of it wishes are refused, so that reading and signing in still have some.

A file of the data folder holds some room in reserve. It is given up when the disk is full to the last byte: what
every reader leaves in the access log goes on being written, and so nothing is shown that is not in it.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from salerno.kernel.errors import Unavailable

LOG = structlog.get_logger("salerno.space")
MEGABYTE = 1 << 20
RESERVE = 64 * MEGABYTE
FLOOR = 48 * MEGABYTE  # three of the files that PostgreSQL writes its log in
FILLING = 0.8
LOOK_EVERY = 0.5  # seconds


class DiskFull(Unavailable):
    """There is no room to write down what was wished (507). Safe to retry with the same idempotency key."""

    code = "disk-full"
    sentence = "The server's disk is full. Reading goes on, but nothing new can be saved. Tell the administrator."


class Space:
    """The disks under some folders, looked at again and again."""

    def __init__(self, data: Path, others: Sequence[Path] = (), *, reserve: int = RESERVE, floor: int = FLOOR) -> None:
        self.folders = [data, *others]
        self.reserve = data / "reserve"
        self.full = False
        self._sizes = (reserve, floor)
        self._told = ""

    def look(self) -> bool:
        """Whether there is too little left to grant wishes; keeps or gives up the reserve."""
        reserve, floor = self._sizes
        free, used = self._measure()
        if free < floor // 2:
            with suppress(FileNotFoundError):
                self.reserve.unlink()
        # Open again only with some room above the floor, or it would go back and forth.
        self.full = free < (2 * floor if self.full else floor)
        if not self.full and free > reserve + 2 * floor and not self.reserve.exists():
            self._keep_back(reserve)
        self._tell(free, used)
        return self.full

    def _measure(self) -> tuple[int, float]:
        """Of the disk that has least: bytes that may be written, and the part that is used."""
        found = []
        for folder in self.folders:
            with suppress(FileNotFoundError):
                disk = os.statvfs(folder)
                free = disk.f_bavail * disk.f_frsize
                found.append((free, 1 - free / max(1, disk.f_blocks * disk.f_frsize)))
        return min(found, default=(1 << 62, 0.0))

    def _keep_back(self, size: int) -> None:
        try:
            handle = os.open(self.reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:  # another process of ours was quicker, or the disk has just filled up
            return
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError:
            self.reserve.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _tell(self, free: int, used: float) -> None:
        state = "full" if self.full else "filling" if used >= FILLING else "enough"
        if state == self._told:
            return
        if state == "full":
            LOG.error("disk.full", size=free)
        elif state == "filling":
            LOG.warning("disk.filling", size=free)
        elif self._told:
            LOG.info("disk.enough", size=free)
        self._told = state
